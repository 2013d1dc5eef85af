package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"maps"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	"backhaul/pipeline"
	"backhaul/pipeline/emulator"
	"backhaul/pipeline/sqlite"
	"backhaul/sinks"
	"backhaul/sinks/blob"
)

const writesJob = `job: writes
vendors: {moz: {requests_per_second: 10000, connections: 2}}
targets: {all: [trailhead-co.example, tiny-tarps.example], few: [tiny-tarps.example, pinecone-packs.example]}
extracts:
  - {name: anchors, endpoint: moz/anchor_text, targets: [all], params: {scope: root_domain}}
  - {name: domains, endpoint: moz/linking_root_domains, targets: [few], params: {target_scope: root_domain}}
`

// writesConnections is how many pages can be on their way when a write fails.
const writesConnections = 2

// failingDisk counts the steps that change the files of a warehouse, by their kind, and fails one of them.
type failingDisk struct {
	warehouse string
	fail      point
	mu        sync.Mutex
	met       map[string]int
	failed    string          // what it was: "rename /w/lake/..."
	path      string          // and the file it was about
	synced    map[string]bool // directories and new SQLite files whose names were made to last, if one failed since
}

// point is a step of a run: the nth of its kind.
type point struct {
	kind string
	nth  int
}

func (d *failingDisk) step(op, path string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	kind := op + " " + particular.ReplaceAllString(strings.TrimPrefix(path, d.warehouse), "*")
	if d.met == nil {
		d.met, d.synced = map[string]int{}, map[string]bool{}
	}
	if d.met[kind]++; d.fail != (point{kind, d.met[kind]}) {
		if syncsNames(op) {
			d.synced[path] = true
		}
		return nil
	}
	d.failed, d.path = op+" "+path, path
	clear(d.synced)
	return syscall.ENOSPC
}

// syncsNames tells the steps that make names last. Where one has failed what it was about is there, and seems to be in order: a
// run that trusts in that can lose it with the power.
func syncsNames(step string) bool {
	return strings.HasPrefix(step, string(blob.OpSyncDir)) || strings.HasPrefix(step, "sync name")
}

// particular is what differs between the paths of two steps of one kind: names of tables, numbers and ids.
var particular = regexp.MustCompile(`\b(ahrefs|marts|moz|ops|user)\b([./][a-z_0-9]+)?|[0-9A-Z]{26}|\.[0-9]+\b|[0-9a-f]{16,}`)

// under are the disks that SQLite's files lie on, by the warehouse.
var under sync.Map

func init() {
	sqlite.Before = func(op, path string) (err error) {
		under.Range(func(warehouse, d any) bool {
			mine := strings.HasPrefix(path, warehouse.(string)+"/")
			if mine {
				err = d.(*failingDisk).step(op, path)
			}
			return !mine
		})
		return err
	}
}

// tidying are the steps that follow the publication of everything: a run in which only they fail has completed, and the next one sweeps.
func tidying(step string) bool {
	return strings.HasPrefix(step, "remove ") && strings.Contains(step, "/staging/run-")
}

// writesLab is a small job, an emulator of its own, and what an undisturbed run leaves.
type writesLab struct {
	job, undisturbed string
	account          boughtAccount // of the undisturbed run
	server           *emulator.Server
}

type boughtAccount struct{ Rows, Pages, Units int64 }

func newWritesLab(t *testing.T) *writesLab {
	dir := t.TempDir()
	l := &writesLab{job: writeFile(t, dir, "writes.yaml", writesJob), undisturbed: filepath.Join(dir, "undisturbed")}
	l.emulate(t)
	if status, text := l.run(t, l.undisturbed, blob.FS{}); status != exitComplete {
		t.Fatalf("exit %d\n%s", status, text)
	}
	l.account = ask[boughtAccount](t, l.undisturbed, "select sum(rows)::bigint as Rows, sum(pages)::bigint as Pages, sum(units)::bigint as Units from ops.tasks")[0]
	return l
}

// emulate starts an emulator whose meter stands at zero.
func (l *writesLab) emulate(t *testing.T) (end func()) {
	t.Helper()
	l.server = emulator.New(emulator.Options{})
	s := httptest.NewServer(l.server)
	setenv(t, "MOZ_TOKEN", emulator.DefaultToken)
	setenv(t, "BACKHAUL_MOZ_V2_URL", s.URL+"/v2")
	t.Cleanup(s.Close)
	return s.Close
}

// run runs the job in this process.
func (l *writesLab) run(t *testing.T, warehouse string, disk blob.FS) (status int, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	e := inTest(t, &out, &errs, "run", l.job, "--warehouse", warehouse, "--date", killDate)
	e.disk = disk
	status = Main(context.Background(), e)
	return status, errs.String()
}

