//go:build cluster && linux

package postgres_test

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"sync/atomic"
	"testing"

	"backhaul/pipeline/journal"
	"backhaul/pipeline/journaltest"
	"backhaul/pipeline/postgres"
	"backhaul/pipeline/postgres/postgrestest"
)

var server *postgrestest.Server

func TestMain(m *testing.M) {
	var err error
	if server, err = postgrestest.New(os.TempDir()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	status := m.Run()
	if err := server.Remove(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		status = 1
	}
	os.Exit(status)
}

var names atomic.Int64

// database is a new one, with its address.
func database(t testing.TB) (*postgres.Server, string) {
	t.Helper()
	address := server.Database(t, fmt.Sprint("test_", names.Add(1)))
	db, err := postgres.New(address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db, address
}

// run is the one whose lease the tests take.
const run = "nightly/2026-11-23"

// leased is the fleet of a database, with the lease of a run.
func leased(t testing.TB, server *postgres.Server) (*postgres.Fleet, *postgres.Lease) {
	t.Helper()
	fleet, err := server.Fleet(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	lease, err := fleet.Take(t.Context(), run)
	if err != nil {
		t.Fatal(err)
	}
	return fleet, lease
}

func TestAJournalInPostgreSQLKeepsItsPromises(t *testing.T) {
	db, address := database(t)
	open := func(ctx context.Context, place string, h journal.Header) (*journal.Journal, error) {
		schema, err := db.Open(ctx, place, place, journal.Layout, nil)
		if err != nil {
			return nil, err
		}
		return journal.In(ctx, schema, h)
	}
	change := func(t *testing.T, place, statement string, args ...any) {
		t.Helper()
		plain, err := sql.Open("pgx", address+"?search_path="+place)
		if err != nil {
			t.Fatal(err)
		}
		defer plain.Close()
		done, err := plain.Exec(statement, args...)
		if err != nil {
			t.Fatal(err)
		}
		if n, err := done.RowsAffected(); err != nil || n == 0 {
			t.Fatalf("nothing was changed: %v", err)
		}
	}
	const page = " WHERE task = (SELECT no FROM tasks WHERE id = $1) AND seq = $2"
	flip := func(set string) func(t *testing.T, place, taskID string, seq int) {
		return func(t *testing.T, place, taskID string, seq int) {
			change(t, place, "UPDATE pages SET "+set+page, taskID, seq)
		}
	}
	journaltest.Run(t, journaltest.Config{
		Place: func(*testing.T) string { return fmt.Sprint("journal_", names.Add(1)) },
		Open: func(ctx context.Context, place string, h journal.Header) (journaltest.Journal, error) {
			j, err := open(ctx, place, h)
			if err != nil {
				return nil, err
			}
			return j, nil
		},
		Notes: func(ctx context.Context, to, from journaltest.Journal) error {
			return to.(*journal.Journal).Notes(ctx, from.(*journal.Journal))
		},
		Killed: func(_ *testing.T, place string) string { return place }, // what has been committed is with the server
		Harm: journaltest.Harm{
			Owner: func(t *testing.T, place string) { change(t, place, `DELETE FROM header`) },
			Body:  flip("body = set_bit(body, 0, 1 - get_bit(body, 0))"), Units: flip("units = units # 1"),
			Next: flip("next = overlay(next placing chr(ascii(right(next, 1)) # 1) from length(next))"),
			Page: func(t *testing.T, place, taskID string, seq int) {
				change(t, place, `DELETE FROM pages`+page, taskID, seq)
			},
			Reply: func(t *testing.T, place string) {
				change(t, place, `UPDATE attempts SET body = (SELECT body FROM attempts ORDER BY no DESC LIMIT 1) WHERE no = (SELECT min(no) FROM attempts)`)
			},
		},
	})
}
