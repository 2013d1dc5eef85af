package run

import (
	"context"
	"iter"

	"backhaul/jobs/books"
	"backhaul/jobs/plan"
	"backhaul/pipeline"
)

// Unread yields those of items that ask for a list of which no run of the warehouse has a complete answer.
func Unread(ctx context.Context, items iter.Seq[plan.Item], in books.Books) (iter.Seq[plan.Item], error) {
	l, err := ledgerOf(ctx, in)
	if err != nil {
		return nil, err
	}
	var histories map[string]pipeline.History
	if l != nil {
		defer func() { _ = l.Close() }()
		if histories, err = l.Histories(ctx); err != nil {
			return nil, err
		}
	}
	return func(yield func(plan.Item) bool) {
		for it := range items {
			if !plan.Read(it.Task, histories) && !yield(it) {
				return
			}
		}
	}, nil
}
