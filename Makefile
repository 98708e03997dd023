# Every target works from a fresh clone: what it needs is installed first (scripts/install.sh).

release = .build-release
signalbox = $(release)/release/signalbox

# Python with the packages that tests and benchmarks use as outside witnesses.
export SIGNALBOX_PYTHON ?= $(CURDIR)/.cache/python/bin/python3

# Properties draw other cases with every commit, and the same ones for the same commit.
export SIGNALBOX_PROPERTY_SEED ?= $(shell git rev-parse HEAD 2>/dev/null || echo 0)

# Tests that wait for servers and clients have time-outs, so they do not share the cores with those that only compute, and few of
# them run at a time.
timed = ^(GatewayTests|RuntimeTests|KafkaStorageTests|CommandLineTests|ScenarioTests|BenchmarksTests)[.]

# How long each target is fuzzed, and which: all when none is named.
SECONDS ?= 60
TARGET ?=

.PHONY: help run run-kafka test test-kafka-versions bench fuzz format clean

help: ## Show this list
	@sed -n 's/^\([a-z-]*\):.*## /\1|/p' Makefile | while IFS='|' read -r name text; do \
	  printf '  make %-20s%s\n' "$$name" "$$text"; done

run: ## Build, and show the departure boards in a browser
	scripts/install.sh run
	swift build -c release --scratch-path $(release) --product signalbox
	$(signalbox) demo

run-kafka: ## Build, and run three instances on a Kafka broker: watch one die
	scripts/install.sh run-kafka
	swift build -c release --scratch-path $(release) --product signalbox
	scripts/run-kafka.sh $(signalbox)

# Tests compare what this build says with what the debug build says.
test: export SIGNALBOX_RELEASE = $(CURDIR)/$(signalbox)
test: ## Check the format, build everything and run every test
	scripts/install.sh test
	swift format lint --strict -r Package.swift Sources Tests
	swift build --build-tests --explicit-target-dependency-import-check error
	swift build -c release --scratch-path $(release) --product signalbox
	swift test --skip-build --skip '$(timed)'
	swift test --skip-build --filter '$(timed)' --experimental-maximum-parallelization-width 4

test-kafka-versions: ## Run the tests of the log on Kafka with a newer librdkafka, on two brokers
	scripts/test-kafka-versions.sh

bench: ## Measure, each case beside its floor or rival
	scripts/install.sh bench
	swift build -c release --scratch-path $(release) --product signalbox
	$(signalbox) bench

fuzz: ## Feed the parsers with anything: each target for SECONDS=60, or TARGET=json alone
	scripts/install.sh run
	scripts/fuzz.sh $(SECONDS) $(TARGET)

format: ## Write the sources as .swift-format wants them
	swift format -i -r Package.swift Sources Tests

clean: ## Remove what was built; what was installed stays
	rm -rf .build .build-* .build_*
