package main

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"backhaul/jobs/books"
	"backhaul/jobs/ledger"
	"backhaul/jobs/recovery"
	"backhaul/jobs/report"
	"backhaul/pipeline"
	"backhaul/pipeline/emulator"
	"backhaul/pipeline/emulator/ahrefs"
	"backhaul/sinks"
)

const heldJob = `job: held
vendors: {ahrefs: {surface: v3, requests_per_minute: 100000, connections: 4}}
budget: {ahrefs: {month: 60000}}
targets: {all: [acme-outdoor.example, rivalgear.example, summit-supply.example, trailhead-co.example, pinecone-packs.example, quietpeak.example]}
extracts:
  - {name: anchors, endpoint: ahrefs/anchors, targets: [all], params: {mode: domain}}
`

// silent is Ahrefs, which bills the first requests for lists and never answers them.
type silent struct {
	*emulator.Server
	url    string
	billed chan struct{} // filled by the requests that get no answer
	left   atomic.Int64  // how many more get none
}

func newSilent(t *testing.T, requests int) *silent {
	s := &silent{Server: emulator.New(emulator.Options{Ahrefs: ahrefs.Options{RowCap: 100}}), billed: make(chan struct{}, requests)}
	s.left.Store(int64(requests))
	web := httptest.NewServer(s)
	t.Cleanup(web.Close)
	s.url = web.URL
	setenv(t, "AHREFS_API_KEY", ahrefs.DefaultKey)
	setenv(t, "BACKHAUL_AHREFS_V3_URL", web.URL+"/v3")
	return s
}

func (s *silent) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !strings.HasSuffix(r.URL.Path, "/anchors") || s.left.Add(-1) < 0 {
		s.Server.ServeHTTP(w, r)
		return
	}
	s.Server.ServeHTTP(httptest.NewRecorder(), r)
	s.billed <- struct{}{}
	<-r.Context().Done()
}

// killed starts a run of heldJob, and kills it when all its requests are billed and have no answer.
func (s *silent) killed(t *testing.T) (job, warehouse string) {
	t.Helper()
	dir := t.TempDir()
	job, warehouse = writeFile(t, dir, "held.yaml", heldJob), filepath.Join(dir, "w")
	c := start(t, program(t), "run", job, "--warehouse", warehouse, "--date", "2026-11-23")
	for range cap(s.billed) {
		<-s.billed
	}
	_ = c.Process.Kill()
	if c.status(t) != -1 {
		t.Fatal("it was not killed")
	}
	return job, warehouse
}

func (s *silent) units() pipeline.Units { return pipeline.Units(s.Ahrefs().Meter().Units) }

// heldAccount is what the ledger knows to have been spent, and what it holds.
func heldAccount(t *testing.T, warehouse string) (spent, held pipeline.Units) {
	t.Helper()
	l, err := recovery.OpenLedger(t.Context(), books.InFiles(sinks.Warehouse{Root: warehouse}))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	spends, err := l.Spends(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range spends {
		spent, held = spent+s.Spent+s.Charged, held+s.Held()
	}
	return spent, held
}

// One kill with four requests under way used to lock the whole month: what they may have cost stayed set aside for ever, and
// what they had cost counted again as somebody else's.
func TestAKillLocksNoMonth(t *testing.T) {
	t.Parallel()
	vendor := newSilent(t, 4)
	job, warehouse := vendor.killed(t)
	lost := vendor.units()
	var told []recovery.Held
	if err := json.Unmarshal([]byte(backhaul(t, 0, "reconcile", "--json", "--warehouse", warehouse)), &told); err != nil {
		t.Fatal(err)
	}
	if len(told) != 1 || told[0].Held < lost || told[0].Job != "held" || told[0].RunDate != "2026-11-23" || told[0].Why == "" {
		t.Errorf("%d units were lost, and reconcile says %+v", lost, told)
	}
	var s report.Summary
	if err := json.Unmarshal([]byte(backhaul(t, exitBudget, "run", job, "--json", "--warehouse", warehouse, "--date", "2026-11-24")), &s); err != nil {
		t.Fatal(err)
	}
	if len(s.Settled) != 1 || s.Settled[0].Charged != lost || s.Settled[0].Why != ledger.ByCount || len(s.Holds) != 0 {
		t.Errorf("%d units were lost, and the next run settled %+v and holds %+v", lost, s.Settled, s.Holds)
	}
	spent, held := heldAccount(t, warehouse)
	if held != 0 || spent != vendor.units() {
		t.Errorf("the ledger knows %d units and holds %d, the vendor charged %d", spent, held, vendor.units())
	}
	// A request costs 50 units at the least, and a row 15 of them.
	if left := 60000 - vendor.units(); left < 0 || left >= 50 {
		t.Errorf("%d units of the month were left unspent by a run that stopped for want of them", left)
	}
	if others := s.Reconciliation[0].OthersUnits; others != 0 {
		t.Errorf("%d units of its own are taken to be others'", others)
	}
}

func TestWhatIsHeldCanBeReleasedByHand(t *testing.T) {
	t.Parallel()
	vendor := newSilent(t, 4)
	_, warehouse := vendor.killed(t)
	setenv(t, "AHREFS_API_KEY", "") // nobody can ask the vendor
	if out := backhaul(t, 0, "reconcile", "--warehouse", warehouse); !strings.Contains(out, "AHREFS_API_KEY") || !strings.Contains(out, "not known yet") {
		t.Error(out)
	}
	if _, held := heldAccount(t, warehouse); held < vendor.units() {
		t.Errorf("%d units are held where %d were lost", held, vendor.units())
	}
	if out := backhaul(t, 0, "reconcile", "--release", "held/2026-11-23", "--warehouse", warehouse); !strings.Contains(out, "released by hand") {
		t.Error(out)
	}
	if _, held := heldAccount(t, warehouse); held != 0 {
		t.Errorf("%d units are held still", held)
	}
	if out := backhaul(t, 0, "reconcile", "--warehouse", warehouse); !strings.Contains(out, "nothing is held") {
		t.Error(out)
	}
	backhaul(t, exitFailed, "reconcile", "--release", "held/2026-11-23", "--warehouse", warehouse)
}
