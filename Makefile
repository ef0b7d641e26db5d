# The two commands that matter: `make demo` and `make test`. `make` alone lists all of them.

STACK      := deploy/local/stack
TEST_STACK := .local/test-stack
DEMO_STACK := .local/demo-stack
CARGO      := cargo

.DEFAULT_GOAL := help
.PHONY: help install up down env fmt lint test laws fuzz chaos soak planted demo bench counts bench-peers bench-peers-check bench-sql limits clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-17s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

install: ## Fetch Kafka and Postgres into .local/cache, once
	@$(STACK) install

up: ## Start Kafka and Postgres for development
	@$(STACK) up

down: ## Stop whatever this checkout left running; the data stays
	@for pids in .local/*/logs/demo.pids; do \
		[ ! -e "$$pids" ] || for pid in $$(cat "$$pids"); do \
			[ "$$(ps -o comm= -p $$pid)" != ballast ] || { kill -KILL $$pid; echo "stopped the demo's process $$pid"; }; \
		done; rm -f "$$pids"; \
	done
	@for record in .local/*/stack.json; do \
		[ ! -e "$$record" ] || $(STACK) down --dir "$$(dirname "$$record")" || exit; \
	done

env: ## Print where the running stack is, as KEY=value lines
	@$(STACK) env

fmt: ## Format the source
	$(CARGO) fmt --all

# One profile for tests, lints and the demo: what is built once serves all of them.
lint: ## What must be clean: format, clippy, documentation
	$(CARGO) fmt --all --check
	$(CARGO) clippy --profile fast --workspace --all-targets --locked -- -D warnings
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --profile fast --workspace --no-deps --locked

# Tests are always selected by the whole workspace: of a part of it, every crate would be built with other features.
TESTED = $(CARGO) test --profile fast --workspace --locked --no-fail-fast

# Whatever tests or their interruption left running.
SWEEP = for record in .local/test-*/stack.json; do \
	[ ! -e "$$record" ] || $(STACK) down --delete --dir "$$(dirname "$$record")"; done

# Random books are the same in every run, so that a change is judged by what it changes. `make laws` draws others.
test: export PROPTEST_RNG_SEED ?= 20260105
# The service's executable is built along with them, for the same reason.
# Those of the whole service mostly wait for servers, and the simulator's plays take what is left of the processor: both
# go beside all others, and their reports come last.
PLAYS = nothing_is_lost_or_doubled every_planted_mistake
test: ## Run every test, on servers of its own
	$(TESTED) --no-run
	@$(STACK) up --dir $(TEST_STACK)
	@apart=; plays=; trap 'for group in $$apart $$plays; do kill -KILL -$$group; done; $(SWEEP)' EXIT; trap 'exit 130' HUP INT TERM; \
		set -a; . $(TEST_STACK)/env; set +a; export BALLAST_BIN=$(CURDIR)/target/fast/ballast; \
		setsid $(TESTED) --test e2e -- --test-threads 3 > .local/test-e2e.log 2>&1 & apart=$$!; \
		setsid nice $(TESTED) --test simulation -- $(PLAYS) > .local/test-plays.log 2>&1 & plays=$$!; \
		$(TESTED) -- --skip e2e:: $(PLAYS:%=--skip %); others=$$?; \
		wait $$plays; played=$$?; plays=; cat .local/test-plays.log; \
		wait $$apart; ended=$$?; apart=; cat .local/test-e2e.log; [ $$others = 0 ] && [ $$played = 0 ] && [ $$ended = 0 ]

laws: ## Try the laws on ROUNDS draws of other random books, each told by its seed; needs no servers
	@for round in $$(seq $${ROUNDS:-10}); do \
		seed=$${SEED:-$$(od -An -N4 -tu4 /dev/urandom | tr -d ' ')}; echo "PROPTEST_RNG_SEED=$$seed"; \
		PROPTEST_RNG_SEED=$$seed $(CARGO) test --profile fast --quiet --locked --package domain --package avro-codec --package conflator \
			--package engine --package position-keeper --package rebalancer --package performance-tracker --package paper-router || exit; done

