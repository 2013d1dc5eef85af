# Everything a person or a machine does with this repository. `make` lists the targets.

FUZZTIME    ?= 10s
BIN         := bin/backhaul

.DEFAULT_GOAL := help

help: ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

build: ## build bin/backhaul
	go build -o $(BIN) ./cmd/backhaul

build-fleet: ## build bin/backhaul-fleet, which keeps warehouses in object stores as well
	go build -tags fleet -o $(BIN)-fleet ./cmd/backhaul

run: build ## do the main job end to end against the embedded emulator, and show a result
	rm -rf warehouse-demo
	$(BIN) demo --warehouse warehouse-demo

demo: run ## the same

# What tests write goes to memory where there is room for it, and a program there may be started: they wait for thousands of syncs.
MEMORY       = $(shell f=/dev/shm/backhaul-$$$$; [ "$$(df -Pk /dev/shm 2>/dev/null | awk 'END { print $$4 }')" -gt 8000000 ] 2>/dev/null && \
	: >$$f && chmod +x $$f && $$f && echo TMPDIR=/dev/shm; rm -f $$f)

test: ## run the tests
	$(MEMORY) go test -parallel 4 -timeout 40m ./... ./testdata/bench ./testdata/capacity # many tests wait for children and made-up vendors most of the time
	cd sinks/parquet/secondopinion && go test ./...
	cd pipeline/emulator/ahrefs/secondopinion && go test ./...
	cd jobs/deploy/check && go test -count=1 ./... # Go does not see when the recipes change, which lie outside the module

FLEET       := bin/fleet

# Debian's server, where it is missing.
$(FLEET)/postgresql/installed:
	@ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || command -v initdb >/dev/null || { apt-get update -q && apt-get install -qy --no-install-recommends postgresql; }
	@mkdir -p $(@D) && touch $@

CLUSTER      = $(MEMORY) TEMPORAL=$(CURDIR)/$(FLEET)/temporal/bin/temporal go test -count=1 -timeout 30m

cluster: $(FLEET)/postgresql/installed $(FLEET)/temporal/installed ## have journal and ledger in PostgreSQL, tables in an S3, runs by Temporal's workers, and keep all promises there (needs python3 with venv)
	$(CLUSTER) -tags cluster ./pipeline/postgres ./jobs/ledger ./jobs/books
	$(CLUSTER) -tags cluster,fleet ./sinks/iceberg ./jobs/fleet
	$(CLUSTER) -tags cluster,fleet,failpoint -run "Database|AStore|Temporal|TestImportsFollowTheLayers" ./cmd/backhaul

$(FLEET)/temporal/installed: | $(FLEET)/postgresql/installed # one at a time: both may install packages

SPARK_JARS  := $(FLEET)/jars/iceberg-spark-runtime-4.0_2.13-1.10.0.jar $(FLEET)/jars/iceberg-aws-bundle-1.10.0.jar $(FLEET)/jars/postgresql-42.7.8.jar

lake-check: $(FLEET)/duckdb/installed $(FLEET)/pyiceberg/installed $(FLEET)/pyspark/installed $(FLEET)/azurite/installed $(SPARK_JARS) ## have DuckDB, PyIceberg and Spark read tables in an object store, yesterday's too, and for a month of nights, and try other stores (needs python3 with venv, java, mvn, npm)
	DUCKDB_PYTHON=$(CURDIR)/$(FLEET)/duckdb/bin/python PYICEBERG_PYTHON=$(CURDIR)/$(FLEET)/pyiceberg/bin/python SPARK_PYTHON=$(CURDIR)/$(FLEET)/pyspark/bin/python SPARK_JARS=$(CURDIR)/$(FLEET)/jars AZURITE=$(CURDIR)/$(FLEET)/azurite \
		go test -count=1 -tags cluster,fleet,lakecheck -timeout 30m -run 'OthersRead|OfOthers|ByOthers|OtherStores' ./cmd/backhaul

$(FLEET)/%/installed: testdata/fleet/requirements/%.txt
	@python3 -c 'import ensurepip, venv' 2>/dev/null || { apt-get update -q && apt-get install -qy python3-venv; }
	python3 -m venv --clear $(FLEET)/$*
	$(FLEET)/$*/bin/pip install -q --no-deps -r $<
	@touch $@

