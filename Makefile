# Each target sets up what it needs in .venv, again when pyproject.toml has changed, and no more than it needs.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check

.PHONY: demo test check gate evaluate model bench clean

demo: $(VENV)/.bare
	$(BIN)/python scripts/demo.py

test: $(VENV)/.test
	$(BIN)/python -m pytest

check: $(VENV)/.dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

gate: $(VENV)/.train $(VENV)/.test
	$(BIN)/python -m pytest tests/test_training.py
	$(BIN)/python scripts/evaluate.py --gate

evaluate: $(VENV)/.train $(VENV)/.bench
	$(BIN)/python scripts/evaluate.py --output build/evaluation \
		--peers trafilatura trafilatura-precision trafilatura-recall readability resiliparse justext boilerpy3

model: $(VENV)/.train
	$(BIN)/python scripts/train.py

bench: $(VENV)/.train,bench
	$(BIN)/python scripts/benchmark.py

clean:
	rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/.made:
	$(PYTHON) -m venv $(VENV)
	$(PIP) --upgrade pip
	touch $@

$(VENV)/.bare: pyproject.toml | $(VENV)/.made
	$(PIP) --editable .
	touch $@

$(VENV)/.%: pyproject.toml | $(VENV)/.made
	$(PIP) --editable '.[$*]'
	touch $@