// checkLake holds the vendors' tables in a lake against the undisturbed ones. Where a run has not completed they may be absent.
func (l *writesLab) checkLake(t *testing.T, warehouse string, complete bool) {
	t.Helper()
	l.check(t, "", warehouse, complete, func(table string) string { return files(warehouse, table) })
}

// checkCatalog does so as the catalog shows the lake, and by itself where there is none yet.
func (l *writesLab) checkCatalog(t *testing.T, warehouse string, complete bool) {
	t.Helper()
	if _, err := os.Stat(filepath.Join(warehouse, "catalog.duckdb")); err != nil {
		if complete {
			t.Error(err)
		}
		l.checkLake(t, warehouse, complete)
		return
	}
	l.check(t, warehouse, warehouse, complete, func(table string) string { return table })
}

func (l *writesLab) check(t *testing.T, asked, warehouse string, complete bool, relation func(table string) string) {
	t.Helper()
	found := wrong(t, asked, l.undisturbed, func(table string) string {
		if strings.HasPrefix(table, "ops.") || !published(warehouse, table) && !complete {
			return ""
		}
		return relation(table)
	})
	if len(found) != 0 {
		t.Errorf("tables have so many rows that are not right: %v", found)
	}
}

// checkMeter holds the vendor's bill against the rows of the undisturbed run.
func (l *writesLab) checkMeter(t *testing.T, failures int) {
	t.Helper()
	want, m := l.account, l.server.Meter()
	if again := m.DuplicatePages + m.WastePages; again > failures*writesConnections {
		t.Errorf("%d pages were bought again", again)
	}
	if m.Rows-m.DuplicateRows-m.WasteRows != want.Rows || int64(m.Pages-m.DuplicatePages) != want.Pages {
		t.Errorf("the vendor delivered %d rows in %d pages, the run wants %+v", m.Rows-m.DuplicateRows, m.Pages-m.DuplicatePages, want)
	}
}

// TestAFailureOfAnySingleWriteIsToldAndMadeGoodByTheNextRun fails, with the error of a full disk, the first and the last step
// of every kind that changes the disk in a run that has a catalog, and the first of every kind that is there only to make one;
// every single step if BACKHAUL_KILLS is set.
func TestAFailureOfAnySingleWriteIsToldAndMadeGoodByTheNextRun(t *testing.T) {
	t.Parallel()
	l := newWritesLab(t)
	warehouse := filepath.Join(t.TempDir(), "w")
	nothing := func() { removeAll(t, warehouse) }
	inEmpty := l.steps(t, warehouse, nothing)
	nothing()
	makeCatalog(t, warehouse)
	_, restore := keep(t, warehouse)
	inPrepared := l.steps(t, warehouse, restore)
	for _, kind := range slices.Sorted(maps.Keys(inEmpty)) {
		prepare, moments := nothing, []int{1}
		switch last := inPrepared[kind]; {
		case os.Getenv(killsVariable) != "":
			moments = nil
			for nth := range inEmpty[kind] {
				moments = append(moments, nth+1)
			}
		case last > 1:
			prepare, moments = restore, []int{1, last}
		case last > 0:
			prepare = restore
		}
		for _, nth := range moments {
			d := &failingDisk{warehouse: warehouse, fail: point{kind, nth}}
			prepare()
			t.Run(fmt.Sprintf("%s %d", kind, nth), func(t *testing.T) { l.failOne(t, d) })
			if d.failed == "" && nth == 1 {
				t.Errorf("this time no run came to %s", kind)
			}
		}
	}
	if len(inEmpty) < 30 {
		t.Errorf("only %d kinds of steps: %v", len(inEmpty), inEmpty)
	}
}

