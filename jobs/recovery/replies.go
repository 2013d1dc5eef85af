package recovery

import (
	"context"
	"fmt"
	"slices"

	"backhaul/jobs/books"
	"backhaul/jobs/ledger"
	"backhaul/pipeline"
	"backhaul/pipeline/journal"
)

// Reply is a kept response that could not be read, with what it was about.
type Reply struct {
	journal.Reply
	Task pipeline.Task
}

// Replies returns the responses of a run that could not be read, in the order they came; none where its journal is no more.
func Replies(ctx context.Context, b books.Books, r ledger.Run) ([]Reply, error) {
	var all []Reply
	err := withJournal(ctx, b, r, func(j *journal.Journal) (err error) {
		all, err = repliesIn(ctx, j)
		return err
	})
	return all, err
}

// ReplyBody returns the bytes of one of them, by its number.
func ReplyBody(ctx context.Context, b books.Books, r ledger.Run, no int64) ([]byte, error) {
	var body []byte
	err := withJournal(ctx, b, r, func(j *journal.Journal) error {
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

func withJournal(ctx context.Context, b books.Books, r ledger.Run, do func(*journal.Journal) error) error {
	book := b.Of(r.Job, r.RunDate)
	if gone, err := book.Gone(ctx); err != nil || gone {
		return err
	}
	j, err := book.Open(ctx, journal.Header{Job: r.Job, RunDate: r.RunDate})
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
