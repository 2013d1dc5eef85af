package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"backhaul/sinks"
)

// ward is a warehouse with a complete night in it, to be damaged.
type ward struct {
	t *testing.T // whose variables its commands know
	*listServer
	job, warehouse string
	paths          map[string]string // by what they are looked up by
	rows           string            // what moz.anchor_text held
	// usage, when set, answers usage_data in the server's stead; asked counts how often it was asked. Both are the
	// list server's mutex's.
	usage func(w http.ResponseWriter)
	asked int
	// holdMemory lets commands bound what the process may allocate, where it is the test's alone.
	holdMemory bool
}

// watched puts a server in front of the list server that counts what is asked of the vendor's meter, and wants the key.
func watched(t *testing.T, settings listSettings) *ward {
	w := &ward{t: t, listServer: newListServer(t, settings), paths: map[string]string{}}
	front := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/usage_data" {
			w.mu.Lock()
			w.asked++
			usage := w.usage
			w.mu.Unlock()
			if r.Header.Get("x-moz-token") != "secret-token" {
				http.Error(rw, `{"message":"unknown token"}`, http.StatusUnauthorized)
				return
			}
			if usage != nil {
				usage(rw)
				return
			}
		}
		w.listServer.ServeHTTP(rw, r)
	}))
	t.Cleanup(front.Close)
	setenv(t, "MOZ_TOKEN", "secret-token")
	setenv(t, "BACKHAUL_MOZ_V2_URL", front.URL)
	return w
}

// answerUsage lets f answer usage_data from now on.
func (w *ward) answerUsage(f func(http.ResponseWriter)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.usage = f
}

func (w *ward) timesAsked() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.asked
}

const (
	wardDate = "2026-11-23"
	wardRows = 780 // of the night
)

func newWard(t *testing.T) *ward {
	w := watched(t, listSettings{})
	dir := t.TempDir()
	w.warehouse = filepath.Join(dir, "w")
	w.job = writeJob(t, dir, "{requests_per_second: 100000, connections: 4}", []string{listTarget(1, 730), listTarget(2, 50), listTarget(3, 0)})
	backhaul(t, 0, "run", w.job, "--warehouse", w.warehouse, "--date", wardDate)
	w.rows = w.look(t)
	return w
}

// look returns every row of the night's table.
func (w *ward) look(t *testing.T) string {
	t.Helper()
	return backhaul(t, 0, "query", "--warehouse", w.warehouse, "--format", "csv", everyRow)
}

const everyRow = "select target, rank, anchor_text, external_pages, run_id, fetched_at, page_seq from moz.anchor_text order by target, rank"

// try runs a command and returns its exit status and all it said.
func (w *ward) try(args ...string) (status int, said string) {
	var out, errs bytes.Buffer
	e := inTest(w.t, &out, &errs, append(args, "--warehouse", w.warehouse)...)
	if w.holdMemory {
		e.holdMemory = holdMemory
	}
	status = Main(context.Background(), e)
	return status, out.String() + errs.String()
}

// path returns where a file is, or was when it was first asked for: a part of its name may be *.
func (w *ward) path(name string) string {
	if w.paths[name] == "" {
		path := filepath.Join(w.warehouse, name)
		if found, err := filepath.Glob(path); err == nil && len(found) == 1 {
			path = found[0]
		}
		w.paths[name] = path
	}
	return w.paths[name]
}

const (
	wardJournal = "journal/measured/2026-11-23.sqlite"
	wardLedger  = "ledger.sqlite"
	wardCatalog = "catalog.duckdb"
	wardTable   = "lake/moz/anchor_text/month=2026-11/measured.2026-11-23.*.parquet"
)

// harm is one way of damaging a file.
type harm struct {
	name string
	do   func(path string) error
}

var harms = []harm{
	{"flipped bits", func(path string) error {
		return rewrite(path, func(b []byte) []byte {
			for i := len(b) / 20; i < len(b); i += 101 {
				b[i] ^= 0x10
			}
			return b
		})
	}},
	{"cut", func(path string) error { return rewrite(path, func(b []byte) []byte { return b[:len(b)/2] }) }},
	{"emptied", func(path string) error { return os.Truncate(path, 0) }},
	{"deleted", os.Remove},
}

