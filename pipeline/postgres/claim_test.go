//go:build cluster && linux

package postgres_test

import (
	"database/sql"
	"testing"

	"backhaul/pipeline/postgres"
)

func TestAFleetOfAnEarlierFormatLearnsOfClaims(t *testing.T) {
	server, address := database(t)
	if _, err := server.Fleet(t.Context()); err != nil {
		t.Fatal(err)
	}
	plain, err := sql.Open("pgx", address+"?search_path=backhaul_fleet")
	if err != nil {
		t.Fatal(err)
	}
	defer plain.Close()
	if _, err := plain.Exec(`DROP TABLE claims; UPDATE format SET number = 1`); err != nil {
		t.Fatal(err)
	}
	fleet, lease := leased(t, server)
	if _, _, err := fleet.Run(run, lease.Token()).Claim(t.Context(), "a", postgres.Turn{Round: 1, Attempt: 1}); err != nil {
		t.Error(err)
	}
}
