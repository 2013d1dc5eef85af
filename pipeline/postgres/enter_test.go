//go:build cluster && linux

package postgres_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"testing"

	"backhaul/pipeline/postgres"
	"backhaul/pipeline/store"
)

var entered = store.Layout{Schema: `CREATE TABLE IF NOT EXISTS entered (no INTEGER NOT NULL, word TEXT NOT NULL UNIQUE)`}

func count(t *testing.T, db *postgres.DB) (n int) {
	t.Helper()
	if err := db.Read().QueryRowContext(t.Context(), `SELECT count(*) FROM entered`).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

func enter(no int, word string) store.Statement {
	return store.Statement{Text: `INSERT INTO entered (no, word) VALUES (?, ?)`, Args: []any{no, word}}
}

// Of those who enter together one that is refused is told so, and all of the others is there; of each both statements or none.
func TestOfThoseWhoEnterTogetherOnlyTheRefusedAreTold(t *testing.T) {
	server, _ := database(t)
	db, err := server.Open(t.Context(), "entering", "entering", entered, nil)
	if err != nil {
		t.Fatal(err)
	}
	const people = 200
	errs := make([]error, people)
	var all sync.WaitGroup
	for i := range people {
		all.Go(func() {
			word := fmt.Sprintf("\x00 %d", i) // a byte that text in PostgreSQL cannot have
			if i%10 == 3 {
				word = "the same"
			}
			errs[i] = db.Enter(t.Context(), enter(i, fmt.Sprint("first ", i)), enter(i, word))
		})
	}
	all.Wait()
	refused := 0
	for i, err := range errs {
		if err != nil {
			refused++
		}
		if err != nil && i%10 != 3 {
			t.Errorf("%d: %v", i, err)
		}
	}
	if n := count(t, db); refused != people/10-1 || n != 2*(people-refused) {
		t.Errorf("%d were refused, and %d rows are there", refused, n)
	}
}

// Who enters under a lease that another has taken writes nothing, and is told so each time.
func TestNothingIsEnteredUnderALeaseThatIsLost(t *testing.T) {
	server, address := database(t)
	_, lease := leased(t, server)
	defer func() { _ = lease.Release(context.Background()) }()
	db, err := server.Open(t.Context(), "entering", "entering", entered, lease.Guard)
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Enter(t.Context(), enter(1, "one")); err != nil {
		t.Fatal(err)
	}
	plain, err := sql.Open("pgx", address)
	if err != nil {
		t.Fatal(err)
	}
	defer plain.Close()
	if _, err := plain.Exec(`UPDATE backhaul_fleet.leases SET token = token + 1`); err != nil {
		t.Fatal(err)
	}
	for i := range 2 {
		if err := db.Enter(t.Context(), enter(2+i, fmt.Sprint(i))); !errors.Is(err, postgres.ErrTaken) {
			t.Errorf("entered under a lease of another: %v", err)
		}
	}
	if err := db.Write(t.Context(), func(*sql.Tx) error { t.Error("a write was begun"); return nil }); !errors.Is(err, postgres.ErrTaken) {
		t.Error(err)
	}
	if err := lease.Sure(t.Context()); !errors.Is(err, postgres.ErrTaken) {
		t.Errorf("the lease that is lost is taken to be held: %v", err)
	}
	if n := count(t, db); n != 1 {
		t.Errorf("%d rows", n)
	}
}
