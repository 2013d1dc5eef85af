package store

import (
	"context"
	"database/sql"
	"sync"
)

// Group lets those who come together do something together, such as writing in one transaction, and so with one sync of the disk. W is
// what each wants done. The zero value is ready to use; it is safe for concurrent use.
type Group[W any] struct {
	mu    sync.Mutex // guards queue
	queue []*Part[W]
	turn  sync.Mutex // held by the one who does it for everybody waiting
}

// Part is what one of them wants done, and what came of it.
type Part[W any] struct {
	Want W
	Err  error
	done bool
}

// Share has all do what is wanted, together with what others want who wait, and returns what came of it.
func (g *Group[W]) Share(want W, all func([]*Part[W])) error {
	p := &Part[W]{Want: want}
	g.mu.Lock()
	g.queue = append(g.queue, p)
	g.mu.Unlock()

	g.turn.Lock()
	defer g.turn.Unlock()
	if p.done {
		return p.Err
	}
	g.mu.Lock()
	parts := g.queue
	g.queue = nil
	g.mu.Unlock()
	all(parts)
	for _, other := range parts {
		other.done = true
	}
	return p.Err
}

// Waiting is how many wait for the next turn.
func (g *Group[W]) Waiting() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return len(g.queue)
}

// Transactions are how a database begins and ends one.
type Transactions interface {
	Begin(ctx context.Context) (*sql.Tx, error)
	// Commit returns when what the transaction did is durable. After an error it is over as well.
	Commit(tx *sql.Tx) error
	// Wrap names the database in an error.
	Wrap(err error) error
}

// Writers share transactions.
type Writers = Group[func(*sql.Tx) error]

type writer = Part[func(*sql.Tx) error]

// Write is [DB.Write], of those who share transactions.
func Write(ctx context.Context, g *Writers, in Transactions, do func(*sql.Tx) error) error {
	return g.Share(do, func(batch []*writer) {
		err := commit(ctx, in, batch)
		for _, w := range batch {
			if w.Err == nil {
				w.Err = err
			}
			w.Err = in.Wrap(w.Err)
		}
	})
}

// apply lets a writer do its part of a transaction with others, behind another or as the first, and undoes it where it fails. An error
// means that the transaction is lost, and with it what the others did.
func apply(w *writer, tx *sql.Tx, first bool) error {
	begin := "RELEASE writer; SAVEPOINT writer" // at once: each statement is a way to the database and back
	if first {
		begin = "SAVEPOINT writer"
	}
	if _, err := tx.Exec(begin); err != nil {
		return err
	}
	if w.Err = w.Want(tx); w.Err == nil {
		return nil
	}
	if _, err := tx.Exec("ROLLBACK TO writer"); err != nil {
		return w.Err // the database has rolled all of it back by itself
	}
	return nil
}

func commit(ctx context.Context, in Transactions, batch []*writer) error {
	// The leader's context must not undo what the others wait for.
	ctx = context.WithoutCancel(ctx)
	tx, err := in.Begin(ctx)
	if err != nil {
		return err
	}
	kept := 0
	for i, w := range batch {
		if len(batch) == 1 { // there is nobody else, whose part a savepoint would keep
			w.Err = w.Want(tx)
		} else if err := apply(w, tx, i == 0); err != nil {
			_ = tx.Rollback() // the database may have rolled back by itself; the error that led here is what counts
			return err
		}
		if w.Err == nil {
			kept++
		}
	}
	if kept == 0 {
		return tx.Rollback()
	}
	return in.Commit(tx)
}