func rewrite(path string, change func([]byte) []byte) error {
	b, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	return os.WriteFile(path, change(b), 0o644)
}

// TestDamageIsReportedAndNeverFewerRows damages each file of a warehouse in every way, and plays all a user does next.
func TestDamageIsReportedAndNeverFewerRows(t *testing.T) {
	t.Parallel()
	w := newWard(t)
	_, restore := keep(t, w.warehouse)
	rows := w.rows
	for _, file := range []string{wardJournal, wardLedger, wardTable, wardCatalog} {
		for _, h := range harms {
			t.Run(filepath.Base(filepath.Dir(file))+" "+h.name, func(t *testing.T) {
				restore()
				w.rows, w.paths = rows, map[string]string{}
				w.forgetMeter()
				w.damage(t, file, h)
			})
		}
	}
}

// forgetMeter lets the vendor count no more than the night of the warehouse.
func (w *ward) forgetMeter() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.listServer.rows = wardRows
}

func (w *ward) damage(t *testing.T, file string, h harm) {
	t.Helper()
	bought := w.bought()
	if err := h.do(w.path(file)); err != nil {
		t.Fatal(err)
	}
	status, said := w.try("doctor")
	w.ordinaryCommandsNoticeOrAreRight(t, file) // some of them mend
	if status != exitDamaged || !strings.Contains(said, w.path(file)) && !strings.Contains(said, withoutID(w.path(file))) && !strings.Contains(said, "bad   catalog") {
		t.Errorf("doctor: exit %d\n%s", status, said)
	}
	w.mend(t, file)
	if got := w.look(t); got != w.rows {
		t.Errorf("the table has other rows than before the damage")
	}
	if w.bought() != bought && file != wardJournal {
		t.Errorf("%d rows were bought again", w.bought()-bought)
	}
}

// gone: a file of the lake that somebody deleted is missed by doctor alone. Views show what is there.
func gone(path string) bool {
	_, err := os.Stat(path)
	return errors.Is(err, fs.ErrNotExist)
}

// ordinaryCommandsNoticeOrAreRight: a command ends with 5 and advice, or it is not concerned and does right.
func (w *ward) ordinaryCommandsNoticeOrAreRight(t *testing.T, file string) {
	t.Helper()
	bought := w.bought()
	noticed := 0
	for _, args := range [][]string{
		{"query", "--format", "csv", everyRow}, {"status"}, {"run", w.job, "--date", wardDate, "--yes"}, {"plan", w.job, "--date", wardDate},
		{"query", "--format", "csv", everyRow},
	} {
		status, said := w.try(args...)
		switch {
		case status == exitDamaged && strings.Contains(said, "backhaul doctor"):
			noticed++
		case status == exitFailed && strings.Contains(said, "backhaul catalog") && file == wardCatalog:
			noticed++
		case status != exitComplete:
			t.Errorf("%s: exit %d: %s", args[0], status, said)
		case args[0] == "query" && said != w.rows && !gone(w.path(file)):
			t.Errorf("query answered with other rows and exit 0")
		}
	}
	if w.bought() != bought {
		t.Errorf("%d rows were bought again", w.bought()-bought)
	}
	// A run makes a deleted table or catalog again by itself.
	if noticed == 0 && file != wardTable && file != wardCatalog {
		t.Error("no command noticed")
	}
}

// mend repairs as the doctor advises.
func (w *ward) mend(t *testing.T, file string) {
	t.Helper()
	status, said := w.try("doctor", "--repair")
	if file == wardJournal {
		if status != exitDamaged || !strings.Contains(said, "--drop-damaged") {
			t.Fatalf("a damaged journal was repaired without being asked: exit %d\n%s", status, said)
		}
		w.dropAndBuyAgain(t)
		return
	}
	if status != exitComplete {
		t.Fatalf("doctor --repair: exit %d\n%s", status, said)
	}
	if status, said := w.try("run", w.job, "--date", wardDate, "--yes"); status != exitComplete {
		t.Errorf("run after the repair: exit %d\n%s", status, said)
	}
	if status, said := w.try("doctor"); status != exitComplete {
		t.Errorf("doctor after the repair: exit %d\n%s", status, said)
	}
}

