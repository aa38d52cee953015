# Thin names for the scripts, which also run on their own.

.PHONY: help up down test lint format lock bench

help: ## What there is to make
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

up: ## Start the local sandbox of stores and connect them all
	@script/up

down: ## Revoke every sandbox connection and stop what `up` started
	@script/down

test: ## All checks and all tests, as the continuous integration runs them
	@script/test

lint: ## Style, types and ratchets, changing nothing
	@script/lint

format: ## Put the code into its form
	@script/format

lock: ## Renew the lock files after a change of requirements
	@script/lock

bench: ## Measure how long the product takes
	@script/bench
