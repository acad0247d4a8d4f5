# Everything a person does with Kefu. `make help` lists it; each target sets up what it needs first.

SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

# The Python that makes .venv; 3.11 or newer.
PYTHON ?= python3
# Where torch comes from, e.g. TORCH_INDEX=https://download.pytorch.org/whl/cpu: the CPU build, gigabytes smaller.
TORCH_INDEX ?=
# More words for `kefu serve`, e.g. make serve ARGS="--port 8080".
ARGS ?=

# Paths are relative, so a clone may lie in a folder with blanks in its name.
VENV_PYTHON := .venv/bin/python
PINS := pyproject.toml constraints.txt
TORCH_VERSION := $(shell sed -n 's/^torch==//p' constraints.txt)

.PHONY: help
help: ## list these commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' Makefile

.PHONY: serve
serve: .venv/.installed ## install what is missing and serve the chat (ARGS="--port 8080" and the like)
	@.venv/bin/kefu serve $(ARGS)

.PHONY: index
index: .venv/.installed ## build the search index from knowledge_base/
	@.venv/bin/kefu index $(ARGS)

.PHONY: test
test: lint pytest ## lint, types and the default tests: no network, no model, no browser

.PHONY: pytest
pytest: .venv/.installed-dev ## only the default tests
	$(VENV_PYTHON) -m pytest

.PHONY: test-models
test-models: .venv/.installed-dev ## the tests on the bundled models (minutes)
	$(VENV_PYTHON) -m pytest -m models

.PHONY: test-browser
test-browser: .venv/.installed-dev ## the tests in a real browser and in node: needs chromium, fonts-noto-cjk, nodejs and npm
	$(VENV_PYTHON) -m pytest -m browser

.PHONY: test-slow
test-slow: .venv/.installed-dev ## kill -9 under the load of 200 customers, three times over
	$(VENV_PYTHON) -m pytest -m slow

.PHONY: lint
lint: .venv/.installed-dev ## ruff, the format, and mypy; changes nothing
	$(VENV_PYTHON) -m ruff check
	$(VENV_PYTHON) -m ruff format --check
	$(VENV_PYTHON) -m mypy

.PHONY: fix
fix: .venv/.installed-dev ## repair what ruff can repair, and format
	$(VENV_PYTHON) -m ruff check --fix
	$(VENV_PYTHON) -m ruff format

.PHONY: docs
docs: .venv/.installed-dev ## write README's settings and file tree anew from the code
	$(VENV_PYTHON) -m docs.readme

.PHONY: constraints
constraints: .venv/.installed-dev ## write constraints.txt anew from what .venv holds
	{ sed '/^[^#]/d' constraints.txt; \
	  $(VENV_PYTHON) -m pip freeze --all --exclude-editable --exclude kefu --exclude pip \
	    | sed -E 's/^(torch==[^+]*)[+].*/\1/' | LC_ALL=C sort -f; } > constraints.new
	mv constraints.new constraints.txt

.PHONY: install install-dev
install: .venv/.installed ## only install
install-dev: .venv/.installed-dev ## only install, with the tools for the tests

# A stamp is newer than the pins it was made from, so a second start installs nothing.
.venv/.installed: $(PINS)
	$(call pip_install,.)
	@touch $@

.venv/.installed-dev: $(PINS)
	$(call pip_install,.[dev])
	@touch .venv/.installed $@

# torch goes first and alone: pip, left to choose, may take a build with gigabytes of CUDA libraries.
define pip_install
	@if ! $(VENV_PYTHON) -m pip --version > /dev/null 2>&1; then \
	  "$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	    echo "Kefu needs Python 3.11 or newer; '$(PYTHON)' is $$("$(PYTHON)" --version 2>&1 | head -n 1 || echo missing)." \
	         "Name another one, for example: make $(or $(MAKECMDGOALS),serve) PYTHON=python3.12" >&2; exit 1; }; \
	  echo "Making a virtual environment in .venv"; \
	  "$(PYTHON)" -m venv .venv; \
	fi
	$(VENV_PYTHON) -m pip install -c constraints.txt $(if $(TORCH_INDEX),--index-url '$(TORCH_INDEX)') 'torch==$(TORCH_VERSION)'
	$(VENV_PYTHON) -m pip install -c constraints.txt -e '$(1)'
endef