// dropAndBuyAgain gives up the damaged pages; the next run buys them, and their price stays in the account.
func (w *ward) dropAndBuyAgain(t *testing.T) {
	t.Helper()
	if status, said := w.try("doctor", "--repair", "--drop-damaged"); status != exitComplete || !strings.Contains(said, "buys again") {
		t.Fatalf("doctor --repair --drop-damaged: exit %d\n%s", status, said)
	}
	if status, said := w.try("run", w.job, "--date", wardDate, "--yes"); status != exitComplete {
		t.Fatalf("run: exit %d\n%s", status, said)
	}
	if status, said := w.try("doctor"); status != exitComplete {
		t.Errorf("doctor: exit %d\n%s", status, said)
	}
	type account struct{ Units, Maybe, Rows int64 }
	got := ask[account](t, w.warehouse, "select sum(units)::bigint as Units, sum(maybe_units)::bigint as Maybe, sum(rows)::bigint as Rows from ops.tasks")
	if a := got[0]; a.Units != wardRows || a.Rows != wardRows || a.Units+a.Maybe < w.bought() {
		t.Errorf("the account has %+v, the vendor delivered %d rows", a, w.bought())
	}
	// The rows are the same, but for when and by which request their page came.
	plain := func(csv string) (lines []string) {
		for _, line := range strings.Split(csv, "\n") {
			if f := strings.Split(line, ","); len(f) == 7 {
				lines = append(lines, strings.Join(append(f[:4:4], f[6]), ","))
			}
		}
		return lines
	}
	after := w.look(t)
	if a, b := plain(after), plain(w.rows); strings.Join(a, "\n") != strings.Join(b, "\n") {
		t.Errorf("%d rows where %d were before", len(a), len(b))
	}
	w.rows = after
}

func TestAnOlderCopyOfTheJournalIsNoticed(t *testing.T) {
	t.Parallel()
	w := newWard(t)
	job := strings.ReplaceAll(w.job, "measured.yaml", "more.yaml")
	spec, err := os.ReadFile(w.job)
	if err != nil {
		t.Fatal(err)
	}
	older, err := os.ReadFile(w.path(wardJournal))
	if err != nil {
		t.Fatal(err)
	}
	writeFile(t, filepath.Dir(job), "more.csv", "target\n"+listTarget(1, 730)+"\n"+listTarget(9, 60)+"\n")
	writeFile(t, filepath.Dir(job), "more.yaml", strings.ReplaceAll(string(spec), "targets.csv", "more.csv"))
	backhaul(t, 0, "run", job, "--warehouse", w.warehouse, "--date", wardDate)
	bought := w.bought()
	if err := os.WriteFile(w.path(wardJournal), older, 0o644); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"run", job, "--date", wardDate}, {"replay", "--job", "measured", "--date", wardDate}, {"doctor"}} {
		if status, said := w.try(args...); status != exitDamaged || !strings.Contains(said, "where the ledger knows") {
			t.Errorf("%s: exit %d: %s", args[0], status, said)
		}
	}
	if w.bought() != bought {
		t.Errorf("%d rows were bought again", w.bought()-bought)
	}
}

