# The two commands that matter: `make demo` and `make test`. `make` alone lists all of them.

STACK      := deploy/local/stack
TEST_STACK := .local/test-stack
CARGO      := cargo

.DEFAULT_GOAL := help
.PHONY: help install up down env fmt lint test demo bench clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

install: ## Fetch Kafka and Postgres into .local/cache, once
	@$(STACK) install

up: ## Start Kafka and Postgres for development
	@$(STACK) up

down: ## Stop whatever this checkout left running; the data stays
	@for record in .local/*/stack.json; do \
		[ ! -e "$$record" ] || $(STACK) down --dir "$$(dirname "$$record")" || exit; \
	done

env: ## Print where the running stack is, as KEY=value lines
	@$(STACK) env

fmt: ## Format the source
	$(CARGO) fmt --all

lint: ## What must be clean: format, clippy, documentation
	$(CARGO) fmt --all --check
	$(CARGO) clippy --workspace --all-targets --locked -- -D warnings
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --workspace --no-deps --locked

test: ## Run every test, on servers of its own
	@$(STACK) up --dir $(TEST_STACK)
	@trap '$(STACK) down --dir $(TEST_STACK) --delete' EXIT; \
		set -a; . $(TEST_STACK)/env; set +a; \
		$(CARGO) test --workspace --locked

demo: up ## Watch real fills and prices become explained orders
	$(CARGO) run --profile fast --bin ballast -- demo

bench: ## Measure the core and the whole, on a broker of its own
	$(CARGO) bench --workspace --locked

clean: down ## Stop everything and remove what was built and stored; the downloads stay
	@for record in .local/*/stack.json; do \
		[ ! -e "$$record" ] || $(STACK) down --delete --dir "$$(dirname "$$record")" || exit; \
	done
	$(CARGO) clean
