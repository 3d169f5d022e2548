# Every command needs only python3 (≥ 3.11) and make; it installs the rest of what it needs.
#
#   make demo                          a living town on http://127.0.0.1:8000 (PORT, TOWN, FRESH=1, AT=2026-11-23T08:58)
#   make test [ARGS="tests/rules"]     lint, types, walls, and the whole suite on SQLite then on PostgreSQL
#   make lint                          only the first three
#   make format                        put code and templates in order
#   make rows                          which feature row is proved by how many tests
#   make bench                         what it costs, beside what it should
#   make messages                      the French catalogue, from what the sources say
#   make screenshots                   the README's pictures, from the real pages
#   make lock                          newer versions of what Marelle stands on
#   make .venv                         only the virtual environment, with what developers need

PYTHON ?= python3
export PYTHONUNBUFFERED = 1
# Only what was said on the command line or in the environment: nothing here overrides the scripts' own defaults.
export PORT TOWN FRESH AT

.DEFAULT_GOAL := help
.PHONY: help .venv demo test lint format lock rows bench messages screenshots

help:
	@sed -n 's/^#   //p' Makefile

.venv:
	@$(PYTHON) -m scripts.environment dev

demo:
	@$(PYTHON) -m scripts.environment base
	@exec .venv/bin/python -m scripts.demo

test: .venv
	@.venv/bin/python -m scripts.suite all $(ARGS)

lint: .venv
	@.venv/bin/python -m scripts.suite lint

format: .venv
	@.venv/bin/python -m scripts.suite format

lock: .venv
	@.venv/bin/python -m scripts.lock

rows: .venv
	@.venv/bin/python -m scripts.rows

bench: .venv
	@.venv/bin/python -m scripts.bench $(ARGS)

messages: .venv
	@.venv/bin/python -m scripts.messages

screenshots: .venv
	@.venv/bin/python -m scripts.screenshots
