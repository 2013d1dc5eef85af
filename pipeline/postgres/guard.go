package postgres

import (
	"context"
	"database/sql"
	"errors"

	"github.com/jackc/pgx/v5/pgconn"

	"backhaul/pipeline/store"
)

// Guard says in every transaction that writes what gives leave to write. Its error keeps anything from being written, as a leave does
// that is not there any more. Without a Guard anybody may write.
type Guard func() ([]store.Leave, error)

// Only is a Guard of one leave.
func Only(l store.Leave) Guard { return func() ([]store.Leave, error) { return []store.Leave{l}, nil } }

// alone is how one writer waits for the other.
const alone = `SELECT pg_advisory_xact_lock(hashtextextended(?, 0))`

// Alone gives leave to one transaction at a time, of all that have the name: what one decides by what it has read the others cannot
// change under it.
func Alone(name string) store.Leave {
	return store.Leave{Statement: store.Statement{Text: alone, Args: []any{name}}}
}

// ask has the leaves locked ahead of what a transaction writes.
func (g Guard) ask(ctx context.Context, tx *sql.Tx) error {
	if g == nil {
		return nil
	}
	leaves, err := g()
	if err != nil {
		return err
	}
	for _, l := range leaves {
		if _, err := tx.ExecContext(ctx, l.Text, l.Args...); err != nil {
			return l.Means(err)
		}
	}
	return nil
}

// taken returns what the failure of a leave's statement means: that what gave leave is not there any more, of which lose is told.
func taken(lose func()) func(error) error {
	return func(err error) error {
		const divisionByZero = "22012"
		var refused *pgconn.PgError
		if !errors.As(err, &refused) || refused.Code != divisionByZero {
			return err
		}
		lose()
		return ErrTaken
	}
}

// held locks rows of the fleet's, and divides by zero where there is none.
func held(rows string) string {
	return `SELECT 1 / count(*) FROM (SELECT 1 FROM ` + rows + ` FOR KEY SHARE) held`
}
