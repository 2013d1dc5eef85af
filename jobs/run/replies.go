package run

import (
	"context"
	"fmt"
	"slices"

	"backhaul/jobs/ledger"
	"backhaul/pipeline"
	"backhaul/pipeline/journal"
	"backhaul/sinks"
)

// Reply is a kept response that could not be read, with what it was about.
type Reply struct {
	journal.Reply
	Task pipeline.Task
}

// Replies returns the responses of a run that could not be read, in the order they came; none where its journal is no more.
func Replies(ctx context.Context, w sinks.Warehouse, r ledger.Run) ([]Reply, error) {
	var all []Reply
	err := withJournal(ctx, w, r, func(j *journal.Journal) (err error) {
		all, err = repliesIn(ctx, j)
		return err
	})
	return all, err
}

// ReplyBody returns the bytes of one of them, by its number.
func ReplyBody(ctx context.Context, w sinks.Warehouse, r ledger.Run, no int64) ([]byte, error) {
	var body []byte
	err := withJournal(ctx, w, r, func(j *journal.Journal) error {
		all, err := j.Replies(ctx)
		if err != nil {
			return err
		}
		i := slices.IndexFunc(all, func(r journal.Reply) bool { return r.No == no })
		if i < 0 {
			return fmt.Errorf("run %s has kept no reply %d", r.ID, no)
		}
		body, err = j.Body(ctx, all[i])
		return err
	})
	return body, err
}

func withJournal(ctx context.Context, w sinks.Warehouse, r ledger.Run, do func(*journal.Journal) error) error {
	path := JournalPath(w, r.Job, r.RunDate)
	if gone(path) {
		return nil
	}
	j, err := journal.Open(ctx, path, journal.Header{Job: r.Job, RunDate: r.RunDate})
	if err != nil {
		return err
	}
	defer func() { _ = j.Close() }()
	return do(j)
}

func repliesIn(ctx context.Context, j *journal.Journal) ([]Reply, error) {
	replies, err := j.Replies(ctx)
	if err != nil || len(replies) == 0 {
		return nil, err
	}
	tasks, err := j.Tasks(ctx)
	if err != nil {
		return nil, err
	}
	byID := map[string]pipeline.Task{}
	for _, t := range tasks {
		byID[t.ID] = t
	}
	all := make([]Reply, len(replies))
	for i, r := range replies {
		all[i] = Reply{Reply: r, Task: byID[r.TaskID]}
	}
	return all, nil
}

// redeem reads the replies once more that tasks are held up by, the latest first, and makes those that can be read by now the
// next pages of their tasks. It returns how many.
func (r *runner) redeem(ctx context.Context) (int, error) {
	replies, err := repliesIn(ctx, r.journal)
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
func (r *runner) readAgain(ctx context.Context, reply Reply) (bool, error) {
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
			held(&t, place)
			changed = append(changed, t)
		}
	}
	return r.ledger.Record(ctx, r.run.ID, changed...)
}
