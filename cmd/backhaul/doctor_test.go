package main

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"backhaul/jobs/books"
	"backhaul/jobs/doctor"
	"backhaul/jobs/ledger"
	"backhaul/sinks"
	"backhaul/sinks/lake"
)

func openWardLedger(t *testing.T, path string) *ledger.Ledger {
	t.Helper()
	l, err := ledger.Open(context.Background(), path)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// setLedgerTimes makes the ledger's latest run end at the given time.
func setLedgerTimes(t *testing.T, path string, at time.Time) {
	t.Helper()
	l := openWardLedger(t, path)
	defer l.Close()
	runs, err := l.Runs(context.Background())
	if err != nil || len(runs) == 0 {
		t.Fatal(runs, err)
	}
	if err := l.End(context.Background(), runs[0].ID, runs[0].State, "", at); err != nil {
		t.Fatal(err)
	}
}

// level returns the level of the first finding about what.
func level(t *testing.T, w *ward, what string, args ...string) (level doctor.Level, text string) {
	t.Helper()
	_, said := w.try(append([]string{"doctor", "--json"}, args...)...)
	var findings []doctor.Finding
	if err := json.Unmarshal([]byte(said), &findings); err != nil {
		t.Fatalf("%v\n%s", err, said)
	}
	for _, f := range findings {
		if f.What == what {
			level, text = f.Level, f.Text
		}
	}
	return level, text
}

func TestDoctorAsksTheVendorOnceAndNeverShowsTheKey(t *testing.T) {
	t.Parallel()
	w := newWard(t)
	before := w.timesAsked()
	status, said := w.try("doctor", w.job)
	asked := w.timesAsked() - before
	if status != exitComplete || asked != 1 || strings.Contains(said, "secret-token") || !strings.Contains(said, "credentials from MOZ_TOKEN") {
		t.Errorf("exit %d, asked %d times\n%s", status, asked, said)
	}
	if l, text := level(t, w, "usage moz"); l != doctor.OK || text != "the vendor counts 780 units this month, the ledger 780 and at most 0 more" {
		t.Errorf("%s %s", l, text)
	}
}

func TestDoctorExplainsWhatTheVendorCountsOtherwise(t *testing.T) {
	t.Parallel()
	w := newWard(t)
	for rows, want := range map[int64]string{779: "may be late by 1h", 781: "other programs, warehouses or people"} {
		w.mu.Lock()
		w.listServer.rows = rows
		w.mu.Unlock()
		if l, text := level(t, w, "usage moz"); l != doctor.Warn || !strings.Contains(text, want) {
			t.Errorf("%d: %s %s", rows, l, text)
		}
	}
}

func TestANameThatAnExchangeCutShortHasLeftIsNoDamage(t *testing.T) {
	t.Parallel()
	w := newWard(t)
	months, err := filepath.Glob(filepath.Join(w.warehouse, "lake", "moz", "*", "month=2*"))
	if err != nil || len(months) == 0 {
		t.Fatal(months, err)
	}
	left := filepath.Join(months[0], "gone.2026-11-01.0123456789abcdef.parquet")
	if err := os.Symlink("/proc/4194305/comm", left); err != nil { // of no process
		t.Fatal(err)
	}
	if l, text := level(t, w, "lake "+left); l != doctor.Warn || !strings.Contains(text, "cut short") {
		t.Errorf("%s %s", l, text)
	}
	if status, said := w.try("doctor"); status != exitComplete {
		t.Errorf("exit %d\n%s", status, said)
	}
}

func TestDoctorTellsCredentialsAddressAndClock(t *testing.T) {
	t.Parallel()
	w := newWard(t)
	setenv(t, "MOZ_TOKEN", "wrong-key")
	if l, text := level(t, w, "vendor moz"); l != doctor.Bad || !strings.Contains(text, "refuses the credentials") || strings.Contains(text, "wrong-key") {
		t.Errorf("%s %s", l, text)
	}
	setenv(t, "MOZ_TOKEN", "")
	if l, _ := level(t, w, "vendor moz"); l != doctor.Warn {
		t.Errorf("without a job nobody needs credentials: %s", l)
	}
	if l, _ := level(t, w, "vendor moz", w.job); l != doctor.Bad {
		t.Errorf("the job needs credentials: %s", l)
	}
	setenv(t, "MOZ_TOKEN", "secret-token")
	w.answerUsage(func(rw http.ResponseWriter) {
		rw.Header().Set("Date", time.Now().Add(-20*time.Minute).UTC().Format(http.TimeFormat))
		_, _ = rw.Write([]byte(`{"rows_consumed":780}`))
	})
	if status, said := w.try("doctor"); status != exitFailed || !strings.Contains(said, "bad   clock: 20m") {
		t.Errorf("exit %d\n%s", status, said)
	}
	setenv(t, "BACKHAUL_MOZ_V2_URL", "http://127.0.0.1:1")
	if status, said := w.try("doctor"); status != exitFailed || !strings.Contains(said, "BACKHAUL_MOZ_V2_URL") {
		t.Errorf("exit %d\n%s", status, said)
	}
}

// retire removes the journals of runs older than an hour from now, so of all.
func retire(t *testing.T, w *ward, dry bool) []doctor.Retired {
	t.Helper()
	files := examined{&localLake{Lake: lake.Lake{Warehouse: sinks.Warehouse{Root: w.warehouse}}}}
	o := doctor.Options{Warehouse: files.Warehouse, Lake: files, Sources: decoders(builtIn).source}
	retired, err := doctor.Retire(context.Background(), o, time.Now().Add(time.Hour), dry)
	if err != nil {
		t.Fatal(err)
	}
	return retired
}

func TestARetiredRunIsCompleteAndCostsNothing(t *testing.T) {
	t.Parallel()
	w := newWard(t)
	bought := w.bought()
	if got := retire(t, w, true); len(got) != 1 || got[0].Kept != "" {
		t.Fatalf("%+v", got)
	}
	if _, err := os.Stat(w.path(wardJournal)); err != nil {
		t.Fatalf("a dry run removed the journal: %v", err)
	}
	retire(t, w, false)
	if _, err := os.Stat(w.path(wardJournal)); !os.IsNotExist(err) {
		t.Fatalf("the journal is still there: %v", err)
	}
	if info, err := os.Stat(w.path(wardJournal) + books.RetiredSuffix); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("what remains of the journal is not for its owner alone: %v, %v", info, err)
	}
	today := time.Now().UTC().Format(time.DateOnly)
	for _, c := range []struct {
		want int
		says string
		args []string
	}{
		{exitComplete, "0 units", []string{"run", w.job, "--date", wardDate}},
		{exitComplete, "", []string{"plan", w.job, "--date", wardDate}},
		{exitComplete, "its journal was retired on " + today, []string{"doctor"}},
		{exitFailed, "the journal was retired on " + today, []string{"replay", "--job", "measured", "--date", wardDate}},
		{exitComplete, "complete", []string{"status"}},
	} {
		if status, said := w.try(c.args...); status != c.want || !strings.Contains(said, c.says) {
			t.Errorf("%v: exit %d, want %d and %q\n%s", c.args, status, c.want, c.says, said)
		}
	}
	if w.bought() != bought || w.look(t) != w.rows {
		t.Error("a retired run was bought again, or its rows are others")
	}
	writeFile(t, filepath.Dir(w.job), "targets.csv", "target\n"+listTarget(1, 730)+"\n"+listTarget(8, 100)+"\n")
	if status, said := w.try("run", w.job, "--date", wardDate); status != exitFailed || !strings.Contains(said, "asks for more than it held") || w.look(t) != w.rows {
		t.Errorf("a retired run was extended: exit %d\n%s", status, said)
	}
	harms[0].do(w.path(wardTable))
	if status, said := w.try("doctor"); status != exitDamaged || !strings.Contains(said, w.path(wardTable)) {
		t.Errorf("damage of a retired run's table: exit %d\n%s", status, said)
	}
}

