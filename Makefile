# Everything a contributor runs. Needs make and Python 3.11 or newer; the rest is fetched into .venv.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/installed
# One worker more than processors: many tests wait for processes that they have started.
WORKERS := $(shell n=$$(nproc 2>/dev/null) && echo $$((n + 1)) || echo auto)
PYTEST_ARGS ?= -q -n $(WORKERS)
KILLS ?= 500
STORE ?= sqlite
MUTANTS ?=
SEEDS ?= 2000

# The checkers come complete from PyPI; none of them should ask the network for news.
export PYRIGHT_PYTHON_IGNORE_WARNINGS := 1
export PIP_DISABLE_PIP_VERSION_CHECK := 1
unexport PYTHONPATH

.PHONY: help demo test mutants check lint contracts types mypy pyright check-check format bench bench-peers chaos simulate lock setup clean

help: ## show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1|/' | column -t -s '|'

demo: $(STAMP) ## a real graph from text to a run that is migrated, in under a minute
	@$(BIN)/python examples/article/demo.py

test: $(STAMP) ## all tests
	@$(BIN)/pytest $(PYTEST_ARGS)

check: lint contracts types ## lint, layout, strict types, import contracts

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

contracts: $(STAMP)
	$(BIN)/lint-imports --no-cache

types: mypy pyright

mypy: $(STAMP)
	$(BIN)/mypy

pyright: $(STAMP)
	$(BIN)/pyright

check-check: $(STAMP) ## plant errors in a copy and demand that each checker fails
	@$(BIN)/python .ci/check_check.py

format: $(STAMP) ## put all Python into the one layout
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

mutants: $(STAMP) ## seed small mistakes into real graphs and count those that the checker finds
	@$(BIN)/python -m tests.mutants.run $(MUTANTS)

chaos: $(STAMP) ## kill -9 real runs KILLS times (500) and compare with undisturbed ones
	@$(BIN)/python tests/chaos/chaos.py --kills $(KILLS) --store $(STORE)

simulate: $(STAMP) ## the engine under SEEDS seeds (2000) that drive scheduler, clocks, store and nodes
	@$(BIN)/python -m tests.simulation.run --seeds $(SEEDS) --jobs 2

bench: $(STAMP) ## ratios to floors and peers, measured in this run
	@$(BIN)/python bench/run.py

bench-peers: ## install the systems to compare with into .bench-venv
	@python="$$(bash .ci/find-python)"; test -d .bench-venv || "$$python" -m venv .bench-venv
	.bench-venv/bin/python -m pip install --quiet --require-hashes -r bench/requirements-peers.txt

lock: ## pin dependencies anew: requirements/dev.txt
	@bash .ci/lock

setup: $(STAMP) ## create .venv with everything pinned

$(STAMP): requirements/dev.txt pyproject.toml
	@bash .ci/setup $(VENV)
	@touch $(STAMP)

clean: ## remove what was generated, .venv included
	rm -rf $(VENV) .bench-venv build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache .lgc_cache
