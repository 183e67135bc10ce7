# Every step of the project, from a fresh clone to tables and figures. `make help` lists them.

CONFIG ?= config/quick.yaml
PROFILE ?= workflow/profiles/local
RESULTS ?= results
STYLE ?= conference
VENV := .venv
BIN := $(VENV)/bin
AUDIT := build/audit
DOCS := build/docs
PYTHON ?=
FLAVOUR ?=
TESTS ?= tests
# One more than there are cores: tests that start programs wait for them half of the time.
SIDE_BY_SIDE := -n $(shell echo $$(( $$(getconf _NPROCESSORS_ONLN) < 8 ? $$(getconf _NPROCESSORS_ONLN) + 1 : 8 ))) --dist worksteal
MACHINE ?= $(shell uname -n)

# What a user gives is taken as it is written, whatever characters are in it: recipes read it from their environment.
override CONFIG := $(value CONFIG)
override PROFILE := $(value PROFILE)
override RESULTS := $(value RESULTS)
override STYLE := $(value STYLE)
override PYTHON := $(value PYTHON)
override FLAVOUR := $(value FLAVOUR)
override MACHINE := $(value MACHINE)
export CONFIG PROFILE RESULTS STYLE PYTHON FLAVOUR MACHINE

# The workflow's jobs find `must` and `snakemake` on PATH; a user's own packages and shell settings must not leak in.
export PATH := $(CURDIR)/$(BIN):$(value PATH)
unexport $(filter-out PYTHON,$(filter PYTHON%,$(.VARIABLES))) BASH_ENV ENV CDPATH POSIXLY_CORRECT GREP_OPTIONS
export PYTHONNOUSERSITE := 1
# A home may be read-only, or another disk than the checkout. (Not for pip, whose cache serves every checkout.)
CACHES := XDG_CACHE_HOME="$$PWD/.cache" MPLCONFIGDIR="$$PWD/.cache/matplotlib"

.NOTPARALLEL:
.DEFAULT_GOAL := help
.PHONY: help setup reproduce figures paper report export test test-slow test-system test-cluster test-gpu bench lint format lock docs docs-site audit clean check-inputs

help: ## List the targets
	@printf 'usage: make TARGET [CONFIG=%s] [PROFILE=%s] [PYTHON=...] [FLAVOUR=cpu|cuda]\n\n' "$$CONFIG" "$$PROFILE"
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## Make .venv from the hashed locks, and install must into it
	@containers/setup_venv.sh $(VENV)

reproduce: check-inputs setup ## Train the sweep of CONFIG, then make its tables and figures
	@name=$$($(BIN)/python -m must.config "$$CONFIG") && \
		{ $(BIN)/must plan "$$CONFIG" --profile "$$PROFILE" --line || true; } && \
		$(CACHES) MUST_TARGET=reproduce $(BIN)/python -m must.workflow.start --profile "$$PROFILE" --configfile "$$CONFIG" && \
		printf '\nTables:  results/%s/tables/\nFigures: results/%s/figures/\n' "$$name" "$$name"

figures: check-inputs setup ## Make tables and figures of CONFIG from the runs in RESULTS (results), without training
	@$(CACHES) $(BIN)/must aggregate --config "$$CONFIG" --results "$$RESULTS"
	@$(CACHES) $(BIN)/must figures --config "$$CONFIG" --results "$$RESULTS"

paper: check-inputs setup ## Make results/NAME/paper.pdf of CONFIG from the runs in RESULTS; STYLE=conference|plain; needs LaTeX
	@$(CACHES) $(BIN)/must paper --config "$$CONFIG" --results "$$RESULTS" --style "$$STYLE"

report: check-inputs setup ## Make results/NAME/report.html of CONFIG, which must be finished: all of it in one page
	@$(CACHES) $(BIN)/python -m must.workflow.report --config "$$CONFIG" --profile "$$PROFILE"

export: check-inputs setup ## Write results/NAME/NAME.zip of CONFIG: configuration, logs, tables, figures, policies
	@$(CACHES) $(BIN)/must export --config "$$CONFIG" --results "$$RESULTS"

