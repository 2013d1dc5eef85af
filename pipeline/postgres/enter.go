package postgres

import (
	"context"
	"database/sql/driver"
	"errors"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"backhaul/pipeline/store"
)

type entry = store.Part[[]store.Statement]

// Enter is [store.DB.Enter]: one way to the server and back for all who enter together.
func (d *DB) Enter(ctx context.Context, statements ...store.Statement) error {
	ctx = context.WithoutCancel(ctx) // it must not undo what others wait for
	return d.Wrap(d.enters.Share(statements, func(all []*entry) { d.enter(ctx, all) }))
}

// enter enters what all want in one transaction, or where the server refuses that, each by itself.
func (d *DB) enter(ctx context.Context, all []*entry) {
	err := d.send(ctx, all)
	if together := len(all) > 1; together && errors.As(err, new(*pgconn.PgError)) { // so nothing of it is there
		for _, one := range all {
			one.Err = d.send(ctx, []*entry{one})
		}
		return
	}
	for _, one := range all {
		one.Err = err
	}
}

// send sends all statements, behind those of the guard, at once: so the server takes them for one transaction, and all that follow one
// that it refuses are not carried out.
func (d *DB) send(ctx context.Context, all []*entry) error {
	var leaves []store.Leave
	if d.guard != nil {
		var err error
		if leaves, err = d.guard(); err != nil {
			return err
		}
	}
	var batch pgx.Batch
	for _, l := range leaves {
		if err := queue(&batch, l.Statement); err != nil {
			return err
		}
	}
	for _, one := range all {
		for _, s := range one.Want {
			if err := queue(&batch, s); err != nil {
				return err
			}
		}
	}
	c, err := d.sql.Conn(ctx)
	if err != nil {
		return err
	}
	defer c.Close()
	return c.Raw(func(c any) error { return carryOut(ctx, c.(conn).Conn.Conn(), &batch, leaves) })
}

func queue(batch *pgx.Batch, s store.Statement) error {
	args := make([]any, len(s.Args))
	for i, arg := range s.Args {
		v := driver.NamedValue{Value: arg}
		if err := (conn{}).CheckNamedValue(&v); err != nil {
			return err
		}
		args[i] = v.Value
	}
	batch.Queue(translated(s.Text), args...)
	return nil
}

func carryOut(ctx context.Context, c *pgx.Conn, batch *pgx.Batch, leaves []store.Leave) error {
	results := c.SendBatch(ctx, batch)
	for _, l := range leaves {
		if _, err := results.Exec(); err != nil {
			_ = results.Close()
			return l.Means(err)
		}
	}
	return results.Close()
}
