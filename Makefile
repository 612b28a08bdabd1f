# The one entry point: people and CI call the same names.

# The first interpreter on PATH that is new enough; `make PYTHON=…` chooses another.
PYTHON ?= $(shell for candidate in python3 python3.14 python3.13 python3.12 python3.11 python; do \
	command -v $$candidate >/dev/null 2>&1 && $$candidate -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	&& echo $$candidate && break; done)
# A lab is eight processes: what one has compiled the others need not compile again.
unexport PYTHONDONTWRITEBYTECODE
BIN := .venv/bin
PIP := pip install --quiet --disable-pip-version-check

.PHONY: venv run test full zoo mutants check fix bench docs dist examples tools node-client toxiproxy wiremock images containers containers-smoke clean
.DELETE_ON_ERROR:

run: venv tools
	$(BIN)/handoff run reference/stack.yaml

test: venv tools node-client .venv-netsuite/.installed
	$(BIN)/pytest scenarios
	$(BIN)/pytest -n 2 --dist loadgroup

# The long proofs, of the zoo among others: all experiments of its own handoffs and sixty of the others for each broken one, sixty
# five times over for each correct one, and everything there is for two of those.
full: venv tools
	$(BIN)/pytest -m slow

# The detection score: what is broken must be caught, what is correct cleared, sabotage of the harness noticed. `PART=K/N` measures
# one part of it, `MOST=N` gives each about so many experiments.
zoo: venv tools
	$(BIN)/handoff zoo reference/stack.yaml $(if $(PART),--part $(PART)) $(if $(MOST),--most $(MOST))

# The checkers with one mistake each: which of them the tests would not notice.
mutants: venv
	$(BIN)/python -m bench.mutants

# Ratios against peers, side by side in one run; TOXIPROXY_SERVER names the real server where it is not on PATH.
bench: venv
	$(BIN)/python -m bench

# The wheel: what `pip install dist/*.whl` needs to give `handoff` outside of this checkout.
dist: venv
	$(BIN)/python -m hatchling build -t wheel -d dist

# Two integrations nobody here tuned, against what their authors believe. That they break some of it is what they are for.
examples: venv
	@command -v node >/dev/null || { echo 'the examples need Node 18 or newer, and there is none on PATH' >&2; exit 12; }
	test -d examples/node-red/node_modules || npm --prefix examples/node-red ci --ignore-scripts
	$(BIN)/handoff run examples/plain-node/stack.yaml || [ $$? -eq 1 ]
	$(BIN)/handoff run examples/node-red/stack.yaml || [ $$? -eq 1 ]

# The documentation as a site in site/.
docs: .venv-docs/.installed
	.venv-docs/bin/zensical build --config-file zensical.toml

# The real engines, as far as this machine can have them: what it cannot have is told, and what needs it is left out aloud.
tools:
	@test -s .tools/bin/toxiproxy-server || $(MAKE) --no-print-directory toxiproxy \
		|| echo 'going on without the real Toxiproxy: --engine toxiproxy and its tests are left out' >&2
	@test -s .tools/wiremock-standalone.jar || $(MAKE) --no-print-directory wiremock \
		|| echo 'going on without WireMock: the handoffs to carrier and CRM are left out' >&2
	@test -s .tools/wiremock-standalone.jsa || test ! -s .tools/wiremock-standalone.jar \
		|| $(BIN)/python -m harness.lab.class_archive >/dev/null || echo 'going on without an archive of its classes' >&2

# The real Toxiproxy. Its version is told to the linker: a plain go install calls every one of them "git".
TOXIPROXY_VERSION := 2.12.0
toxiproxy: .tools/bin/toxiproxy-server

.tools/bin/toxiproxy-server:
	@command -v go >/dev/null || { echo 'Toxiproxy is built with Go, and there is none on PATH: apt-get install golang' >&2; exit 12; }
	@GOBIN=$(CURDIR)/.tools/bin CGO_ENABLED=0 go install \
		-ldflags '-s -w -X github.com/Shopify/toxiproxy/v2.Version=$(TOXIPROXY_VERSION)' \
		github.com/Shopify/toxiproxy/v2/cmd/server@v$(TOXIPROXY_VERSION)
	@mv .tools/bin/server $@

# WireMock, which plays the carrier and the CRM, from whichever package manager is there. It runs on Java 11 or later.
WIREMOCK_VERSION := 3.13.2
wiremock: .tools/wiremock-standalone.jar

.tools/wiremock-standalone.jar:
	@mkdir -p .tools
	@if command -v npm >/dev/null; then \
		npm pack --silent --pack-destination .tools wiremock@$(WIREMOCK_VERSION) >/dev/null \
		&& tar -xzOf .tools/wiremock-$(WIREMOCK_VERSION).tgz package/build/wiremock-standalone-$(WIREMOCK_VERSION).jar >$@ \
		&& rm .tools/wiremock-$(WIREMOCK_VERSION).tgz; \
	elif command -v mvn >/dev/null; then \
		mvn --quiet --batch-mode dependency:copy -Dartifact=org.wiremock:wiremock-standalone:$(WIREMOCK_VERSION) \
			-DoutputDirectory=$(CURDIR)/.tools -Dmdep.stripVersion=true; \
	else echo "WireMock's jar comes with npm or Maven, and neither is on PATH: apt-get install npm" >&2; exit 12; fi
	@test -s $@

# The images of the container lab: pulled where a registry answers, else built from what package registries give.
images: venv
	images/with-engine env PYTHON=$(BIN)/python images/build

# The whole reference stack in containers, with the real Toxiproxy and WireMock, and the tests of such labs. A container engine is
# installed and started for as long as that takes, where there is none and root is at hand; exit 12 where there can be none.
containers: venv
	images/with-engine images/prove

# A slice of it.
containers-smoke: venv
	images/with-engine images/prove --smoke

check: venv
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/deptry .

fix: venv
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

venv: .venv/.installed

.venv/.installed: pyproject.toml
	@test -n "$(PYTHON)" || { echo 'Python 3.11 or newer is needed and none is on PATH: make PYTHON=/path/to/python3.11'; exit 12; }
	@echo 'installing into .venv (once, about a minute)'
	@$(PYTHON) -m venv .venv
	@$(BIN)/$(PIP) --editable '.[dev]'
	@touch $@

# The netsuite client needs plain httpx, whose signing breaks beside httpx2: it lives apart.
.venv-netsuite/.installed: tests/clients/netsuite-requirements.txt
	@echo 'installing the netsuite client into .venv-netsuite (once)'
	@$(PYTHON) -m venv .venv-netsuite
	@.venv-netsuite/bin/$(PIP) --requirement $<
	@touch $@

# The stock client of Toxiproxy for Node, which is to work with either engine.
node-client:
	@test -s tests/clients/toxiproxy-node/node_modules/.package-lock.json \
		|| npm --prefix tests/clients/toxiproxy-node ci --ignore-scripts --silent \
		|| echo 'going on without toxiproxy-node-client: its tests are left out' >&2

# The site is built apart: what draws it is nothing the harness runs with.
.venv-docs/.installed: docs/requirements.txt
	@echo 'installing what draws the documentation into .venv-docs (once)'
	@$(PYTHON) -m venv .venv-docs
	@.venv-docs/bin/$(PIP) --requirement $<
	@touch $@

clean:
	rm -rf .venv .venv-netsuite .venv-docs build dist site
