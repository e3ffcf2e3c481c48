# `make demo` and `make test` need nothing but Debian 12, root, git and make: `setup` installs the rest.
.PHONY: help setup demo docs recording test test-clients test-azure bench soak fuzz lint clean
.DEFAULT_GOAL := help
python := .venv/bin/python

help:  ## say what can be made
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' Makefile | expand -t 8

setup:  ## install what is missing: Debian packages and .venv
	@scripts/setup

demo: setup  ## run the six steps on real containers
	@scripts/demo

docs: setup  ## build the documentation into build/docs; warnings are errors
	@.venv/bin/sphinx-build --fail-on-warning --keep-going --quiet docs build/docs
	@echo "Open build/docs/index.html"

recording: setup  ## record the README's first commands as a picture of a terminal (root, port 8443)
	@$(python) tools/record.py

test: setup lint  ## check everything
	@$(python) -m pytest

test-clients: setup  ## try every client of Azure's that is known to work; writes docs/reference/clients
	@HYTHE_CLIENT_RESULTS=docs/reference/clients/$$(date +%F).json $(python) -m pytest tests/real/test_clients.py tests/real/tools
	@$(python) tools/client_table.py
	@$(python) tools/contract_coverage.py

test-azure: setup  ## run what must hold on Azure too, on the subscription that is signed in to (costs some cents)
	@HYTHE_TEST_AZURE=1 $(python) -m pytest tests/conformance

bench: setup  ## measure; prints a table and writes JSON
	@$(python) -m bench

soak: setup  ## create, run and delete groups 2,000 times (CYCLES=n for fewer): nothing may grow
	@$(python) -m tests.soak $(CYCLES)

fuzz: setup  ## send 20,000 generated requests, by the service's own description of its API
	@scripts/fuzz

lint: setup  ## check style, types, who imports whom, and that what is generated is up to date
	@.venv/bin/ruff check
	@.venv/bin/mypy
	@.venv/bin/lint-imports
	@$(python) tools/generate_proto.py --check
	@$(python) tools/generate_sync.py --check
	@$(python) tools/client_table.py --check
	@$(python) tools/contract_coverage.py --check

clean:  ## remove all that was made here
	@rm -rf .venv .cache .demo build dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
