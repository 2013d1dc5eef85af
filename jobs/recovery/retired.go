package recovery

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"backhaul/jobs/books"
	"backhaul/jobs/ledger"
	"backhaul/pipeline"
)

// ErrRetired means that a run's journal was removed by retention: nothing is damaged, and nothing can be rebuilt.
var ErrRetired = errors.New("the journal was retired")

// PlacesOf is how far the ledger says the tasks of a run have come.
func PlacesOf(ctx context.Context, l *ledger.Ledger, runID string) (map[string]pipeline.Place, error) {
	tasks, err := l.Tasks(ctx, runID)
	if err != nil {
		return nil, err
	}
	places := map[string]pipeline.Place{}
	for _, t := range tasks {
		held := t.Rows
		if t.Ending == pipeline.EndMaxRows {
			held = max(held, t.MaxRows)
		}
		places[t.ID] = pipeline.Place{
			Pages: t.Pages, Rows: t.Rows, ChainRows: held, Waste: t.Waste, Units: t.Units, MaybeUnits: t.MaybeUnits,
			Attempts: t.Attempts, ReusedFrom: t.ReusedFrom, End: t.Ending == pipeline.EndOfList,
		}
	}
	return places, nil
}

// remains are what a retired journal leaves in its place, as JSON: all that the ledger has of its run.
type remains struct {
	Format     int // 1
	Run        ledger.Run
	Index      ledger.Index
	Spends     []ledger.Spend
	Retirement ledger.Retirement
}

// HasRemains reports whether a journal was retired, and what remains of it tells of its run.
func HasRemains(ctx context.Context, book books.Book) (bool, error) {
	if gone, err := book.Gone(ctx); err != nil || !gone {
		return false, err
	}
	text, err := book.Remains(ctx)
	return len(text) > 0, err
}

// KeepRemains writes down what the ledger has of the runs whose journals were retired by a version that did not.
func KeepRemains(ctx context.Context, l *ledger.Ledger, b books.Books) error {
	runs, err := l.Runs(ctx)
	errs := []error{err}
	for _, run := range runs {
		errs = append(errs, keepRemains(ctx, l, run, b.Of(run.Job, run.RunDate)))
	}
	return errors.Join(errs...)
}

func keepRemains(ctx context.Context, l *ledger.Ledger, run ledger.Run, book books.Book) error {
	retired, err := l.Retired(ctx, run.ID)
	if err != nil || retired == nil {
		return err
	}
	if gone, err := book.Gone(ctx); err != nil || !gone {
		return err
	}
	if text, err := book.Remains(ctx); err != nil || len(text) > 0 {
		return err
	}
	return WriteRemains(ctx, l, run, book, *retired)
}

// WriteRemains writes down what the ledger has of a run whose journal is about to be removed, so that it can be told
// without the ledger. It returns when that is durable.
func WriteRemains(ctx context.Context, l *ledger.Ledger, run ledger.Run, book books.Book, retired ledger.Retirement) (err error) {
	r := remains{Format: 1, Run: run, Retirement: retired}
	if r.Index, err = l.Index(ctx, run.ID); err != nil {
		return err
	}
	if r.Spends, err = l.Spends(ctx, run.ID); err != nil {
		return err
	}
	return r.keep(ctx, book)
}

func (r remains) keep(ctx context.Context, book books.Book) error {
	text, err := json.Marshal(r)
	if err != nil {
		return err
	}
	return book.KeepRemains(ctx, append(text, '\n'))
}

// remainsOf reads what remains of a retired journal.
func remainsOf(ctx context.Context, book books.Book) (r remains, err error) {
	text, err := book.Remains(ctx)
	if err != nil {
		return r, err
	}
	if text == nil {
		return r, fmt.Errorf("%s: %w: the journal is missing", book.Name(), ErrDamaged)
	}
	return readRemains(book, text)
}

func readRemains(book books.Book, text []byte) (r remains, err error) {
	if err = json.Unmarshal(text, &r); err == nil && r.Format != 1 {
		err = fmt.Errorf("it is of format %d, and this program reads format 1", r.Format)
	}
	if err != nil {
		return r, fmt.Errorf("%s: %w: what remains of it: %w", book.Name(), ErrDamaged, err)
	}
	return r, nil
}

// restoreRetired enters a run into the ledger as what remains of its journal tells.
func restoreRetired(ctx context.Context, l *ledger.Ledger, book books.Book) error {
	r, err := remainsOf(ctx, book)
	if err != nil {
		return err
	}
	if err := l.Restore(ctx, r.Run); err != nil {
		return err
	}
	if err := l.Sync(ctx, r.Run.ID, r.Index); err != nil {
		return err
	}
	bills := map[string]pipeline.Bill{}
	for _, g := range r.Spends { // by month: Settle takes what earlier months have off
		b := bills[g.Vendor]
		b.Spent += g.Spent + g.Charged
		b.Maybe += g.Granted - g.Spent - g.Charged
		b.SpentAt, b.HeldAt = g.SpentAt, g.HeldAt
		bills[g.Vendor] = b
		if err := l.Settle(ctx, r.Run.ID, g.Vendor, g.Month, b); err != nil {
			return err
		}
	}
	return l.Retire(ctx, r.Run.ID, r.Retirement)
}

// withdrawRetired enters that the rows of a run are out of tables where its journal was retired.
func withdrawRetired(ctx context.Context, book books.Book, since map[string]time.Time) error {
	if gone, err := book.Gone(ctx); err != nil || !gone {
		return err
	}
	text, err := book.Remains(ctx)
	if err != nil || len(text) == 0 {
		return err
	}
	r, err := readRemains(book, text)
	if err != nil {
		return err
	}
	if r.Index.Absent == nil {
		r.Index.Absent = map[string]time.Time{}
	}
	for table, at := range since {
		if _, known := r.Index.Absent[table]; !known {
			r.Index.Absent[table] = at.UTC().Truncate(time.Microsecond)
		}
	}
	return r.keep(ctx, book)
}
