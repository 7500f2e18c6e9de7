# make demo         set up, then mirror an ERP's export into sandboxes of all five vendors
# make test         set up with the development tools, then run all but the exhaustive tests
# make test-faults  every fault at every point: what is too long for make test; then these two
# make test-mutants faults in the code, one at a time: how many the tests find (MUTANTS=all, ONLY=sync.match)
# make test-soak    services under faults, kills and restarts for MINUTES=30
# make coverage     how many branches of canonical/ and sync/ the tests take
# make lint         style, types and walls
# make format       rewrite the code in its style
# make bench        measure, side by side with plain code
# make lock         resolve the dependencies again

PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
INSTALL_SELF := $(PIP) install --no-deps --no-build-isolation --force-reinstall .
# what the wheel is made of; folders too, since a file that is gone or renamed changes its folder
SOURCES := pyproject.toml hatch_build.py README.md LICENSE \
	$(shell find canonical config connectors sync trueup ! -name __pycache__ ! -name '*.pyc')
COMPILE := $(BIN)/uv pip compile --universal --python-version 3.11 \
	--generate-hashes --no-emit-index-url --no-header --no-annotate --upgrade --quiet
MUTANTS ?= 40
MINUTES ?= 30
ONLY ?=
TRYTON := tests/vendors/tryton/requirements-tryton

.PHONY: demo test test-faults test-mutants test-soak coverage lint format bench lock clean
.DEFAULT_GOAL := demo

demo: .venv/installed
	$(BIN)/trueup demo

test: .venv/ready-dev
	$(BIN)/python -m pytest -n 2 --dist worksteal

test-faults: .venv/ready-dev
	$(BIN)/python -m pytest -n 2 --dist worksteal -m faults
	TRUEUP_TEST_EXAMPLES=5 $(BIN)/python -m pytest -n 2 --dist worksteal tests/properties tests/contract
	$(MAKE) coverage test-mutants

test-mutants: .venv/ready-dev
	$(BIN)/python -m tests.mutation --each $(MUTANTS) --only '$(ONLY)'

test-soak: .venv/ready-dev
	$(BIN)/python -m tests.soak --minutes $(MINUTES)

coverage: .venv/ready-dev
	$(BIN)/python -m coverage erase
	$(BIN)/python -m coverage run -m pytest -n 2 --dist worksteal tests/unit/test_canonical tests/unit/test_sync \
		tests/properties tests/scenarios tests/vendors/brex
	$(BIN)/python -m coverage combine --quiet
	$(BIN)/python -m coverage report

lint: .venv/ready-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m pytest tests/test_walls.py

format: .venv/ready-dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: .venv/ready-dev
	$(BIN)/python -m benchmarks

lock: .venv/ready-dev
	$(COMPILE) pyproject.toml --extra build --output-file requirements.txt
	$(COMPILE) pyproject.toml --extra dev --constraint requirements.txt --output-file requirements-dev.txt
	$(COMPILE) $(TRYTON).in --output-file $(TRYTON).txt

clean:
	rm -rf .venv trueup-demo

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Trueup needs Python 3.11 or later; set PYTHON=/path/to/python3"; exit 1; }
	$(PYTHON) -m venv .venv

.venv/ready: .venv/bin/python requirements.txt
	$(PIP) install --require-hashes --requirement requirements.txt
	@touch $@

.venv/installed: .venv/ready $(SOURCES)
	$(INSTALL_SELF)
	@touch $@

# Tests, types and benchmarks take the code from the checkout; the wheel gives it a version.
.venv/ready-dev: .venv/ready requirements-dev.txt pyproject.toml
	$(PIP) install --require-hashes --requirement requirements-dev.txt
	$(INSTALL_SELF)
	@touch $@
