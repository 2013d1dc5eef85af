package postgres

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"backhaul/pipeline/store"
)

// DB is a schema of a database. It is safe for concurrent use.
type DB struct {
	server *Server
	schema string
	name   string
	sql    *sql.DB
	guard  Guard
	group  store.Writers
	enters store.Group[[]store.Statement]
}

// Open opens a schema, making it and its tables where it is absent. what names it in messages, beside the address. guard may be nil:
// anybody may write.
func (s *Server) Open(ctx context.Context, schema, what string, layout store.Layout, guard Guard) (*DB, error) {
	d := &DB{server: s, schema: schema, name: s.name + " (" + what + ")", sql: s.pool(schema, spelt), guard: guard}
	if err := d.layOut(context.WithoutCancel(ctx), layout); err != nil {
		return nil, d.Wrap(err)
	}
	return d, nil
}

// layOut makes the tables of a new schema, or brings those of an older format up to date, one process at a time.
func (d *DB) layOut(ctx context.Context, layout store.Layout) error {
	have, err := d.format(ctx, d.sql)
	if err != nil || have == layout.Format() {
		return err
	}
	tx, err := d.sql.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }()
	if _, err := tx.ExecContext(ctx, `SELECT pg_advisory_xact_lock(hashtextextended(?, 0))`, "backhaul layout of "+d.schema); err != nil {
		return err
	}
	if have, err = d.format(ctx, tx); err != nil || have == layout.Format() {
		return err
	}
	statements, err := formatOf(have, layout)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, fmt.Sprintf(`CREATE SCHEMA IF NOT EXISTS %[1]s; SET LOCAL search_path = %[1]s; %[2]s;
		CREATE TABLE IF NOT EXISTS format (number BIGINT NOT NULL); DELETE FROM format; INSERT INTO format VALUES (%[3]d)`, quoted(d.schema), statements, layout.Format()))
	if err != nil {
		return err
	}
	return tx.Commit()
}

type queryer interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// format is that of the schema's tables, 0 if there are none.
func (d *DB) format(ctx context.Context, q queryer) (number int, err error) {
	var there bool
	if err := q.QueryRowContext(ctx, `SELECT to_regclass(?) IS NOT NULL`, quoted(d.schema)+".format").Scan(&there); err != nil || !there {
		return 0, err
	}
	err = q.QueryRowContext(ctx, `SELECT number FROM format`).Scan(&number)
	return number, err
}

// Name is the address without the password, and what the schema is.
func (d *DB) Name() string { return d.name }

// Read is [store.DB.Read].
func (d *DB) Read() *sql.DB { return d.sql }

// Write is [store.DB.Write].
func (d *DB) Write(ctx context.Context, do func(*sql.Tx) error) error {
	return store.Write(ctx, &d.group, transactions{d}, do)
}

// transactions are those of a schema.
type transactions struct{ *DB }

func (d transactions) Begin(ctx context.Context) (*sql.Tx, error) {
	tx, err := d.sql.BeginTx(ctx, nil)
	if err != nil {
		return nil, err
	}
	if err := d.guard.ask(ctx, tx); err != nil {
		return nil, errors.Join(err, tx.Rollback())
	}
	return tx, nil
}

func (d transactions) Commit(tx *sql.Tx) error { return tx.Commit() }

// Exec is [store.DB.Exec]. The driver keeps what was prepared with the connection.
func (d *DB) Exec(tx *sql.Tx, statement string, args ...any) error {
	_, err := tx.Exec(statement, args...)
	return err
}

// Each is [store.DB.Each].
func (d *DB) Each(ctx context.Context, query string, row func(*sql.Rows) error, args ...any) error {
	rows, err := d.sql.QueryContext(ctx, query, args...)
	if err != nil {
		return d.Wrap(err)
	}
	return store.Rows(d, rows, row)
}

// Check reads every table: the server tells of pages whose checksums do not fit, where it has them.
func (d *DB) Check(ctx context.Context) error {
	var tables []string
	err := d.Each(ctx, `SELECT tablename FROM pg_tables WHERE schemaname = ? ORDER BY 1`, func(rows *sql.Rows) error {
		var table string
		err := rows.Scan(&table)
		tables = append(tables, table)
		return err
	}, d.schema)
	for _, table := range tables {
		var n int64
		if err == nil {
			err = d.sql.QueryRowContext(ctx, `SELECT count(*) FROM `+quoted(table)).Scan(&n)
		}
	}
	return d.Wrap(err)
}

// Wrap is [store.DB.Wrap].
func (d *DB) Wrap(err error) error {
	if err == nil {
		return nil
	}
	wrapped := d.server.Wrap(err)
	if rest, ok := cutName(wrapped, d.server.name); ok {
		return named{d.name + rest, wrapped}
	}
	return wrapped
}

// Close lets go of the schema. The server keeps its connections for whoever opens it next.
func (d *DB) Close() error { return nil }

// Renumber is [store.Renumbers].
func (d *DB) Renumber(tx *sql.Tx, table, column string) error {
	_, err := tx.Exec(fmt.Sprintf(`SELECT setval(pg_get_serial_sequence('%s', '%s'), coalesce(max(%[2]s), 1), max(%[2]s) IS NOT NULL) FROM %[3]s`,
		quoted(table), column, quoted(table)))
	return err
}
