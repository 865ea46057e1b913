# Two commands on a fresh machine: `make demo` and `make test`. Everything runs from .venv through `python -m`, with
# relative paths, so a checkout in a folder with a space in its name works.

PYTHON ?= python3
PY := .venv/bin/python
DEMO_OUT := build/demo
UV_COMPILE := $(PY) -m uv pip compile --universal --python-version 3.11 --generate-hashes --no-header \
	--no-emit-index-url --no-annotate --quiet

.PHONY: analyses calibrate demo test test-all lint types warm imports lock clean help

help:
	@echo "make demo      set up, run the guide study, print the report's path"
	@echo "make test      set up, run everything that guards the project (10 minutes on 2 cores)"
	@echo "make test-all  make test plus the long studies and the browser run (60 minutes)"
	@echo "make calibrate fit the ITP models to the published trials, freeze the draws, write the page (15 minutes on one free core)"
	@echo "make lock      renew the hash-pinned requirements"

.venv/pip:
	@$(PYTHON) -c 'import sys; sys.exit(0 if (3, 11) <= sys.version_info < (3, 14) else "thrombokit needs Python 3.11 to 3.13, found %d.%d; say which with: make PYTHON=python3.12" % sys.version_info[:2])'
	$(PYTHON) -m venv .venv
	@touch $@

.venv/demo: requirements/demo.lock pyproject.toml | .venv/pip
	$(PY) -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/demo.lock
	$(PY) -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

.venv/test: requirements/test.lock .venv/demo
	$(PY) -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/test.lock
	@touch $@

demo: .venv/demo
	@rm -rf $(DEMO_OUT)
	@$(PY) -m thrombokit init $(DEMO_OUT)/study --template guide --quiet
	@$(PY) -m thrombokit run $(DEMO_OUT)/study --out $(DEMO_OUT)/out
	@echo "report: $(DEMO_OUT)/out/report.html"

lint: .venv/test
	$(PY) -m ruff check src tests benchmarks
	$(PY) -m ruff format --check src tests benchmarks

types: .venv/test
	$(PY) -m pyright --pythonpath $(PY)

warm: .venv/test
	$(PY) tools/warm_kernels.py

analyses: types
	$(PY) tools/warm_analyses.py

imports: .venv/test
	$(PY) -c "from importlinter.cli import lint_imports_command as lint; lint()"

# kernels compile on one core while types are checked on the other, which then compiles those of the analyses
test: lint imports
	@$(MAKE) --no-print-directory -j2 warm analyses
	$(PY) -m pytest -n 2 --dist loadfile -m "not long" tests

test-all: test
	tools/install_browser.sh
	$(PY) -m pytest -n 2 --dist loadfile -m long --real-data-required tests

calibrate: .venv/demo
	$(PY) tools/calibrate.py

lock: .venv/test
	$(PY) -m pip install --quiet uv
	$(UV_COMPILE) pyproject.toml requirements/build.in --extra signalling -o requirements/demo.lock
	$(UV_COMPILE) pyproject.toml requirements/build.in --extra dev -c requirements/demo.lock -o requirements/test.lock

clean:
	rm -rf .venv build
