package recovery

import (
	"context"

	"backhaul/jobs/account"
	"backhaul/jobs/ledger"
	"backhaul/pipeline/journal"
	"backhaul/sinks"
)

// Recall reports whether a run's process died: the ledger has the run as running, and no process is at work on it. It brings
// the tasks of such a run to where its journal says they are, which nobody was left to enter in the ledger. That stays as it
// is. An error with died means that the journal does not tell.
func Recall(ctx context.Context, w sinks.Warehouse, r ledger.Run, tasks []ledger.Task) (died bool, err error) {
	if r.State != ledger.Running {
		return false, nil
	}
	path := w.JournalOf(r.Job, r.RunDate)
	if busy, err := Busy(path); busy || err != nil {
		return false, err
	}
	if Gone(path) {
		return true, nil
	}
	j, err := journal.Open(ctx, path, journal.Header{Job: r.Job, RunDate: r.RunDate})
	if err != nil {
		return true, err
	}
	defer func() { _ = j.Close() }()
	places, err := j.Places(ctx)
	if err != nil {
		return true, err
	}
	for i := range tasks {
		account.Stand(&tasks[i], places[tasks[i].ID])
	}
	return true, nil
}
