//go:build cluster && linux

package postgres_test

import (
	"database/sql"
	"errors"
	"sync"
	"testing"

	"backhaul/pipeline/postgres"
)

// TestTablesAskWithFewConnectionsAndTellWhenThereAreNone asks at once for more than a library's schema may have, and then where others
// have all that the server has.
func TestTablesAskWithFewConnectionsAndTellWhenThereAreNone(t *testing.T) {
	server, address := database(t)
	db, err := server.Tables(t.Context(), "lake", "CREATE TABLE IF NOT EXISTS t (n int)")
	if err != nil {
		t.Fatal(err)
	}
	others, err := sql.Open("pgx", address)
	if err != nil {
		t.Fatal(err)
	}
	defer others.Close()
	var most int
	errs := make([]error, 24)
	var asking sync.WaitGroup
	for i := range errs {
		asking.Go(func() {
			var n int
			errs[i] = db.QueryRowContext(t.Context(), `SELECT count(*) FROM pg_stat_activity, pg_sleep(0.05) WHERE application_name = 'backhaul' AND datname = current_database()`).Scan(&n)
			if i == 0 {
				most = n
			}
		})
	}
	asking.Wait()
	if err := errors.Join(errs...); err != nil || most > 8 {
		t.Errorf("%d connections: %v", most, err)
	}
	db.SetMaxIdleConns(0) // what it keeps it would use
	var taken []*sql.Conn
	defer func() {
		for _, c := range taken {
			_ = c.Close()
		}
	}()
	for {
		c, err := others.Conn(t.Context())
		if err != nil {
			break
		}
		taken = append(taken, c)
	}
	if err := db.PingContext(t.Context()); !errors.Is(err, postgres.ErrAway) {
		t.Errorf("beside %d others: %v", len(taken), err)
	}
}
