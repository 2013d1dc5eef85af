package run

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"backhaul/jobs/ledger"
	"backhaul/jobs/plan"
	"backhaul/pipeline"
	"backhaul/pipeline/journal"
	"backhaul/schemas"
)

// Step is an extract that cannot begin with the run: others come first, or a query provides its tasks.
type Step struct {
	Extract  string
	Endpoint *pipeline.Endpoint
	// After are the extracts that must be done first. Default none.
	After []string
	// Items are its tasks where the spec lists them. Default: Query provides them.
	Items []plan.Item
	// Query is SQL over the catalog and the run's extracts that are done, by name. Default "".
	Query string
	// Digest identifies what Query is asked for: tasks made under another are no longer intended.
	Digest string
	// Tasks makes tasks of the query's answer, beside those held, which have been bought for an earlier one. notes are what is
	// wrong with single rows, which are left out.
	Tasks func(columns []string, rows [][]*string, held []pipeline.Task) (tasks []pipeline.Task, notes []string, err error)
	// Item completes one of those tasks.
	Item func(pipeline.Task) plan.Item
}

// Relation is a table of the run under way, under a name of its own, for queries.
type Relation struct {
	Name  string
	Table *schemas.Table
	// Path is the Parquet file that holds its rows.
	Path string
}

// steps are the extracts that wait, and what has become of them.
type steps struct {
	waiting   []Step
	relations []Relation                 // of extracts that are done, and of the job's own tables
	related   map[string]bool            // extracts among them
	known     map[string]bool            // extracts whose tasks are known
	tried     map[string]bool            // extracts whose round this execution has had
	stopped   map[string]pipeline.Ending // by vendor
	failed    map[string]error           // by extract: why its query yielded no tasks
	brought   []Relation                 // the job's own tables, staged
}

// begin makes the tasks known that the spec lists for extracts that need not wait.
func (r *runner) begin() {
	r.items = slices.Clone(r.Items)
	r.steps = steps{waiting: slices.Clone(r.Steps), related: map[string]bool{}, known: map[string]bool{}, tried: map[string]bool{}, stopped: map[string]pipeline.Ending{}, failed: map[string]error{}}
	for _, it := range r.items {
		r.known[it.Task.Extract] = true
	}
}

// next takes from the waiting steps those that can begin, makes their tasks known and returns their extracts; none if
// nothing can begin any more.
func (r *runner) next(ctx context.Context) ([]string, error) {
	tasks, err := r.ledger.Tasks(ctx, r.run.ID)
	if err != nil {
		return nil, err
	}
	var waiting []Step
	var names []string
	var items []plan.Item
	for _, s := range r.waiting {
		if _, stopped := r.stopped[s.Endpoint.Vendor]; stopped || r.failed[s.Extract] != nil || !r.over(tasks, s.After...) {
			waiting = append(waiting, s)
			continue
		}
		made, err := r.resolve(ctx, s, tasks)
		if errors.As(err, new(queryError)) && ctx.Err() == nil {
			// The extract's own fault holds only those up that wait for it.
			r.failed[s.Extract] = err
			waiting = append(waiting, s)
			continue
		}
		if err != nil {
			return nil, err
		}
		items, names = append(items, made...), append(names, s.Extract)
	}
	r.items, r.waiting = append(r.items, items...), waiting
	for _, name := range names {
		r.known[name] = true
	}
	return names, r.intend(ctx)
}

// over reports whether nothing more will come of the extracts in this execution, and that not because it was stopped: they
// are complete, or what they lack failed by itself when its turn was.
func (r *runner) over(tasks []ledger.Task, extracts ...string) bool {
	for _, name := range extracts {
		if !r.known[name] {
			return false
		}
	}
	for _, t := range tasks {
		failed := r.tried[t.Extract] && (t.Ending == pipeline.EndFault || t.Ending == pipeline.EndStale)
		if slices.Contains(extracts, t.Extract) && !t.Ending.Complete() && !failed {
			return false
		}
	}
	return true
}