func TestALostLedgerIsRebuiltWithWhatWasSpent(t *testing.T) {
	t.Parallel()
	w := newWard(t)
	status := func() string {
		_, said := w.try("status", "measured/"+wardDate, "--json")
		var kept []string
		for _, line := range strings.Split(said, "\n") {
			if strings.Contains(line, "units_") || strings.Contains(line, `"rows"`) || strings.Contains(line, `"state"`) || strings.Contains(line, "run_id") {
				kept = append(kept, line)
			}
		}
		return strings.Join(kept, "\n")
	}
	before := status()
	if err := os.WriteFile(w.path(wardLedger), []byte("not a ledger at all, but long enough to be looked at as one"), 0o644); err != nil {
		t.Fatal(err)
	}
	if status, said := w.try("doctor", "--repair"); status != exitComplete {
		t.Fatalf("exit %d\n%s", status, said)
	}
	if after := status(); after != before {
		t.Errorf("before:\n%s\nafter:\n%s", before, after)
	}
	if aside, _ := filepath.Glob(w.path(wardLedger) + ".damaged-*"); len(aside) != 1 {
		t.Errorf("the damaged ledger is not kept: %v", aside)
	}
}

func TestTheClockJumpingBackStopsARunBeforeItSpends(t *testing.T) {
	t.Parallel()
	w := newWard(t)
	ahead := time.Now().Add(48 * time.Hour)
	setLedgerTimes(t, w.path(wardLedger), ahead)
	bought := w.bought()
	if status, said := w.try("run", w.job, "--date", "2026-11-24", "--yes"); status != exitFailed || !strings.Contains(said, "clock has jumped back") {
		t.Errorf("run: exit %d: %s", status, said)
	}
	if status, said := w.try("doctor"); status != exitFailed || !strings.Contains(said, "bad   clock") {
		t.Errorf("doctor: exit %d\n%s", status, said)
	}
	if w.bought() != bought {
		t.Error("rows were bought with a wrong clock")
	}
	if status, said := w.try("doctor", "--repair"); status != exitComplete {
		t.Errorf("doctor --repair: exit %d\n%s", status, said)
	}
	if status, said := w.try("run", w.job, "--date", "2026-11-24", "--yes"); status != exitComplete {
		t.Errorf("run after the repair: exit %d: %s", status, said)
	}
}

func TestStraysInTheLakeAreTold(t *testing.T) {
	t.Parallel()
	w := newWard(t)
	copyFile(t, w.path(wardTable), filepath.Join(filepath.Dir(w.path(wardTable)), "copy of measured.parquet"))
	writeFile(t, filepath.Dir(w.path(wardTable)), "notes.txt", "hello")
	status, said := w.try("doctor")
	if status != exitDamaged || !strings.Contains(said, "copy of measured.parquet: a stray file that the views") || !strings.Contains(said, "notes.txt: a stray file") {
		t.Errorf("exit %d\n%s", status, said)
	}
	if status, _ := w.try("doctor", "--repair"); status != exitDamaged {
		t.Errorf("exit %d: a stray file is the user's to move", status)
	}
	if _, err := os.Stat(filepath.Join(filepath.Dir(w.path(wardTable)), "copy of measured.parquet")); err != nil {
		t.Error(err)
	}
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	in, err := os.Open(from)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	out, err := os.Create(to)
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	if _, err := io.Copy(out, in); err != nil {
		t.Fatal(err)
	}
}

// keep copies a folder, times included. restore puts it back as it was.
func keep(t *testing.T, dir string) (kept string, restore func()) {
	t.Helper()
	kept = filepath.Join(t.TempDir(), "kept")
	copyTree(t, kept, dir)
	return kept, func() {
		t.Helper()
		removeAll(t, dir)
		copyTree(t, dir, kept)
	}
}

func removeAll(t *testing.T, dir string) {
	t.Helper()
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
}

// copyTree copies a folder: a catalog is known by its time.
func copyTree(t *testing.T, to, from string) {
	t.Helper()
	if err := os.CopyFS(to, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
	err := filepath.WalkDir(from, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		return os.Chtimes(filepath.Join(to, strings.TrimPrefix(path, from)), info.ModTime(), info.ModTime())
	})
	if err != nil {
		t.Fatal(err)
	}
}

// withoutID is the path of a file of the lake as it is named where it is missing.
func withoutID(path string) string {
	name, ok := sinks.ParseName(filepath.Base(path))
	if !ok {
		return path
	}
	name.ID = ""
	return filepath.Join(filepath.Dir(path), name.String())
}
