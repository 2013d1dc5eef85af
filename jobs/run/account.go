package run

import (
	"context"
	"fmt"

	"backhaul/jobs/account"
	"backhaul/jobs/ledger"
	"backhaul/pipeline"
	"backhaul/pipeline/words"
	"backhaul/schemas"
	"backhaul/sinks"
)

// account writes the run's own account, the ops tables, over what an earlier execution wrote.
func (r *runner) account(ctx context.Context, result *Result, now publication) error {
	dropped, err := r.dropped(ctx)
	if err != nil {
		return err
	}
	if err := r.tellCharged(ctx, result); err != nil {
		return err
	}
	result.Notes = append(result.Notes, notesOf(dropped, r.date)...)
	books := account.Books{Run: result.Run, RunDate: r.RunDate, Journal: r.journal, Tasks: result.Tasks, Dropped: dropped, Missing: result.missing(),
		Published: func(t pipeline.Task) bool {
			source, err := r.Sources(t)
			return err == nil && now.tables[source.Endpoint().Table.FullName()]
		}, Reconciled: result.Reconciled, Charged: result.Charged, Held: result.HeldUnits, Windowed: r.isWindowed, Loaded: now.loaded, Drift: result.Drift}
	return books.Write(ctx, r.shelf(ctx))
}

// shelf is where the run's own account is written.
func (r *runner) shelf(ctx context.Context) account.Shelf {
	return account.Shelf{Create: r.Lake.Create, Publish: func(t *schemas.Table, staged sinks.Staged) error {
		if staged.Rows == 0 && !r.Lake.Has(t, r.Name, r.RunDate) {
			return nil // most nights have no failed request, and no row that does not fit
		}
		_, err := r.Lake.Publish(ctx, t, r.Name, r.RunDate, staged.Path)
		return err
	}}
}

// isWindowed reports whether a task's list is over a moving window of time.
func (r *runner) isWindowed(t pipeline.Task) bool {
	source, err := r.Sources(t)
	return err == nil && source.Endpoint().Windowed(t)
}

// dropped returns the tasks that the run has asked something for and that the spec asks for no more.
func (r *runner) dropped(ctx context.Context) ([]ledger.Task, error) {
	all, err := r.journal.LeftOut(ctx)
	if err != nil {
		return nil, err
	}
	var dropped []ledger.Task
	for _, t := range all {
		if place := r.places[t.ID]; place.Pages > 0 || place.Attempts > 0 {
			former := ledger.Task{Task: t}
			account.Stand(&former, place)
			dropped = append(dropped, former)
		}
	}
	return dropped, nil
}

// notesOf says which rows leave the tables because the spec asks for them no more.
func notesOf(dropped []ledger.Task, date string) []string {
	var tasks, rows int64
	for _, t := range dropped {
		if t.Rows > 0 {
			tasks, rows = tasks+1, rows+t.Rows
		}
	}
	if tasks == 0 {
		return nil
	}
	return []string{fmt.Sprintf("%s of %s that this run bought and the spec asks for no more; "+
		"the journal keeps them: asked for again for %s, they cost nothing", words.Plural(rows, "row"), words.Plural(tasks, "task"), date)}
}

// tellCharged completes the result with what became of the run's requests without an answer.
func (r *runner) tellCharged(ctx context.Context, result *Result) error {
	spends, err := r.ledger.Spends(ctx, r.run.ID)
	for _, s := range spends {
		result.Charged += s.Charged
		result.HeldUnits += s.Held()
	}
	return err
}
