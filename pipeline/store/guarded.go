package store

import (
	"context"
	"database/sql"
)

// Guarded is a database in which every write has a leave first, within its transaction: where it is not there, nothing of what that
// writer did stays, and what others did in the same transaction does.
func Guarded(db DB, leave Leave) DB { return guarded{db, leave} }

type guarded struct {
	DB
	leave Leave
}

func (g guarded) Write(ctx context.Context, do func(*sql.Tx) error) error {
	return g.DB.Write(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, g.leave.Text, g.leave.Args...); err != nil {
			return g.leave.Means(err)
		}
		return do(tx)
	})
}

func (g guarded) Enter(ctx context.Context, statements ...Statement) error {
	return g.leave.Means(g.DB.Enter(ctx, append([]Statement{g.leave.Statement}, statements...)...))
}

// Close leaves the database open: it is its owner's.
func (g guarded) Close() error { return nil }
