package run

import (
	"context"
	"iter"

	"backhaul/jobs/plan"
	"backhaul/jobs/recovery"
	"backhaul/pipeline"
	"backhaul/sinks"
)

// Unread yields those of items that ask for a list of which no run of the warehouse has a complete answer.
func Unread(ctx context.Context, items iter.Seq[plan.Item], w sinks.Warehouse) (iter.Seq[plan.Item], error) {
	histories := map[string]pipeline.History{}
	if !recovery.Gone(w.Ledger()) || recovery.HasJournals(w) {
		l, err := recovery.OpenLedger(ctx, w)
		if err != nil {
			return nil, err
		}
		defer func() { _ = l.Close() }()
		if histories, err = l.Histories(ctx); err != nil {
			return nil, err
		}
	}
	return func(yield func(plan.Item) bool) {
		for it := range items {
			h, known := histories[it.Task.Request()]
			if more := h.More && (it.Task.MaxRows == 0 || it.Task.MaxRows > h.Rows); known && !more {
				continue
			}
			if !yield(it) {
				return
			}
		}
	}, nil
}
