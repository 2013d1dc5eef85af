package run

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"

	"backhaul/jobs/ledger"
	"backhaul/jobs/load"
	"backhaul/jobs/plan"
	"backhaul/pipeline"
	"backhaul/pipeline/journal"
	"backhaul/schemas"
)

// Step is an extract whose tasks are not settled by the spec alone: others come first, a query provides them, or what has
// been bought decides how batches are cut.
type Step struct {
	Extract  string
	Endpoint *pipeline.Endpoint
	// After are the extracts that must be done first, Before all that are done then, whose rows a query can read. Default none.
	After, Before []string
	// Query is SQL over the catalog, the job's tables and the extracts of Before, by name. Default "": the spec lists what is
	// asked about.
	Query string
	// Digest identifies what Query is asked for: tasks made under another are no longer intended.
	Digest string
	// Make makes the tasks: of the query's answer, or of the spec's list where there is no query. Tasks held have been bought:
	// what they ask about is not asked again. notes are what is wrong with single rows, which are left out.
	Make func(columns []string, rows [][]*string, held []pipeline.Task) (tasks []pipeline.Task, notes []string, err error)
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
	waiting []Step
	brought []Relation                 // the job's own tables, staged
	related map[string]Relation        // extracts that are done
	known   map[string]bool            // extracts whose tasks are known
	tried   map[string]bool            // extracts whose round this execution has had
	stopped map[string]pipeline.Ending // by vendor
	failed  map[string]error           // by extract: why its query yielded no tasks
	unfit   map[string]int64           // by extract that is related: how many of its rows do not fit their table
	partial map[string]string          // by extract: why the lists it would ask about are not whole, "" if they are
}