$(FLEET)/azurite/installed: testdata/fleet/azurite/package-lock.json
	mkdir -p $(FLEET)/azurite && cp testdata/fleet/azurite/*.json $(FLEET)/azurite && cd $(FLEET)/azurite && npm ci --ignore-scripts --no-audit --no-fund
	@touch $@

$(FLEET)/jars/iceberg-%-1.10.0.jar:
	mvn -q -B dependency:copy -Dartifact=org.apache.iceberg:iceberg-$*:1.10.0 -DoutputDirectory=$(@D)

$(FLEET)/jars/postgresql-%.jar:
	mvn -q -B dependency:copy -Dartifact=org.postgresql:postgresql:$* -DoutputDirectory=$(@D)

duckdb11: ## let DuckDB 1.1 read the catalog (needs python3 with venv)
	python3 -m venv bin/duckdb11 && bin/duckdb11/bin/pip install -q duckdb==1.1.3
	DUCKDB11_PYTHON=$(CURDIR)/bin/duckdb11/bin/python go test -count=1 -tags duckdb11 -run DuckDB11 ./sinks/duckdb

report-check: build ## open reports in headless Chromium, on narrow and wide screens, light and dark (needs npm)
	@command -v chromium >/dev/null || { apt-get update -q && apt-get install -qy --no-install-recommends chromium; }
	mkdir -p bin/report && cp jobs/report/document/testdata/browser/*.json bin/report && cd bin/report && npm ci --ignore-scripts --no-audit --no-fund
	rm -rf bin/report/warehouse && $(BIN) demo --warehouse bin/report/warehouse >bin/report/demo.txt
	REPORT_MODULES=$(CURDIR)/bin/report/node_modules REPORT_DEMO=$(CURDIR)/bin/report/warehouse/reports go test -count=1 -tags browser -run Browser ./jobs/report/document

# Kubernetes' own schemas, as a package of PyPI has them, for kubeconform, which wants references that are files.
KUBERNETES  := bin/deploy/kubernetes/schemas

$(KUBERNETES): bin/deploy/kubernetes/installed
	rm -rf $@.new && mkdir -p $@.new && cp bin/deploy/kubernetes/lib/python3*/site-packages/kubernetes_validate/kubernetes-json-schema/v1.37.0-local-strict/*-v1.json \
		bin/deploy/kubernetes/lib/python3*/site-packages/kubernetes_validate/kubernetes-json-schema/v1.37.0-local-strict/_definitions.json $@.new
	sed -i.as-it-was 's#/api/_definitions.json#_definitions.json#; s#"$$id": "[^"]*"#"title": ""#' $@.new/*.json && rm $@.new/*.as-it-was && rm -rf $@ && mv $@.new $@

deploy-check: build bin/deploy/airflow/installed bin/deploy/dagster/installed $(KUBERNETES) ## have every recipe of jobs/deploy read by the tool it is for (needs python3 with venv)
	cd jobs/deploy/check && go test -count=1 ./...
	cd jobs/deploy/check && go tool kubeconform -strict -summary -schema-location '$(CURDIR)/$(KUBERNETES)/{{.ResourceKind}}{{.KindSuffix}}.json' ../kubernetes ../cronjob.yaml
	@command -v systemd-analyze >/dev/null || { apt-get update -q && apt-get install -qy --no-install-recommends systemd; }
	for unit in service timer; do sed 's#/usr/local/bin/backhaul#$(CURDIR)/$(BIN)#' jobs/deploy/backhaul@.$$unit > bin/deploy/backhaul@.$$unit; done
	cd bin/deploy && systemd-analyze verify ./backhaul@.service ./backhaul@.timer
	bin/deploy/airflow/bin/python testdata/deploy/check_airflow.py jobs/deploy/airflow_dag.py
	bin/deploy/dagster/bin/python testdata/deploy/check_dagster.py jobs/deploy/dagster_job.py

darwin-check: bin/deploy/zig/installed ## link the program for macOS, on whatever this is (needs python3 with venv; takes minutes the first time)
	bin/deploy/zig/bin/python testdata/deploy/link_darwin.py bin/deploy/darwin

bin/deploy/%/installed: testdata/deploy/%.txt
	@python3 -c 'import ensurepip, venv' 2>/dev/null || { apt-get update -q && apt-get install -qy python3-venv; }
	python3 -m venv --clear bin/deploy/$*
	bin/deploy/$*/bin/pip install -q --no-deps -r $<
	@touch $@

