package run

import (
	"context"
	"os"
	"slices"

	"backhaul/jobs/ledger"
	"backhaul/jobs/plan"
	"backhaul/pipeline"
	"backhaul/pipeline/journal"
)

// findAnswers marks the items that need not be bought, because an earlier run's answer will do: one that is young enough
// (max_age), or one that comes from the index the vendor still answers from (only_if: index_changed).
func (r *runner) findAnswers(ctx context.Context) error {
	r.answers = map[string]ledger.Answer{}
	endings, err := r.endings(ctx)
	if err != nil {
		return err
	}
	items := r.chain.Known()
	for i := range items {
		answer, ok, err := r.findAnswer(ctx, &items[i], endings)
		if err != nil {
			return err
		}
		if ok {
			r.answers[items[i].Task.ID] = answer
		}
	}
	return nil
}

// findAnswer marks one item, and returns the answer to its request that may do. endings are those of the run's tasks in earlier
// executions.
func (r *runner) findAnswer(ctx context.Context, it *plan.Item, endings map[string]pipeline.Ending) (answer ledger.Answer, ok bool, err error) {
	it.Saves, it.IndexDecides = plan.Nothing, false
	if it.Place.Pages > 0 || it.MaxAge == 0 && !it.OnlyIfIndexChanged {
		return answer, false, nil
	}
	if answer, ok, err = r.ledger.LastAnswer(ctx, r.run.ID, it.Task); err != nil || !ok {
		return answer, false, err
	}
	it.AnswerUnits = answer.Units
	it.IndexDecides = it.OnlyIfIndexChanged && answer.IndexID != "" && r.indexes == nil
	switch {
	case r.earlier.State == ledger.Complete && endings[it.Task.ID] == pipeline.EndUnchanged:
		it.Saves = plan.Unchanged // what is complete stays so, whatever the index is by now
	case it.OnlyIfIndexChanged && answer.IndexID != "" && answer.IndexID == r.indexes[it.Endpoint.Vendor]:
		it.Saves = plan.Unchanged
	case it.MaxAge > 0 && r.Now().Sub(answer.Ended) <= it.MaxAge && r.hasJournal(answer):
		it.Saves = plan.Reused
	}
	return answer, true, nil
}

// endings returns how the run's tasks ended in earlier executions.
func (r *runner) endings(ctx context.Context) (map[string]pipeline.Ending, error) {
	tasks, err := r.ledger.Tasks(ctx, r.run.ID)
	if err != nil {
		return nil, err
	}
	endings := map[string]pipeline.Ending{}
	for _, t := range tasks {
		endings[t.ID] = t.Ending
	}
	return endings, nil
}

func (r *runner) hasJournal(a ledger.Answer) bool {
	_, err := os.Stat(r.Warehouse.JournalOf(a.Job, a.RunDate))
	return err == nil
}

// askIndexes asks the vendors for their index where an extract depends on it, or its rows tell which it was. A vendor that
// does not say leaves the extract to be bought.
func (r *runner) askIndexes(ctx context.Context) error {
	r.indexes = map[string]string{}
	all := make([]*plan.Item, 0, len(r.Items)+len(r.Steps))
	for i := range r.Items {
		all = append(all, &r.Items[i])
	}
	for _, s := range r.Steps {
		it := s.Item(pipeline.Task{})
		all = append(all, &it)
	}
	for _, it := range all {
		vendor := it.Endpoint.Vendor
		if _, asked := r.indexes[vendor]; asked || !it.OnlyIfIndexChanged && !it.Endpoint.Table.Indexed() {
			continue
		}
		r.indexes[vendor] = ""
		if index := r.Accounts[vendor].Index; index != nil {
			if id, err := index.IndexID(ctx); err == nil {
				r.indexes[vendor] = id
				if err := r.journal.AddIndex(ctx, journal.Index{Vendor: vendor, ID: id, At: r.Now().UTC()}); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// takeOver copies the pages of answers that will do into this run's journal, for the extracts, and records what need not be
// asked at all.
func (r *runner) takeOver(ctx context.Context, result *Result, extracts []string) error {
	ended := r.Now().UTC()
	var records []ledger.Task
	for _, it := range r.chain.Known() {
		if !slices.Contains(extracts, it.Task.Extract) {
			continue
		}
		answer := r.answers[it.Task.ID]
		t := ledger.Task{Task: it.Task, Ended: ended, SavedUnits: answer.Units, IndexID: answer.IndexID}
		switch it.Saves {
		case plan.Unchanged:
			t.Ending = pipeline.EndUnchanged
		case plan.Reused:
			if err := r.take(ctx, it.Task.ID, answer); err != nil {
				return err
			}
			t.Ending, t.ReusedFrom = pipeline.EndOfList, answer.RunID
		default:
			continue
		}
		records = append(records, t)
		result.Saved += answer.Units
	}
	if len(records) == 0 {
		return nil
	}
	var err error
	if r.places, err = r.journal.Places(ctx); err != nil {
		return err
	}
	for i := range records {
		t, place := &records[i], r.places[records[i].ID]
		t.Pages, t.Rows = place.Pages, place.Rows
		if t.Ending == pipeline.EndOfList && !place.End {
			t.Ending = pipeline.EndMaxRows
		}
	}
	return r.ledger.Record(ctx, r.run.ID, records...)
}

// take copies the pages of one answer.
func (r *runner) take(ctx context.Context, taskID string, a ledger.Answer) error {
	from, err := journal.Open(ctx, r.Warehouse.JournalOf(a.Job, a.RunDate), journal.Header{Job: a.Job, RunDate: a.RunDate})
	if err != nil {
		return err
	}
	defer func() { _ = from.Close() }()
	return r.journal.Take(ctx, taskID, a.RunID, from.Pages(ctx, a.TaskID))
}
