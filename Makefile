# Everything a person does with this repository. `make` alone says what there is.
SHELL := /bin/sh
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

PYTHON ?= python3
HTTP_PORT ?= 8080
TCP_PORT ?= 8081
STATE ?= ./var
LOOPBACK ?= private
GATEWAYS ?= 1
GATEWAYS_SHARE_PORT ?= 0
CHATS ?= 1

PY := .venv/bin/python
PACKAGES := common gateway chat-service auth-service detector-service client deploy/local
PROJECTS := $(PACKAGES:%=%/pyproject.toml)
SOURCES := $(wildcard $(PACKAGES:%=%/src))
CODE := $(SOURCES) tests $(patsubst %/__init__.py,%,$(wildcard bench/__init__.py))
OWN := garita-common garita-gateway garita-chat-service garita-auth-service garita-detector-service garita-client garita-local
LOCK := .venv/bin/uv pip compile --quiet --universal --generate-hashes --python-version 3.11 --no-emit-index-url \
	--custom-compile-command 'make lock' $(OWN:%=--no-emit-package %) $(UPGRADE)

.PHONY: help
help: ## Show what make can do.
	@printf 'Garita: a self-hosted chat stack.\n\n'
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' Makefile
	@printf '\nmake run takes HTTP_PORT=8080 TCP_PORT=8081 STATE=./var LOOPBACK=private|public GATEWAYS=1 GATEWAYS_SHARE_PORT=0|1 CHATS=1\n'

.PHONY: setup
setup: .venv/.dev ## Make the virtual environment with everything that run, test and check need.

.PHONY: run
run: .venv/.run ## Start the whole stack here; Ctrl-C stops it. Needs only Python 3.11+, pip and make.
	@exec $(PY) -P -m garita_local --http-port '$(HTTP_PORT)' --tcp-port '$(TCP_PORT)' --state '$(STATE)' \
		--loopback '$(LOOPBACK)' --gateways '$(GATEWAYS)' --share-ports '$(GATEWAYS_SHARE_PORT)' --chats '$(CHATS)'

.PHONY: test
test: .venv/.dev ## Run every test, with coverage; sets up what they need (Chromium by apt).
	@tests/chromium.sh
	@$(PY) -m coverage erase
	@result=0; \
		$(PY) -m coverage run -m pytest -n 2 --dist loadfile $(or $(TESTS),tests/unit tests/integration tests/e2e tests/browser) || result=1; \
		$(if $(TESTS),:,$(PY) -m coverage run -m pytest -n 2 --dist loadfile tests/attack) || result=1; \
		$(PY) -m coverage combine --quiet && $(PY) -m coverage report && exit $$result

.PHONY: check
check: .venv/.dev ## Format, lint, types and unit tests, in under 30 seconds.
	@$(MAKE) --jobs=4 --output-sync=target check-format check-lint check-types check-unit

.PHONY: check-format check-lint check-types check-unit
check-format:
	@$(PY) -m ruff format --check --quiet . || { echo 'make format would mend this.'; exit 1; }
check-lint:
	@$(PY) -m ruff check --quiet .
check-types:
	@$(PY) -m mypy $(CODE)
check-unit:
	@$(PY) -m pytest -q tests/unit -m 'not slow'

.PHONY: format
format: .venv/.dev ## Bring all Python files into form.
	@$(PY) -m ruff format . && $(PY) -m ruff check --fix --quiet .

.PHONY: lock
lock: .venv/.dev ## Write the hash-locked requirements of every package again (UPGRADE=--upgrade for newer ones).
	@$(LOCK) -o tests/requirements.txt tests/requirements.in deploy/local/pyproject.toml
	@for package in $(filter-out deploy/local,$(PACKAGES)); do \
		$(LOCK) -c tests/requirements.txt -o $$package/requirements.txt $$package/pyproject.toml || exit 1; done
	@$(LOCK) -c tests/requirements.txt -o deploy/local/requirements.txt deploy/local/pyproject.toml deploy/local/build.in
	@$(LOCK) -c tests/requirements.txt -o deploy/docker/build-requirements.txt deploy/local/build.in

.PHONY: bench
bench: .venv/.dev ## Measure the stack under load, in about ten minutes, and write docs/performance.md.
	@exec $(PY) -m bench $(or $(BENCH),run)

.PHONY: clean
clean: ## Remove the virtual environment and caches; data under ./var stays.
	rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage .coverage.* bench/out tests/browser/screenshots
	find $(PACKAGES) tests bench -name __pycache__ -type d -prune -exec rm -rf {} +

.venv/.run: deploy/local/requirements.txt deploy/local/setup.sh $(PROJECTS)
	@PYTHON='$(PYTHON)' deploy/local/setup.sh deploy/local/requirements.txt $(PACKAGES)
	@touch $@

.venv/.dev: tests/requirements.txt deploy/local/setup.sh $(PROJECTS)
	@PYTHON='$(PYTHON)' deploy/local/setup.sh tests/requirements.txt $(PACKAGES)
	@touch .venv/.run $@
