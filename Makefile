# `make up` runs Polynya, `make test` proves it; `make help` lists the rest. Each target starts from a bare clone.
SHELL := /bin/sh
BIN := .venv/bin
# npm's scripts take `node` from the path: ours, not whichever the system has, or has not.
export PATH := $(CURDIR)/.venv/bin:$(PATH)
# Tests start hundreds of Python programs; without its bytecode each of them compiles all of src anew.
unexport PYTHONDONTWRITEBYTECODE
# Further arguments for the command that a target runs: make up ARGS="--port 9000"
ARGS ?=
# The same for the second part of `make soak`: make soak FUZZ="--count 100000 --seed 7 --target join"
FUZZ ?=
# For the fuzzing of what comes from the network: make soak FRAMES="--count 100000 --seed 7"
FRAMES ?=
# And for the last: make soak KILLS="--kills 100 --faults full clock"
KILLS ?=
# For the relay's part of `make bench`: make bench RELAY="--records 10000000"
RELAY ?=
# One worker more than the two cores: many tests wait for programs of theirs. Browsers and network namespaces, each
# with a network and a profile of its own, come after them, as a browser alone can fill a core.
WORKERS ?= 3
BROWSERS ?= 2
ALONE := browser or netns

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help up test lint types unit web size browser vectors soak bench abuse mutation fresh format generate locks clean ready ready-run packages built tools

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 18

up: ready-run ## set everything up, then run a relay with its web app
	@exec $(BIN)/polynya up $(ARGS)

test: tools lint types unit web size browser ## everything that must hold before a change lands
	@echo; echo "All tests passed."

lint: ready ## ruff
	@scripts/stage "ruff check" $(BIN)/ruff check
	@scripts/stage "ruff format" $(BIN)/ruff format --check --quiet

types: packages ## mypy and tsc, both strict
	@scripts/stage mypy $(BIN)/mypy
	@scripts/stage tsc $(BIN)/npm --prefix web --silent run check

unit: built ## pytest, browsers aside
	@scripts/stage pytest $(BIN)/python -m pytest -q -n $(WORKERS) --dist worksteal -m "not ($(ALONE))" $(ARGS)

web: packages ## vitest
	@scripts/stage vitest $(BIN)/npm --prefix web --silent test

size: built ## what a first message costs in bytes
	@scripts/stage "web app size" $(BIN)/python -m scripts.webapp size

browser: built tools ## pytest in real browsers, hosts and networks of their own
	@scripts/stage "browser tests" $(BIN)/python -m pytest -q -n $(BROWSERS) --dist worksteal -m "$(ALONE)" $(ARGS)

vectors: packages ## every protocol and MLS vector, in both languages
	@files=$$(find tests -name 'test_*.py' -path '*vectors*') && test -n "$$files" && \
		scripts/stage "vectors, Python" $(BIN)/python -m pytest -q -n $(WORKERS) $$files
	@scripts/stage "vectors, TypeScript" $(BIN)/npm --prefix web --silent test -- vectors

soak: packages tools ## 100,000 random operations on groups of our members and independent ones, 10^7 hostile inputs (FUZZ) and 10^7 to a relay's port (FRAMES), then 1,000 kills of a relay and all that disks and clocks do (KILLS)
	@$(BIN)/python -m scripts.soak $(ARGS)
	@$(BIN)/python -m scripts.fuzz $(FUZZ)
	@$(BIN)/python -m scripts.fuzzframes $(FRAMES)
	@$(BIN)/python -m scripts.durability $(KILLS)

bench: packages tools ## MLS, then the relay (RELAY), beside the peers, written into docs/performance.md (half an hour, on an idle machine)
	@scripts/tools bench
	@$(BIN)/python -m benchmarks.mls $(ARGS)
	@$(BIN)/python -m benchmarks.relay $(RELAY)

abuse: packages ## a relay attacked by 10,000 connections in twelve ways: how long others wait, what it holds; into docs/performance.md (15 minutes, on an idle machine)
	@$(BIN)/python -m benchmarks.abuse $(ARGS)

mutation: packages ## each check switched off in turn, in both languages: some test must fail (half an hour)
	@$(BIN)/python -m scripts.mutation $(ARGS)

fresh: ready ## the README in a bare Debian as a newcomer, then wheel and sdist without Node (root)
	@scripts/tools fresh
	@$(BIN)/python -m scripts.fresh

format: ready ## let ruff rewrite
	@$(BIN)/ruff check --quiet --fix; $(BIN)/ruff format --quiet

generate: ready ## codecs and tables from spec/
	@$(BIN)/python -m scripts.generate

locks: ready ## write requirements/ and web/package-lock.json anew
	@scripts/locks

clean: ## remove what was installed and built; data of a relay is never here
	rm -rf .venv build dist web/node_modules src/polynya/webapp .pytest_cache .mypy_cache .ruff_cache .hypothesis

# What targets stand on; each is quick when there is nothing to do.
ready-run:
	@scripts/setup run
	@$(BIN)/python -m scripts.webapp build

ready:
	@scripts/setup dev

packages: ready
	@$(BIN)/python -m scripts.webapp install

built: ready
	@$(BIN)/python -m scripts.webapp build

tools:
	@scripts/tools
