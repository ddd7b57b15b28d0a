# Everything is made and tested from here; "make help" lists the targets.

GO ?= go
ADDR ?= 127.0.0.1:8080
# Inlining makes the module larger on the wire (measured: 1.54 MB of brotli
# with it, 1.45 MB without), and on a slow line 0.1 MB costs half a second.
WASM_FLAGS := -trimpath -gcflags=all=-l -ldflags="-s -w"
SOURCES := $(shell find app cmd internal web \( -path web/dist -o -name node_modules -o -name testdata -o -path internal/e2e \) -prune -o -type f -not -name '*_test.go' -not -name '*.md' -print)
NODE_MODULES := internal/e2e/node_modules/.package-lock.json
CLOCK_BENCH := internal/clock/bench/node_modules/.package-lock.json
AGENT_DATA := internal/agent/gen/node_modules/.package-lock.json
# Debian's packages that the browser tests need: today's Chromium, Firefox
# and WebKitGTK, the first in all languages, a content blocker, the engines of 2016, 2020 and 2022, a display
# for them, fonts for all, the server that stands in front of many a login, what
# bad lines are made of, a program that reads TLS, which browsers are told to
# trust, and the database of several servers.
PACKAGES := chromium chromium-l10n firefox-esr webext-ublock-origin-firefox webkit2gtk-driver xvfb python3-pyqt5.qtwebkit python3-pyqt5.qtwebengine python3-pyqt6.qtwebengine fonts-dejavu-core fonts-wqy-zenhei nginx iproute2 nftables mitmproxy libnss3-tools postgresql

.DEFAULT_GOAL := help
.PHONY: case help run build wasm test test-unit test-wasm test-browser faults check generate agents golden stories pictures size bench bench-clock bench-ranking fmt lint deps node test-store bench-store postgres

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: build ## Serve the demo portal on http://127.0.0.1:8080/ (ADDR=… moves it)
	bin/latchkey serve -demo -addr $(ADDR) -db sqlite:bin/latchkey.db

build: bin/latchkey ## Build bin/latchkey with everything in it

wasm: web/dist/manifest.json ## Build and compress what browsers download

# go-app without its server, which the browser would download in vain.
bin/.go-app.mod: go.mod go.sum cmd/pack/trim.go
	@mkdir -p bin
	$(GO) run ./cmd/pack -trim bin/.go-app

bin/widget.wasm: $(SOURCES) bin/.go-app.mod
	GOOS=js GOARCH=wasm $(GO) build -modfile=bin/.go-app.mod $(WASM_FLAGS) -o $@ ./cmd/widget

web/dist/manifest.json: bin/widget.wasm web/embed.js web/looks.js web/clock.js web/network.js web/steps.js web/words.js web/frame.js web/send.js web/pair.js web/bring.js web/phone.js web/third.js web/latchkey.css web/console.css web/live.js
	$(GO) run ./cmd/pack -wasm bin/widget.wasm
	@touch $@

bin/latchkey: web/dist/manifest.json $(SOURCES)
	$(GO) build -trimpath -o $@ ./cmd/latchkey

test: test-unit test-wasm test-store test-browser ## Run all tests, installing what they need

test-unit: ## Run the native tests (seconds)
	$(GO) test -short ./...

test-wasm: node ## Run the tests of the browser's side as WebAssembly, under node
	GOOS=js GOARCH=wasm $(GO) test -exec="$$($(GO) env GOROOT)/lib/wasm/go_js_wasm_exec" ./internal/browser ./internal/probe

test-store: postgres ## Run the tests of the store and of servers on it, on a PostgreSQL of their own
	$(GO) test -count=1 -timeout 5m ./internal/store ./cmd/latchkey

test-browser: deps build $(NODE_MODULES) ## Run the tests with real browsers and real faults
	$(GO) test -count=1 -timeout 24m -p 1 ./internal/e2e/...

faults: deps build $(NODE_MODULES) ## Run the browser tests and write what they found to internal/e2e/README.md
	LATCHKEY_TABLE=1 $(GO) test -count=1 -timeout 20m ./internal/e2e

check: lint ## What CI checks besides the tests: lint, goldens, import table, sizes
	$(GO) test -count=1 -run 'Import|Golden|golden|Catalogue' ./internal/testkit ./internal/checks ./cmd/latchkey ./app/...
	$(MAKE) size

generate: $(AGENT_DATA) ## Write what is generated from npm packages: releases of browsers
	$(GO) generate ./internal/agent

$(AGENT_DATA): internal/agent/gen/package.json internal/agent/gen/package-lock.json | node
	npm ci --prefix internal/agent/gen --no-audit --no-fund
	@touch $@

