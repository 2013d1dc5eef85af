package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"backhaul/jobs/ledger"
	"backhaul/pipeline"
	"backhaul/pipeline/emulator"
	"backhaul/pipeline/failpoint"
	"backhaul/pipeline/journal"
	"backhaul/sinks"
)

// killsVariable raises the number of random kills: the promise is kept with 500.
const killsVariable = "BACKHAUL_KILLS"

// killDate is the run date of every night of these tests.
const killDate = "2026-11-23"

// killConnections bounds the requests under way, and so what one kill may cost: the pages that were on their way.
const killConnections = 4

const killJob = `job: killed
vendors: {moz: {requests_per_second: 10000, connections: 4}}
targets: {all: [summit-supply.example, trailhead-co.example, pinecone-packs.example, tiny-tarps.example, quietpeak.example]}
extracts:
  - {name: anchors, endpoint: moz/anchor_text, targets: [all], params: {scope: root_domain}}
  - {name: domains, endpoint: moz/linking_root_domains, targets: [all], params: {target_scope: root_domain}}
  - {name: first, endpoint: moz/anchor_text, targets: [all], params: {scope: subdomain}, max_rows: 50}
`

// killTables are the tables of killJob, each with the columns that no two runs have in common.
var killTables = map[string]string{
	"moz.anchor_text":          "run_id, fetched_at",
	"moz.linking_root_domains": "run_id, fetched_at",
	"ops.tasks":                "run_id, ended_at, attempts, maybe_units",
	"ops.pages":                "run_id, fetched_at, request", // a request holds a token of the moment
}

// lab has the real program, built with failpoints, and what a run of killJob leaves when nobody disturbs it.
type lab struct {
	binary, job string
	undisturbed string // warehouse
	// hits counts the failpoints that it came to, and again those of a run in a warehouse with a catalog, which took so long.
	hits, again map[string]int
	took        time.Duration
	// place is a warehouse that has nothing but a catalog, and restore makes it so again: most nights need not make one.
	place   string
	restore func()
}

