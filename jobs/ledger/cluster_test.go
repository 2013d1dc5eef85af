//go:build cluster && linux

package ledger

import (
	"context"
	"fmt"
	"hash/fnv"
	"os"
	"testing"

	"backhaul/pipeline/postgres"
	"backhaul/pipeline/postgres/postgrestest"
)

// TestMain has the ledgers of all tests in PostgreSQL, a schema for each path.
func TestMain(m *testing.M) {
	server, err := postgrestest.New(os.TempDir())
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	db, err := postgres.New(server.Address("postgres"))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	open = func(ctx context.Context, path string) (*Ledger, error) {
		name := fnv.New64a()
		_, _ = name.Write([]byte(path))
		schema, err := db.Open(ctx, fmt.Sprintf("ledger_%x", name.Sum64()), path, Layout, postgres.Only(postgres.Alone("backhaul ledger of "+path)))
		if err != nil {
			return nil, err
		}
		return In(schema), nil
	}
	status := m.Run()
	if err := db.Close(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		status = 1
	}
	if err := server.Remove(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		status = 1
	}
	os.Exit(status)
}
