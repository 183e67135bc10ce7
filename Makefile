# Every step of the project, from a fresh clone to tables and figures. `make help` lists them.

CONFIG ?= config/quick.yaml
PROFILE ?= workflow/profiles/local
VENV := .venv
BIN := $(VENV)/bin
PYTHON ?=
FLAVOUR ?=
TESTS ?= tests

# The workflow's jobs find `must` and `snakemake` on PATH; a user's own packages must not leak in.
export PATH := $(CURDIR)/$(BIN):$(PATH)
export PYTHONNOUSERSITE := 1

.DEFAULT_GOAL := help
.PHONY: help setup reproduce figures test test-slow lint format lock docs audit clean check-inputs

help: ## List the targets
	@printf 'usage: make TARGET [CONFIG=%s] [PROFILE=%s] [PYTHON=...] [FLAVOUR=cpu|cuda]\n\n' '$(CONFIG)' '$(PROFILE)'
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## Make .venv from the hashed locks, and install must into it
	@PYTHON='$(PYTHON)' FLAVOUR='$(FLAVOUR)' containers/setup_venv.sh $(VENV)

reproduce: check-inputs setup ## Train the sweep of CONFIG, then make its tables and figures
	@$(BIN)/snakemake --profile '$(PROFILE)' --configfile '$(CONFIG)'
	@$(BIN)/python -m must.docs where '$(CONFIG)'

figures: check-inputs setup ## Make tables and figures of CONFIG from the runs that exist, without training
	@$(BIN)/must aggregate --config '$(CONFIG)'
	@$(BIN)/must figures --config '$(CONFIG)'

test: setup ## Run the tests (TESTS=tests/unit for a part of them)
	@$(BIN)/python -m pytest -m 'not slow and not cluster' $(TESTS)

test-slow: setup ## Run the tests that take minutes
	@$(BIN)/python -m pytest -m slow $(TESTS)

lint: setup ## Check style, types, layering and the workflow
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/snakefmt --check Snakefile workflow
	$(BIN)/snakemake --lint --configfile config/smoke.yaml

format: setup ## Rewrite the code in the project's style
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/snakefmt Snakefile workflow

lock: setup ## Write the hashed locks anew from pyproject.toml
	@$(BIN)/python -c 'import uv' 2>/dev/null || $(BIN)/python -m pip install --quiet uv
	@$(BIN)/python containers/make_locks.py

docs: setup ## Write the generated parts of the documentation anew (configuration keys, schema)
	@$(BIN)/python -m must.docs

audit: setup ## Look the locked packages up in the public lists of known vulnerabilities
	@$(BIN)/python -c 'import pip_audit' 2>/dev/null || $(BIN)/python -m pip install --quiet pip-audit
	$(BIN)/pip-audit --require-hashes --disable-pip -r containers/locks/cuda.txt -r containers/locks/tools.txt

clean: ## Remove the environment and what tools leave behind (results/ stays)
	rm -rf $(VENV) build dist must.egg-info .pytest_cache .mypy_cache .ruff_cache .import_linter_cache
	find . -name __pycache__ -not -path './results/*' -prune -exec rm -rf {} +

check-inputs:
	@test -f '$(CONFIG)' || { echo "make: CONFIG=$(CONFIG): no such file; see config/ for the experiments" >&2; exit 2; }
	@test -d '$(PROFILE)' || { echo "make: PROFILE=$(PROFILE): no such folder; see workflow/profiles/" >&2; exit 2; }