func TestRetirementSurvivesALedgerThatIsDamagedOrLost(t *testing.T) {
	t.Parallel()
	w := newWard(t)
	retire(t, w, false)
	backhaul(t, 0, "run", w.job, "--warehouse", w.warehouse, "--date", "2026-11-24")
	bought := w.bought()
	for _, harm := range []func(){func() { spoilAnIndex(t, w) }, func() {
		if err := os.Remove(w.path(wardLedger)); err != nil {
			t.Fatal(err)
		}
	}} {
		harm()
		if status, said := w.try("doctor"); status != exitDamaged || !strings.Contains(said, "bad   ledger") {
			t.Fatalf("exit %d\n%s", status, said)
		}
		if status, said := w.try("doctor", "--repair"); status != exitComplete {
			t.Fatalf("exit %d\n%s", status, said)
		}
		for _, date := range []string{wardDate, "2026-11-24"} {
			if status, said := w.try("run", w.job, "--date", date, "--yes"); status != exitComplete || w.bought() != bought {
				t.Errorf("%s: exit %d, %d rows bought again\n%s", date, status, w.bought()-bought, said)
			}
		}
	}
}

// spoilAnIndex changes a value of the ledger's first task in one of the two places it is kept in.
func spoilAnIndex(t *testing.T, w *ward) {
	t.Helper()
	l := openWardLedger(t, w.path(wardLedger))
	tasks, err := l.Tasks(context.Background(), mustFind(t, l).ID)
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	request := []byte(tasks[0].Request())
	if err := rewrite(w.path(wardLedger), func(b []byte) []byte {
		at := bytes.Index(b, request)
		if at < 0 {
			t.Fatal("the ledger does not hold the task")
		}
		b[at] ^= 1
		return b
	}); err != nil {
		t.Fatal(err)
	}
}