agents: ## Print how often browsers are told right from their user agents
	@$(GO) test -count=1 -run TestRead_isRightAsOftenAsAimedAt ./internal/agent >/dev/null || $(GO) test -count=1 -run TestRead_isRightAsOftenAsAimedAt ./internal/agent
	@cat internal/agent/README.md

golden: ## Rewrite the golden files
	LATCHKEY_UPDATE=1 $(GO) test -short ./...

stories: ## Write every screen in every state as pages to look at
	$(GO) run ./cmd/stories -out bin/stories

pictures: deps build $(NODE_MODULES) ## Draw all stories at four widths, light and dark, and all other pages, into bin/pictures
	@mkdir -p bin/pictures
	LATCHKEY_PICTURES=$(CURDIR)/bin/pictures $(GO) test -count=1 -timeout 20m -run 'TestStories_pictures|TestConsole_isFor|TestAccounts_areFor|TestPhone|TestSecond|TestSend|TestLink' ./internal/e2e

size: wasm ## Print raw, gzip and brotli bytes, and fail over the budget
	$(GO) run ./cmd/pack -size

case: ## Try a test case that the console made, and add it: make case FILE=report-….json
	LATCHKEY_CASE="$(abspath $(FILE))" $(GO) test -count=1 -run TestCasebook ./internal/diag
	cp "$(FILE)" internal/diag/testdata/casebook/

bench: deps build ## Measure start-up, judging and memory
	$(GO) test -run '^$$' -bench . -benchmem ./internal/agent ./internal/checks
	LATCHKEY_BENCH=1 $(GO) test -count=1 -timeout 20m -v -run TestBench ./internal/e2e

bench-ranking: ## Measure the order of findings and steps, and write internal/diag/README.md
	LATCHKEY_UPDATE=1 $(GO) test -count=1 -run TestRanking ./internal/diag
	$(GO) test -run '^$$' -bench . -benchmem ./internal/diag ./internal/checks
	@sed -n '/## Simulated/,$$p' internal/diag/README.md

bench-store: postgres build ## Measure the store beside its bare drivers, and write internal/store/README.md
	LATCHKEY_UPDATE=1 LATCHKEY_BENCH=1 $(GO) test -count=1 -timeout 20m -run TestBench ./internal/store
	LATCHKEY_UPDATE=1 LATCHKEY_BENCH=1 $(GO) test -count=1 -timeout 20m -run TestLiveBench ./internal/e2e

bench-clock: deps build $(CLOCK_BENCH) ## Measure the clock beside npm packages, and write internal/clock/README.md
	LATCHKEY_BENCH=1 $(GO) test -count=1 -run TestBench ./internal/clock
	LATCHKEY_BENCH=1 $(GO) test -count=1 -parallel 4 -timeout 20m -run TestClockBench ./internal/e2e

$(CLOCK_BENCH): internal/clock/bench/package.json internal/clock/bench/package-lock.json | node
	npm ci --prefix internal/clock/bench --no-audit --no-fund
	@touch $@

deps: node ## Install with apt and npm what the browser tests need and is missing
	@missing=; for p in $(PACKAGES); do dpkg -s $$p >/dev/null 2>&1 || missing="$$missing $$p"; done; \
	command -v gcc >/dev/null || missing="$$missing gcc libc6-dev"; $(call install,$$missing)

node:
	@missing=; command -v node >/dev/null || missing=nodejs; command -v npm >/dev/null || missing="$$missing npm"; $(call install,$$missing)

postgres:
	@missing=; ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || missing=postgresql; $(call install,$$missing)

# Installs Debian packages, as root or through sudo, if there are any to install.
# At runlevel 1 no package starts the service that it brings.
define install
if [ -n "$(1)" ]; then \
	sudo=; [ "$$(id -u)" = 0 ] || sudo=sudo; \
	$$sudo apt-get update -q && $$sudo env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get install -y -q --no-install-recommends $(1); \
fi
endef

$(NODE_MODULES): internal/e2e/package.json internal/e2e/package-lock.json | node
	npm ci --prefix internal/e2e --no-audit --no-fund
	@touch $@

fmt: ## Format the Go code
	gofmt -w app cmd internal web

lint: ## Vet and lint, natively and for WebAssembly
	@test -z "$$(gofmt -l app cmd internal web)" || { gofmt -l app cmd internal web; echo "run: make fmt"; exit 1; }
	$(GO) vet ./...
	$(GO) tool staticcheck ./...
	GOOS=js GOARCH=wasm $(GO) vet ./app/... ./cmd/widget ./internal/browser ./internal/probe
	GOOS=js GOARCH=wasm "$$($(GO) tool -n staticcheck)" ./app/... ./cmd/widget ./internal/browser ./internal/probe
