package run

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"backhaul/jobs/ledger"
	"backhaul/pipeline/journal"
	"backhaul/sinks"
)

// OpenLedger opens the ledger of a warehouse, making one where there is nothing yet. A ledger that is gone while journals
// are there is ErrDamaged: a new one would forget what was spent.
func OpenLedger(ctx context.Context, w sinks.Warehouse) (*ledger.Ledger, error) {
	// Another process may be making both just now: it makes the ledger first, so that is looked at once more at last.
	if gone(w.Ledger()) && hasJournals(w) && gone(w.Ledger()) {
		return nil, fmt.Errorf("%s: %w: the ledger is missing or empty, and there are journals; put it back, or `backhaul doctor --repair` rebuilds it from them",
			w.Ledger(), ErrDamaged)
	}
	return ledger.Open(ctx, w.Ledger())
}

// gone reports whether a file is missing or has no byte, which SQLite would take for a new one.
func gone(path string) bool {
	info, err := os.Stat(path)
	return os.IsNotExist(err) || err == nil && info.Size() == 0
}

// hasJournals reports whether the warehouse has a journal that holds anything.
func hasJournals(w sinks.Warehouse) bool {
	paths, _ := filepath.Glob(filepath.Join(escapeGlob(w.Journal()), "*", "*.sqlite"))
	for _, path := range paths {
		if !gone(path) {
			return true
		}
	}
	return false
}

func escapeGlob(path string) string {
	var b []rune
	for _, r := range path {
		switch r {
		case '*', '?', '[', '\\':
			b = append(b, '\\')
		}
		b = append(b, r)
	}
	return string(b)
}

// missing says why a journal is not there.
func missing(ctx context.Context, l *ledger.Ledger, runID, path string) error {
	retired, err := l.Retired(ctx, runID)
	if err != nil {
		return err
	}
	if retired != nil {
		return fmt.Errorf("%s: %w on %s: the run's tables in the lake are all there is", path, ErrRetired, retired.At.Format("2006-01-02"))
	}
	return fmt.Errorf("%s: %w: the journal is missing", path, ErrDamaged)
}

// checkHeld compares the journal with what the ledger says was bought into it. A journal with fewer pages is not the one they
// were written to.
func checkHeld(ctx context.Context, l *ledger.Ledger, j *journal.Journal, runID, path string) error {
	if runID == "" {
		return nil
	}
	tasks, err := l.Tasks(ctx, runID)
	if err != nil {
		return err
	}
	places, err := j.Places(ctx)
	if err != nil {
		return err
	}
	for _, t := range tasks {
		if places[t.ID].Pages < t.Pages {
			return fmt.Errorf("%s: %w: %s/%s has %d pages where the ledger knows %d", path, ErrDamaged, t.Extract, t.Target, places[t.ID].Pages, t.Pages)
		}
	}
	return nil
}
