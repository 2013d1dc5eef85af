package main

import (
	"fmt"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"backhaul/pipeline/emulator"
)

// A job moves from Moz's Links API V2 to its JSON-RPC successor by one line, and the lake holds the same rows.
func TestAJobMovesToTheOtherSurfaceByOneLine(t *testing.T) {
	t.Parallel()
	server := emulator.New(emulator.Options{Day: 100, IndexDays: 1000, MatchingSourcePages: true})
	srv := httptest.NewServer(server)
	t.Cleanup(srv.Close)
	setenv(t, "MOZ_TOKEN", emulator.DefaultToken)
	setenv(t, "BACKHAUL_MOZ_V2_URL", srv.URL+"/v2")
	setenv(t, "BACKHAUL_MOZ_RPC_URL", srv.URL+"/jsonrpc")
	dir := t.TempDir()
	writeFile(t, dir, "pairs.csv", "target,source\nrivalgear.example,tiny-tarps.example\nrivalgear.example,no-such.example\ntiny-tarps.example,rivalgear.example\n")
	tables := map[string]int{"anchor_text": 500, "linking_root_domains": 80, "links": 20, "url_metrics": 3, "url_metrics_history": 100, "url_metrics_distribution": 300,
		"link_status": 3, "final_redirect": 3, "top_pages": 10, "link_intersect": 60, "global_top_pages": 60}
	lake := map[string]string{}
	for _, surface := range []string{"v2", "rpc"} {
		job := writeFile(t, dir, surface+".yaml", fmt.Sprintf(`job: moved
vendors: {moz: {surface: %s, requests_per_second: 10000}}
targets: {all: [rivalgear.example, tiny-tarps.example, quietpeak.example]}
extracts:
  - {name: anchors, endpoint: moz/anchor_text, targets: [all], params: {scope: root_domain}}
  - {name: domains, endpoint: moz/linking_root_domains, targets: [all], params: {target_scope: root_domain, filter: external+not_deleted}, max_rows: 75}
  - {name: links, endpoint: moz/links, targets: [all], params: {target_scope: root_domain, anchor_text: ''}}
  - {name: metrics, endpoint: moz/url_metrics, targets: [all], params: {monthly_history_values: [page_authority], daily_history_deltas: [pages_to_page], distributions: true}}
  - {name: status, endpoint: moz/link_status, inputs: {file: pairs.csv}, params: {target_scope: root_domain, source_scope: root_domain}}
  - {name: redirects, endpoint: moz/final_redirect, targets: [all]}
  - {name: top, endpoint: moz/top_pages, targets: [all], params: {scope: root_domain}, max_rows: 60}
  - name: gap
    endpoint: moz/link_intersect
    params:
      positive_targets: [{target: rivalgear.example, scope: root_domain}, {target: tiny-tarps.example, scope: root_domain}]
      source_scope: root_domain
    max_rows: 60
  - {name: web, endpoint: moz/global_top_pages, max_rows: 60}
`, surface))
		w := filepath.Join(dir, surface)
		backhaul(t, 0, "run", job, "--warehouse", w, "--date", "2026-11-23")
		if out := backhaul(t, 0, "doctor", job, "--warehouse", w); !strings.Contains(out, "takes the credentials") {
			t.Errorf("%s: %s", surface, out)
		}
		for table, least := range tables {
			lake[table+surface] = backhaul(t, 0, "query", "--warehouse", w, "--format", "csv",
				"select * exclude (surface, run_id, fetched_at, page_seq) from moz."+table+" order by all")
			if n := strings.Count(lake[table+surface], "\n"); n <= least {
				t.Errorf("%s on %s has %d lines", table, surface, n)
			}
			if got := backhaul(t, 0, "query", "--warehouse", w, "--format", "csv", "select distinct surface from moz."+table); got != "surface\n"+surface+"\n" {
				t.Errorf("%s: %s", table, got)
			}
		}
	}
	for table := range tables {
		if lake[table+"v2"] != lake[table+"rpc"] {
			t.Errorf("%s differs: %d bytes from v2, %d from rpc", table, len(lake[table+"v2"]), len(lake[table+"rpc"]))
		}
	}
	for path := range server.Meter().Requests {
		if strings.HasPrefix(path, "/jsonrpc/quota") {
			return
		}
	}
	t.Error("the vendor's meter was not asked on surface rpc")
}

// What is one request on V2 and many on JSON-RPC is bought call by call: a budget stops between two of them, and the next
// execution goes on there.
func TestABatchOfManyCallsIsResumedWhereItsBudgetEnded(t *testing.T) {
	t.Parallel()
	server := emulator.New(emulator.Options{Day: 100, IndexDays: 1000})
	srv := httptest.NewServer(server)
	t.Cleanup(srv.Close)
	setenv(t, "MOZ_TOKEN", emulator.DefaultToken)
	setenv(t, "BACKHAUL_MOZ_RPC_URL", srv.URL+"/jsonrpc")
	dir := t.TempDir()
	w := filepath.Join(dir, "w")
	job := writeFile(t, dir, "metrics.yaml", `job: metrics
vendors: {moz: {surface: rpc, requests_per_second: 10000}}
targets: {all: [acme-outdoor.example, rivalgear.example, tiny-tarps.example, quietpeak.example, no-such.example]}
extracts:
  - {name: metrics, endpoint: moz/url_metrics, targets: [all], params: {monthly_history_values: [page_authority, domain_authority], distributions: true}}
`)
	const whole = 4 + 4*2 + 4 // of the four sites that there is a record of
	// Five at a time: the metrics, which may cost five; the histories of two sites; those of the others and the first
	// distributions; the rest of them.
	for execution, want := range []int64{4, 4, 5, 3} {
		status := 4
		if execution == 3 {
			status = 0
		}
		before := server.Meter().Rows
		out := backhaul(t, status, "run", job, "--warehouse", w, "--date", "2026-11-23", "--max-units", "moz=5")
		if bought := server.Meter().Rows - before; bought != want {
			t.Fatalf("execution %d bought %d rows\n%s", execution, bought, out)
		}
	}
	if bought := server.Meter().Rows; bought != whole {
		t.Errorf("%d rows bought, want %d: each once", bought, whole)
	}
	type counts struct{ Metrics, Histories, Distributions int64 }
	got := ask[counts](t, w, `select (select count(*) from moz.url_metrics) as Metrics, (select count(distinct (target, metric)) from moz.url_metrics_history) as Histories,
		(select count(distinct target) from moz.url_metrics_distribution) as Distributions`)
	if fmt.Sprint(got) != "[{4 8 4}]" {
		t.Errorf("%+v", got)
	}
}