test: setup ## Run the tests (TESTS=tests/unit for a part of them)
	@$(BIN)/python -m pytest $(SIDE_BY_SIDE) -m 'not slow and not system and not cluster' $(TESTS)

test-slow: setup ## Run the tests that take minutes
	@$(BIN)/python -m pytest $(SIDE_BY_SIDE) --durations=15 -m 'slow and not system' $(TESTS)

test-system: setup ## Run the tests that need packages of the system: LaTeX, a browser, OpenGL; and wandb, rliable
	@$(BIN)/python -m pytest $(SIDE_BY_SIDE) -m system $(TESTS)

test-cluster: setup ## Run the tests that need Slurm and Apptainer, as an ordinary user (docs/cluster.md)
	@$(BIN)/python -m pytest -m cluster tests/cluster

test-gpu: setup ## Hold the GPU against the CPU, for every method (2 minutes; it is an error if there is none)
	@MUST_TEST_DEVICE=cuda $(BIN)/python -m pytest -q tests/gpu

bench: setup ## Measure everything, and write benchmarks/results/MACHINE.json and docs/performance.md
	@$(BIN)/must bench all --out "benchmarks/results/$$MACHINE.json" --page docs/performance.md

lint: setup ## Check style, types, layering and the workflow
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/snakefmt --check Snakefile workflow
	$(CACHES) $(BIN)/snakemake --lint --configfile config/smoke.yaml

format: setup ## Rewrite the code in the project's style
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/snakefmt Snakefile workflow

lock: setup ## Write the hashed locks anew from pyproject.toml
	@$(BIN)/python -c 'import uv' 2>/dev/null || $(BIN)/python -m pip install --quiet uv
	@$(BIN)/python containers/make_locks.py

docs: setup ## Write the generated parts of the documentation anew (configuration keys, schema)
	@$(BIN)/python -m must.docs

docs-site: setup ## Build the documentation as a site, build/site/index.html, to be read offline; every link is checked
	@cmp -s containers/locks/docs.txt $(DOCS)/lock.txt || { $(BIN)/python -m venv --clear $(DOCS) && \
		$(DOCS)/bin/python -m pip install --quiet --no-deps --require-hashes -r containers/locks/docs.txt && \
		cp containers/locks/docs.txt $(DOCS)/lock.txt; }
	@NO_MKDOCS_2_WARNING=1 PATH="$$PWD/$(DOCS)/bin:$$PATH" $(DOCS)/bin/mkdocs build --quiet --strict -f website/mkdocs.yml
	@printf 'Site: build/site/index.html\n'

audit: setup ## Look the locked packages up in the public lists of known vulnerabilities (needs the internet)
	@test -x $(AUDIT)/bin/pip-audit || { $(BIN)/python -m venv --clear $(AUDIT) && $(AUDIT)/bin/pip -q install pip-audit; }
	$(AUDIT)/bin/pip-audit --require-hashes --disable-pip -r containers/locks/cuda.txt -r containers/locks/tools.txt

clean: ## Remove the environment and what tools leave behind (results/ stays)
	rm -rf $(VENV) $(VENV).lock .cache build dist must.egg-info .pytest_cache .mypy_cache .ruff_cache .import_linter_cache
	find . -name __pycache__ -not -path './results/*' -prune -exec rm -rf {} +

# Before anything is installed: a mistyped name must not cost minutes.
check-inputs:
	@test -f "$$CONFIG" || { printf 'make: CONFIG=%s: no such file; config/ holds the experiments\n' "$$CONFIG" >&2; exit 2; }
	@case "$$STYLE" in conference | plain) ;; *) printf 'make: STYLE=%s: write conference or plain\n' "$$STYLE" >&2; exit 2 ;; esac
	@for folder in "$$PROFILE" "$${XDG_CONFIG_HOME:-$$HOME/.config}/snakemake/$$PROFILE" "/etc/xdg/snakemake/$$PROFILE"; do \
		if test -d "$$folder"; then exit 0; fi; \
	done; printf 'make: PROFILE=%s: no such folder; workflow/profiles/ holds the profiles\n' "$$PROFILE" >&2; exit 2
