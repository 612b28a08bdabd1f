# The one entry point: people and CI call the same names.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: venv run test check fix bench docs clean
venv: .venv/.installed

.venv/.installed: pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@

# The netsuite client needs plain httpx, whose signing breaks beside httpx2: it lives apart.
.venv-netsuite/.installed: tests/clients/netsuite-requirements.txt
	$(PYTHON) -m venv .venv-netsuite
	.venv-netsuite/bin/pip install --quiet --disable-pip-version-check --requirement $<
	@touch $@

run: venv
	$(BIN)/handoff run reference/stack.yaml

test: venv .venv-netsuite/.installed
	$(BIN)/pytest -n 2 --dist loadgroup

check: venv
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

fix: venv
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: venv
	$(BIN)/python -m bench

clean:
	rm -rf .venv .venv-netsuite build dist
