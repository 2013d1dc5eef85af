// Package sqlite writes rows as a SQLite file for other programs: one table, called like the table or view with its dot as
// an underscore.
//
// It owns how values are kept there. Whole numbers are INTEGER, others REAL, texts TEXT; BOOLEAN is 0 or 1, DATE is
// 2026-11-23 and TIMESTAMP 2026-11-23 04:05:06.123456 in UTC, both texts, which is what SQLite's own functions read. The
// driver is modernc.org/sqlite: no cgo.
package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	_ "modernc.org/sqlite" // the driver

	"backhaul/sinks"
)

// types are the declared types of columns, by kind.
var types = map[sinks.Kind]string{
	sinks.Text: "TEXT", sinks.Integer: "INTEGER", sinks.Number: "REAL", sinks.Boolean: "BOOLEAN", sinks.Date: "DATE", sinks.Timestamp: "TIMESTAMP",
}

// moment is a timestamp as SQLite's functions read it.
const moment = "2006-01-02 15:04:05.999999"

// Write makes a new file of the rows at a path, where none or an empty one is. The file is not synced to disk, and of no use
// after an error.
func Write(ctx context.Context, path string, rows sinks.Rows) (err error) {
	db, err := sql.Open("sqlite", address(path)+"?_pragma=journal_mode(off)&_pragma=synchronous(off)")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // does nothing after a commit
	if err := fill(ctx, tx, rows); err != nil {
		return err
	}
	return tx.Commit()
}

// address names the file to the driver, whatever characters are in its path.
func address(path string) string { return "file:" + (&url.URL{Path: path}).EscapedPath() }

func fill(ctx context.Context, tx *sql.Tx, rows sinks.Rows) error {
	columns, places := make([]string, len(rows.Columns)), make([]string, len(rows.Columns))
	for i, c := range rows.Columns {
		columns[i], places[i] = ident(c.Name)+" "+types[c.Kind], "?"
	}
	table := ident(strings.ReplaceAll(rows.Name, ".", "_"))
	if _, err := tx.ExecContext(ctx, fmt.Sprintf("CREATE TABLE %s (%s)", table, strings.Join(columns, ", "))); err != nil {
		return err
	}
	insert, err := tx.PrepareContext(ctx, fmt.Sprintf("INSERT INTO %s VALUES (%s)", table, strings.Join(places, ", ")))
	if err != nil {
		return err
	}
	defer insert.Close()
	values := make([]any, len(rows.Columns))
	for row, err := range rows.All {
		if err != nil {
			return err
		}
		for i, value := range row {
			values[i] = kept(rows.Columns[i].Kind, value)
		}
		if _, err := insert.ExecContext(ctx, values...); err != nil {
			return err
		}
	}
	return nil
}

// kept is a value as the file has it.
func kept(kind sinks.Kind, value any) any {
	t, ok := value.(time.Time)
	switch {
	case !ok:
		return value
	case kind == sinks.Date:
		return t.Format(time.DateOnly)
	default:
		return t.UTC().Format(moment)
	}
}

// ident quotes a name for SQL.
func ident(s string) string { return `"` + strings.ReplaceAll(s, `"`, `""`) + `"` }
