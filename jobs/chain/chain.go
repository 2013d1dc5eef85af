// Package chain owns the extracts of a job that wait for others, or for a query over what those have brought: whose turn it is, how
// their tasks come about, and why those that never began did not.
//
// A step that asks once keeps the tasks that came of it, in the run's journal: asked again, what it asks about may have changed.
// What its query looks at has to be whole, since what is missing from a list looks gone to a query.
//
// The package buys nothing and writes no table. Whoever carries the run out tells it what has been bought (a [Past]), and enters
// what comes of it.
package chain

import (
	"context"
	"errors"
	"iter"
	"maps"
	"slices"

	"backhaul/jobs/ledger"
	"backhaul/jobs/plan"
	"backhaul/pipeline"
	"backhaul/pipeline/journal"
	"backhaul/schemas"
)

// Config is the extracts of a job, and how those that wait come to know what they wait for.
type Config struct {
	// Items are the tasks of the extracts that need not wait, in the order of the spec.
	Items []plan.Item
	// Listed are further ones before them, made one after another: of a plan alone. Default none.
	Listed iter.Seq[plan.Item]
	// Steps are the extracts that wait, in the order of the spec.
	Steps []Step
	// Lists are the job's own tables, which queries may read. Default none.
	Lists []List
	// Select says which extracts are bought. One that waits for others begins when those are complete, whoever bought them.
	Select func(extract string) bool
	// Again lets an extract begin though the lists it asks about are not whole. Default false.
	Again bool
	// Ask puts one query to the catalog and the relations, and returns its columns and rows as text, nil for null.
	Ask func(ctx context.Context, query string, relations []Relation) (columns []string, rows [][]*string, err error)
	// Load writes the rows of tasks to a file for queries, and says how many did not fit the table. Next alone needs it, and Ask.
	Load func(ctx context.Context, t *schemas.Table, tasks []pipeline.Task) (path string, rejected int64, err error)
	// LastTime tells what an extract bought in the latest other run, and for how many targets; see [ledger.Ledger.LastTime].
	LastTime func(ctx context.Context, extract string) (c pipeline.Cost, targets int, known bool, err error)
}

// List is one of a job's own tables.
type List struct {
	Name string
	// Digest identifies its content.
	Digest string
}

// Memory keeps how tasks came about. A *journal.Journal is one.
type Memory interface {
	Tasks(ctx context.Context) ([]pipeline.Task, error)
	Resolution(ctx context.Context, extract string) (r journal.Resolution, ok bool, err error)
	Resolve(ctx context.Context, extract string, r journal.Resolution) error
}

// Past is what a run has bought so far.
type Past struct {
	Memory Memory
	Places map[string]pipeline.Place // by task
	// Lists are the job's own tables as the run has staged them.
	Lists []Relation
}

// Chain is the extracts of a run under way. It is for one goroutine.
type Chain struct {
	cfg     Config
	items   []plan.Item // of tasks known so far
	waiting []Step
	related map[string]Relation        // extracts that are done
	known   map[string]bool            // extracts whose tasks are known
	tried   map[string]bool            // extracts that this execution is done with
	stopped map[string]pipeline.Ending // by vendor
	failed  map[string]error           // by extract: why its query yielded no tasks
	unfit   map[string]int64           // by extract that is related: how many of its rows do not fit their table
	partial map[string]string          // by extract: why the lists it would ask about are not whole, "" if they are
	notes   []string                   // what is wrong with rows that became no task
}

// New returns a chain of which the tasks are known that the spec lists for extracts that need not wait.
func New(cfg Config) *Chain {
	c := &Chain{
		cfg: cfg, items: slices.Clip(cfg.Items), // what the run finds out about them is found out again by the next
		waiting: slices.Clone(cfg.Steps), related: map[string]Relation{}, known: map[string]bool{}, tried: map[string]bool{},
		stopped: map[string]pipeline.Ending{}, failed: map[string]error{}, unfit: map[string]int64{}, partial: map[string]string{},
	}
	for _, it := range c.items {
		c.known[it.Task.Extract] = true
	}
	return c
}