func newLab(t *testing.T) *lab {
	dir := t.TempDir()
	l := &lab{binary: filepath.Join(dir, "backhaul"), job: writeFile(t, dir, "killed.yaml", killJob)}
	if out, err := exec.Command("go", "build", "-tags", "failpoint", "-o", l.binary, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	l.place = filepath.Join(dir, "prepared", "w")
	makeCatalog(t, l.place)
	_, l.restore = keep(t, l.place)
	trace := filepath.Join(dir, "trace")
	watch := func(calm *night) (hits map[string]int) {
		setenv(t, failpoint.TraceVariable, trace)
		begin := time.Now()
		if calm.run(t, "", 0) {
			t.Fatal("a run that nobody kills was killed")
		}
		l.took = time.Since(begin)
		setenv(t, failpoint.TraceVariable, "")
		text, err := os.ReadFile(trace)
		if err != nil {
			t.Fatal(err)
		}
		hits = map[string]int{}
		for _, name := range strings.Fields(string(text)) {
			hits[name]++
		}
		removeAll(t, trace)
		return hits
	}
	calm := l.begin(t)
	l.undisturbed = calm.warehouse
	l.hits = watch(calm)
	calm.check(t)
	l.again = watch(l.resume(t))
	return l
}

// night is one run of the job for one warehouse, by as many processes as it takes.
type night struct {
	*lab
	warehouse string
	date      string // default killDate
	server    *emulator.Server
	http      *httptest.Server
	kills     int
	lost      int // pages delivered and not in the journal, as of the last kill
}

// resume begins a night in a warehouse that has a catalog; one at a time.
func (l *lab) resume(t *testing.T) *night {
	l.restore()
	n := l.begin(t)
	n.warehouse = l.place
	return n
}

func (l *lab) begin(t *testing.T) *night {
	n := &night{lab: l, date: killDate, warehouse: filepath.Join(t.TempDir(), "w")}
	n.server = emulator.New(emulator.Options{Latency: 3 * time.Millisecond})
	n.http = httptest.NewServer(http.HandlerFunc(n.answer))
	t.Cleanup(n.http.Close)
	return n
}

// answer lets every reply travel for a while after it was billed, so that a kill can meet it on its way.
func (n *night) answer(w http.ResponseWriter, r *http.Request) {
	reply := httptest.NewRecorder()
	n.server.ServeHTTP(reply, r)
	time.Sleep(3 * time.Millisecond)
	maps.Copy(w.Header(), reply.Header())
	w.WriteHeader(reply.Code)
	_, _ = w.Write(reply.Body.Bytes())
}

// run starts the program once, to be killed at a failpoint or after a while, or not at all, and reports whether it was.
// If it was not it must have completed.
func (n *night) run(t *testing.T, point string, after time.Duration) (killed bool) {
	t.Helper()
	cmd := exec.Command(n.binary, "run", n.job, "--warehouse", n.warehouse, "--date", n.date)
	cmd.Env = append(processEnviron(t), "BACKHAUL_MOZ_V2_URL="+n.http.URL+"/v2", "MOZ_TOKEN="+emulator.DefaultToken, failpoint.Variable+"="+point,
		"TMPDIR="+filepath.Dir(n.warehouse)) // what the dead leave there goes with the test
	killed, said, err := killedAfter(t, cmd, after)
	if killed {
		n.kills++
		n.checkLost(t)
		n.checkPublished(t)
		return true
	}
	if err != nil {
		t.Fatalf("after %d kills, with failpoint %q: %v\n%s", n.kills, point, err, said)
	}
	return false
}

// killedAfter runs a program that is killed after a while, or kills itself, or ends, and returns what it said.
func killedAfter(t *testing.T, cmd *exec.Cmd, after time.Duration) (killed bool, said string, err error) {
	t.Helper()
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if after > 0 {
		defer time.AfterFunc(after, func() { _ = cmd.Process.Kill() }).Stop()
	}
	err = cmd.Wait()
	status, ok := cmd.ProcessState.Sys().(syscall.WaitStatus)
	return ok && status.Signaled(), out.String(), err
}

// checkLost holds the pages that the vendor has delivered against those that the dead process left in its journal. It reads
// a copy: opening a journal tidies it up, which is what the next process must do by itself.
func (n *night) checkLost(t *testing.T) {
	t.Helper()
	path := sinks.Warehouse{Root: n.warehouse}.JournalOf("killed", n.date)
	dead := filepath.Join(t.TempDir(), "dead.sqlite")
	for _, part := range []string{"", "-wal"} {
		content, err := os.ReadFile(path + part)
		if err == nil {
			err = os.WriteFile(dead+part, content, 0o644)
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			t.Fatal(err)
		}
	}
	j, err := journal.Open(context.Background(), dead, journal.Header{RunID: "whoever", Job: "killed", RunDate: killDate})
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	places, err := j.Places(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	held := 0
	for _, place := range places {
		held += place.Pages
	}
	// What an earlier kill cost may not have been bought again yet: the process after it need not begin with the same lists.
	m := n.server.Meter()
	lost := m.Pages - m.DuplicatePages - held
	if lost < 0 || lost > n.lost+killConnections {
		t.Errorf("kill %d at %d connections, and %d pages that were delivered are not in the journal, after %d before",
			n.kills, killConnections, lost, n.lost)
	}
	n.lost = lost
}

// differences counts the rows that one of two relations has more often than the other, without the columns that differ by nature.
func differences(a, b, except string) string {
	return fmt.Sprintf(`(select count(*) from (select * exclude (%[3]s) from %[1]s except all select * exclude (%[3]s) from %[2]s))
		+ (select count(*) from (select * exclude (%[3]s) from %[2]s except all select * exclude (%[3]s) from %[1]s))`, a, b, except)
}

// files is a table of a warehouse as its files have it, past any catalog.
func files(warehouse, table string) string {
	return fmt.Sprintf("read_parquet('%s/lake/%s/*/*.parquet', hive_partitioning => false)", warehouse, strings.Replace(table, ".", "/", 1))
}

// published tells whether a table has a file in the lake.
func published(warehouse, table string) bool {
	there, _ := filepath.Glob(filepath.Join(warehouse, "lake", strings.Replace(table, ".", "/", 1), "month=2*", "*"))
	return len(there) > 0
}

// wrong counts the rows in which tables differ from those of the undisturbed warehouse, asking the catalog of asked, if any. relation says
// how SQL names the table to be judged; "" leaves it out.
func wrong(t *testing.T, asked, undisturbed string, relation func(table string) string) map[string]int64 {
	t.Helper()
	var selects []string
	for table, except := range killTables {
		if r := relation(table); r != "" {
			selects = append(selects, fmt.Sprintf("select '%s' as Name, %s as N", table, differences(r, files(undisturbed, table), except)))
		}
	}
	if len(selects) == 0 {
		return nil
	}
	type verdict struct {
		Name string
		N    int64
	}
	found := map[string]int64{}
	for _, v := range askOutside[verdict](t, asked, "from ("+strings.Join(selects, " union all ")+") where N <> 0") {
		found[v.Name] = v.N
	}
	return found
}

// checkPublished holds the tables in the lake of an unfinished run against the undisturbed ones: a table is there wholly or
// not at all.
func (n *night) checkPublished(t *testing.T) {
	t.Helper()
	found := wrong(t, "", n.undisturbed, func(table string) string {
		if !published(n.warehouse, table) {
			return ""
		}
		return files(n.warehouse, table)
	})
	if len(found) != 0 {
		t.Errorf("after %d kills the lake has tables with so many rows that are not right: %v", n.kills, found)
	}
}

// check holds a completed run against the undisturbed one, the vendor's meter and the ledger.
func (n *night) check(t *testing.T) {
	t.Helper()
	n.http.Close() // waits for answers still on their way to dead processes
	if found := wrong(t, n.warehouse, n.undisturbed, func(table string) string { return table }); len(found) != 0 {
		t.Errorf("after %d kills tables differ from the undisturbed ones in so many rows: %v", n.kills, found)
	}
	type account struct{ Lake, Rows, Units, Pages, Tasks, Complete int64 }
	a := ask[account](t, n.warehouse, `select (select count(*) from moz.anchor_text) + (select count(*) from moz.linking_root_domains) as Lake,
		sum(rows)::bigint as Rows, sum(units)::bigint as Units, sum(pages)::bigint as Pages, count(*) as Tasks,
		(select count(*) from ops.runs where state = 'complete') as Complete from ops.tasks`)[0]
	if a.Complete != 1 || a.Tasks != 15 || a.Lake != a.Rows || a.Units != a.Rows || a.Rows == 0 {
		t.Errorf("after %d kills the account is %+v", n.kills, a)
	}
	n.checkMeter(t, a.Rows, a.Pages)
	n.checkLedger(t, pipeline.Units(a.Units))
	if left, _ := filepath.Glob(filepath.Join(n.warehouse, "staging", "[a-z]*", "*")); len(left) != 0 {
		t.Errorf("left in staging: %v", left)
	}
}

// checkMeter holds what the vendor billed against what the run holds. What is over was bought twice, or paid for and lost.
func (n *night) checkMeter(t *testing.T, rows, pages int64) {
	t.Helper()
	m := n.server.Meter()
	if over := m.DuplicatePages + m.WastePages; over > killConnections*n.kills {
		t.Errorf("%d kills at %d connections, and %d pages were bought again", n.kills, killConnections, over)
	}
	if held := m.Rows - m.DuplicateRows - m.WasteRows; held != rows || int64(m.Pages-m.DuplicatePages) != pages {
		t.Errorf("after %d kills the run holds %d rows in %d pages; the vendor delivered %d in %d", n.kills, rows, pages, held, m.Pages-m.DuplicatePages)
	}
}

func (n *night) checkLedger(t *testing.T, units pipeline.Units) {
	t.Helper()
	l, err := ledger.Open(context.Background(), sinks.Warehouse{Root: n.warehouse}.Ledger())
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	spends, err := l.Spends(context.Background(), "")
	if err != nil || len(spends) != 1 || spends[0].Spent != units || !spends[0].Settled {
		t.Fatalf("after %d kills the ledger has %+v (%v) for %d units bought", n.kills, spends, err, units)
	}
	// What was under way at a kill, or when a write failed, may have been billed: it stays set aside, and covers what the
	// vendor did bill.
	lost := spends[0].Granted - units
	if most := pipeline.Units(max(1, n.kills) * killConnections * 50); lost < 0 || lost > most {
		t.Errorf("after %d kills %d units are set aside, at most %d were under way", n.kills, lost, most)
	}
	if n.server == nil {
		return
	}
	if billed := n.server.Meter().Rows; billed > int64(spends[0].Granted) {
		t.Errorf("after %d kills the vendor billed %d rows, the ledger covers %d", n.kills, billed, spends[0].Granted)
	}
}

// storePoints are the failpoints that a warehouse in an object store comes to.
var storePoints = []string{"iceberg.uploaded", "lake.commit.after", "lake.commit.before", "lake.pull.before"}

// failpoints returns every name that the program's source hits.
func failpoints(t *testing.T) []string {
	t.Helper()
	call := regexp.MustCompile(`failpoint\.Hit\("([^"]+)"\)`)
	var names []string
	for _, root := range []string{"../../pipeline", "../../sinks", "../../jobs"} {
		err := filepath.WalkDir(root, func(path string, _ fs.DirEntry, err error) error {
			if err != nil || filepath.Ext(path) != ".go" || filepath.Base(filepath.Dir(path)) == "failpoint" {
				return err
			}
			source, err := os.ReadFile(path)
			for _, match := range call.FindAllSubmatch(source, -1) {
				names = append(names, string(match[1]))
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	slices.Sort(names)
	if unique := slices.Compact(slices.Clone(names)); len(unique) != len(names) || len(names) < 20 {
		t.Fatalf("failpoints that share a name, or too few of them: %v", names)
	}
	return names
}

// moments returns the failpoints to die at, as the variable spells them: the first hit of each and one amid the many of
// those that come up often; with all, the middle and the last hit of every one.
func (l *lab) moments(t *testing.T, all bool) []string {
	t.Helper()
	var first, later []string
	for _, name := range failpoints(t) {
		if slices.Contains(mergePoints, name) || slices.Contains(storePoints, name) {
			continue // see killMerges, and TestAKillAtAnyStepOfAStoreIsMadeGood
		}
		if l.hits[name] == 0 {
			t.Errorf("no run hits failpoint %s", name)
			continue
		}
		first = append(first, name+":1")
		hits := cmp.Or(l.again[name], l.hits[name])
		if all || hits > 20 {
			later = append(later, fmt.Sprintf("%s:%d", name, (hits+1)/2))
		}
		if all {
			later = append(later, fmt.Sprintf("%s:%d", name, hits))
		}
	}
	return append(first, later...)
}

// TestAKillCostsNoMoreThanThePagesUnderWay kills the real program and starts it again until it completes: nothing is lost,
// nothing doubled, and nothing bought again but what was on its way. BACKHAUL_KILLS=500 keeps the whole promise.
func TestAKillCostsNoMoreThanThePagesUnderWay(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	t.Run("between any two steps", l.killAtFailpoints)
	t.Run("at any moment", l.killAtRandom)
	t.Run("while a month is merged", l.killMerges)
}

// killAtFailpoints kills the program at every failpoint and lets the next process meet what the last one left, which is then
// killed at the next failpoint.
func (l *lab) killAtFailpoints(t *testing.T) {
	moments := l.moments(t, os.Getenv(killsVariable) != "")
	nights, kills := 0, 0
	n := l.begin(t)
	finish := func(next string) {
		n.check(t)
		nights, kills = nights+1, kills+n.kills
		if strings.HasPrefix(next, "catalog.") {
			n = l.begin(t)
		} else {
			n = l.resume(t)
		}
	}
	for _, moment := range moments {
		if n.run(t, moment, 0) {
			continue
		}
		finish(moment) // little was left to do, and it was not among it; a whole run passes there
		if !n.run(t, moment, 0) {
			finish(moment)
			t.Logf("%s did not come up this time", moment)
		}
	}
	if n.run(t, "", 0) {
		t.Fatal("killed by nobody")
	}
	finish("")
	if kills < len(moments)-3 {
		t.Errorf("only %d kills at %d moments", kills, len(moments))
	}
	t.Logf("%d kills at %d moments in %d runs", kills, len(moments), nights)
}

// killAtRandom kills the program at any moment, up to ten times a run.
func (l *lab) killAtRandom(t *testing.T) {
	want := 10
	if text := os.Getenv(killsVariable); text != "" {
		var err error
		if want, err = strconv.Atoi(text); err != nil {
			t.Fatal(err)
		}
	}
	random := rand.New(rand.NewPCG(23, 11))
	var nights, kills, again, most int
	for kills < want {
		n := l.resume(t)
		for n.kills < min(10, want-kills) && n.run(t, "", 1+time.Duration(random.Int64N(int64(l.took)))) {
		}
		if n.run(t, "", 0) {
			t.Fatal("killed by nobody")
		}
		n.check(t)
		m := n.server.Meter()
		nights, kills, again = nights+1, kills+n.kills, again+m.DuplicatePages+m.WastePages
		most = max(most, m.DuplicatePages+m.WastePages)
	}
	t.Logf("%d kills in %d runs of %v: %d pages bought again (at most %d in a run), none lost, none doubled", kills, nights, l.took, again, most)
}
