package store

import (
	"context"
	"database/sql"
	"sync"
)

// Transactions are how a database begins and ends one.
type Transactions interface {
	Begin(ctx context.Context) (*sql.Tx, error)
	// Commit returns when what the transaction did is durable. After an error it is over as well.
	Commit(tx *sql.Tx) error
	// Wrap names the database in an error.
	Wrap(err error) error
}

// Group lets writers that come together share one transaction, and so one sync of the disk. The zero value is ready to use; it is safe
// for concurrent use.
type Group struct {
	mu    sync.Mutex // guards queue
	queue []*write
	turn  sync.Mutex // held by the writer that commits for everybody waiting
}

type write struct {
	do   func(*sql.Tx) error
	done bool
	err  error
}

// Write is [DB.Write].
func (g *Group) Write(ctx context.Context, in Transactions, do func(*sql.Tx) error) error {
	w := &write{do: do}
	g.mu.Lock()
	g.queue = append(g.queue, w)
	g.mu.Unlock()

	g.turn.Lock()
	defer g.turn.Unlock()
	if w.done {
		return w.err
	}
	g.mu.Lock()
	batch := g.queue
	g.queue = nil
	g.mu.Unlock()
	err := commit(ctx, in, batch)
	for _, other := range batch {
		if other.err == nil {
			other.err = err
		}
		other.done, other.err = true, in.Wrap(other.err)
	}
	return w.err
}

// Waiting is how many writers wait for the next transaction.
func (g *Group) Waiting() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return len(g.queue)
}

// apply lets a writer do its part of a transaction with others, behind another or as the first, and undoes it where it fails. An error
// means that the transaction is lost, and with it what the others did.
func (w *write) apply(tx *sql.Tx, first bool) error {
	begin := "RELEASE writer; SAVEPOINT writer" // at once: each statement is a way to the database and back
	if first {
		begin = "SAVEPOINT writer"
	}
	if _, err := tx.Exec(begin); err != nil {
		return err
	}
	if w.err = w.do(tx); w.err == nil {
		return nil
	}
	if _, err := tx.Exec("ROLLBACK TO writer"); err != nil {
		return w.err // the database has rolled all of it back by itself
	}
	return nil
}

func commit(ctx context.Context, in Transactions, batch []*write) error {
	// The leader's context must not undo what the others wait for.
	ctx = context.WithoutCancel(ctx)
	tx, err := in.Begin(ctx)
	if err != nil {
		return err
	}
	kept := 0
	for i, w := range batch {
		if len(batch) == 1 { // there is nobody else, whose part a savepoint would keep
			w.err = w.do(tx)
		} else if err := w.apply(tx, i == 0); err != nil {
			_ = tx.Rollback() // the database may have rolled back by itself; the error that led here is what counts
			return err
		}
		if w.err == nil {
			kept++
		}
	}
	if kept == 0 {
		return tx.Rollback()
	}
	return in.Commit(tx)
}