// makeCatalog makes a warehouse that has a catalog, and no rows.
func makeCatalog(t *testing.T, warehouse string) {
	t.Helper()
	lake, err := (&app{environment: inTest(t, io.Discard, io.Discard)}).openLake(sinks.Warehouse{Root: warehouse})
	if err != nil {
		t.Fatal(err)
	}
	defer lake.close()
	if err := lake.Catalog(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// steps returns the kinds of the steps of an undisturbed run, and how many it takes of each.
func (l *writesLab) steps(t *testing.T, warehouse string, prepare func()) map[string]int {
	t.Helper()
	prepare()
	d := &failingDisk{warehouse: warehouse}
	if status, text := l.runOn(t, d); status != exitComplete {
		t.Fatalf("exit %d\n%s", status, text)
	}
	return d.met
}

// runOn runs the job on a disk.
func (l *writesLab) runOn(t *testing.T, d *failingDisk) (status int, stderr string) {
	t.Helper()
	under.Store(d.warehouse, d)
	defer under.Delete(d.warehouse)
	return l.run(t, d.warehouse, blob.FS{Before: func(op blob.Op, path string) error { return d.step(string(op), path) }})
}

func (l *writesLab) failOne(t *testing.T, d *failingDisk) {
	end := l.emulate(t)
	status, text := l.runOn(t, d)
	switch {
	case d.failed == "" || tidying(d.failed):
		if status != exitComplete {
			t.Fatalf("exit %d, want 0\n%s", status, text)
		}
	case strings.Contains(d.path, "_changes"): // what can be derived later is left out, and that is said
		if status != exitComplete || !strings.Contains(text, "left out: ") || !strings.Contains(text, d.path+": no space left on device; `backhaul replay ") {
			t.Errorf("exit %d\n%s", status, text)
		}
	case status != exitFailed:
		t.Errorf("exit %d, want 1\n%s", status, text)
	case !strings.Contains(text, "no space left on device") || !strings.Contains(text, "free some space") || !strings.Contains(text, d.path):
		t.Errorf("the failure is told without its reason, its file or what to do:\n%s", text)
	}
	l.checkCatalog(t, d.warehouse, d.failed == "")
	again := &failingDisk{warehouse: d.warehouse}
	if status, text := l.runOn(t, again); status != exitComplete {
		t.Fatalf("run again: exit %d\n%s", status, text)
	}
	end()
	if syncsNames(d.failed) && !strings.Contains(d.path, "_changes") && !d.synced[d.path] && !again.synced[d.path] {
		t.Errorf("it failed, and nobody did it again: %s", d.failed)
	}
	l.checkCatalog(t, d.warehouse, true)
	l.checkMeter(t, 1)
	night := &night{warehouse: d.warehouse}
	night.checkLedger(t, pipeline.Units(l.account.Units))
}

// TestAFullDiskIsToldAndMadeGoodOnceThereIsRoom runs the real program on disks of all sizes too small for it, so that every
// writer meets a full one: SQLite, the Parquet writer, DuckDB. It needs leave to mount a file system of its own.
func TestAFullDiskIsToldAndMadeGoodOnceThereIsRoom(t *testing.T) {
	t.Parallel()
	if out, err := exec.Command("unshare", "-rm", "true").CombinedOutput(); err != nil {
		t.Skipf("no mount namespace here: %v %s", err, out)
	}
	l := newWritesLab(t)
	binary := program(t)
	step := 192
	if os.Getenv(killsVariable) != "" {
		step = 12
	}
	full := 0
	for kib := 16; kib < 1200; kib += step {
		t.Run(fmt.Sprintf("%dKiB", kib), func(t *testing.T) {
			if l.fillDisk(t, binary, kib) {
				full++
			}
		})
	}
	if full < 4 {
		t.Errorf("only %d disks were too small", full)
	}
	t.Logf("%d disks were too small", full)
}

// onSmallDisk runs the job on a disk of so many KiB, then on the same one made larger, and copies what is there both times.
const onSmallDisk = `mount -t tmpfs -o size=$KIB"k" tmpfs "$DISK" || exit 99
"$BINARY" run "$JOB" --warehouse "$DISK/w" --date ` + killDate + ` >"$OUT/first.log" 2>&1
echo $? >"$OUT/first.status"
mkdir "$OUT/first" && cp -r "$DISK/w/lake" "$OUT/first/" 2>/dev/null
mount -o remount,size=64m "$DISK" || exit 98
"$BINARY" run "$JOB" --warehouse "$DISK/w" --date ` + killDate + ` >"$OUT/second.log" 2>&1
status=$?
cp -r "$DISK/w" "$OUT/second"
exit $status`

// fillDisk reports whether the disk was too small.
func (l *writesLab) fillDisk(t *testing.T, binary string, kib int) bool {
	end := l.emulate(t)
	dir, out := t.TempDir(), t.TempDir()
	cmd := exec.Command("unshare", "-rm", "sh", "-c", onSmallDisk)
	cmd.Env = append(processEnviron(t), "DISK="+dir, "OUT="+out, "BINARY="+binary, "JOB="+l.job, fmt.Sprint("KIB=", kib))
	if text, err := cmd.CombinedOutput(); err != nil {
		log, _ := os.ReadFile(filepath.Join(out, "second.log"))
		t.Fatalf("with room again: %v\n%s%s", err, text, log)
	}
	end()
	status, err := os.ReadFile(filepath.Join(out, "first.status"))
	if err != nil {
		t.Fatal(err)
	}
	log, _ := os.ReadFile(filepath.Join(out, "first.log"))
	full := string(status) != "0\n"
	if full && (string(status) != "1\n" || !strings.Contains(string(log), "free some space") || !strings.Contains(string(log), dir)) {
		t.Errorf("a full disk is told with exit %s%s", status, log)
	}
	l.checkLake(t, filepath.Join(out, "first"), !full)
	l.checkLake(t, filepath.Join(out, "second"), true)
	l.checkMeter(t, 1)
	return full
}