// resolve returns the items of a step. Those made of a query's final answer are kept for the whole run.
func (r *runner) resolve(ctx context.Context, s Step, tasks []ledger.Task) ([]plan.Item, error) {
	if s.Query == "" {
		return s.Items, nil
	}
	known, held, err := r.resolved(ctx, s)
	if err != nil {
		return nil, err
	}
	if known == nil || !known.Final {
		if held, err = r.ask(ctx, s, tasks, held); err != nil {
			return nil, fmt.Errorf("extract %s: %w", s.Extract, err)
		}
	}
	items := make([]plan.Item, len(held))
	for i, t := range held {
		items[i] = s.Item(t)
	}
	return items, nil
}

// resolved returns how the journal says the step's tasks came about, nil if they did not, and those tasks: all of them if the
// answer was final, else those that have been bought.
func (r *runner) resolved(ctx context.Context, s Step) (*journal.Resolution, []pipeline.Task, error) {
	known, ok, err := r.journal.Resolution(ctx, s.Extract)
	if err != nil || !ok || known.Digest != s.Digest {
		return nil, nil, err
	}
	all, err := r.journal.Tasks(ctx)
	if err != nil {
		return nil, nil, err
	}
	var tasks []pipeline.Task
	for _, t := range all {
		if t.Extract == s.Extract && !isPlaceholder(t) && (known.Final || r.places[t.ID].Pages > 0) {
			tasks = append(tasks, t)
		}
	}
	return &known, tasks, nil
}

// ask puts the step's query and enters the tasks that come of it.
func (r *runner) ask(ctx context.Context, s Step, tasks []ledger.Task, held []pipeline.Task) ([]pipeline.Task, error) {
	final := true
	for _, t := range tasks {
		final = final && (!slices.Contains(s.After, t.Extract) || t.Ending.Complete())
	}
	if err := r.relate(ctx, tasks); err != nil {
		return nil, err
	}
	columns, rows, err := r.Lake.Ask(ctx, s.Query, r.relations)
	if err != nil {
		return nil, queryError{err}
	}
	made, notes, err := s.Tasks(columns, rows, held)
	if err != nil {
		return nil, queryError{err}
	}
	r.notes = append(r.notes, notes...)
	return made, r.journal.Resolve(ctx, s.Extract, journal.Resolution{Digest: s.Digest, Final: final}, made)
}

// queryError means that a step's query, or its answer, is at fault.
type queryError struct{ error }

func (e queryError) Unwrap() error { return e.error }

// relate makes relations of the extracts that are over, of the rows of their complete tasks.
func (r *runner) relate(ctx context.Context, tasks []ledger.Task) error {
	byExtract := map[string][]pipeline.Task{}
	for _, t := range tasks {
		if t.Ending.Complete() {
			byExtract[t.Extract] = append(byExtract[t.Extract], t.Task)
		}
	}
	for name := range r.known {
		if r.related[name] || !r.over(tasks, name) {
			continue
		}
		table, err := r.tableOf(name)
		if err != nil {
			return err
		}
		l := r.loader()
		if l.places, err = r.journal.Places(ctx); err != nil {
			return err
		}
		file, err := l.table(ctx, table, byExtract[name])
		if err != nil {
			return fmt.Errorf("load %s for queries: %w", name, err)
		}
		r.relations = append(r.relations, Relation{Name: name, Table: table, Path: file.Path})
		r.related[name] = true
	}
	return nil
}

func (r *runner) tableOf(extract string) (*schemas.Table, error) {
	for _, it := range r.Items {
		if it.Task.Extract == extract {
			return it.Endpoint.Table, nil
		}
	}
	for _, s := range r.Steps {
		if s.Extract == extract {
			return s.Endpoint.Table, nil
		}
	}
	return nil, fmt.Errorf("no extract %s", extract)
}

// openExtracts returns the extracts whose tasks are not known yet.
func (r *runner) openExtracts() []string {
	var names []string
	for _, s := range r.waiting {
		names = append(names, s.Extract)
	}
	return names
}

// intend enters the tasks known so far into journal and ledger.
func (r *runner) intend(ctx context.Context) error {
	tasks := tasksOf(r.items)
	if err := r.journal.AddTasks(ctx, tasks); err != nil {
		return err
	}
	return r.ledger.Intend(ctx, r.run.ID, tasks, r.openExtracts()...)
}

func tasksOf(items []plan.Item) []pipeline.Task {
	tasks := make([]pipeline.Task, len(items))
	for i, it := range items {
		tasks[i] = it.Task
	}
	return tasks
}
