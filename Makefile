# `make` alone lists what there is. It needs Python 3.11 or newer and a way to packages, nothing else.

PYTHON ?= $(shell command -v python3.11 || command -v python3)
OPTIONS ?=
VERSION ?=
DRY_RUN ?=
# Another environment with another Python: make unit VENV=.venv-3.13 PYTHON=/path/to/python3.13 EXTRA=test
VENV ?= .venv
EXTRA ?= dev
BIN := $(VENV)/bin
# The installed metadata come from these files.
PROJECT := pyproject.toml setup.py client/wheelgate_client/__init__.py
# Twice as many as there are processors, up to four: half of the tests wait for programs that they start. Each process takes
# whole files, which share their servers, until the others have none left.
PYTEST := $(BIN)/pytest --dist worksteal --numprocesses $(shell echo $$(( $$(getconf _NPROCESSORS_ONLN) < 2 ? 2 : 4 )))

# Where Python may not keep what it compiles, each process of the tests compiles all of them again, which takes seconds.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help serve test coverage check unit unit-core unit-plugins unit-others pythons docs bench release clean

help: ## show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

serve: $(VENV)/installed ## install, and serve on http://localhost:3141; OPTIONS="--port 4000" go to devpi-server
	@exec $(BIN)/devpi-server $(OPTIONS)

test: check ## run every check and every test
	$(PYTEST)

coverage: $(VENV)/installed-dev ## run every test and report which branches none of them takes
	$(PYTEST) --cov --cov-report term:skip-covered

check: $(VENV)/installed-dev ## check format, lint, types and import contracts
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/lint-imports

# The rows of each table that 'make unit' runs; 'make test' and .ci/pythons run all of them. All of the fast ones: make unit ROWS=
ROWS ?= 3

# Each process collects a part of the tests; those of xdist each collect all, and take a third more of CPU time. In memory,
# where there is such a folder, and with fewer examples: that a disk keeps what it is given, and the rest, 'make test' proves.
UNIT := PYTEST_DEBUG_TEMPROOT=$(wildcard /dev/shm) $(BIN)/pytest -q -m "not slow" --hypothesis-profile fast -p no:xdist \
	-p no:anyio -o console_output_style=classic $(addprefix --rows=,$(ROWS))

unit: $(VENV)/installed-$(EXTRA) ## run a few rows of each table of the fast tests; ROWS= runs all rows
	@$(MAKE) --no-print-directory --keep-going --jobs 3 $(if $(filter output-sync,$(.FEATURES)),--output-sync) \
		unit-core unit-plugins unit-others

unit-core:
	$(UNIT) tests/core

unit-plugins:
	$(UNIT) tests/plugins

unit-others:
	$(UNIT) tests --ignore tests/core --ignore tests/plugins

pythons: ## run the fast tests on every supported Python that this machine has
	.ci/pythons

docs: $(VENV)/installed-dev ## write the generated pages and build the site in site/
	$(BIN)/python docs/generate.py
	$(BIN)/zensical build --strict --clean

bench: $(VENV)/installed-dev ## measure CPU per request against the bars
	$(BIN)/python -m bench

release: check ## build, try and tag a release, VERSION=0.2.0; DRY_RUN=1 changes nothing and says what it would do
	$(BIN)/python tools/release.py $(VERSION) $(if $(DRY_RUN),--dry-run)

clean: ## remove everything that the other targets made
	rm -rf .cache .venv* build dist site *.egg-info .coverage .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	rm -rf client/build client/*.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(BIN)/python:
	@$(or $(PYTHON),false) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Python 3.11 or newer is needed; say where it is: make PYTHON=/path/to/python3.11" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/installed: $(BIN)/python $(PROJECT)
	$(BIN)/python -m pip install --quiet --editable .
	@touch $@

$(VENV)/installed-%: $(BIN)/python $(PROJECT) $(wildcard plugins/*/pyproject.toml)
	$(BIN)/python -m pip install --quiet --editable '.[$*]' $(foreach plugin,$(dir $(wildcard plugins/*/pyproject.toml)),--editable $(plugin))
	@touch $@ $(VENV)/installed
