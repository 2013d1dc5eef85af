package store

import (
	"context"
	"database/sql"
)

// Guarded is a database in which every write asks guard first, within its transaction: its error undoes what that writer did, and what
// others did in the same transaction stays.
func Guarded(db DB, guard func(ctx context.Context, tx *sql.Tx) error) DB { return guarded{db, guard} }

type guarded struct {
	DB
	guard func(context.Context, *sql.Tx) error
}

func (g guarded) Write(ctx context.Context, do func(*sql.Tx) error) error {
	return g.DB.Write(ctx, func(tx *sql.Tx) error {
		if err := g.guard(ctx, tx); err != nil {
			return err
		}
		return do(tx)
	})
}

// Close leaves the database open: it is its owner's.
func (g guarded) Close() error { return nil }
