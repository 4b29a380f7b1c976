# Each target sets up what it needs in .venv, again when pyproject.toml has changed, and no more than it needs.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
OLDEST := .venv-oldest
# the oldest NumPy has no wheels for Python 3.12 and later
OLDEST_PYTHON ?= $(shell for python in $(PYTHON) python3.11 python3.10; do \
	$$python -c 'import sys; sys.exit(sys.version_info >= (3, 12))' 2>/dev/null && echo $$python && break; done)
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check

.PHONY: demo test test-oldest soak fuzz check gate evaluate model tables bench clean

demo: $(VENV)/.bare
	$(BIN)/python scripts/demo.py

test: $(VENV)/.test
	$(BIN)/python -m pytest

# what takes minutes or gigabytes; -s shows what was measured
soak: $(VENV)/.test
	$(BIN)/python -m pytest -m soak -s tests

# with the oldest versions that pyproject.toml allows; OLDEST_TESTS="tests/test_cli.py ..." for some of the tests only
test-oldest: $(OLDEST)/.made
	$(OLDEST)/bin/python -m pytest $(OLDEST_TESTS)

# FUZZ_SECONDS for each target; FUZZ_TARGETS: all unless given
FUZZ_SECONDS ?= 60
fuzz: $(VENV)/.test,fuzz
	$(BIN)/python scripts/fuzz.py $(FUZZ_TARGETS) --seconds $(FUZZ_SECONDS)

check: $(VENV)/.dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

gate: $(VENV)/.train $(VENV)/.test
	$(BIN)/python -m pytest tests/test_training.py tests/test_review_browser.py
	$(BIN)/python scripts/evaluate.py --gate

evaluate: $(VENV)/.train,bench
	$(BIN)/python scripts/evaluate.py --output build/evaluation --peers --folds --lines 0.2

model: $(VENV)/.train
	$(BIN)/python scripts/train.py

tables: $(VENV)/.network
	$(BIN)/python scripts/build_training_data.py

bench: $(VENV)/.train,bench
	$(BIN)/python scripts/benchmark.py

clean:
	rm -rf $(VENV) $(OLDEST) build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/.made:
	$(PYTHON) -m venv $(VENV)
	$(PIP) --upgrade pip
	touch $@

$(OLDEST)/.made: pyproject.toml
	@test -n "$(OLDEST_PYTHON)" || { echo "the oldest versions need Python 3.10 or 3.11; name one: OLDEST_PYTHON=..."; exit 1; }
	$(OLDEST_PYTHON) -m venv --clear $(OLDEST)
	$(PYTHON) scripts/oldest_dependencies.py test > $(OLDEST)/oldest.txt
	$(OLDEST)/bin/python -m pip install --quiet --disable-pip-version-check \
		--constraint $(OLDEST)/oldest.txt --editable '.[test]'
	touch $@

$(VENV)/.bare: pyproject.toml | $(VENV)/.made
	$(PIP) --editable .
	touch $@

$(VENV)/.%: pyproject.toml | $(VENV)/.made
	$(PIP) --editable '.[$*]'
	touch $@