// Known returns the items of the tasks known so far. What is found out about one may be entered in it.
func (c *Chain) Known() []plan.Item { return c.items }

// Tasks returns the tasks known so far.
func (c *Chain) Tasks() []pipeline.Task {
	tasks := make([]pipeline.Task, len(c.items))
	for i, it := range c.items {
		tasks[i] = it.Task
	}
	return tasks
}

// All yields the items of the tasks known so far where they are, after those that are only listed, which are gone when the next is
// asked for.
func (c *Chain) All() iter.Seq[*plan.Item] {
	return func(yield func(*plan.Item) bool) {
		if c.cfg.Listed != nil {
			var it plan.Item
			for it = range c.cfg.Listed {
				if !yield(&it) {
					return
				}
			}
		}
		plan.Each(c.items)(yield)
	}
}

// Kinds yields an item for everything that may be bought: those of the spec, and one without a task for each step.
func (c *Chain) Kinds() iter.Seq[*plan.Item] {
	return func(yield func(*plan.Item) bool) {
		for i := range c.cfg.Items {
			if !yield(&c.cfg.Items[i]) {
				return
			}
		}
		for _, s := range c.cfg.Steps {
			if it := s.Item(pipeline.Task{}); !yield(&it) {
				return
			}
		}
	}
}

// Waiting returns the extracts whose tasks are not known yet.
func (c *Chain) Waiting() []string {
	var names []string
	for _, s := range c.waiting {
		names = append(names, s.Extract)
	}
	return names
}

// GiveUp notes that a vendor was given up, so that no step begins there.
func (c *Chain) GiveUp(vendor string, ending pipeline.Ending) { c.stopped[vendor] = ending }

// Try notes that this execution is done with extracts.
func (c *Chain) Try(extracts ...string) {
	for _, name := range extracts {
		c.tried[name] = true
	}
}

// Tried reports whether this execution is done with an extract.
func (c *Chain) Tried(extract string) bool { return c.tried[extract] }

// Err says which extracts' queries yielded no tasks; nil if all did.
func (c *Chain) Err() error {
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(c.failed)) {
		errs = append(errs, c.failed[name])
	}
	return errors.Join(errs...)
}

// Know takes from the waiting steps those whose tasks are known without asking.
func (c *Chain) Know(ctx context.Context, past Past) error {
	var waiting []Step
	for _, s := range c.waiting {
		tasks, final, err := c.made(ctx, past, s)
		if err != nil {
			return err
		}
		if !final {
			waiting = append(waiting, s)
			continue
		}
		c.items = append(c.items, s.items(tasks)...)
	}
	c.waiting = waiting
	return nil
}

// KnowHeld makes the tasks known that the ledger has of a run whose journal was retired: nothing waits any more.
func (c *Chain) KnowHeld(tasks []ledger.Task) error {
	for _, s := range c.waiting {
		var held []pipeline.Task
		for _, t := range tasks {
			if t.Extract == s.Extract && !t.Task.IsPlaceholder() {
				held = append(held, t.Task)
			}
		}
		if s.Query == "" {
			var err error
			if held, _, err = s.Make(nil, nil, held); err != nil {
				return err
			}
		}
		c.items = append(c.items, s.items(held)...)
	}
	c.waiting = nil
	return nil
}

// Nothing is the memory of a run that has no journal yet.
type Nothing struct{}

// Tasks implements Memory.
func (Nothing) Tasks(context.Context) ([]pipeline.Task, error) { return nil, nil }

// Resolution implements Memory.
func (Nothing) Resolution(context.Context, string) (r journal.Resolution, ok bool, err error) {
	return r, false, nil
}

// Resolve implements Memory: there is nowhere to keep it.
func (Nothing) Resolve(context.Context, string, journal.Resolution) error {
	return errors.New("the run has no journal")
}
