# The kit's commands. `make help` lists them; each one sets up what it needs.
PYTHON ?= python3
PORT ?= 8000
VENV := .venv
BIN := $(VENV)/bin
SETUP := $(VENV)/.installed
BENCH := bench/.venv
COMPILE := $(abspath $(BIN))/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --custom-compile-command "make lock"

# Material and macros print end-of-life notices for MkDocs; docs/explanation says what we do about it.
export NO_MKDOCS_2_WARNING = 1
export DISABLE_MKDOCS_2_WARNING = true

.DEFAULT_GOAL := help
.PHONY: help setup serve site docs test lint bench lock clean

help: ## List the commands
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-8s %s\n", $$1, $$2}'

setup: $(SETUP) ## Create .venv and install the pinned tools

$(SETUP): requirements/kit.txt requirements/uv.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11, 5))' || \
		{ echo "Python 3.11.5 or newer is needed; try: make $(MAKECMDGOALS) PYTHON=python3.13" >&2; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) || \
		{ rm -rf $(VENV); echo "venv is missing; on Debian: apt install python3-venv" >&2; exit 1; }
	@echo "Installing the pinned tools into $(VENV) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/uv.txt
	@$(BIN)/uv pip sync --quiet --require-hashes --python $(BIN)/python requirements/kit.txt
	@touch $@

serve: setup ## Serve the guide site on http://127.0.0.1:8000 (PORT=...), reloading on change
	@$(BIN)/python -m tools.site serve --port $(PORT)

site: setup ## Build the guide site, with the archives, into site/
	@$(BIN)/python -m tools.site build

docs: setup ## Verify the blocks of all pages, or of one: make docs PAGE=docs/index.md
	@$(BIN)/python -m tools.verify $(PAGE)

test: setup lint ## Prove every code block of the site, the archive, the template and the tools
	@$(BIN)/python -m pytest

lint: setup ## Check style and types
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@cd template && ../$(BIN)/ruff check . && ../$(BIN)/ruff format --check . && ../$(BIN)/mypy

bench: $(BENCH)/.installed ## Measure the template against its peers; PYTHON=python3.13 is what the pods run
	@$(BENCH)/bin/python -m bench.runtime
	@$(BENCH)/bin/python -m bench.cold_start
	@$(BENCH)/bin/python -m bench.vault
	@$(BENCH)/bin/python -m bench.parts
	@$(BENCH)/bin/python -m bench.examples
	@$(BENCH)/bin/python -m bench.chart

$(BENCH)/.installed: bench/requirements.txt | $(SETUP)
	@echo '#include <ev.h>' | $${CC:-cc} -E - >/dev/null 2>&1 || \
		{ echo "bjoern is built from source: apt install gcc libev-dev wrk" >&2; exit 1; }
	@test -x $(BENCH)/bin/python || $(PYTHON) -m venv $(BENCH)
	@echo "Installing the peers into $(BENCH) ..."
	@$(BIN)/uv pip sync --quiet --require-hashes --python $(BENCH)/bin/python bench/requirements.txt
	@touch $@

lock: setup ## Resolve the requirements again and pin them with hashes
	cd template && $(COMPILE) requirements.in -c kit/python-env-1.35.0.txt -o src/requirements.txt
	cd template && $(COMPILE) dev-requirements.in -o dev-requirements.txt
	cd template && $(COMPILE) manifests/migrate-requirements.in -o manifests/migrate-requirements.txt
	cd template && for list in examples/requirements/*.in; do list=$${list%.in}; $(COMPILE) $$list.in \
		-c src/requirements.txt -c kit/python-env-1.35.0.txt -o $$list.txt || exit 1; done
	$(COMPILE) requirements/uv.in -o requirements/uv.txt
	$(COMPILE) requirements/kit.in -o requirements/kit.txt
	$(COMPILE) requirements/properdocs.in -o requirements/properdocs.txt
	$(COMPILE) requirements/zensical.in -o requirements/zensical.txt
	$(COMPILE) requirements/dagster.in -o requirements/dagster.txt
	cd bench && $(COMPILE) requirements.in -o requirements.txt

clean: ## Remove everything that is generated
	rm -rf $(VENV) $(BENCH) bench/.work site docs/downloads .pytest_cache .ruff_cache .cache
