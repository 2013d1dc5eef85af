package run

import (
	"context"
	"iter"
	"slices"

	"backhaul/jobs/chain"
	"backhaul/jobs/ledger"
	"backhaul/jobs/load"
	"backhaul/jobs/plan"
	"backhaul/pipeline"
	"backhaul/schemas"
)

// extracts are those of the job, and how those that wait come to know what they wait for. listed are further tasks of a plan.
func (r *runner) extracts(listed iter.Seq[plan.Item]) chain.Config {
	lists := make([]chain.List, len(r.Tables))
	for i, t := range r.Tables {
		lists[i] = chain.List{Name: t.Name(), Digest: t.Digest()}
	}
	return chain.Config{
		Items: r.Items, Listed: listed, Steps: r.Steps, Lists: lists, Select: r.Select, Again: r.Again,
		Ask: func(ctx context.Context, query string, relations []chain.Relation) ([]string, [][]*string, error) {
			return r.Lake.Ask(ctx, query, relations)
		},
		Load: r.loadForQueries, LastTime: r.lastTime,
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

// lastTime is what an extract bought in the latest other run; without a ledger there was none.
func (r *runner) lastTime(ctx context.Context, extract string) (c pipeline.Cost, targets int, known bool, err error) {
	if r.ledger == nil {
		return c, 0, false, nil
	}
	return r.ledger.LastTime(ctx, r.run.ID, r.Name, extract)
}

// past is what the run has bought so far.
func (r *runner) past() chain.Past {
	past := chain.Past{Memory: chain.Nothing{}, Places: r.places, Lists: r.brought}
	if r.journal != nil {
		past.Memory = r.journal
	}
	return past
}

// next returns the extracts whose turn it is, with their tasks entered; none if nothing can begin any more.
func (r *runner) next(ctx context.Context) ([]string, error) {
	tasks, err := r.ledger.Tasks(ctx, r.run.ID)
	if err != nil {
		return nil, err
	}
	names, err := r.chain.Next(ctx, r.past(), tasks)
	if err != nil {
		return nil, err
	}
	return names, r.intend(ctx)
}

// leaveWaiting enters the extracts that did not begin, and returns what there is to say of them.
func (r *runner) leaveWaiting(ctx context.Context) (notes []string, err error) {
	left, err := r.chain.Leave(ctx, r.past())
	if err != nil {
		return nil, err
	}
	for _, e := range left.CutOff {
		r.hold(e)
	}
	if err := r.intend(ctx); err != nil || len(left.Records) == 0 {
		return left.Notes, err
	}
	for i := range left.Records {
		left.Records[i].Ended = r.Now().UTC()
	}
	return left.Notes, r.ledger.Record(ctx, r.run.ID, left.Records...)
}

// intend enters the tasks known so far into journal and ledger. Placeholders are the ledger's alone.
func (r *runner) intend(ctx context.Context) error {
	tasks := r.chain.Tasks()
	if err := r.journal.AddTasks(ctx, real(tasks)); err != nil {
		return err
	}
	return r.ledger.Intend(ctx, r.run.ID, tasks, r.chain.Waiting()...)
}

// real returns the tasks that are no placeholders: those that can have pages.
func real(tasks []pipeline.Task) []pipeline.Task {
	return slices.DeleteFunc(slices.Clone(tasks), ledger.IsPlaceholder)
}
