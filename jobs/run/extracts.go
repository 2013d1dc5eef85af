package run

import (
	"context"
	"maps"
	"slices"

	"backhaul/jobs/account"
	"backhaul/jobs/budget"
	"backhaul/jobs/chain"
	"backhaul/jobs/load"
	"backhaul/jobs/plan"
	"backhaul/pipeline"
	"backhaul/pipeline/journal"
	"backhaul/schemas"
)

// extracts are those of the job, for plans and runs.
func (j Job) extracts(o Options, books budget.Books) chain.Config {
	lists := make([]chain.List, len(j.Tables))
	for i, t := range j.Tables {
		lists[i] = chain.List{Name: t.Name(), Digest: t.Digest()}
	}
	return chain.Config{
		Items: j.Items, Steps: j.Steps, Lists: lists, Select: o.Select, Again: o.Again,
		LastTime: func(ctx context.Context, extract string) (c pipeline.Cost, targets int, known bool, err error) {
			if books.Ledger == nil {
				return c, 0, false, nil
			}
			return books.Ledger.LastTime(ctx, books.RunID, books.Job, extract)
		},
	}
}

// loadForQueries writes the rows of tasks to a file that is not published.
func (r *runner) loadForQueries(ctx context.Context, t *schemas.Table, tasks []pipeline.Task) (path string, rejected int64, err error) {
	places, err := r.journal.Places(ctx)
	if err != nil {
		return "", 0, err
	}
	file, rejected, err := load.Table(ctx, r.loading(places), t, tasks)
	return file.Path, rejected, err
}

// past is what the run has bought so far.
func (r *runner) past() chain.Past {
	return chain.Past{Memory: r.memory, Places: r.places, Lists: r.brought}
}

// next returns the extracts whose turn it is, with their tasks entered; none if nothing can begin any more.
func (r *runner) next(ctx context.Context) ([]string, error) {
	known, waiting := len(r.chain.Known()), len(r.chain.Waiting())
	if waiting == 0 {
		return nil, nil
	}
	tasks, err := account.Tasks(ctx, r.journal, r.places)
	if err != nil {
		return nil, err
	}
	names, err := r.chain.Next(ctx, r.past(), tasks)
	if err != nil {
		return nil, err
	}
	if len(r.chain.Known()) == known && len(r.chain.Waiting()) == waiting {
		return names, nil
	}
	return names, r.intend(ctx)
}

// leaveWaiting enters the extracts that did not begin, and returns what there is to say of them.
func (r *runner) leaveWaiting(ctx context.Context) (notes []string, err error) {
	waited := len(r.chain.Waiting()) > 0
	left, err := r.chain.Leave(ctx, r.past())
	if err != nil || !waited {
		return left.Notes, err
	}
	for _, e := range left.CutOff {
		r.hold(e)
	}
	if err := r.intend(ctx); err != nil || len(left.Records) == 0 {
		return left.Notes, err
	}
	stands := map[string]journal.Standing{}
	for id, why := range left.Records {
		stands[id] = journal.Standing{Ending: pipeline.EndNotReached, Error: why, Ended: r.Now().UTC()}
	}
	return left.Notes, r.journal.Stand(ctx, maps.All(stands))
}

// intend enters the tasks known so far into the journal.
func (r *runner) intend(ctx context.Context) error {
	return r.journal.Intend(ctx, r.chain.Tasks(), r.chain.Waiting()...)
}

// real returns the tasks that are not placeholders: those that can have pages.
func real(tasks []pipeline.Task) []pipeline.Task {
	return slices.DeleteFunc(slices.Clone(tasks), pipeline.Task.IsPlaceholder)
}

// plan prices what is missing of the extracts, of all if there are none.
func (r *runner) plan(ctx context.Context, extracts []string) (*plan.Plan, error) {
	past := r.past()
	past.Places = r.firsts.onwards(past.Places, r.chain.All())
	return r.price.Plan(ctx, past, extracts)
}

// expect enters what a plan expects of the tasks of some extracts, of all if there are none: what they have
// cost so far and what is missing.
func (r *runner) expect(ctx context.Context, p *plan.Plan, extracts []string) error {
	missing := map[*plan.Item]*plan.Missing{}
	for _, work := range p.Work {
		for i := range work {
			missing[work[i].Item] = &work[i].Missing
		}
	}
	return r.journal.Expect(ctx, func(yield func(string, pipeline.Expectation) bool) {
		for it := range plan.Each(r.chain.Known()) {
			if extracts != nil && !slices.Contains(extracts, it.Task.Extract) {
				continue
			}
			e := pipeline.Expectation{Units: r.places[it.Task.ID].Units}
			if lacks := missing[it]; lacks != nil {
				if e.Units += lacks.Units; !lacks.Known {
					e.Next = lacks.Units
				}
			}
			if !yield(it.Task.ID, e) {
				return
			}
		}
	})
}
