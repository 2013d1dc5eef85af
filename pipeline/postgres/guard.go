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
type Guard func() ([]Leave, error)

// Leave is what gives leave to write: a statement that locks it until the transaction is over, and divides by zero where it is not there.
type Leave struct {
	store.Statement
	// Taken is told that it is not there.
	Taken func()
}

// alone is how one writer waits for the other.
const alone = `SELECT pg_advisory_xact_lock(hashtextextended(?, 0))`

// Alone gives leave to one transaction at a time, of all that have the name: what one decides by what it has read the others cannot
// change under it.
func Alone(name string) Leave {
	return Leave{Statement: store.Statement{Text: alone, Args: []any{name}}}
}

// Guard is a [Guard] of the leave alone.
func (l Leave) Guard() ([]Leave, error) { return []Leave{l}, nil }

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
			return l.refusal(err)
		}
	}
	return nil
}

// refusal is what an error of the statement means.
func (l Leave) refusal(err error) error {
	const divisionByZero = "22012"
	var refused *pgconn.PgError
	if l.Taken == nil || !errors.As(err, &refused) || refused.Code != divisionByZero {
		return err
	}
	l.Taken()
	return ErrTaken
}
