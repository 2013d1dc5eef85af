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
	server := emulator.New(emulator.Options{Day: 100, IndexDays: 1000})
	srv := httptest.NewServer(server)
	t.Cleanup(srv.Close)
	t.Setenv("MOZ_TOKEN", emulator.DefaultToken)
	t.Setenv("BACKHAUL_MOZ_V2_URL", srv.URL+"/v2")
	t.Setenv("BACKHAUL_MOZ_RPC_URL", srv.URL+"/jsonrpc")
	dir := t.TempDir()
	lake := map[string]string{}
	for _, surface := range []string{"v2", "rpc"} {
		job := writeFile(t, dir, surface+".yaml", fmt.Sprintf(`job: moved
vendors: {moz: {surface: %s, requests_per_second: 10000}}
targets: {all: [rivalgear.example, tiny-tarps.example, quietpeak.example]}
extracts:
  - {name: anchors, endpoint: moz/anchor_text, targets: [all], params: {scope: root_domain}}
  - {name: domains, endpoint: moz/linking_root_domains, targets: [all], params: {target_scope: root_domain, filter: external+not_deleted}, max_rows: 75}
  - {name: links, endpoint: moz/links, targets: [all], params: {target_scope: root_domain, anchor_text: ''}}
`, surface))
		w := filepath.Join(dir, surface)
		backhaul(t, 0, "run", job, "--warehouse", w, "--date", "2026-11-23")
		if out := backhaul(t, 0, "doctor", job, "--warehouse", w); !strings.Contains(out, "takes the credentials") {
			t.Errorf("%s: %s", surface, out)
		}
		for _, table := range []string{"anchor_text", "linking_root_domains", "links"} {
			lake[table+surface] = backhaul(t, 0, "query", "--warehouse", w, "--format", "csv",
				"select * exclude (surface, run_id, fetched_at) from moz."+table+" order by target, rank")
			if n := strings.Count(lake[table+surface], "\n"); n < 10 {
				t.Errorf("%s on %s has %d lines", table, surface, n)
			}
			if got := backhaul(t, 0, "query", "--warehouse", w, "--format", "csv", "select distinct surface from moz."+table); got != "surface\n"+surface+"\n" {
				t.Errorf("%s: %s", table, got)
			}
		}
	}
	for _, table := range []string{"anchor_text", "linking_root_domains", "links"} {
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
