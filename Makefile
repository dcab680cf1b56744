# The commands of this repository. `make help` lists them.

CARGO ?= cargo

.PHONY: help demo demo-down test check bench crds golden

help: ## List the commands
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 24

demo: ## The whole centre of the example, served by a cluster of its own (as root; 20 minutes the first time on two cores, then 2)
	@tests/demo/run

demo-down: ## Remove the demo without a trace, but for the cache of builds
	@tests/demo/remove

test: ## Run every test (as root: it installs the servers it meets from Debian's packages)
	tests/run

check: ## The quick checks: format, lints, tests that need no server
	$(CARGO) fmt --all --check
	$(CARGO) clippy --workspace --all-targets --locked -- -D warnings
	$(CARGO) test --locked -p cst-api -p cst-compiler
	$(CARGO) test --locked -p cst --bins --test bad_input --test golden --test serve

bench: ## Measure beside others, on this machine (as root: it unpacks their packages)
	tests/bench/run

crds: ## Write crds/ anew from the types
	$(CARGO) run --quiet --locked -p cst -- crds --out crds

golden: ## Write tests/golden/ anew from what is printed now; review the difference
	UPDATE_GOLDEN=1 $(CARGO) test --locked -p cst --test golden
