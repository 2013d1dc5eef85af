package price

import (
	"context"

	"backhaul/jobs/ledger"
	"backhaul/jobs/plan"
	"backhaul/pipeline"
)

// findAnswers marks the items that need not be bought, because an earlier run's answer will do: one that is young enough
// (max_age), or one that comes from the index the vendor still answers from (only_if: index_changed).
func (p *Pricer) findAnswers(ctx context.Context) error {
	p.answers = map[string]ledger.Answer{}
	endings, err := p.endings(ctx)
	if err != nil {
		return err
	}
	items := p.cfg.Chain.Known()
	for i := range items {
		answer, ok, err := p.findAnswer(ctx, &items[i], endings)
		if err != nil {
			return err
		}
		if ok {
			p.answers[items[i].Task.ID] = answer
		}
	}
	return nil
}

// findAnswer marks one item, and returns the answer to its request that may do. endings are those of the run's tasks in earlier
// executions.
func (p *Pricer) findAnswer(ctx context.Context, it *plan.Item, endings map[string]pipeline.Ending) (answer ledger.Answer, ok bool, err error) {
	it.Saves, it.IndexDecides = plan.Nothing, false
	if it.Place.Pages > 0 || it.MaxAge == 0 && !it.OnlyIfIndexChanged {
		return answer, false, nil
	}
	if answer, ok, err = p.cfg.Books.Ledger.LastAnswer(ctx, p.cfg.Books.RunID, it.Task); err != nil || !ok {
		return answer, false, err
	}
	it.AnswerUnits = answer.Units
	it.IndexDecides = it.OnlyIfIndexChanged && answer.IndexID != "" && p.indexes == nil
	switch {
	case p.cfg.Complete && endings[it.Task.ID] == pipeline.EndUnchanged:
		it.Saves = plan.Unchanged // what is complete stays so, whatever the index is by now
	case it.OnlyIfIndexChanged && answer.IndexID != "" && answer.IndexID == p.indexes[it.Endpoint.Vendor]:
		it.Saves = plan.Unchanged
	case it.MaxAge > 0 && p.cfg.Now().Sub(answer.Ended) <= it.MaxAge && p.cfg.HasPages(ctx, answer):
		it.Saves = plan.Reused
	}
	return answer, true, nil
}

// endings returns how the tasks of a run that was complete ended in earlier executions.
func (p *Pricer) endings(ctx context.Context) (map[string]pipeline.Ending, error) {
	if !p.cfg.Complete {
		return nil, nil
	}
	tasks, err := p.cfg.Books.Ledger.Tasks(ctx, p.cfg.Books.RunID)
	if err != nil {
		return nil, err
	}
	endings := map[string]pipeline.Ending{}
	for _, t := range tasks {
		endings[t.ID] = t.Ending
	}
	return endings, nil
}

// Answer is the latest earlier one to a task's request, as of the last plan. Zero if there is none.
func (p *Pricer) Answer(taskID string) ledger.Answer { return p.answers[taskID] }

// Index is what a vendor has said that it answers from, "" if it did not.
func (p *Pricer) Index(vendor string) string { return p.indexes[vendor] }

// AskIndexes asks the vendors for their index where an extract depends on it, or its rows tell which it was. A vendor that
// does not say leaves the extract to be bought. keep is told what they say.
func (p *Pricer) AskIndexes(ctx context.Context, keep func(vendor, id string) error) error {
	p.indexes = map[string]string{}
	for it := range p.cfg.Chain.Kinds() {
		vendor := it.Endpoint.Vendor
		if _, asked := p.indexes[vendor]; asked || !it.OnlyIfIndexChanged && !it.Endpoint.Table.Indexed() {
			continue
		}
		p.indexes[vendor] = ""
		if index := p.cfg.Budget.Account(vendor).Index; index != nil {
			if id, err := index.IndexID(ctx); err == nil {
				p.indexes[vendor] = id
				if err := keep(vendor, id); err != nil {
					return err
				}
			}
		}
	}
	return nil
}
