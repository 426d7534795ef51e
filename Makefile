# make demo | test | bench | bar | weights | check. Each sets up .venv by itself when it is missing or stale.
# Needs only Python 3.10 or later and make. Another interpreter: make demo PYTHON=python3.12

PYTHON ?= python3
BIN := .venv/bin
OUTPUT ?= demo
SEED ?= 0

.PHONY: help demo test check bench bar weights clean

help:
	@echo "make demo    PAUL end to end on drawn people, two to five minutes; OUTPUT=folder SEED=number"
	@echo "make test    every test, doctest and README example, with style and types"
	@echo "make bench   speed: medians and ratios, one thread"
	@echo "make bar     the demo on seeds 0 to 4, and the table of it"
	@echo "make weights the networks that come with the package, made again"
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
	 $(BIN)/python -m pip install --quiet --disable-pip-version-check $$exact -e '.[test]'
	@touch $@

demo: .venv/.ready
	$(BIN)/paullite demo --output $(OUTPUT) --seed $(SEED)

check: .venv/.ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

test: check
	$(BIN)/python -m pytest --cov --cov-report=term-missing:skip-covered --durations=10

bench: .venv/.ready
	OMP_NUM_THREADS=1 $(BIN)/python -m tests.benchmarks

bar: .venv/.ready
	$(BIN)/python -m tests.benchmarks.bar $(SEEDS)

weights: .venv/.ready
	$(BIN)/python -m tests.benchmarks.weights

clean:
	rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .coverage build *.egg-info