chaos: ## Three instances of each role, 1,000 kills and every other fault under load; then check every record
	@trap '$(SWEEP)' EXIT; trap 'exit 130' INT TERM; \
		BALLAST_CHAOS_KILLS=$${BALLAST_CHAOS_KILLS:-1000} \
		$(CARGO) test --profile fast --package system-tests --test e2e --locked -- chaos --nocapture

soak: ## Play SEEDS seeds of the simulator, or without end
	@first=$${FIRST:-1}; while :; do \
		BALLAST_SIM_FIRST=$$first BALLAST_SIM_SEEDS=$${SEEDS:-20000} \
			$(CARGO) test --profile fast --package system-tests --test simulation --locked -- nothing_is_lost --nocapture || exit; \
		[ -z "$${SEEDS:-}" ] || exit 0; first=$$((first + 20000)); done

FUZZED     := avro checkpoint configuration lines
CARGO_FUZZ := .local/cache/cargo-fuzz-0.13.2

$(CARGO_FUZZ)/bin/cargo-fuzz:
	$(CARGO) install cargo-fuzz --version =0.13.2 --locked --root $(CARGO_FUZZ)

# The driver is a workspace of its own with this one's versions. It begins with what is kept, with records of every topic
# and with the golden cases; what it finds stands in tests/fuzz/driver/artifacts: keep the smallest as a seed.
fuzz: $(CARGO_FUZZ)/bin/cargo-fuzz ## Search for bytes that break a promise, FUZZ_SECONDS (600) for each boundary; needs a C++ compiler
	cp Cargo.lock tests/fuzz/driver/Cargo.lock
	@mkdir -p $(foreach target,$(FUZZED),target/fuzz-corpus/$(target))
	@cp deploy/ballast.toml target/fuzz-corpus/configuration/
	BALLAST_FUZZ_BEGINNINGS=$(CURDIR)/target/fuzz-corpus/avro \
		$(CARGO) test --profile fast --package system-tests --test fuzz --locked -- avro_records
	@for target in $(FUZZED); do \
		PATH="$(CURDIR)/$(CARGO_FUZZ)/bin:$$PATH" $(CARGO) fuzz run --sanitizer none --fuzz-dir tests/fuzz/driver \
			--target-dir $(CURDIR)/target/fuzz $$target target/fuzz-corpus/$$target tests/fuzz/seeds/$$target \
			$$([ $$target != lines ] || echo tests/golden/cases) \
			-- -max_total_time=$${FUZZ_SECONDS:-600} -rss_limit_mb=3000 -malloc_limit_mb=512 -timeout=20 -print_final_stats=1 || exit; done

planted: ## Plant known mistakes in a copy of the sources, one by one: the simulator must find each
	tests/simulation/planted/find

demo: ## Watch real fills and prices become explained orders, on servers of its own that start anew
	@$(STACK) down --delete --dir $(DEMO_STACK)
	@$(STACK) up --dir $(DEMO_STACK)
	$(CARGO) build --profile fast --bin ballast
	@set -a; . $(DEMO_STACK)/env; set +a; target/fast/ballast demo

# The runner that counts instructions; its version is that of the library in Cargo.lock. It needs valgrind.
GUNGRAUN        := .local/cache/gungraun-0.20.0
GUNGRAUN_RUNNER := $(CURDIR)/$(GUNGRAUN)/bin/gungraun-runner

$(GUNGRAUN)/bin/gungraun-runner:
	$(CARGO) install gungraun-runner --version =0.20.0 --locked --root $(GUNGRAUN)

# Said before anything is built: the runner itself would only say that it failed.
.PHONY: valgrind
valgrind:
	@command -v valgrind >/dev/null || { \
		echo "instructions are counted with valgrind, which is not installed (Debian: apt install valgrind): nothing was counted" >&2; exit 1; }

