# `make demo` and `make test` start from nothing: git, make and Python 3.11 or newer are all they need.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: demo test lint benchmark clean

demo: $(VENV)/.installed
	$(BIN)/ctspine-bench demo demo

test: $(VENV)/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	# Each core has a process of its own already; what a file of tests prepares is prepared once.
	OPENBLAS_NUM_THREADS=1 $(BIN)/pytest -n auto --dist loadfile --no-loadscope-reorder

benchmark: $(VENV)/.installed-dev
	$(BIN)/python benchmarks/speed.py --peers surface-distance

$(VENV)/bin/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; call make PYTHON=python3.11")'
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[leaderboard]'
	touch $@

# torch first, then everything else with its version held: see baselines/constraints.txt.
$(VENV)/.installed-dev: pyproject.toml baselines/constraints.txt | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check $(filter torch==%,$(shell cat baselines/constraints.txt))
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint baselines/constraints.txt --editable '.[dev]'
	touch $@ $(VENV)/.installed

clean:
	rm -rf $(VENV) demo dist build .pytest_cache .mypy_cache .ruff_cache .hypothesis
