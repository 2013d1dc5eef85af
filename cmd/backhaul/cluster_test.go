//go:build cluster && linux

package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"backhaul/jobs/books"
	"backhaul/jobs/ledger"
	"backhaul/pipeline/postgres"
	"backhaul/pipeline/postgres/postgrestest"
)

// leaseVariable has the processes of tests give up one another sooner.
const leaseVariable = "BACKHAUL_TEST_LEASE"

func init() {
	if d, err := time.ParseDuration(os.Getenv(leaseVariable)); err == nil {
		postgres.LeaseTime = d
	}
}

// booksIn are those of a database.
func booksIn(t *testing.T, address string) *books.Database {
	t.Helper()
	server, err := postgres.New(address)
	if err != nil {
		t.Fatal(err)
	}
	b := books.InDatabase(server)
	t.Cleanup(func() { _ = b.Close() })
	return b
}

// spendsIn is what the ledger in a database says of money.
func spendsIn(t *testing.T, address string) []ledger.Spend {
	t.Helper()
	l, err := booksIn(t, address).OpenLedger(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	spends, err := l.Spends(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	return spends
}

func TestBooksAreMovedIntoADatabaseAndBack(t *testing.T) {
	s := open(t, purchase{surface: "v2", connections: 4})
	for _, night := range alikeNights {
		s.buy(t, night)
	}
	rows, bill := sumsOf(t, s.warehouse, alikeTables), s.bill(t)
	said := backhaul(t, exitUsage, "migrate", "--warehouse", s.warehouse)
	address := postgrestest.Start(t).Address("postgres")
	setenv(t, database, address)
	said += backhaul(t, exitUsage, "run", s.job, "--date", "2026-10-08", "--warehouse", s.warehouse) // it would buy again what is in the files
	for _, args := range [][]string{nil, {"--to-files"}, nil} {
		said += backhaul(t, exitComplete, append([]string{"migrate", "--warehouse", s.warehouse}, args...)...)
		setenv(t, database, map[bool]string{true: address}[len(args) > 0])
		said += backhaul(t, exitUsage, "run", s.job, "--date", "2026-10-08", "--warehouse", s.warehouse) // books that are elsewhere by now
		said += backhaul(t, exitUsage, "status", "--warehouse", s.warehouse)
		setenv(t, database, address)
		if len(args) > 0 {
			setenv(t, database, "")
		}
		said += backhaul(t, exitComplete, "doctor", "--warehouse", s.warehouse)
		s.buy(t, alikeNights[0]) // which is complete, and costs nothing
		said += backhaul(t, exitComplete, "replay", "--job", "alike", "--date", alikeNights[1], "--warehouse", s.warehouse)
		setenv(t, database, address)
	}
	s.buy(t, "2026-10-07") // task numbers go on
	said += backhaul(t, exitFailed, "migrate", "--warehouse", s.warehouse)
	if strings.Contains(said, postgrestest.Password) {
		t.Error(said)
	}
	if diff := cmp.Diff(rows, withoutNight(sumsOf(t, s.warehouse, alikeTables), "2026-10-07"), cmp.AllowUnexported(rowsum{})); diff != "" {
		t.Error(diff)
	}
	var spent int64
	for _, s := range spendsIn(t, address) {
		spent += int64(s.Spent)
	}
	if billed := s.server.Meter().Rows; spent != billed || billed <= bill.Billed {
		t.Errorf("%d spent, %d billed, %+v before", spent, billed, bill)
	}
}

func withoutNight(all map[string]rowsum, night string) map[string]rowsum {
	left := map[string]rowsum{}
	for key, sum := range all {
		if !strings.HasSuffix(key, night) {
			left[key] = sum
		}
	}
	return left
}

func TestBooksInADatabaseHaveTheSameRowsForTheSameMoney(t *testing.T) {
	usual := purchase{surface: "v2", connections: 4}
	plain := open(t, usual)
	for _, night := range alikeNights {
		plain.buy(t, night)
	}
	want, bill := sumsOf(t, plain.warehouse, alikeTables), plain.bill(t)
	for name, p := range map[string]purchase{"at once": usual, "stopped now and again": {surface: "v2", connections: 2, stopAfter: 4}} {
		t.Run(name, func(t *testing.T) {
			address := postgrestest.Start(t).Address("postgres")
			setenv(t, database, address)
			shared := open(t, p)
			for _, night := range alikeNights {
				shared.buy(t, night)
			}
			if diff := cmp.Diff(want, sumsOf(t, shared.warehouse, alikeTables), cmp.AllowUnexported(rowsum{})); diff != "" {
				t.Error(diff)
			}
			var spent, granted int64
			for _, s := range spendsIn(t, address) {
				spent, granted = spent+int64(s.Spent), granted+int64(s.Granted)
			}
			if spent != bill.Spent || granted != bill.Granted || shared.server.Meter().Rows != bill.Billed {
				t.Errorf("%d spent, %d granted, %d billed; in files %+v", spent, granted, shared.server.Meter().Rows, bill)
			}
			for _, path := range []string{"journal", "ledger.sqlite"} {
				if _, err := os.Stat(filepath.Join(shared.warehouse, path)); !os.IsNotExist(err) {
					t.Errorf("there is a %s, %v", path, err)
				}
			}
			for _, args := range [][]string{{"status"}, {"status", "alike/" + alikeNights[0]}, {"doctor"}, {"reconcile"}, {"replay", "--job", "alike", "--date", alikeNights[0]},
				{"forget", "alike/" + alikeNights[1]}, {"run", shared.job, "--date", alikeNights[0]}} {
				t.Log(args, backhaul(t, exitComplete, append(args, "--warehouse", shared.warehouse)...))
			}
		})
	}
}
