# One word for each thing people do here. `make` alone lists them.
.DEFAULT_GOAL := help
.PHONY: help demo test build bench setup install tidy format clean distclean

PREFIX ?= /usr/local
export CMAKE_BUILD_PARALLEL_LEVEL ?= $(shell nproc)
export CTEST_PARALLEL_LEVEL ?= $(shell nproc)
export NINJA_STATUS ?= [%f/%t, %es] # done/all, seconds since the start

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: setup ## a batch of eight jobs on the real pi with a scripted model, and its record
	cmake --preset release
	cmake --build --preset release --target tools/pievt
	scripts/demo

test: ## build with sanitizers and run every test, the ones on the real pi included
	@scripts/setup test
	cmake --workflow --preset check

build: setup ## the optimised build, in build/release
	cmake --workflow --preset release

bench: ## measure pievt beside its peers on this machine; rewrites the numbers of docs/performance.md
	@scripts/setup bench
	cmake --workflow --preset release
	scripts/bench

setup: ## install what is missing: Debian packages, two versions of pi (below build/)
	@scripts/setup

install: build ## install into PREFIX (/usr/local); DESTDIR is honoured
	cmake --install build/release --prefix $(PREFIX)

tidy: ## clang-tidy over all our code
	@scripts/setup clang
	cmake --workflow --preset tidy

format: ## clang-format all our code in place
	@scripts/setup clang
	git ls-files -z '*.h' '*.cc' | xargs -0 clang-format-14 -i

clean: ## remove what was built; the installed versions of pi stay
	find build -mindepth 1 -maxdepth 1 ! -name pi -exec rm -rf {} +

distclean: ## remove everything below build/
	rm -rf build
