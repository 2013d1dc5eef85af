package run

import (
	"context"
	"slices"

	"backhaul/jobs/account"
	"backhaul/jobs/ledger"
	"backhaul/jobs/recovery"
)

// redeem reads the replies once more that tasks are held up by, the latest first, and makes those that can be read by now the
// next pages of their tasks. It returns how many.
func (r *runner) redeem(ctx context.Context) (int, error) {
	replies, err := recovery.RepliesIn(ctx, r.journal)
	if err != nil {
		return 0, err
	}
	redeemed := map[string]bool{}
	for _, reply := range slices.Backward(replies) {
		if !reply.Open || redeemed[reply.TaskID] {
			continue
		}
		ok, err := r.readAgain(ctx, reply)
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
func (r *runner) readAgain(ctx context.Context, reply recovery.Reply) (bool, error) {
	source, err := r.Sources(reply.Task)
	if err != nil {
		return false, err
	}
	got, ask, err := r.journal.Received(ctx, reply.Reply)
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
	return true, r.journal.Redeem(ctx, reply.Reply, page)
}

// recordRedeemed enters how far the tasks have come by that.
func (r *runner) recordRedeemed(ctx context.Context) error {
	tasks, err := r.ledger.Tasks(ctx, r.run.ID)
	if err != nil {
		return err
	}
	var changed []ledger.Task
	for _, t := range tasks {
		if place := r.places[t.ID]; place.Pages > t.Pages {
			t.Error, t.Ended = "", r.Now().UTC()
			account.Stand(&t, place)
			changed = append(changed, t)
		}
	}
	return r.ledger.Record(ctx, r.run.ID, changed...)
}
