# `make help` lists what there is. Needed on the machine: python3 (3.11 or later) with venv, and make.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/installed.stamp
PYTEST := $(BIN)/python -m pytest
# A file's tests stay together: many of them share a running home.
PARALLEL := --numprocesses auto --maxprocesses 4 --dist loadfile
SOURCES := orchestrator tests benchmarks dags

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help install demo demo-every-event test test-slow test-all explore check format pictures lint types imports bench bench-web clean

help: ## list these targets
	@sed -n 's/^\([a-z-]*\):[^#]*## \(.*\)/  make \1|\2/p' Makefile | while IFS='|' read -r name what; do printf '%-16s %s\n' "$$name" "$$what"; done

install: $(INSTALLED) ## create .venv and install everything that development needs

demo: $(INSTALLED) ## ORDER 1001: kill every process after the charge, start again, count the charges
	@$(BIN)/python -m benchmarks.demo

demo-every-event: $(INSTALLED) ## the order as a workflow: kill everything at every single event, count the charges (minutes)
	@$(BIN)/python -m benchmarks.every_event

test: $(INSTALLED) ## the tests, without those that take minutes
	$(PYTEST) -m "not slow" $(PARALLEL)

test-slow: $(INSTALLED) ## the tests that take minutes
	$(PYTEST) -m slow

test-all: test test-slow ## every test

explore: $(INSTALLED) ## the tests with examples that nobody has tried yet: what fails is to be mended, whoever changed what
	$(PYTEST) -m "not slow" $(PARALLEL) --hypothesis-profile exploring

check: $(INSTALLED) lint types imports test ## everything that a change has to pass

lint: $(INSTALLED) ## formatting and ruff
	$(BIN)/ruff format --check $(SOURCES)
	$(BIN)/ruff check $(SOURCES)

types: $(INSTALLED) ## mypy --strict
	$(BIN)/mypy

imports: $(INSTALLED) ## who may import whom
	$(BIN)/lint-imports

format: $(INSTALLED) ## put the code into shape
	$(BIN)/ruff format $(SOURCES)
	$(BIN)/ruff check --fix $(SOURCES)

pictures: $(INSTALLED) ## make the pictures of the pages that the documentation shows (needs Chromium)
	PICTURES=docs/images $(PYTEST) -m slow tests/web/browser -k pictures

bench: $(INSTALLED) ## measure W1 to W6, growth, workflows and more beside their floors; ONLY="W1 W2" picks
	$(BIN)/python -m benchmarks $(if $(ONLY),--only $(ONLY))

bench-web: $(INSTALLED) ## measure every page on 1,000 DAGs, 100,000 runs and 5 million activities, and the cost of watchers (minutes, Chromium)
	$(BIN)/python -m benchmarks --only PAGES --only WATCHERS

clean: ## remove .venv and what the tools left
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .grimp_cache .hypothesis build dist

# Installed again only when pyproject.toml has changed since.
$(INSTALLED): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "make: $(PYTHON) is older than 3.11; name a newer one, such as: make $(MAKECMDGOALS) PYTHON=python3.12" >&2; exit 1; }
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || { rm -rf $(VENV) && echo "Creating $(VENV)" && $(PYTHON) -m venv $(VENV); }
	@echo "Installing the orchestrator and its development tools into $(VENV)"
	$(BIN)/python -m pip install --disable-pip-version-check --editable ".[dev]"
	@touch $(INSTALLED)
