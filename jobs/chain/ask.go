package chain

import (
	"context"
	"fmt"
	"slices"

	"backhaul/jobs/ledger"
	"backhaul/jobs/plan"
	"backhaul/pipeline"
	"backhaul/pipeline/journal"
)

// ask puts the step's query and enters the tasks that come of it.
func (c *Chain) ask(ctx context.Context, past Past, s Step, tasks []ledger.Task, held []pipeline.Task) ([]pipeline.Task, error) {
	final := true
	for _, t := range tasks {
		final = final && (!slices.Contains(s.After, t.Extract) || t.Ending.Complete())
	}
	relations, err := c.relate(ctx, past, tasks, s.Before)
	if err != nil {
		return nil, err
	}
	columns, rows, err := c.cfg.Ask(ctx, s.Query, relations)
	if err != nil {
		return nil, queryError{err}
	}
	made, notes, err := s.Make(columns, rows, held)
	if err != nil {
		return nil, queryError{err}
	}
	c.notes = append(c.notes, notes...)
	return made, past.Memory.Resolve(ctx, s.Extract, journal.Resolution{Digest: s.Digest, Basis: c.basis(s), Final: final, Tasks: made})
}

// queryError means that a step's query, or its answer, is at fault.
type queryError struct{ error }

func (e queryError) Unwrap() error { return e.error }

// relate returns the job's tables and the extracts as relations, those of the rows of their complete tasks.
func (c *Chain) relate(ctx context.Context, past Past, tasks []ledger.Task, extracts []string) ([]Relation, error) {
	relations := slices.Clone(past.Lists)
	for _, name := range extracts {
		if _, ok := c.related[name]; !ok {
			relation, err := c.relation(ctx, name, tasks)
			if err != nil {
				return nil, err
			}
			c.related[name] = relation
		}
		relations = append(relations, c.related[name])
	}
	return relations, nil
}

func (c *Chain) relation(ctx context.Context, extract string, tasks []ledger.Task) (Relation, error) {
	var complete []pipeline.Task
	for _, t := range tasks {
		if t.Extract == extract && t.Ending.Complete() {
			complete = append(complete, t.Task)
		}
	}
	table := c.endpointOf(extract).Table
	path, rejected, err := c.cfg.Load(ctx, table, complete)
	if err != nil {
		return Relation{}, fmt.Errorf("load %s for queries: %w", extract, err)
	}
	c.unfit[extract] = rejected
	return Relation{Name: extract, Table: table, Path: path}, nil
}

// endpointOf returns the endpoint of one of the job's extracts.
func (c *Chain) endpointOf(extract string) *pipeline.Endpoint {
	for _, s := range c.cfg.Steps {
		if s.Extract == extract {
			return s.Endpoint
		}
	}
	i := slices.IndexFunc(c.cfg.Items, func(it plan.Item) bool { return it.Task.Extract == extract })
	return c.cfg.Items[i].Endpoint // a step waits for extracts of the job only
}
