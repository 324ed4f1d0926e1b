# Two commands do everything on a fresh Debian 12 machine: `make demo` and `make test`.
# Each installs what it needs first, and says so. The rest is for people who work on it.

BUILD  ?= build
JOBS   ?= $(shell nproc)
CMAKE   = cmake -S . -G Ninja

.PHONY: all demo test test-interop test-full bench check format deps deps-interop clean

all: deps
	$(CMAKE) -B $(BUILD) && ninja -C $(BUILD) -j $(JOBS)

# Run the product: simulator, daemon, a morning of prescribing.
demo: deps
	@$(CMAKE) -B $(BUILD) >/dev/null && ninja -C $(BUILD) -j $(JOBS) opiward
	@tests/demo/run $(BUILD)/opiward

# Every test: units, scenarios, simulation, the real daemon against the simulator, kill sweep,
# lint; with gcc and clang, with the sanitizers.
test: deps
	@tests/run quick

# The real HAPI FHIR server. Needs Maven Central.
test-interop: deps deps-interop
	@tests/run interop

# The campaigns at full size; hours.
test-full: deps
	@tests/run full

bench: deps
	@tests/run bench

format:
	clang-format-14 -i $$(git ls-files '*.c' '*.h')

deps:
	@tests/install-packages build

deps-interop:
	@tests/install-packages interop

clean:
	rm -rf build build-*
