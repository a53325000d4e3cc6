# make report: set up and run the sample campaigns. make test: set up and pass the tests.
PYTHON ?= python3
BIN := .venv/bin
COMMA := ,
# CI has the servers too, and runs what a plain machine skips
EXTRAS := lab,test$(if $(CI),$(COMMA)postgres$(COMMA)spark)
READY := .venv/.ready-$(EXTRAS)

.PHONY: help report test lab lock clean

help:
	@echo "make report   set up, run the sample campaigns, say where the reports are"
	@echo "make test     set up, pass the tests"
	@echo "make lab      set up, open the notebooks in JupyterLab"
	@echo "make lock     renew the pins and all that is generated from pyproject.toml"

$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' \
	  || { echo "Python 3.11, 3.12 or 3.13 is needed; say which one: make PYTHON=python3.12"; exit 1; }
	$(PYTHON) -m venv .venv
	@if command -v uv >/dev/null; then \
	  uv pip install --quiet --python $(BIN)/python --constraint constraints.txt --editable '.[$(EXTRAS)]'; \
	else \
	  $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[$(EXTRAS)]'; \
	fi
	@touch $@

report: $(READY)
	$(BIN)/campaign run params --jobs 2
	@echo "Open reports/index.html"

test: $(READY)
	$(BIN)/ruff check .
	$(BIN)/python -m pytest --numprocesses 2 --dist loadfile

lab: $(READY)
	$(BIN)/jupyter lab notebooks/review.ipynb

lock: $(READY)
	$(BIN)/python tools/lock.py --pins

clean:
	rm -rf .venv .pytest_cache .hypothesis .ruff_cache
