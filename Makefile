# Every target is one line of help; `make` alone prints them.
GO ?= go
BIN := bin/hayward
DATA ?= .hayward-demo
FUZZTIME ?= 20s
FUZZLOG ?= $(if $(filter 20s,$(FUZZTIME)),,conformance/logs/fuzz.log)
export CGO_ENABLED ?= 0

.DEFAULT_GOAL := help
.PHONY: help build run demo-reset tour test test-all fuzz lint bench golden

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  %-12s %s\n", $$1, $$2}'

build: ## build the one static binary into bin/
	$(GO) build -trimpath -ldflags '-s -w' -o $(BIN) ./cmd/hayward

run: build ## build and start the demo on loopback: two tenants, two pipelines, one audit trail
	exec $(BIN) demo --data-dir $(DATA) --docs "$$($(GO) env GOROOT)/doc"

demo-reset: ## forget everything the demo kept
	$(if $(wildcard $(BIN)),,@$(MAKE) build)
	$(BIN) demo --data-dir $(DATA) --reset

tour: ## walk through the README's calls against the running demo
	sh demo/tour.sh

test: ## run every test that needs Go alone, and say what was left out
	$(GO) run ./internal/testsum -timeout 20m ./...

test-all: ## everything, also what takes long: repeated kills, long fuzzing, the oracle from scratch
	HAYWARD_TEST_ALL=1 $(GO) run ./internal/testsum -timeout 80m ./...

fuzz: ## every fuzz target of what strangers write; FUZZTIME=10m is the long form, with a log under conformance/logs/
	$(GO) run ./internal/fuzzall -time $(FUZZTIME) -log '$(FUZZLOG)'

lint: ## gofmt, go vet, staticcheck
	@test -z "$$(gofmt -l .)" || { gofmt -l .; echo "gofmt -w the files above"; exit 1; }
	$(GO) vet ./...
	$(GO) run honnef.co/go/tools/cmd/staticcheck@v0.8.2 ./...

bench: ## the first measurement, beside Hayhooks where it is installed
	$(GO) run ./bench

golden: ## remake the golden files from the Python originals (needs conformance/oracle's packages)
	sh conformance/oracle/remake.sh
