package recovery

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"backhaul/jobs/account"
	"backhaul/jobs/books"
	"backhaul/jobs/ledger"
	"backhaul/pipeline"
	"backhaul/pipeline/journal"
	"backhaul/pipeline/words"
)

// Rebuild enters a run into the ledger as its journal has it: where it stands, what it intends, how far that came, and what it spent
// in which month; a run whose journal was retired, as what remains of it tells. Of a journal of an earlier format, which does not
// say how its run ended, what the ledger still has is kept.
func Rebuild(ctx context.Context, l *ledger.Ledger, b books.Books, job, runDate string, now time.Time) error {
	book := b.Of(job, runDate)
	unlock, err := book.Lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	gone, err := book.Gone(ctx)
	if err != nil {
		return err
	}
	if gone {
		return restoreRetired(ctx, l, book)
	}
	j, err := book.Open(ctx, journal.Header{Job: job, RunDate: runDate})
	if err != nil {
		return err
	}
	defer func() { _ = j.Close() }()
	if err := restore(ctx, l, j, now); err != nil {
		return err
	}
	return settleByMonth(ctx, l, j)
}

// restore enters a run and its index. One whose process died is incomplete; so is one of whose end nothing is known, unless it has all
// that it intends.
func restore(ctx context.Context, l *ledger.Ledger, j *journal.Journal, now time.Time) error {
	h := j.Header()
	course, err := j.Course(ctx)
	if err != nil {
		return err
	}
	places, err := j.Places(ctx)
	if err != nil {
		return err
	}
	run := ledger.Run{ID: h.RunID, Job: h.Job, RunDate: h.RunDate, SpecHash: course.SpecHash, State: ledger.State(course.State),
		Message: course.Message, Created: cmp.Or(course.Started, h.Created), Started: cmp.Or(course.Started, h.Created), Ended: course.Ended}
	switch run.State {
	case "":
		if err := adopt(ctx, l, j, run.ID); err != nil {
			return err
		}
		tasks, err := account.Tasks(ctx, j, places)
		if err != nil {
			return err
		}
		known, err := l.Index(ctx, run.ID) // of which the journal may have been lost
		if err != nil {
			return err
		}
		run.State, run.Ended = ledger.Complete, now
		if len(known.Unbegun) > 0 || slices.ContainsFunc(tasks, func(t ledger.Task) bool { return !t.Ending.Complete() }) {
			run.State, run.Message = ledger.Incomplete, "rebuilt from its journal"
		}
	case ledger.Running:
		run.State, run.Message, run.Ended = ledger.Incomplete, "its process died", now
	}
	if err := l.Restore(ctx, run); err != nil {
		return err
	}
	if _, err := account.Sync(ctx, l, j, run.ID, places); err != nil {
		return err
	}
	if run, err = l.Get(ctx, run.ID); err != nil {
		return err
	}
	return j.SetCourse(ctx, account.Course(run))
}

// Rewind brings times in the journal of a run that are later than now back to now.
func Rewind(ctx context.Context, b books.Books, job, runDate string, now time.Time) error {
	book := b.Of(job, runDate)
	unlock, err := book.Lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	j, err := book.Open(ctx, journal.Header{Job: job, RunDate: runDate})
	if err != nil {
		return err
	}
	return errors.Join(j.Rewind(ctx, now), j.Close())
}

// settleByMonth grants what the pages cost to the months they were bought in; what may have been charged belongs to the last.
func settleByMonth(ctx context.Context, l *ledger.Ledger, j *journal.Journal) error {
	bills, err := j.Bills(ctx)
	if err != nil {
		return err
	}
	for vendor, months := range bills {
		var all pipeline.Bill
		order := slices.Sorted(maps.Keys(months))
		for i, month := range order {
			all.Add(months[month])
			b := all
			if i < len(order)-1 {
				b.Maybe = 0
			}
			if err := l.Settle(ctx, j.Header().RunID, vendor, month, b); err != nil {
				return err
			}
		}
	}
	return nil
}

// DropDamaged puts a journal that is damaged or missing aside, and in its place one that holds, of every task, the pages
// before the first that cannot be read. What the others cost stays counted, as units that may have been charged, and the next
// run buys them again. It returns where the damaged file lies now ("" if there was none), and how many pages were kept and
// dropped.
func DropDamaged(ctx context.Context, l *ledger.Ledger, run ledger.Run, b books.Books, now time.Time) (aside string, kept, dropped int, err error) {
	book := b.Of(run.Job, run.RunDate)
	unlock, err := book.Lock(ctx)
	if err != nil {
		return "", 0, 0, err
	}
	defer unlock()
	header := journal.Header{RunID: run.ID, Job: run.Job, RunDate: run.RunDate, Created: run.Created}
	aside, err = book.Replace(ctx, now, header, func(fresh *journal.Journal) (err error) {
		kept, dropped, err = salvage(ctx, l, run, book, fresh, now)
		return err
	})
	if err != nil {
		return "", 0, 0, err
	}
	return aside, kept, dropped, nil
}

