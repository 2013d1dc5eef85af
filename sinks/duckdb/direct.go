package duckdb

import (
	"context"
	"errors"

	bindings "github.com/duckdb/duckdb-go-bindings"
)

// direct is a connection to a DuckDB of its own in memory to which statements are put as they are. A session prepares each first, and
// what names files DuckDB plans again when it is put then: of the two thousand small statements that make a catalog that is a third of
// the time.
type direct struct {
	db   bindings.Database
	conn bindings.Connection
}

func openDirect() (*direct, error) {
	if err := hasRoom(); err != nil {
		return nil, err
	}
	d, text := &direct{}, ""
	if bindings.OpenExt("", &d.db, bindings.Config{}, &text) == bindings.StateError {
		return nil, errors.New(text)
	}
	if bindings.Connect(d.db, &d.conn) == bindings.StateError {
		d.close()
		return nil, errors.New("DuckDB lets nobody connect")
	}
	return d, nil
}

// exec puts statements one after the other. What is under way when ctx ends is finished first.
func (d *direct) exec(ctx context.Context, statements ...string) error {
	for _, s := range statements {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := d.put(s); err != nil {
			return err
		}
	}
	return nil
}

// put puts a statement whose answer nobody wants.
func (d *direct) put(statement string) error {
	var result bindings.Result
	defer bindings.DestroyResult(&result)
	if bindings.Query(d.conn, statement, &result) == bindings.StateError {
		return errors.New(bindings.ResultError(&result))
	}
	return nil
}

func (d *direct) close() {
	bindings.Disconnect(&d.conn)
	bindings.Close(&d.db)
}