func mustFind(t *testing.T, l *ledger.Ledger) ledger.Run {
	t.Helper()
	r, err := l.Find(context.Background(), "measured", wardDate)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestAJournalWhoseTableIsDamagedIsNotRetired(t *testing.T) {
	t.Parallel()
	for _, h := range harms {
		w := newWard(t)
		if err := h.do(w.path(wardTable)); err != nil {
			t.Fatal(err)
		}
		got := retire(t, w, false)
		if len(got) != 1 || !strings.Contains(got[0].Kept, w.path(wardTable)) && !strings.Contains(got[0].Kept, withoutID(w.path(wardTable))) {
			t.Errorf("%s: %+v", h.name, got)
		}
		if _, err := os.Stat(w.path(wardJournal)); err != nil {
			t.Errorf("%s: %v", h.name, err)
		}
	}
}

func TestGCWithoutTheFlagKeepsEveryJournal(t *testing.T) {
	t.Parallel()
	w := newWard(t)
	leftover := w.path("staging/run-dead")
	if err := os.MkdirAll(leftover, 0o755); err != nil {
		t.Fatal(err)
	}
	if l, _ := level(t, w, "staging"); l != doctor.Warn {
		t.Errorf("a leftover is a warning: %s", l)
	}
	if status, said := w.try("gc"); status != exitComplete || !strings.Contains(said, "0 journals") || !strings.Contains(said, "1 leftover of dead") {
		t.Errorf("exit %d: %s", status, said)
	}
	if _, err := os.Stat(w.path(wardJournal)); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(leftover); !os.IsNotExist(err) {
		t.Error("the leftover is still there")
	}
	if status, said := w.try("gc", "--journals-older-than", "180d"); status != exitComplete || !strings.Contains(said, "0 journals") {
		t.Errorf("exit %d: %s", status, said)
	}
	for _, age := range []string{"", "0d", "180", "-1d", "1h", "d"} {
		if status, said := w.try("gc", "--journals-older-than", age); status != exitUsage {
			t.Errorf("%q: exit %d: %s", age, status, said)
		}
	}
}
