// Package store is what journal and ledger ask of the database that they are kept in, a SQLite file or PostgreSQL: the contract, the
// layout of tables that every implementation is given, and the sharing of commits, on which both rely.
//
// There is one text of every statement, in SQL that both understand:
//
//   - parameters are ? in their order, or ?1, ?2, …;
//   - times are microseconds since 1970 (see [Micros]), flags are compared and set as booleans, text sorts by its bytes;
//   - ON CONFLICT names its columns, and columns of the row that is there are written with their table;
//   - FILTER and CASE stand for what only one of them has; months, JSON and the like are worked out in Go;
//   - rowid is the order in which the rows of a table were entered;
//   - the schema is written with SQLite's types, of which an implementation makes its own; [Layout.Flags] says which columns are
//     booleans.
//
// It knows no driver and nothing of what the tables mean.
package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"
)

// ErrDamaged is the error, somewhere in its chain, of what can no longer be read as it was written.
var ErrDamaged = errors.New("the file is damaged")

// DB is an open database, or the part of one that a journal or a ledger has to itself. It is safe for concurrent use.
type DB interface {
	// Name is where it lies, for messages: a path, or a URL without its password.
	Name() string
	// Write runs do in a transaction and returns when it is durable. Writers that wait at the same time share one commit. An error of
	// do undoes what that writer did and is told to it alone; an error of the transaction itself, such as a full disk, fails them all,
	// and nothing of theirs is kept.
	Write(ctx context.Context, do func(*sql.Tx) error) error
	// Enter carries out statements of which nobody needs an answer, in a transaction, and returns when it is durable. It is what Write
	// does, at the least cost: where the way to the database is long they go there together, with those of others who enter.
	Enter(ctx context.Context, statements ...Statement) error
	// Exec carries out a statement within a write. It must be one of few texts, as it may be prepared and kept.
	Exec(tx *sql.Tx, statement string, args ...any) error
	// Each reads what a query answers, row by row. An error of row ends that, and comes back as it is. The query must be one of few
	// texts.
	Each(ctx context.Context, query string, row func(*sql.Rows) error, args ...any) error
	// Read returns the handle for queries. Writes go through Write.
	Read() *sql.DB
	// Check reads everything and reports damage to its structure.
	Check(ctx context.Context) error
	// Wrap names the database in an error of its driver, and marks damage with ErrDamaged.
	Wrap(err error) error
	Close() error
}

// Statement is one of few texts, with its parameters.
type Statement struct {
	Text string
	Args []any
}

// Leave is what gives leave to write: a statement that locks it until the transaction is over, and fails where it is not there.
type Leave struct {
	Statement
	// Refusal is what the failure means. Default: what it says.
	Refusal func(error) error
}

// Means is what a failure of the statement means.
func (l Leave) Means(err error) error {
	if err == nil || l.Refusal == nil {
		return err
	}
	return l.Refusal(err)
}

// Layout is what tables look like.
type Layout struct {
	// Schema is a list of CREATE … IF NOT EXISTS statements.
	Schema string
	// Upgrades are the statements that bring tables of format 1, 2, … to the next one. The format of Schema is one more than there are
	// upgrades; a later one is refused. They are SQLite's: a database that came later never had those formats.
	Upgrades []string
	// Flags are the columns that are true or false, as table.column. SQLite keeps them as 1 and 0.
	Flags []string
}

// Format is the format of Schema, from 1.
func (l Layout) Format() int { return len(l.Upgrades) + 1 }

// NotAfter brings the times in columns, each table.column, back to now where they are later: what a clock that was ahead has left.
func NotAfter(tx *sql.Tx, now time.Time, columns ...string) error {
	for _, c := range columns {
		table, column, _ := strings.Cut(c, ".")
		if _, err := tx.Exec(fmt.Sprintf(`UPDATE %[1]s SET %[2]s = ?1 WHERE %[2]s > ?1`, table, column), now.UnixMicro()); err != nil {
			return err
		}
	}
	return nil
}

// Rows hands the rows of a query to row, one by one, and closes them. An error of row ends that, and comes back as it is; one of the
// database is named by it.
func Rows(db DB, rows *sql.Rows, row func(*sql.Rows) error) error {
	defer rows.Close()
	for rows.Next() {
		if err := row(rows); err != nil {
			return err
		}
	}
	return db.Wrap(rows.Err())
}

// At is the time in UTC of microseconds since 1970, in which times are kept; the zero time for 0.
func At(micros int64) time.Time {
	if micros == 0 {
		return time.Time{}
	}
	return time.UnixMicro(micros).UTC()
}

// Micros is the inverse of At.
func Micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}
