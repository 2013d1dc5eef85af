package recovery

import (
	"context"
	"fmt"
	"maps"

	"backhaul/jobs/account"
	"backhaul/jobs/books"
	"backhaul/jobs/ledger"
	"backhaul/pipeline"
	"backhaul/pipeline/journal"
)

// OpenLedger opens the ledger of a warehouse, making one where there is nothing yet. A ledger that is gone while journals
// are there is ErrDamaged: a new one would forget what was spent.
func OpenLedger(ctx context.Context, b books.Books) (*ledger.Ledger, error) {
	lost, err := lostLedger(ctx, b)
	if err != nil {
		return nil, err
	}
	if lost {
		return nil, fmt.Errorf("%s: %w: the ledger is missing or empty, and there are journals; put it back, or `backhaul doctor --repair` rebuilds it from them",
			b.LedgerName(), ErrDamaged)
	}
	return b.OpenLedger(ctx)
}

// lostLedger reports whether the ledger is gone while there are journals.
func lostLedger(ctx context.Context, b books.Books) (bool, error) {
	if gone, err := b.LedgerGone(ctx); err != nil || !gone {
		return false, err
	}
	if has, err := HasJournals(ctx, b); err != nil || !has {
		return false, err
	}
	return b.LedgerGone(ctx) // another process may be making both just now: it makes the ledger first
}

// HasJournals reports whether the warehouse has a journal that holds anything, or what remains of one.
func HasJournals(ctx context.Context, b books.Books) (bool, error) {
	runs, err := b.Runs(ctx)
	if err != nil {
		return false, err
	}
	for _, key := range runs {
		book := b.Of(key.Job, key.RunDate)
		gone, err := book.Gone(ctx)
		if err != nil || !gone {
			return err == nil, err
		}
		text, err := book.Remains(ctx)
		if err != nil || len(text) > 0 {
			return err == nil, err
		}
	}
	return false, nil
}

// Missing says why a journal is not there.
func Missing(ctx context.Context, l *ledger.Ledger, runID string, book books.Book) error {
	retired, err := l.Retired(ctx, runID)
	if err != nil {
		return err
	}
	if retired != nil {
		return fmt.Errorf("%s: %w on %s: the run's tables in the lake are all there is", book.Name(), ErrRetired, retired.At.Format("2006-01-02"))
	}
	return fmt.Errorf("%s: %w: the journal is missing", book.Name(), ErrDamaged)
}

// Recognize compares the journal of a run with what the ledger says was bought into it: one with fewer pages is not the one they
// were written to. In one of an earlier format it enters what the ledger alone was told. A zero run is not known yet; name is the journal's.
func Recognize(ctx context.Context, l *ledger.Ledger, j *journal.Journal, run ledger.Run, name string) error {
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
			return fmt.Errorf("%s: %w: %s/%s has %d replies where the ledger knows %d", name, ErrDamaged, t.Extract, t.Target, places[t.ID].Pages, t.Pages)
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
	if err := j.Expect(ctx, maps.All(expected)); err != nil {
		return err
	}
	if err := j.Stand(ctx, maps.All(stand)); err != nil {
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

// Told returns what the ledger must have of a run; known is false where the journal is of an earlier format, and does not tell.
func Told(ctx context.Context, j *journal.Journal, places map[string]pipeline.Place) (x ledger.Index, known bool, err error) {
	course, err := j.Course(ctx)
	if err != nil || course.State == "" {
		return x, false, err
	}
	x, err = account.Told(ctx, j, places)
	return x.Kept(), err == nil, err
}
