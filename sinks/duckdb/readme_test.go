package duckdb

import (
	"regexp"
	"strings"
	"testing"
)

func TestTheFirstQueriesAreAnswered(t *testing.T) {
	t.Parallel()
	b := book{t, filled(t), "nightly"}
	for _, n := range []int{-24, 1} { // October 31st, November 25th
		b.lay(n, "ops.tasks", "extract endpoint target ending", "anchors|moz/anchor_text|example.com|end of list")
	}
	if len(FirstQueries) != 10 {
		t.Errorf("%d queries, and the contract promises ten", len(FirstQueries))
	}
	for _, q := range FirstQueries {
		if _, _, err := Select(t.Context(), b.w, q.SQL); err != nil {
			t.Errorf("%s: %v", q.Asks, err)
		}
	}
}

func TestTheReadmeOpensItsWarehouse(t *testing.T) {
	t.Parallel()
	w := filled(t)
	mustBuildOnly(t, w)
	text := Readme(w.Root)
	for _, q := range FirstQueries {
		if !strings.Contains(text, "-- "+q.Asks+"\n"+q.SQL+";\n") {
			t.Errorf("%s: not in it", q.Asks)
		}
	}
	block := regexp.MustCompile("(?s)```sql\n(.*?)```").FindStringSubmatch(text)
	if block == nil {
		t.Fatal("no SQL in it")
	}
	s, err := openSession(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer s.close()
	if err := s.exec(t.Context(), block[1]); err != nil {
		t.Fatal(err)
	}
	_, rows, err := s.rows(t.Context(), "SELECT count(*), getvariable('backhaul_warehouse') FROM moz.anchor_text")
	if err != nil || rows[0][0] != int64(3) || rows[0][1] != w.Root {
		t.Errorf("%v, %v", rows, err)
	}
	if err := s.exec(t.Context(), "CREATE TABLE t(i INTEGER)"); err == nil {
		t.Error("it can be written to")
	}
	if text := Readme("/it's here"); !strings.Contains(text, "ATTACH '/it''s here/catalog.duckdb'") || !strings.Contains(text, "look in\n`/it's here`") {
		t.Error("a path with a quote is not spelled right")
	}
}