# In the profile of the tests, which is built anyway. Counts of an earlier run would be compared along.
counts: valgrind $(GUNGRAUN)/bin/gungraun-runner ## Count the instructions of the hot paths against those that are kept; BLESS=1 keeps them
	@rm -rf target/counts
	GUNGRAUN_HOME=$(CURDIR)/target/counts GUNGRAUN_PARALLEL=auto GUNGRAUN_RUNNER=$(GUNGRAUN_RUNNER) \
		$(CARGO) bench --profile fast --package system-tests --bench core --locked
	BALLAST_COUNTS=$(CURDIR)/target/counts $(CARGO) test --profile fast --package system-tests --test counts --locked -- --nocapture

bench: valgrind $(GUNGRAUN)/bin/gungraun-runner ## Measure the core and the whole, on a broker of its own (long: it builds the release)
	$(CARGO) build --release --package ballast --locked
	GUNGRAUN_RUNNER=$(GUNGRAUN_RUNNER) $(CARGO) bench --package system-tests --bench core --locked
	$(CARGO) bench --package system-tests --bench pace --locked
	BALLAST_BIN=$(CURDIR)/target/release/ballast $(CARGO) bench --profile fast --package system-tests --bench broker --locked

limits: ## Go to the limits: 100,000 portfolios, one that all trade in, floods of prices, absences, days that go by (long)
	$(CARGO) build --release --package ballast --locked
	BALLAST_BIN=$(CURDIR)/target/release/ballast $(CARGO) bench --profile fast --package system-tests --bench limits --locked

PEERS_ROOM := tests/benches/peers
BENCH_JAVA := $(findstring streams,$(or $(PEERS),streams))

# Said before anything is built: Maven itself would only say that it found no compiler.
.PHONY: built-peers
built-peers:
	@[ -z "$(BENCH_JAVA)" ] || command -v javac >/dev/null || { \
		echo "make bench-peers compiles a Kafka Streams application and there is no JDK (Debian: apt install default-jdk-headless);" \
			"PEERS=naive leaves it out" >&2; exit 1; }
	@[ -z "$(BENCH_JAVA)" ] || mvn --batch-mode --quiet --file $(PEERS_ROOM)/streams/pom.xml package
	cd $(PEERS_ROOM) && $(CARGO) build --release --locked --target-dir $(CURDIR)/target/bench-peers

bench-peers: built-peers ## Measure the service against what one would build otherwise (FILLS, PAIRS, LANES, POSITIONS, MEASURES, PEERS)
	$(CARGO) build --release --package ballast --locked
	@trap 'exit 130' INT TERM; BALLAST_BIN=$(CURDIR)/target/release/ballast $(PEERS_ROOM)/run

# Its figures say nothing: a few thousand fills, and the build of the tests.
bench-peers-check: built-peers ## Try the whole of it in a minute: every contestant, every verdict
	cd $(PEERS_ROOM) && $(CARGO) test --release --locked --target-dir $(CURDIR)/target/bench-peers
	$(CARGO) build --profile fast --package ballast --locked
	@trap 'exit 130' INT TERM; FILLS=4000 POSITIONS=1000 PAIRS=1 LANES=2 RATE=500 MEASURES=drain,recovery \
		BALLAST_BIN=$(CURDIR)/target/fast/ballast $(PEERS_ROOM)/run

BENCH_SQL_STACK := .local/test-bench-sql

bench-sql: ## Measure what is asked of the tables, with many portfolios and years in them (long: it builds the release; 20 GB of disk)
	@$(STACK) up --dir $(BENCH_SQL_STACK)
	@trap '$(STACK) down --delete --dir $(BENCH_SQL_STACK)' EXIT; trap 'exit 130' INT TERM; \
		set -a; . $(BENCH_SQL_STACK)/env; set +a; \
		$(CARGO) bench --package postgres-store --bench queries --locked

clean: down ## Stop everything and remove what was built and stored; the downloads stay
	@for record in .local/*/stack.json; do \
		[ ! -e "$$record" ] || $(STACK) down --delete --dir "$$(dirname "$$record")" || exit; \
	done
	$(CARGO) clean
