package duckdb

import (
	"context"
	"errors"

	bindings "github.com/duckdb/duckdb-go-bindings"
)

// perform carries statements that answer nothing out in a DuckDB of their own in memory, which is gone afterwards. A session prepares
// each before it is put, and what names files DuckDB plans again then: of the two thousand small statements that make a catalog that
// is a third of the time. What is under way when ctx ends is finished first, which takes milliseconds.
func perform(ctx context.Context, statements ...string) error {
	var config bindings.Config
	if bindings.CreateConfig(&config) == bindings.StateError {
		return errors.New("no memory for DuckDB's settings")
	}
	defer bindings.DestroyConfig(&config)
	var db bindings.Database
	var text string
	if bindings.OpenExt("", &db, config, &text) == bindings.StateError {
		return errors.New(text)
	}
	defer bindings.Close(&db)
	var conn bindings.Connection
	if bindings.Connect(db, &conn) == bindings.StateError {
		return errors.New("DuckDB lets nobody connect")
	}
	defer bindings.Disconnect(&conn)
	for _, s := range statements {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := answered(conn, s); err != nil {
			return err
		}
	}
	return nil
}

func answered(conn bindings.Connection, statement string) error {
	var result bindings.Result
	defer bindings.DestroyResult(&result)
	if bindings.Query(conn, statement, &result) == bindings.StateError {
		return errors.New(bindings.ResultError(&result))
	}
	return nil
}
