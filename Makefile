# Every target installs what it misses and may be repeated at will.
# `make demo DEMO_SECONDS=30` ends by itself: make hands variables given to it on to what it runs.
DESTDIR ?=
PREFIX ?= /usr/local
AGENT := .build/release/gateway-agent
SIZE ?= full

.PHONY: help demo test build format bench install clean

help: ## list the targets
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{ printf "  make %-8s %s\n", $$1, $$2 }'

demo: ## show a simulated household: what the meter says and what each recipient receives
	@scripts/install-dependencies.sh build demo
	@scripts/build-release.sh
	@$(AGENT) demo

test: ## everything CI does
	@scripts/install-dependencies.sh build demo check
	@scripts/check.sh

build: ## build the release binary, .build/release/gateway-agent
	@scripts/install-dependencies.sh build
	@scripts/build-release.sh

format: ## format every Swift file
	@scripts/require-swift.sh
	@swift format -i --recursive --parallel Package.swift Sources Tests Benchmarks

bench: ## measure throughput and latency (SIZE=smoke for a quick run)
	@scripts/install-dependencies.sh build demo check
	@scripts/build-release.sh
	@scripts/run-benchmarks.sh $(SIZE)

install: ## install the built agent (DESTDIR and PREFIX are respected)
	@test -x $(AGENT) || { echo "make install: run 'make build' first (as yourself, not as root)" >&2; exit 2; }
	@scripts/install.sh "$(DESTDIR)" "$(PREFIX)"

clean: ## remove everything that was built
	@rm -rf .build .venv Benchmarks/.build
