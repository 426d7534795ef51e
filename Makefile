# make demo | book | notebooks | test | bench | bar | bands | experiments | results | weights | check
# Each sets up .venv by itself when it is missing or stale.
# Needs only Python 3.10 or later and make. Another interpreter: make demo PYTHON=python3.12

PYTHON ?= python3
BIN := .venv/bin
OUTPUT ?= demo
SEED ?= 0
PORT ?= 8000
COLAB_PYTHON ?= python3.13
STUDIES ?= all failures
EDITION ?= full

.PHONY: help demo book html publish notebooks test test-colab check bench bar bands experiments results weights release clean

help:
	@echo "make demo    PAUL end to end on drawn people, two to five minutes; OUTPUT=folder SEED=number"
	@echo "make book    build the book and show it at http://127.0.0.1:$(PORT); PORT=number; EDITION=student: no solutions"
	@echo "make publish build the book and push it to the branch gh-pages of the remote origin"
	@echo "make notebooks  run every chapter and assignment, write it back; CHAPTERS='03 04 assignment_02' for some"
	@echo "make test    every test, doctest, README example and chapter, with style and types"
	@echo "make test-colab  the chapters with the versions that Colab has"
	@echo "make bench   speed: medians and ratios, one thread"
	@echo "make bar     the demo on seeds 0 to 4, and the table of it"
	@echo "make bands   the numbers over seeds that the chapters compare with"
	@echo "make experiments  every study, its receipts and the page of results: about two hours on 2 cores; after a stop"
	@echo "                  it goes on where it was; STUDIES='ablation rivals' for some"
	@echo "make results the page of results from the receipts, nothing is run"
	@echo "make weights both networks that come with the package, made again"
	@echo "make release do tag, first cells, Colab buttons and citation agree? what is left to do?"
	@echo "make clean   remove .venv and what tests leave"

# The exact versions of constraints.txt serve where they were tested, that is on one minor version of Python.
.venv/.ready: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || \
		{ echo "found $$($(PYTHON) --version); expected Python 3.10 or later; try: make PYTHON=python3.11"; exit 2; }
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@tested=$$(sed -n 's/^# Python \([0-9.]*\).*/\1/p' constraints.txt); \
	 here=$$($(BIN)/python -c 'import sys; print("%d.%d" % sys.version_info[:2])'); \
	 exact=""; [ "$$tested" = "$$here" ] && exact="-c constraints.txt"; \
	 echo "setting up .venv for Python $$here $$exact: the first time this takes some minutes and, on Linux, a download of 2.7 GB"; \
	 $(BIN)/python -m pip install --quiet --disable-pip-version-check $$exact -e '.[test,book]'
	@touch $@

demo: .venv/.ready
	$(BIN)/paullite demo --output $(OUTPUT) --seed $(SEED)

check: .venv/.ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

SOURCE := $(if $(filter student,$(EDITION)),_build/student,.)

# A warm build repeats no warning of an unchanged page, so every build is a clean one.
html: .venv/.ready
	@case "$(EDITION)" in full|student) ;; *) \
		echo "found EDITION=$(EDITION); expected full or student; try: make $@ EDITION=student"; exit 2;; esac
	rm -rf _build
	if [ "$(SOURCE)" != . ]; then $(BIN)/python -m book.tools.edition $(SOURCE); fi
	$(BIN)/jupyter-book build -W -n --keep-going --path-output . $(SOURCE)

book: html
	$(BIN)/python -m book.tools.serve $(PORT)

publish: html
	$(BIN)/python -m pip install --quiet --disable-pip-version-check ghp-import
	$(BIN)/ghp-import --no-jekyll --push --force --no-history $(CURDIR)/_build/html

notebooks: .venv/.ready
	$(BIN)/python -m book.tools.notebooks run $(CHAPTERS)
	$(BIN)/python -m book.tools.paper_figures

NBVAL := --nbval --nbval-current-env --nbval-sanitize-with=tests/nbval_sanitize.cfg -p tests.nbval_rules -p no:cacheprovider

test: check .venv/axe-core
	$(BIN)/python -m pytest --cov --cov-report=term-missing:skip-covered --durations=10
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest $(NBVAL) -n 2 --dist loadfile --durations=6 notebooks book/assignments

# The rules of accessibility, as a program that runs in the page. Without npm, its tests say that they were left out.
.venv/axe-core: .venv/.ready
	@npm install --silent --no-save --prefix .venv/axe-core axe-core@4 || echo "npm is missing: axe-core is left out"
	@touch $@

.venv.colab/.ready: pyproject.toml tests/constraints-colab.txt
	$(COLAB_PYTHON) -m venv .venv.colab
	.venv.colab/bin/python -m pip install --quiet -c tests/constraints-colab.txt -r tests/requirements-colab.txt
	.venv.colab/bin/python -m pip install --quiet --no-deps -e .
	@touch $@

test-colab: .venv.colab/.ready
	.venv.colab/bin/python -m pytest -p no:cacheprovider tests/test_figures.py
	.venv.colab/bin/python -m pytest $(NBVAL) --durations=6 notebooks book/assignments

bench: .venv/.ready
	OMP_NUM_THREADS=1 $(BIN)/python -m tests.benchmarks

bar: .venv/.ready
	$(BIN)/python -m tests.benchmarks.bar $(SEEDS)

bands: .venv/.ready
	OMP_NUM_THREADS=1 $(BIN)/python -m tests.benchmarks.bands

STUDY_RUNS := runs/experiments
RECEIPTS := book/paulbook/studies/receipts
RESULTS = $(BIN)/python -m book.tools.results

# Trials that were run before, with the same settings and versions, are not run again: delete $(STUDY_RUNS) when the code
# behind them has changed. The number of threads is set for what is computed outside of trials.
experiments: .venv/.ready
	set -e; for study in $(STUDIES); do OMP_NUM_THREADS=1 $(BIN)/paulbook experiment $$study --output $(STUDY_RUNS); done
	mkdir -p $(RECEIPTS)
	cp $(STUDY_RUNS)/*.json $(STUDY_RUNS)/*.csv $(RECEIPTS)
	if [ -f $(STUDY_RUNS)/failures-worst.png ]; then cp $(STUDY_RUNS)/failures-worst.png book/assets/worst.png; fi
	$(RESULTS)

results: .venv/.ready
	$(RESULTS)

weights: .venv/.ready
	$(BIN)/python -m tests.benchmarks.weights

release: .venv/.ready
	$(BIN)/python -m book.tools.release

clean:
	rm -rf _build .venv .venv.colab .pytest_cache .mypy_cache .ruff_cache .coverage build *.egg-info