// salvage writes a journal of what can still be read of another: the pages of all tasks that it or the ledger knows, and how
// they came about.
func salvage(ctx context.Context, l *ledger.Ledger, run ledger.Run, book books.Book, to *journal.Journal, now time.Time) (kept, dropped int, err error) {
	var from *journal.Journal
	gone, err := book.Gone(ctx)
	if err != nil {
		return 0, 0, err
	}
	if !gone {
		if j, err := book.Open(ctx, journal.Header{Job: run.Job, RunDate: run.RunDate}); err == nil {
			from = j
			defer func() { _ = j.Close() }()
		}
	}
	tasks, err := salvageable(ctx, l, run.ID, from)
	if err != nil {
		return 0, 0, err
	}
	plain := make([]pipeline.Task, len(tasks))
	for i, t := range tasks {
		plain[i] = t.Task
	}
	if err := to.AddTasks(ctx, plain); err != nil {
		return 0, 0, err
	}
	if from != nil {
		// What cannot be read of it is asked for again.
		_ = to.Notes(ctx, from)
	}
	for _, t := range tasks {
		pages, units, err := salvageTask(ctx, from, to, t)
		if err != nil {
			return kept, dropped, err
		}
		kept += pages
		lostPages, lostUnits := max(0, t.Pages-pages), max(0, t.Units-units)+t.MaybeUnits
		dropped += lostPages
		if lostPages == 0 && lostUnits == 0 {
			continue
		}
		if err := to.AddAttempt(ctx, t.ID, pipeline.Attempt{Seq: pages, At: now, Kind: pipeline.Malformed, MaybeUnits: lostUnits,
			Message: words.Plural(lostPages, "reply") + " dropped from a damaged journal"}); err != nil {
			return kept, dropped, err
		}
	}
	return kept, dropped, setAside(ctx, l, to, plain, now)
}

// salvageable returns the run's tasks as the ledger has them, and those that only the damaged journal knows, because they are
// no longer intended: they were paid for as well.
func salvageable(ctx context.Context, l *ledger.Ledger, runID string, from *journal.Journal) ([]ledger.Task, error) {
	tasks, err := l.Tasks(ctx, runID)
	if err != nil {
		return nil, err
	}
	tasks = slices.DeleteFunc(tasks, func(t ledger.Task) bool { return t.Task.IsPlaceholder() })
	if from == nil {
		return tasks, nil
	}
	known, err := from.Tasks(ctx)
	if err != nil {
		return tasks, nil // it is damaged there too
	}
	for _, t := range known {
		if !slices.ContainsFunc(tasks, func(o ledger.Task) bool { return o.ID == t.ID }) {
			tasks = append(tasks, ledger.Task{Task: t})
		}
	}
	return tasks, nil
}

// setAside makes up, by an attempt for each vendor, for what was granted to the run and no page or attempt of the new journal
// accounts for.
func setAside(ctx context.Context, l *ledger.Ledger, to *journal.Journal, tasks []pipeline.Task, now time.Time) error {
	spends, err := l.Spends(ctx, to.Header().RunID)
	if err != nil {
		return err
	}
	places, err := to.Places(ctx)
	if err != nil {
		return err
	}
	open := map[string]pipeline.Units{}
	for _, s := range spends {
		open[s.Vendor] += s.Granted - s.Charged + s.Cleared // as a journal knows it
	}
	for _, t := range tasks {
		open[t.Vendor()] -= places[t.ID].Units + places[t.ID].MaybeUnits
	}
	for _, t := range tasks {
		units := open[t.Vendor()]
		if units <= 0 {
			continue
		}
		open[t.Vendor()] = 0
		if err := to.AddAttempt(ctx, t.ID, pipeline.Attempt{Seq: places[t.ID].Pages, At: now, Kind: pipeline.Malformed, MaybeUnits: units,
			Message: "units were spent on replies that a damaged journal no longer tells of"}); err != nil {
			return err
		}
	}
	return nil
}

// salvageTask copies a task's pages up to the first that cannot be read.
func salvageTask(ctx context.Context, from, to *journal.Journal, t ledger.Task) (pages int, units pipeline.Units, err error) {
	if from == nil {
		return 0, 0, nil
	}
	whole := func(yield func(pipeline.Page, error) bool) {
		for p, err := range from.Pages(ctx, t.ID) {
			if err != nil || !yield(p, nil) {
				return
			}
			pages++
			units += p.Units
		}
	}
	if t.ReusedFrom != "" {
		return pages, 0, to.Take(ctx, t.ID, t.ReusedFrom, whole)
	}
	for p := range whole {
		if err := to.Append(ctx, t.ID, p); err != nil {
			return pages, units, err
		}
	}
	return pages, units, nil
}
