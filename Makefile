# The README explains these. Everything here needs only Go; PostgreSQL is found
# or installed by the code that needs it.

TOOLS := go tool -modfile=deploy/tools.mod
export GOFLAGS ?= -buildvcs=false

.PHONY: dev test test-root test-stack soak bench lint fmt generate golden build

dev: ## start everything on this machine and print where it is
	go -C deploy/dev run . $(ARGS)

build: ## the one binary
	CGO_ENABLED=0 go build -trimpath -o waybill .

test: test-root test-stack ## unit, property, replay, store, API and end to end

test-root:
	go test ./...

test-stack:
	go -C deploy/dev test -timeout 15m ./...

soak: ## the long runs: 300 real orders with everything killed in the middle, 50,000 events, mails of killed senders
	WAYBILL_SOAK=1 go -C deploy/dev test -timeout 90m -v -run "Soak|Burst" ./e2e

bench: ## history events, orders/s and events/s beside the bare and the naive workflow
	go -C deploy/dev run ./bench $(ARGS)

lint: ## vet, gofmt, staticcheck, workflowcheck, exhaustive switches, vulnerabilities where reachable
	@test -z "$$(gofmt -l .)" || { gofmt -l .; echo "gofmt would change these"; exit 1; }
	go vet ./...
	go -C deploy/dev vet ./...
	$(TOOLS) staticcheck ./...
	cd deploy/dev && go tool -modfile=../tools.mod staticcheck ./...
	$(TOOLS) workflowcheck -config deploy/workflowcheck.yaml ./workflows/...
	$(TOOLS) exhaustive -check=switch ./order/... ./workflows/... ./activities/... ./internal/store/...
	$(TOOLS) exhaustive -check=switch -default-signifies-exhaustive ./api/... ./internal/... ./worker/...
	$(TOOLS) go-check-sumtype ./order/... ./workflows/... ./internal/...
	@.ci/vulnerabilities

generate: ## docs/milestones.md and docs/returns.md from the tables
	go test ./order -run Diagram -update

golden: ## record new golden histories (after raising order.CurrentRules)
	go -C deploy/dev run ./record

fmt:
	gofmt -w .
