package recovery

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"backhaul/jobs/account"
	"backhaul/jobs/ledger"
	"backhaul/pipeline"
	"backhaul/pipeline/journal"
	"backhaul/sinks"
)

// OpenLedger opens the ledger of a warehouse, making one where there is nothing yet. A ledger that is gone while journals
// are there is ErrDamaged: a new one would forget what was spent.
func OpenLedger(ctx context.Context, w sinks.Warehouse) (*ledger.Ledger, error) {
	// Another process may be making both just now: it makes the ledger first, so that is looked at once more at last.
	if Gone(w.Ledger()) && HasJournals(w) && Gone(w.Ledger()) {
		return nil, fmt.Errorf("%s: %w: the ledger is missing or empty, and there are journals; put it back, or `backhaul doctor --repair` rebuilds it from them",
			w.Ledger(), ErrDamaged)
	}
	return ledger.Open(ctx, w.Ledger())
}

// Gone reports whether a file is missing or has no byte, which SQLite would take for a new one.
func Gone(path string) bool {
	info, err := os.Stat(path)
	return os.IsNotExist(err) || err == nil && info.Size() == 0
}

// HasJournals reports whether the warehouse has a journal that holds anything, or what remains of one.
func HasJournals(w sinks.Warehouse) bool {
	for _, suffix := range []string{"", RetiredSuffix} {
		paths, _ := filepath.Glob(filepath.Join(escapeGlob(w.Journal()), "*", "*.sqlite"+suffix))
		if slices.ContainsFunc(paths, func(path string) bool { return !Gone(path) }) {
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

// Missing says why a journal is not there.
func Missing(ctx context.Context, l *ledger.Ledger, runID, path string) error {
	retired, err := l.Retired(ctx, runID)
	if err != nil {
		return err
	}
	if retired != nil {
		return fmt.Errorf("%s: %w on %s: the run's tables in the lake are all there is", path, ErrRetired, retired.At.Format("2006-01-02"))
	}
	return fmt.Errorf("%s: %w: the journal is missing", path, ErrDamaged)
}

// Recognize compares the journal of a run with what the ledger says was bought into it: one with fewer pages is not the one they
// were written to. In one of an earlier format it enters what the ledger alone was told. A zero run is not known yet.
func Recognize(ctx context.Context, l *ledger.Ledger, j *journal.Journal, run ledger.Run, path string) error {
	if run.ID == "" {
		return nil
	}
	tasks, err := l.Tasks(ctx, run.ID)
	if err != nil {
		return err
	}
	places, err := j.Places(ctx)
	if err != nil {
		return err
	}
	for _, t := range tasks {
		if places[t.ID].Pages < t.Pages {
			return fmt.Errorf("%s: %w: %s/%s has %d replies where the ledger knows %d", path, ErrDamaged, t.Extract, t.Target, places[t.ID].Pages, t.Pages)
		}
	}
	course, err := j.Course(ctx)
	if err != nil || course.State != "" {
		return err
	}
	if err := adopt(ctx, l, j, run.ID); err != nil {
		return err
	}
	return j.SetCourse(ctx, account.Course(run))
}

// adopt enters in a journal that does not say how its run stands what the ledger's index has of that.
func adopt(ctx context.Context, l *ledger.Ledger, j *journal.Journal, runID string) error {
	x, err := l.Index(ctx, runID)
	if err != nil {
		return err
	}
	places, err := j.Places(ctx)
	if err != nil {
		return err
	}
	plain, stand, expected, again := make([]pipeline.Task, len(x.Tasks)), map[string]journal.Standing{}, map[string]pipeline.Expectation{}, map[string]int64{}
	for i, t := range x.Tasks {
		plain[i], expected[t.ID] = t.Task, t.Expected
		if place := places[t.ID]; t.Pages == place.Pages { // else it has come on since
			stand[t.ID] = journal.Standing{Ending: t.Ending, Error: t.Error, Ended: t.Ended, SavedUnits: t.SavedUnits, IndexID: t.IndexID}
			again[t.ID] = t.Waste - place.Waste
		}
	}
	if len(plain) > 0 { // else the journal's are what was intended
		if err := j.Intend(ctx, plain); err != nil {
			return err
		}
	}
	if err := j.Expect(ctx, expected); err != nil {
		return err
	}
	if err := j.Stand(ctx, stand); err != nil {
		return err
	}
	if err := j.CameAgain(ctx, again); err != nil {
		return err
	}
	if err := j.Published(ctx, x.Rejections); err != nil {
		return err
	}
	return j.Withdraw(ctx, x.Absent)
}

// Told returns what the ledger must have of a run's tasks, by their ids; nil where the journal is of an earlier format, and does not
// tell.
func Told(ctx context.Context, j *journal.Journal, places map[string]pipeline.Place) (map[string]ledger.Task, error) {
	course, err := j.Course(ctx)
	if err != nil || course.State == "" {
		return nil, err
	}
	tasks, err := account.Tasks(ctx, j, places)
	told := map[string]ledger.Task{}
	for _, t := range tasks {
		told[t.ID] = t
	}
	return told, err
}