# One virtual environment for each list of pinned packages.
INTEROP     := $(filter-out fast,$(basename $(notdir $(wildcard testdata/interop/requirements/*.txt))))
JDBC        := bin/interop/java/duckdb_jdbc-1.5.6.0.jar

man: build ## write manual pages and shell completions to bin/man and bin/completions
	rm -rf bin/man bin/completions && mkdir -p bin/completions
	$(BIN) man bin/man
	for shell in bash zsh fish; do $(BIN) completion $$shell > bin/completions/backhaul.$$shell; done

interop: build $(INTEROP:%=bin/interop/%/installed) $(JDBC) ## let every reader read a warehouse, and compare what each saw
	bin/interop/arrow/bin/python testdata/interop/interop.py $(BIN) bin/interop $(INTEROP)

interop-fast: build bin/interop/fast/installed ## the same with a few readers
	bin/interop/fast/bin/python testdata/interop/interop.py $(BIN) bin/interop fast

bin/interop/%/installed: testdata/interop/requirements/%.txt
	@python3 -c 'import ensurepip, venv' 2>/dev/null || { apt-get update -q && apt-get install -qy python3-venv; }
	python3 -m venv --clear bin/interop/$*
	bin/interop/$*/bin/pip install -q --no-deps -r $<
	@touch $@

$(JDBC):
	@javac --version >/dev/null 2>&1 && mvn --version >/dev/null 2>&1 || { apt-get update -q && apt-get install -qy default-jdk-headless maven; }
	mvn -q -B dependency:copy -Dartifact=org.duckdb:duckdb_jdbc:$(@:bin/interop/java/duckdb_jdbc-%.jar=%) -DoutputDirectory=$(@D)

SEEDS       ?= 1000

power-loss: ## let the power fail SEEDS times (default 1000) in recorded runs (needs strace, Linux)
	$(MEMORY) BACKHAUL_POWER_LOSSES=$(SEEDS) go test -count=1 -timeout 24h -run TestLossOfPower ./cmd/backhaul

simulate: SEEDS = 10000
simulate: ## carry out SEEDS scenarios of whole runs under virtual time (default 10000), each twice
	BACKHAUL_SIMULATIONS=$(SEEDS) go test -count=1 -v -timeout 24h -run TestWhatever ./jobs/simulation

# SQLite, which is C put into Go, and the compressors are not watched: that alone halves the time. No process waits a second at its end.
RACE        := GORACE=atexit_sleep_ms=0 go test -race -short -timeout 40m -gcflags='modernc.org/...=-race=false' -gcflags='github.com/klauspost/...=-race=false'
# In these packages one goroutine asks, decodes or writes, and the race detector takes minutes to see it. In some of their tests
# goroutines meet.
ALONE       := $(addprefix ./,cmd/backhaul jobs/archive pipeline/emulator pipeline/emulator/ahrefs pipeline/emulator/graph \
	pipeline/vendors/ahrefsv2 pipeline/vendors/ahrefsv3 pipeline/vendors/mozrpc pipeline/vendors/mozv2 sinks/compact sinks/duckdb sinks/parquet)
MEETING     := (TestSourcesKeepWhatTheyPromise|TestBothAPIsServeAtTheSameTimeWhileTheIndexMoves|TestConnectionsAndRequestsPeak|TestAQueryDuringPublishingSeesTheOldNightOrTheNew|TestAStatementEndsAtItsLimits|TestEachEndsWhereItsUserDoes)/./together

# They are of millions of things and of one goroutine.
LONELY      := (TestTheMemoryOfAListIsBoundedAndForgetsTheOldestRowsFirst|TestAnHonestListOfAMillionRowsIsNeverStopped|TestHundredThousandTargetsAreHundredThousandLists|TestAListIsHeldInLittleMoreThanItsFile)

# Of whole runs of the program: those in which much happens at once, and the scripts. The others bring the same goroutines together.
WHOLE       := (TestScripts|TestAFaultyVendorThroughTheWholeProgram|TestAllConnectionsOfTheSpecAreUsedAndNoMore|TestNoFaultOverrunsTheBudget|TestTheLakeHoldsExactlyTheVendorsRowsInTheirOrder|TestTwoJobsPublishSideBySide|TestStatusShowsHowFarARunAtWorkHasCome|TestLoadingAndPublishingHaveABarWhereATerminalCanDrawOne|TestASecondProcessIsToldWhoIsAtWorkAndMayWait|TestHangingUpStopsARunAsCtrlCDoes|TestWhoStopsARunIsToldAtOnceWhatItWaitsFor|TestEachChannelCanBeTried|TestAnAgentAsksWhatWasBoughtAndSpendsNothingThatWasNotGranted|TestProfilesAreWrittenHoweverACommandEnds)

race: ## run the tests under the race detector, of some packages those in which goroutines meet
	$(RACE) -skip '^$(LONELY)$$$$' $$(go list ./... | grep -v $(ALONE:.%=-e '%$$'))
	$(RACE) -run '$(MEETING)' $(filter-out ./cmd/backhaul,$(ALONE))
	$(RACE) -run '^$(WHOLE)$$$$' ./cmd/backhaul

mutants: $(FLEET)/postgresql/installed $(FLEET)/temporal/installed ## try every change of testdata/mutants that breaks a promise: a test must find it (ONLY=part of a name; half an hour)
	TEMPORAL=$(CURDIR)/$(FLEET)/temporal/bin/temporal go run ./testdata/mutants $(if $(ONLY),-only $(ONLY))

lint: ## formatting, vet, staticcheck
	@unformatted=$$(gofmt -l .); if [ -n "$$unformatted" ]; then echo "not formatted: $$unformatted"; exit 1; fi
	go vet ./... ./testdata/mutants/... ./testdata/bench ./testdata/capacity
	go vet -tags fleet,cluster,failpoint ./sinks/iceberg ./cmd/backhaul
	go tool staticcheck ./... ./testdata/mutants/... ./testdata/bench ./testdata/capacity

# Where inputs are kept that were found interesting: where go test keeps them. Each is tried first, so that a check that must end
# soon has a folder of its own.
FUZZKEPT    ?= $(shell go env GOCACHE)/fuzz

# Each package that has targets is built once for all of them.
fuzz: ## fuzz every decoder and parser, FUZZTIME each (default 10s; 1000x is so many inputs)
	@set -e; mkdir -p bin/fuzz; for folder in $$(grep -rl --include='*_test.go' '^func Fuzz' . | xargs -n1 dirname | sort -u); do \
		pkg=$$(go list $$folder); binary=$(CURDIR)/bin/fuzz/$$(echo $$pkg | tr / -); kept=$(abspath $(FUZZKEPT))/$$pkg; \
		go test -c -fuzz . -o $$binary $$folder; mkdir -p $$kept; \
		for target in $$(cd $$folder && $$binary -test.list '^Fuzz'); do \
			echo "fuzz $$pkg $$target"; (cd $$folder && $$binary -test.run '^$$' -test.fuzz "^$$target\$$" -test.fuzztime $(FUZZTIME) -test.fuzzminimizetime 10x -test.fuzzcachedir $$kept); \
		done; done

BENCH       := go run ./testdata/bench

bench: ## measure everything that has a goal beside its yardstick, and a year of nights: bin/bench.json (an hour; LARGE=1 for a million targets)
	$(BENCH) $(if $(LARGE),-large) $(if $(ONLY),-only '$(ONLY)')
	go test -run '^$$' -bench '^Benchmark(Nights|Year)$$' -benchtime 1x -timeout 60m ./cmd/backhaul ./sinks/duckdb

bench-quick: ## the ratios that hold still, with small inputs: none may be 30 % worse than testdata/bench/quick.json (UPDATE=1 writes it)
	$(BENCH) -quick $(if $(UPDATE),-update)

SOAK        ?= 1h

soak: ## buy the same lists for SOAK (default 1h), and print how the CPU a page is distributed: one run must not cost a multiple of its like
	$(BENCH) -soak $(SOAK)

bench-peers: bin/bench/peers/installed ## measure what a row costs beside dlt, Airbyte's CDK and requests with pyarrow (needs python3 with venv)
	$(BENCH) -peers bin/bench/peers/bin/python

bin/bench/peers/installed: testdata/bench/peers/requirements.txt
	@python3 -c 'import ensurepip, venv' 2>/dev/null || { apt-get update -q && apt-get install -qy python3-venv; }
	python3 -m venv --clear bin/bench/peers
	bin/bench/peers/bin/pip install -q --no-deps -r $<
	@touch $@

capacity: ## simulate a day of nightly jobs for 10, 100 and 1,000 accounts, and say what is short first (minutes; QUICK=1 a tenth of each night)
	go run ./testdata/capacity $(if $(QUICK),-quick)

# Three at a time, since much of it waits, the cluster most and longest: it is first, which make sees to only where all that
# it needs is there. What is measured has the machine to itself.
ci: $(FLEET)/postgresql/installed $(FLEET)/temporal/installed bin/interop/fast/installed ## all that must hold before a change lands
	$(MEMORY) $(MAKE) -j3 --output-sync=target cluster test lint race fuzz interop-fast
	$(MAKE) bench-quick
	$(MAKE) run

clean: ## remove what was built and the demo's warehouse
	rm -rf bin warehouse-demo

.PHONY: help build build-fleet run demo test cluster lake-check power-loss simulate man duckdb11 report-check deploy-check darwin-check interop interop-fast race mutants lint fuzz bench bench-quick soak bench-peers capacity ci clean
