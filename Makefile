# Two commands set up everything that they need, in a virtual environment in the tree:
#   make demo    compile the example, run it against a prompt-injected model, verify the audit log
#   make test    the whole test suite
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
CORPUS ?= ../shared/corpus
# A process more than there are cores: many tests wait for servers. `make test PARALLEL=` runs one after the other.
PARALLEL ?= -n $(shell $(PYTHON) -c 'import os; print(os.cpu_count() + 1)') --dist worksteal

.PHONY: demo test test-slow coverage lint types generated bench clean

demo: $(VENV)/.core
	@PATH="$(CURDIR)/$(BIN):$$PATH" bash specs/support/demo.sh

test: $(VENV)/.dev
	$(BIN)/python -m pytest $(PARALLEL)

test-slow: $(VENV)/.bench
	$(BIN)/python -m pytest $(PARALLEL) -m slow

coverage: $(VENV)/.dev
	$(BIN)/python -m pytest -m "slow or not slow" --cov --cov-report=term

lint: $(VENV)/.dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: $(VENV)/.dev
	$(BIN)/mypy

generated: $(VENV)/.dev
	$(BIN)/python -m agentc.syntax.generate schemas
	$(BIN)/python docs/generate.py
	$(BIN)/python docs/generate.py --demo

bench: $(VENV)/.bench
	for script in cli_start validate_many permission_checks broker bundle decision subsumption diff durable interpreter serve waiting writing; do $(BIN)/python benchmarks/$$script.py || exit 1; done
	@if [ -d "$(CORPUS)" ]; then \
	  $(BIN)/python benchmarks/compile_large.py && $(BIN)/python benchmarks/validate_corpus.py "$(CORPUS)" && $(BIN)/python benchmarks/openapi_corpus.py "$(CORPUS)"; \
	else echo "compile_large and openapi_corpus need a folder of OpenAPI documents: make bench CORPUS=PATH"; fi

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "agentc needs Python 3.11 or newer: $(PYTHON) is $$($(PYTHON) --version). Try make PYTHON=python3.11"; exit 1; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || { \
	  echo "$(PYTHON) can't make virtual environments: apt-get install python3-venv"; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.core: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt -e .
	@touch $@

$(VENV)/.dev: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt -e '.[dev]'
	@touch $@ $(VENV)/.core

$(VENV)/.bench: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt -e '.[dev,bench]'
	@touch $(VENV)/.core $(VENV)/.dev $@

clean:
	rm -rf $(VENV) .demo dist build .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage
