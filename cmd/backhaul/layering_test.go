package main

import (
	"slices"
	"strings"
	"testing"

	"golang.org/x/tools/go/packages"
)

// house lists every package and the packages of the project it may import: the most exact diagram of the house.
// Imports point from the bottom of this table to its top.
var house = map[string]string{
	"schemas":                          "",
	"schemas/canon":                    "",
	"pipeline/words":                   "",
	"pipeline/grid":                    "",
	"pipeline":                         "pipeline/words schemas",
	"pipeline/vendors":                 "pipeline",
	"pipeline/vendors/internal/wire":   "pipeline",
	"pipeline/vendors/internal/rows":   "pipeline schemas",
	"pipeline/vendors/internal/ahrefs": "schemas/canon",
	"pipeline/vendors/internal/moz":    "pipeline schemas schemas/canon",
	"pipeline/vendors/mozv2":           "pipeline pipeline/vendors schemas pipeline/vendors/internal/wire pipeline/vendors/internal/rows pipeline/vendors/internal/moz",
	"pipeline/vendors/mozrpc":          "pipeline pipeline/vendors schemas pipeline/vendors/internal/wire pipeline/vendors/internal/rows pipeline/vendors/internal/moz",
	"pipeline/vendors/ahrefsv3":        "pipeline pipeline/vendors schemas pipeline/vendors/internal/wire pipeline/vendors/internal/rows pipeline/vendors/internal/ahrefs",
	"pipeline/vendors/ahrefsv2":        "pipeline pipeline/vendors schemas pipeline/vendors/internal/wire pipeline/vendors/internal/rows pipeline/vendors/internal/ahrefs",
	"pipeline/sourcetest":              "pipeline schemas",
	"pipeline/failpoint":               "",
	"pipeline/powerloss":               "",
	"pipeline/store":                   "",
	"pipeline/sqlite":                  "pipeline/store pipeline/failpoint",
	"pipeline/postgres":                "pipeline/store",
	"pipeline/postgres/postgrestest":   "",
	"pipeline/journal":                 "pipeline pipeline/store pipeline/sqlite pipeline/failpoint",
	"pipeline/journaltest":             "pipeline pipeline/journal",
	"pipeline/limit":                   "pipeline",
	"pipeline/engine":                  "pipeline pipeline/limit pipeline/failpoint schemas",
	"pipeline/emulator":                "pipeline/emulator/graph pipeline/emulator/ahrefs pipeline/emulator/internal/lists pipeline/emulator/internal/quote",
	"pipeline/emulator/ahrefs":         "pipeline/emulator/graph pipeline/emulator/internal/lists pipeline/emulator/internal/quote",
	"pipeline/emulator/internal/lists": "",
	"pipeline/emulator/internal/quote": "",
	"pipeline/emulator/graph":          "",
	"sinks":                            "schemas",
	"sinks/blob":                       "sinks pipeline/failpoint",
	"sinks/parquet":                    "sinks sinks/blob schemas pipeline/failpoint",
	"sinks/compact":                    "sinks sinks/parquet schemas pipeline/failpoint",
	"sinks/lake":                       "sinks sinks/blob sinks/compact schemas pipeline/failpoint",
	"sinks/duckdb":                     "sinks sinks/blob schemas pipeline/failpoint pipeline/grid",
	"sinks/iceberg":                    "sinks sinks/lake sinks/parquet schemas pipeline/failpoint", // built with the tag fleet alone
	"sinks/xlsx":                       "sinks",
	"sinks/sqlite":                     "sinks",
	"sinks/sinktest":                   "sinks sinks/internal/sample schemas",
	"jobs":                             "pipeline pipeline/words schemas schemas/canon",
	"jobs/plan":                        "pipeline",
	"jobs/ledger":                      "pipeline pipeline/store pipeline/sqlite pipeline/failpoint",
	"jobs/archive":                     "pipeline schemas schemas/canon",
	"jobs/intake":                      "pipeline jobs/archive",
	"jobs/load":                        "pipeline pipeline/journal schemas sinks",
	"jobs/books":                       "pipeline pipeline/store pipeline/sqlite pipeline/postgres pipeline/journal pipeline/words sinks sinks/blob jobs/ledger",
	"jobs/recovery":                    "pipeline pipeline/words pipeline/journal schemas jobs/books jobs/ledger jobs/account",
	"jobs/account":                     "pipeline pipeline/words pipeline/journal pipeline/failpoint schemas sinks jobs/ledger jobs/load",
	"jobs/budget":                      "pipeline pipeline/words pipeline/limit pipeline/engine jobs/plan jobs/ledger",
	"jobs/chain":                       "pipeline pipeline/words pipeline/journal schemas jobs/plan jobs/ledger",
	"jobs/price":                       "pipeline jobs/budget jobs/chain jobs/account jobs/plan jobs/ledger",
	"jobs/buy":                         "pipeline pipeline/limit pipeline/engine jobs/budget jobs/recovery jobs/plan",
	"jobs/buy/buytest":                 "pipeline pipeline/journal pipeline/engine pipeline/emulator pipeline/vendors pipeline/vendors/mozv2 jobs/books jobs/budget jobs/buy jobs/ledger jobs/plan jobs/account jobs/recovery",
	"jobs/fleet":                       "pipeline pipeline/limit pipeline/engine pipeline/postgres jobs/books jobs/budget jobs/buy jobs/recovery jobs/plan jobs/ledger", // but for its comment, with the tag fleet alone
	"jobs/fleet/fleettest":             "",
	"jobs/run":                         "pipeline pipeline/words pipeline/journal pipeline/engine schemas sinks jobs/books jobs/intake jobs/budget jobs/chain jobs/price jobs/buy jobs/load jobs/account jobs/recovery jobs/plan jobs/ledger pipeline/failpoint",
	"jobs/simulation":                  "", // tests alone
	"jobs/dbt":                         "schemas",
	"jobs/doctor":                      "pipeline pipeline/words pipeline/journal schemas sinks jobs/books jobs/ledger jobs/load jobs/recovery jobs/run",
	"jobs/report":                      "pipeline pipeline/words jobs/plan jobs/ledger jobs/account jobs/budget jobs/run",
	"jobs/report/document":             "pipeline pipeline/words jobs/ledger jobs/report",
	"jobs/post":                        "",
	"jobs/notify":                      "pipeline/words jobs jobs/report jobs/post",
	"jobs/lineage":                     "jobs/post",
	"jobs/telemetry/telemetrytest":     "",
	"jobs/telemetry":                   "pipeline pipeline/engine jobs/run jobs/report", // the observer of both, so that neither knows who is told
	"cmd/backhaul":                     "*",
}

