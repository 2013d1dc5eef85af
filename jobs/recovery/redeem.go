package recovery

import (
	"context"
	"slices"

	"backhaul/pipeline"
	"backhaul/pipeline/journal"
)

// Redeem reads the replies once more that tasks are held up by, the latest first, and makes those that can be read by now the
// next pages of their tasks. It returns how many.
func Redeem(ctx context.Context, j *journal.Journal, sources func(pipeline.Task) (pipeline.Source, error)) (int, error) {
	replies, err := repliesIn(ctx, j)
	if err != nil {
		return 0, err
	}
	redeemed := map[string]bool{}
	for _, reply := range slices.Backward(replies) {
		if !reply.Open || redeemed[reply.TaskID] {
			continue
		}
		ok, err := readAgain(ctx, j, sources, reply)
		if err != nil {
			return len(redeemed), err
		}
		if ok {
			redeemed[reply.TaskID] = true
		}
	}
	return len(redeemed), nil
}

// readAgain reports whether the reply can be read by now, and is a page.
func readAgain(ctx context.Context, j *journal.Journal, sources func(pipeline.Task) (pipeline.Source, error), reply Reply) (bool, error) {
	source, err := sources(reply.Task)
	if err != nil {
		return false, err
	}
	got, ask, err := j.Received(ctx, reply.Reply)
	if err != nil {
		return false, err
	}
	if got.Request == nil {
		return false, nil // kept by an earlier version: the question is not known
	}
	page, err := source.Read(reply.Task, ask, got)
	if err != nil {
		return false, nil // as it was
	}
	page.Seq, page.Chain, page.Cursor, page.FetchedAt = got.Seq, got.Chain, got.Cursor, got.FetchedAt
	page.Units = 0 // what it cost stands with the attempt
	return true, j.Redeem(ctx, reply.Reply, page)
}
