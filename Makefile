# Targets for developers. Each of them works from a fresh clone.

VENV := .venv
STAMPS := $(VENV)/.stamps
PIP := $(VENV)/bin/python -m pip install --quiet
NOX := $(VENV)/bin/python -m nox
RECIPE := joint
THEN := surroundings
RUN := runs/shipped
RESULTS :=
METADATA := setup.py pyproject.toml edge/__init__.py

.DEFAULT_GOAL := help
.PHONY: help demo test test-arm64 test-service lint setup size model corpora clean

help: ## list the targets
	@grep -E '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z0-9-]+):.*## (.*)/  make \1\t\2/' | expand -t 22

demo: $(STAMPS)/demo ## install into .venv and run on bundled speech, with its own broker; needs no microphone
	@$(VENV)/bin/affectd demo

test: $(STAMPS)/nox ## every check: lint, the device code under three runtimes, training and conversion
	@tools/install_test_programs.sh
	@$(NOX)

test-arm64: $(STAMPS)/demo ## from an empty arm64 Debian, emulated, to the first turn; needs root, 3 GB and half an hour
	@PYTHON=$(CURDIR)/$(VENV)/bin/python tools/test_arm64.sh $(SUITE)

test-service: ## the service under systemd in a container, with faults; needs root, 3 GB and ten minutes
	@tools/test_service.sh $(SUITE)

lint: $(STAMPS)/nox ## ruff and mypy
	@$(NOX) -s lint

setup: $(STAMPS)/setup ## install everything a developer needs into .venv, except TensorFlow (that is .[training])
	@echo "Ready: . $(VENV)/bin/activate"

size: $(STAMPS)/nox ## the disk space of the base install, package by package
	@$(VENV)/bin/python tools/install_size.py build/install_size

model: corpora $(STAMPS)/training ## train the shipped model again, from CORPORA="ravdess=~/RAVDESS tess=~/TESS"; resumes where it stopped
	@$(VENV)/bin/affectd-train fit --recipe $(RECIPE) --run $(RUN)-first $(foreach corpus,$(CORPORA),--corpus '$(corpus)')
	@$(VENV)/bin/affectd-train fit --recipe $(THEN) --base $(RUN)-first --run $(RUN) $(foreach corpus,$(CORPORA),--corpus '$(corpus)')
	@$(VENV)/bin/affectd-convert $(RUN) --output edge/models/affectd.tflite --report benchmarks/results/shipped.parity.json $(if $(RESULTS),--results '$(RESULTS)')
	@PYTHONPATH=. $(VENV)/bin/python tests/inference/make_golden.py

corpora:
	@test -n "$(CORPORA)" || { echo 'No CORPORA given: make model CORPORA="ravdess=~/RAVDESS tess=~/TESS"; see docs/training.md' >&2; exit 64; }

clean: ## remove what these targets have made
	rm -rf $(VENV) .nox build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find . -name __pycache__ -type d -not -path './.git/*' -prune -exec rm -rf {} +

# A stamp is newer than the metadata it was installed from, so a second call has nothing to do. The install is
# editable, so a change to the code needs no new install.
$(STAMPS)/venv:
	@tools/make_venv.sh $(VENV)
	@mkdir -p $(STAMPS) && touch $@

$(STAMPS)/demo: $(METADATA) | $(STAMPS)/venv
	@echo "Installing affectd into $(VENV) (once; about a minute)"
	@$(PIP) --editable '.[broker]'
	@touch $@

$(STAMPS)/setup: $(METADATA) | $(STAMPS)/venv
	@echo "Installing affectd and its tools into $(VENV)"
	@$(PIP) --editable '.[broker,web,test,dev]'
	@touch $@ $(STAMPS)/demo $(STAMPS)/nox

$(STAMPS)/training: $(METADATA) | $(STAMPS)/venv
	@echo "Installing affectd and its training tools into $(VENV) (with TensorFlow; some minutes)"
	@$(PIP) --editable '.[training]'
	@touch $@

$(STAMPS)/nox: Makefile | $(STAMPS)/venv
	@echo "Installing nox into $(VENV)"
	@$(PIP) 'nox>=2025.2.9'
	@touch $@
