package store

import (
	"context"
	"database/sql"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// tableOf finds the tables of a schema, and the column that numbers their rows where it is not rowid.
var tableOf = regexp.MustCompile(`CREATE TABLE IF NOT EXISTS (\w+) \(\s*(?:(\w+) INTEGER PRIMARY KEY)?`)

// Renumbers is a database that has to be told which numbers of rows it must not give again.
type Renumbers interface {
	Renumber(tx *sql.Tx, table, column string) error
}

// Copy copies the tables of a layout from one database to another in which they are empty, row by row in the order in which they were
// entered, and compares how many there are then. What it returns with an error is not whole.
func Copy(ctx context.Context, from, to DB, layout Layout) error {
	for _, m := range tableOf.FindAllStringSubmatch(layout.Schema, -1) {
		table, number := m[1], m[2]
		if number == "" {
			number = "rowid"
		}
		if err := copyTable(ctx, from, to, layout, table, number); err != nil {
			return fmt.Errorf("copy table %s from %s to %s: %w", table, from.Name(), to.Name(), err)
		}
	}
	return nil
}

func copyTable(ctx context.Context, from, to DB, layout Layout, table, number string) error {
	columns, err := columnsOf(ctx, from, table)
	if err != nil {
		return err
	}
	list := strings.Join(columns, ", ")
	insert := fmt.Sprintf(`INSERT INTO %s (%s) VALUES (?%s)`, table, list, strings.Repeat(", ?", len(columns)-1))
	var copied int64
	err = to.Write(ctx, func(tx *sql.Tx) error {
		copied = 0
		err := from.Each(ctx, fmt.Sprintf(`SELECT %s FROM %s ORDER BY %s`, list, table, number), func(rows *sql.Rows) error {
			values, places := make([]any, len(columns)), make([]any, len(columns))
			for i := range values {
				places[i] = &values[i]
			}
			if err := rows.Scan(places...); err != nil {
				return err
			}
			for i, column := range columns {
				if n, ok := values[i].(int64); ok && slices.Contains(layout.Flags, table+"."+column) {
					values[i] = n != 0
				}
			}
			copied++
			return to.Exec(tx, insert, values...)
		})
		if r, ok := to.(Renumbers); ok && err == nil && number != "rowid" {
			err = r.Renumber(tx, table, number)
		}
		return err
	})
	if err != nil {
		return err
	}
	var there int64
	if err := to.Read().QueryRowContext(ctx, `SELECT count(*) FROM `+table).Scan(&there); err != nil {
		return to.Wrap(err)
	}
	if there != copied {
		return fmt.Errorf("it has %d rows, and %d were copied", there, copied)
	}
	return nil
}

// columnsOf are the columns of a table, but for its rowid.
func columnsOf(ctx context.Context, db DB, table string) ([]string, error) {
	rows, err := db.Read().QueryContext(ctx, `SELECT * FROM `+table+` WHERE 1 = 0`)
	if err != nil {
		return nil, db.Wrap(err)
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err == nil {
		err = rows.Err()
	}
	return slices.DeleteFunc(columns, func(c string) bool { return c == "rowid" }), db.Wrap(err)
}