// begin makes the tasks known that the spec lists for extracts that need not wait.
func (r *runner) begin() {
	r.items = slices.Clip(r.Items) // what the run finds out about them is found out anew by the next
	r.steps = steps{
		waiting: slices.Clone(r.Steps), related: map[string]Relation{}, known: map[string]bool{}, tried: map[string]bool{},
		stopped: map[string]pipeline.Ending{}, failed: map[string]error{}, unfit: map[string]int64{}, partial: map[string]string{},
	}
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
		if !r.Select(s.Extract) {
			known, err := r.leaveOut(ctx, s)
			if err != nil {
				return nil, err
			}
			if !known {
				waiting = append(waiting, s)
			}
			continue
		}
		if _, stopped := r.stopped[s.Endpoint.Vendor]; stopped || r.failed[s.Extract] != nil || !r.over(tasks, s.After...) {
			waiting = append(waiting, s)
			continue
		}
		if r.partial[s.Extract], err = r.lacking(ctx, s, tasks); err != nil {
			return nil, err
		}
		if r.partial[s.Extract] != "" {
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

// leaveOut makes the tasks known of a step that is not selected, as far as they are: others may wait for what it has bought.
func (r *runner) leaveOut(ctx context.Context, s Step) (known bool, err error) {
	tasks, final, err := r.made(ctx, s)
	if err != nil || !final {
		return false, err
	}
	r.items = append(r.items, s.items(tasks)...)
	r.known[s.Extract] = true
	return true, nil
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
		failed := r.tried[t.Extract] && (t.Ending == pipeline.EndFault || t.Ending == pipeline.EndStale || t.Ending == pipeline.EndRepeats)
		if slices.Contains(extracts, t.Extract) && !t.Ending.Complete() && !failed {
			return false
		}
	}
	return true
}

// resolve returns the items of a step, asking its query if need be.
func (r *runner) resolve(ctx context.Context, s Step, tasks []ledger.Task) ([]plan.Item, error) {
	made, final, err := r.made(ctx, s)
	if err == nil && !final {
		made, err = r.ask(ctx, s, tasks, made)
	}
	if err != nil {
		return nil, fmt.Errorf("extract %s: %w", s.Extract, err)
	}
	return s.items(made), nil
}

func (s Step) items(tasks []pipeline.Task) []plan.Item {
	items := make([]plan.Item, len(tasks))
	for i, t := range tasks {
		items[i] = s.Item(t)
	}
	return items
}

// made returns the step's tasks as far as they are known without asking. final says that they are all; else they are those
// that have been bought, which stay.
func (r *runner) made(ctx context.Context, s Step) (tasks []pipeline.Task, final bool, err error) {
	if s.Query == "" {
		held, err := r.bought(ctx, s.Extract)
		if err != nil {
			return nil, false, err
		}
		tasks, _, err = s.Make(nil, nil, held)
		return tasks, err == nil, err
	}
	if r.journal == nil {
		return nil, false, nil
	}
	known, ok, err := r.journal.Resolution(ctx, s.Extract)
	if err != nil || !ok || known.Digest != s.Digest {
		return nil, false, err
	}
	if known.Final && known.Basis == r.basis(s) {
		return known.Tasks, true, nil
	}
	for _, t := range known.Tasks {
		if r.places[t.ID].Pages > 0 {
			tasks = append(tasks, t)
		}
	}
	return tasks, false, nil
}

// bought returns the extract's tasks that have a page.
func (r *runner) bought(ctx context.Context, extract string) (held []pipeline.Task, err error) {
	if r.journal == nil {
		return nil, nil
	}
	all, err := r.journal.Tasks(ctx)
	for _, t := range all {
		if t.Extract == extract && r.places[t.ID].Pages > 0 {
			held = append(held, t)
		}
	}
	return held, err
}

// basis identifies what a step's query can see of this run: the tasks of the extracts it waits for, and the job's tables that
// it names. If that changes, its answer may.
func (r *runner) basis(s Step) string {
	var parts []string
	for it := range r.all() {
		if slices.Contains(s.After, it.Task.Extract) {
			parts = append(parts, fmt.Sprintf("%s %d", it.Task.ID, it.Task.MaxRows))
		}
	}
	slices.Sort(parts)
	for _, t := range r.Tables {
		if strings.Contains(s.Query, t.Name()) {
			parts = append(parts, t.Name()+" "+t.Digest())
		}
	}
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return hex.EncodeToString(sum[:8])
}

// ask puts the step's query and enters the tasks that come of it.
func (r *runner) ask(ctx context.Context, s Step, tasks []ledger.Task, held []pipeline.Task) ([]pipeline.Task, error) {
	final := true
	for _, t := range tasks {
		final = final && (!slices.Contains(s.After, t.Extract) || t.Ending.Complete())
	}
	relations, err := r.relate(ctx, tasks, s.Before)
	if err != nil {
		return nil, err
	}
	columns, rows, err := r.Lake.Ask(ctx, s.Query, relations)
	if err != nil {
		return nil, queryError{err}
	}
	made, notes, err := s.Make(columns, rows, held)
	if err != nil {
		return nil, queryError{err}
	}
	r.notes = append(r.notes, notes...)
	return made, r.journal.Resolve(ctx, s.Extract, journal.Resolution{Digest: s.Digest, Basis: r.basis(s), Final: final, Tasks: made})
}

// queryError means that a step's query, or its answer, is at fault.
type queryError struct{ error }

func (e queryError) Unwrap() error { return e.error }

// relate returns the job's tables and the extracts as relations, those of the rows of their complete tasks.
func (r *runner) relate(ctx context.Context, tasks []ledger.Task, extracts []string) ([]Relation, error) {
	relations := slices.Clone(r.brought)
	for _, name := range extracts {
		if _, ok := r.related[name]; !ok {
			relation, err := r.relation(ctx, name, tasks)
			if err != nil {
				return nil, err
			}
			r.related[name] = relation
		}
		relations = append(relations, r.related[name])
	}
	return relations, nil
}

func (r *runner) relation(ctx context.Context, extract string, tasks []ledger.Task) (Relation, error) {
	var complete []pipeline.Task
	for _, t := range tasks {
		if t.Extract == extract && t.Ending.Complete() {
			complete = append(complete, t.Task)
		}
	}
	table := r.endpointOf(extract).Table
	places, err := r.journal.Places(ctx)
	if err != nil {
		return Relation{}, err
	}
	file, rejected, err := load.Table(ctx, r.loading(places), table, complete)
	if err != nil {
		return Relation{}, fmt.Errorf("load %s for queries: %w", extract, err)
	}
	r.unfit[extract] = rejected
	return Relation{Name: extract, Table: table, Path: file.Path}, nil
}

// endpointOf returns the endpoint of one of the job's extracts.
func (r *runner) endpointOf(extract string) *pipeline.Endpoint {
	for _, s := range r.Steps {
		if s.Extract == extract {
			return s.Endpoint
		}
	}
	i := slices.IndexFunc(r.Items, func(it plan.Item) bool { return it.Task.Extract == extract })
	return r.Items[i].Endpoint // a step waits for extracts of the job only
}

// openExtracts returns the extracts whose tasks are not known yet.
func (r *runner) openExtracts() []string {
	var names []string
	for _, s := range r.waiting {
		names = append(names, s.Extract)
	}
	return names
}

// intend enters the tasks known so far into journal and ledger. Placeholders are the ledger's alone.
func (r *runner) intend(ctx context.Context) error {
	tasks := tasksOf(r.items)
	if err := r.journal.AddTasks(ctx, real(tasks)); err != nil {
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
