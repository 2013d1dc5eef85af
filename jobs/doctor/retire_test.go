package doctor

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"backhaul/jobs/ledger"
	"backhaul/pipeline"
	"backhaul/sinks"
)

func TestOnlyJournalsOfCompleteAndOldRunsAreLookedAt(t *testing.T) {
	ctx, w := t.Context(), sinks.Warehouse{Root: t.TempDir()}
	l, err := ledger.Open(ctx, w.Ledger())
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	begun := time.Date(2026, 1, 3, 2, 0, 0, 0, time.UTC)
	for date, run := range map[string]struct {
		state ledger.State
		ended time.Time // when its list was last read on
	}{
		"2026-01-01": {ledger.Incomplete, begun},
		"2026-01-02": {ledger.Running, begun},
		"2026-01-03": {ledger.Complete, begun.AddDate(0, 9, 0)},
		"2026-01-04": {ledger.Complete, begun},
	} {
		task, path := pipeline.Task{ID: "a", Extract: "x", Endpoint: "moz/links"}, w.JournalOf("nightly", date)
		_, err := l.Begin(ctx, "nightly", date, "hash", date, begun)
		err = errors.Join(err, l.Sync(ctx, date, ledger.Index{Tasks: []ledger.Task{{Task: task, Ending: pipeline.EndOfList, Ended: run.ended}}}),
			os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte("no journal at all"), 0o600))
		if run.state != ledger.Running {
			err = errors.Join(err, l.End(ctx, date, run.state, "", run.ended))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	all, err := Retire(ctx, Options{Warehouse: w}, begun.AddDate(0, 6, 0), false)
	if err != nil || len(all) != 1 || all[0].Run != "nightly/2026-01-04" || all[0].Kept == "" {
		t.Errorf("%+v, %v: the one old and complete run has a journal that is damaged, so that it stays", all, err)
	}
	if _, err := os.Stat(w.JournalOf("nightly", "2026-01-04")); err != nil {
		t.Error(err)
	}
}
