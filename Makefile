# Every target runs on a machine with Go and Node; `make check` is what CI runs.
GO      ?= go
TOOLS   := internal/tools
TOOL     = $(GO) tool -modfile=$(TOOLS)/go.mod
FUZZTIME ?= 5s
BENCH   ?= .
COUNT   ?= 6

.PHONY: check test test32 race lint fmt tidy vet build fuzz bench chaos mutants golden

# check is everything that a change has to pass.
check: fmt vet tidy lint build race fuzz

# test is the second command of the README.
test:
	$(GO) test ./...

# race runs the tests in random order under the race detector.
race:
	$(GO) test -race -shuffle=on ./...

# test32 runs the cores on 32 bits, where the digests are the same. It needs a kernel that runs 386 programs.
test32:
	CGO_ENABLED=0 GOARCH=386 $(GO) test -short ./gpu ./reputation ./sched ./settlement ./staking ./tokenomics ./internal/canon

fmt:
	@out="$$($(TOOL) gofumpt -l .)"; if [ -n "$$out" ]; then echo "gofumpt has to format:"; echo "$$out"; exit 1; fi

vet:
	$(GO) vet ./...

tidy:
	$(GO) mod tidy -diff
	cd $(TOOLS) && $(GO) mod tidy -diff

lint:
	$(TOOL) golangci-lint run ./...

# build proves that the SDK needs no C compiler and builds on the platforms that users have, with cgo and without. There is no C
# compiler for darwin here: what cgo chooses there is compiled under its build tag.
MINGW   ?= x86_64-w64-mingw32-gcc
build:
	CGO_ENABLED=0 $(GO) build ./...
	CGO_ENABLED=0 GOOS=darwin GOARCH=arm64 $(GO) build ./...
	CGO_ENABLED=0 GOOS=windows GOARCH=amd64 $(GO) build ./...
	CGO_ENABLED=1 $(GO) build ./...
	CGO_ENABLED=0 GOOS=darwin GOARCH=arm64 $(GO) build -tags cgo ./gpu/...
	@if command -v $(MINGW) >/dev/null; then CGO_ENABLED=1 GOOS=windows GOARCH=amd64 CC=$(MINGW) $(GO) build ./...; \
	elif [ "$$IDLEGRID_REQUIRE" = all ]; then echo "build for windows with cgo: $(MINGW) is missing"; exit 1; \
	else echo "no $(MINGW): windows with cgo is not built"; fi

# fuzz runs every fuzz target for FUZZTIME. The go command sometimes reports its own deadline as a failure when the time is
# over while a worker is busy; such a run has found nothing, and a finding always writes its input to a file and says so.
fuzz:
	@set -e; for pkg in $$($(GO) list ./...); do \
		for target in $$($(GO) test -list '^Fuzz' $$pkg | grep '^Fuzz' || true); do \
			echo "fuzz $$pkg $$target"; \
			if ! out="$$($(GO) test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 5x $$pkg 2>&1)"; then \
				case "$$out" in \
				*"Failing input"*) echo "$$out"; exit 1;; \
				*"context deadline exceeded"*) echo "ended by its own deadline";; \
				*) echo "$$out"; exit 1;; \
				esac; \
			fi; \
		done; \
	done

# bench prints what benchstat compares: make bench COUNT=10 > new.txt; go tool -modfile=internal/tools/go.mod benchstat old.txt new.txt
bench:
	$(GO) test -run '^$$' -bench '$(BENCH)' -benchmem -count $(COUNT) ./...

# chaos is the long campaign: real processes, killed, over a chain that forks and endpoints that lie. Four modes have to pay to the
# base unit and three controls have to fail. A campaign that was stopped goes on from chaos.log.
BATCHES ?= 17500
SEED    ?= 1
chaos:
	$(GO) run ./internal/chaos/cmd -batches $(BATCHES) -seed $(SEED) -kinds -log chaos.log

# mutants changes the money code of tokenomics in one place after the other and runs the short tests each time: what survives
# is listed with its reason in docs/benchmarks.md. It takes the better part of an hour on two cores.
NOTMONEY := (solver|capcheck|projection|nomination.*|auditor.*|record|oracle.*|multiplier|ionet.*|params|codec|account|curve|epoch|allocation)\.go$$
mutants:
	GOFLAGS=-short $(GO) run github.com/go-gremlins/gremlins/cmd/gremlins@v0.6.0 unleash ./tokenomics --timeout-coefficient 3 -E '$(NOTMONEY)'

# golden rewrites the expected outputs; read the difference before you commit it.
golden:
	$(GO) test ./... -update
