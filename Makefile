# `make mock` serves the contract; `make test` runs everything. Both start from Python 3.11 and make alone.

VENV := .venv
BIN := $(VENV)/bin
SUPPORTED := import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))
PYTHON ?= $(shell for python in python3 python3.11 python3.12 python3.13 python3.14; do \
	"$$python" -c '$(SUPPORTED)' 2>/dev/null && echo "$$python" && break; done)
NODE := $(shell node --version 2>/dev/null && npm --version >/dev/null 2>&1 || true)
PIP_INSTALL = $(BIN)/python -m pip install --quiet --no-compile -c constraints.txt
# More options of `agent-contract serve`, as in `make mock ARGS="--port 9000"`.
ARGS ?=
# The tox environments that `make test` runs: those of tox.ini's `env_list`, if none is named.
ENVS ?=

.PHONY: help mock check test docs fixtures engine costs bench documents detection mutants client-bugs replies format node clean

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## /make \1: /p' Makefile

mock: $(BIN)/agent-contract ## set up and serve the contract on port 8000; ARGS="--port 9000" is passed on
	@$(BIN)/agent-contract serve $(ARGS)

check: $(BIN)/tox ## lint, layers, types and unit tests: for every change, in under two minutes
	@$(BIN)/tox run -m check

test: node $(BIN)/tox ## set up and run everything through tox; ENVS="lint,tests" runs a part
	@$(BIN)/tox run $(if $(ENVS),-e $(ENVS))
ifeq ($(NODE),)
	@echo '======================================================================' >&2
	@echo 'Node and npm were not found: the tests of the Node SDK were LEFT OUT.' >&2
	@echo '======================================================================' >&2
endif

docs: $(BIN)/tox ## build the documentation as a site, in build/site
	@$(BIN)/tox run -e site

fixtures: $(BIN)/agent-contract ## write fixtures/ again from the contract
	@$(BIN)/agent-contract fixtures fixtures

engine: $(BIN)/agent-contract ## measure the CPU time of a reply, without a server; ARGS="--quick" leaves out the state
	@$(BIN)/python -m benchmarks.engine $(ARGS)

costs: $(BIN)/agent-contract ## measure what the most expensive requests cost
	@$(PIP_INSTALL) -e '.[test]'
	@$(BIN)/python -m benchmarks.costs_per_request $(ARGS)

bench: $(BIN)/agent-contract ## compare the speed of mock servers; needs npm, wrk and nginx; ARGS="--quick" checks it
	@$(PIP_INSTALL) -e '.[bench]'
	@$(BIN)/python -m benchmarks.serving $(ARGS)

documents: $(BIN)/agent-contract ## play published documents with several mock servers; needs npm; ARGS="--quick" checks it
	@$(BIN)/python -m benchmarks.documents $(ARGS)

detection: $(BIN)/agent-contract ## measure the contract tests; ARGS="--peers --seeds 10" does so at length
	@$(PIP_INSTALL) -e '.[test]'
	@$(BIN)/python -m benchmarks.detection $(ARGS)

mutants: $(BIN)/agent-contract ## test the tests: change the code in 200 places, one at a time; ARGS="--count 20" is shorter
	@$(PIP_INSTALL) -e '.[test,mutants]'
	@$(BIN)/python -m benchmarks.source_mutants $(ARGS)

client-bugs: $(BIN)/agent-contract ## compare which mock servers refuse typical bugs of clients; needs npm
	@$(BIN)/python -m benchmarks.client_bugs

replies: $(BIN)/agent-contract ## test the judge with 20,000 replies of which a part is replaced; takes ten minutes
	@$(PIP_INSTALL) -e '.[test]'
	@AGENT_CONTRACT_ODD_REPLIES=20000 $(BIN)/python -m pytest -q tests/contract_tests/suite/test_odd_replies.py $(ARGS)

format: $(BIN)/tox ## lint and format in place
	@$(BIN)/tox exec -q -e lint -- ruff check --fix .
	@$(BIN)/tox exec -q -e lint -- ruff format .

node: ## check whether the tests of the Node SDK can run; without Node, CI fails
ifeq ($(NODE),)
ifeq ($(CI),true)
	$(error Node and npm were not found, and CI must run the tests of the Node SDK: install Node 20 or newer)
endif
	@echo 'Node and npm were not found: the tests of the Node SDK are LEFT OUT.' >&2
else
	@echo 'Node $(NODE): the tests of the Node SDK run.'
endif

clean: ## remove what these targets made
	rm -rf $(VENV) .tox build dist tests/clients/node/node_modules clients/node/node_modules clients/node/dist

$(BIN)/python:
	@test -n '$(PYTHON)' || { echo 'Python 3.11 or newer with its venv module was not found; name one: make PYTHON=/path/to/python3.11' >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(BIN)/agent-contract: pyproject.toml constraints.txt | $(BIN)/python
	@echo 'installing this checkout and what it needs into $(VENV) …'
	@$(PIP_INSTALL) -e '.[redis]'
	@touch $@

$(BIN)/tox: constraints.txt | $(BIN)/python
	@echo 'installing tox into $(VENV) …'
	@$(PIP_INSTALL) tox tox-uv
	@touch $@
