package run

import (
	"context"
	"maps"
	"slices"

	"backhaul/jobs/ledger"
	"backhaul/jobs/plan"
	"backhaul/pipeline"
	"backhaul/pipeline/journal"
)

// hasPages reports whether the journal with the pages of an answer is there.
func (o Options) hasPages(ctx context.Context, a ledger.Answer) bool {
	gone, err := o.Books.Of(a.Job, a.RunDate).Gone(ctx)
	return err == nil && !gone
}

// askIndexes asks the vendors for their index where it matters, and keeps what they say.
func (r *runner) askIndexes(ctx context.Context) error {
	return r.price.AskIndexes(ctx, func(vendor, id string) error {
		return r.journal.AddIndex(ctx, journal.Index{Vendor: vendor, ID: id, At: r.Now().UTC()})
	})
}

// takeOver copies the pages of answers that will do into this run's journal, for the extracts, and records what need not be
// asked at all.
func (r *runner) takeOver(ctx context.Context, result *Result, extracts []string) error {
	if err := r.takeFirsts(ctx, result, extracts); err != nil {
		return err
	}
	ended := r.Now().UTC()
	stands := map[string]journal.Standing{}
	for _, it := range r.chain.Known() {
		if !slices.Contains(extracts, it.Task.Extract) {
			continue
		}
		answer := r.price.Answer(it.Task.ID)
		t := journal.Standing{Ended: ended, SavedUnits: answer.Units, IndexID: answer.IndexID}
		switch it.Saves {
		case plan.Unchanged:
			t.Ending = pipeline.EndUnchanged
		case plan.Reused:
			if err := r.take(ctx, it.Task.ID, answer); err != nil {
				return err
			}
			t.Ending = pipeline.EndOfList
		default:
			continue
		}
		stands[it.Task.ID] = t
		result.Saved += answer.Units
	}
	if len(stands) == 0 {
		return nil
	}
	var err error
	if r.places, err = r.journal.Places(ctx); err != nil {
		return err
	}
	for id, t := range stands {
		if t.Ending == pipeline.EndOfList && !r.places[id].End {
			t.Ending = pipeline.EndMaxRows
			stands[id] = t
		}
	}
	return r.journal.Stand(ctx, maps.All(stands))
}

// take copies the pages of one answer.
func (r *runner) take(ctx context.Context, taskID string, a ledger.Answer) error {
	from, err := r.Books.Of(a.Job, a.RunDate).Open(ctx, journal.Header{Job: a.Job, RunDate: a.RunDate})
	if err != nil {
		return err
	}
	defer func() { _ = from.Close() }()
	return r.journal.Take(ctx, taskID, a.RunID, from.Pages(ctx, a.TaskID))
}