// only lists the packages outside the project that few rooms may know, and which. A name ending in a slash stands for
// everything below it.
var only = map[string]string{
	"net/http":                                "pipeline/vendors/internal/wire pipeline/emulator pipeline/emulator/ahrefs pipeline/sourcetest jobs/notify jobs/post jobs/telemetry/telemetrytest cmd/backhaul",
	"github.com/duckdb/duckdb-go/v2":          "sinks/duckdb",
	"github.com/apache/arrow-go/v18/parquet/": "sinks/parquet",
	"github.com/sourcegraph/conc/":            "pipeline/engine jobs/load jobs/run",
	"github.com/goccy/go-yaml/":               "jobs",
	"github.com/wneessen/go-mail":             "jobs/notify",
	"go.opentelemetry.io/otel/":               "jobs/telemetry",
	"github.com/prometheus/":                  "jobs/telemetry",
	"log/slog":                                "cmd/backhaul",
	"modernc.org/sqlite":                      "pipeline/sqlite sinks/sqlite",
	"github.com/jackc/pgx/v5/":                "pipeline/postgres pipeline/postgres/postgrestest",
	"github.com/apache/iceberg-go/":           "sinks/iceberg",
	"gocloud.dev/":                            "sinks/iceberg",
	"github.com/xuri/excelize/v2":             "sinks/xlsx",
	"github.com/spf13/cobra":                  "cmd/backhaul",
	"github.com/modelcontextprotocol/go-sdk/": "cmd/backhaul",
	"go.temporal.io/":                         "jobs/fleet jobs/fleet/fleettest cmd/backhaul",
}

func TestImportsFollowTheLayers(t *testing.T) {
	t.Parallel()
	pkgs, err := packages.Load(&packages.Config{Mode: packages.NeedName | packages.NeedImports, Dir: "../..", BuildFlags: buildFlags}, "./...")
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for _, p := range pkgs {
		for _, e := range p.Errors {
			t.Fatal(e)
		}
		name := strings.TrimPrefix(p.PkgPath, "backhaul/")
		if strings.Contains(name, "internal/sample") {
			continue // fixtures of tests
		}
		allowed, known := house[name]
		if !known {
			t.Errorf("%s is not in the table: say what it may import", name)
			continue
		}
		seen++
		for path := range p.Imports {
			if inside, ok := strings.CutPrefix(path, "backhaul/"); ok && allowed != "*" && !slices.Contains(strings.Fields(allowed), inside) {
				t.Errorf("%s must not import %s", name, inside)
			}
			if rooms, guarded := guard(path); guarded && !slices.Contains(strings.Fields(rooms), name) {
				t.Errorf("%s must not import %s: only %s may", name, path, rooms)
			}
		}
	}
	if seen != len(house) {
		t.Errorf("the table lists %d packages, the house has %d", len(house), seen)
	}
}

// buildFlags are those of this build, so that what its tags bring in is looked at as well.
var buildFlags []string

func guard(path string) (rooms string, guarded bool) {
	for name, rooms := range only {
		if path == strings.TrimSuffix(name, "/") || strings.HasSuffix(name, "/") && strings.HasPrefix(path, name) {
			return rooms, true
		}
	}
	return "", false
}

func TestTheLayeringTableGuardsWhatItSays(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]bool{
		"github.com/sourcegraph/conc/pool": true, "github.com/sourcegraph/conc": true, "net/http": true,
		"net/http/httptest": false, "github.com/sourcegraph/concrete": false, "log": false,
	} {
		if _, guarded := guard(path); guarded != want {
			t.Errorf("guard(%s) = %v", path, guarded)
		}
	}
}
