//go:build cluster && fleet && lakecheck && linux

package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"backhaul/pipeline/postgres/postgrestest"
	"backhaul/schemas"
)

// monthTables are those that a reader watches during a month of nights.
var monthTables = []string{"moz.anchor_text", "moz.linking_root_domains", "ops.tasks"}

// monthOf does what happens to a warehouse in thirty nights over the turn of a month: they are bought, some of them again, loaded anew,
// forgotten and loaded again, and merged; leftovers go. bought is told of each night.
func monthOf(t *testing.T, s *shop, bought func(night string)) {
	t.Helper()
	first := time.Date(2026, 10, 17, 0, 0, 0, 0, time.UTC)
	night := func(n int) string { return first.AddDate(0, 0, n).Format(time.DateOnly) }
	do := func(args ...string) { backhaul(t, exitComplete, append(args, "--warehouse", s.warehouse)...) }
	for n := range 30 {
		s.server.SetDay(n)
		s.buy(t, night(n))
		bought(night(n))
		switch n % 10 {
		case 3:
			s.buy(t, night(n))
			do("replay", "alike/"+night(n-2))
		case 5:
			do("forget", "alike/"+night(n-1))
		case 6:
			do("replay", "alike/"+night(n-2))
		case 7:
			do("compact", "--month", night(n)[:7])
		case 8:
			do("replay", "alike/"+night(n-3)) // of a month that is merged
		case 9:
			do("gc")
		}
	}
	do("compact")
	do("doctor")
}

// TestAMonthInAStoreIsReadWhollyByOthers has PyIceberg read while nights are bought, merged, loaded anew and forgotten: of each night it
// must see all rows or none. What is there in the end is what the same nights leave in a directory.
func TestAMonthInAStoreIsReadWhollyByOthers(t *testing.T) {
	python := os.Getenv("PYICEBERG_PYTHON")
	if python == "" {
		t.Fatal("PYICEBERG_PYTHON is not set: run make lake-check")
	}
	usual := purchase{surface: "v2", connections: 4}
	plain := open(t, usual)
	monthOf(t, plain, func(string) {})
	want, paid := sumsOf(t, plain.warehouse, alikeTables), plain.bill(t)

	g, address := startGateway(t), postgrestest.Start(t).Address("postgres")
	setenv(t, database, address)
	copied := clientHost(t)
	shared := open(t, usual)
	shared.warehouse = storeURL
	store := tablesOf(t, address)
	whole := map[string]map[string]int64{} // by table and night
	for _, table := range monthTables {
		whole[table] = map[string]int64{}
	}
	var watched func() int
	monthOf(t, shared, func(night string) {
		for _, table := range monthTables {
			nights, err := store.Count(t.Context(), schemas.Lookup(table))
			if err != nil || nights[night] == 0 {
				t.Fatalf("%s of %s: %v, %v", table, night, nights, err)
			}
			whole[table][night] = nights[night]
		}
		if watched == nil {
			watched = watch(t, python, address, "http://"+g.address, whole)
		}
	})
	t.Logf("%d readings", watched())
	if diff := cmp.Diff(want, sumsOf(t, copied(), alikeTables), cmp.AllowUnexported(rowsum{})); diff != "" {
		t.Error(diff)
	}
	if b := spentIn(t, address); b.Spent != paid.Spent || b.Granted != paid.Granted || shared.server.Meter().Rows != paid.Billed {
		t.Errorf("%+v, %d rows billed; in files %+v", b, shared.server.Meter().Rows, paid)
	}
	last := map[string]map[string]int64{}
	for _, table := range monthTables {
		nights, err := store.Count(t.Context(), schemas.Lookup(table))
		if err != nil {
			t.Fatal(err)
		}
		last[table] = nights
	}
	if diff := cmp.Diff(whole, last); diff != "" {
		t.Error(diff)
	}
}

// watch starts a reader, and returns what ends it and holds what it saw against what nights have.
func watch(t *testing.T, python, address, endpoint string, whole map[string]map[string]int64) (end func() int) {
	t.Helper()
	cmd, in, lines := startReader(t, python, "watch_pyiceberg.py", append([]string{address, storeURL, endpoint}, monthTables...)...)
	type reading struct {
		Table  string
		Nights map[string]int64
	}
	all := make(chan []reading, 1)
	go func() {
		var seen []reading
		for lines.Scan() {
			var r reading
			if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
				t.Error(err)
			}
			seen = append(seen, r)
		}
		all <- seen
	}()
	return func() int {
		_ = in.Close()
		seen := <-all
		if err := cmd.Wait(); err != nil {
			t.Error(err)
		}
		states := map[string]bool{}
		for _, r := range seen {
			for night, rows := range r.Nights {
				if rows != whole[r.Table][night] {
					t.Errorf("%s: %d rows of %s, which has %d", r.Table, rows, night, whole[r.Table][night])
				}
			}
			states[fmt.Sprint(r.Table, slices.Sorted(maps.Keys(r.Nights)))] = true
		}
		if len(states) < 60 {
			t.Errorf("the reader saw %d states in %d readings", len(states), len(seen))
		}
		return len(seen)
	}
}
