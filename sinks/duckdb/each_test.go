package duckdb

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"backhaul/sinks"
)

// TestEachHandsOutEveryRowAsWhatItIs over more rows than are held at once.
func TestEachHandsOutEveryRowAsWhatItIs(t *testing.T) {
	t.Parallel()
	w := warehouse(t)
	const most = 3*eachTime + 1
	values := map[string]int64{}
	for i := range most {
		values[fmt.Sprintf("anchor %d", i)] = int64(i)
	}
	anchors(t, w, "nightly", night, values)
	mustCompare(t, w)
	seen := map[string]int64{}
	err := Each(t.Context(), w, "moz", "anchor_text", Limits{}, func(rows sinks.Rows) error {
		if rows.Name != "moz.anchor_text" || rows.Count != most {
			t.Errorf("%d rows of %s", rows.Count, rows.Name)
		}
		at := map[string]int{}
		for i, c := range rows.Columns {
			at[c.Name] = i
		}
		rank := int64(0)
		for row, err := range rows.All {
			if err != nil {
				return err
			}
			rank++
			if got := row[at["rank"]]; got != rank {
				t.Fatalf("rank %v at place %d", got, rank)
			}
			if got, ok := row[at["run_date"]].(time.Time); !ok || !got.Equal(night) {
				t.Fatalf("run_date %v", got)
			}
			seen[row[at["anchor_text"]].(string)] = row[at["external_root_domains"]].(int64)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(values, seen); diff != "" {
		t.Error(diff)
	}
}

func TestEachEndsWhereItsUserDoes(t *testing.T) {
	t.Parallel()
	w := filled(t)
	enough := errors.New("enough")
	err := Each(t.Context(), w, "moz", "anchor_text", Limits{}, func(rows sinks.Rows) error {
		for range rows.All {
			return enough
		}
		return nil
	})
	if !errors.Is(err, enough) {
		t.Error(err)
	}
}

func TestTypesAreToldAsOtherProgramsHaveThem(t *testing.T) {
	t.Parallel()
	s, err := openSession(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer s.close()
	const question = `SELECT 'x' AS "a text", 1::UTINYINT AS i, sum(2::BIGINT) AS h, 0.5::DECIMAL(9,2) AS n, 0.5::FLOAT AS f, true AS b,
		DATE '2026-11-23' AS d, TIMESTAMP '2026-11-23 04:05:06' AS t, [DATE '2026-11-23'] AS l, [1, NULL] AS li, {'a': 'é"'} AS s, TIME '04:05' AS tm`
	if err := s.exec(t.Context(), "CREATE VIEW v AS "+question); err != nil {
		t.Fatal(err)
	}
	var kinds []sinks.Kind
	var got []any
	err = s.each(t.Context(), "main", "v", func(rows sinks.Rows) error {
		for _, c := range rows.Columns {
			kinds = append(kinds, c.Kind)
		}
		for row, err := range rows.All {
			if err != nil {
				return err
			}
			got = row
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	day := time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC)
	if diff := cmp.Diff([]any{"x", int64(1), int64(2), 0.5, 0.5, true, day, day.Add(4*time.Hour + 5*time.Minute + 6*time.Second), `["2026-11-23"]`, "[1,null]", `{"a":"é\""}`, "04:05:00"}, got); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]sinks.Kind{sinks.Text, sinks.Integer, sinks.Integer, sinks.Number, sinks.Number, sinks.Boolean, sinks.Date, sinks.Timestamp, sinks.Text, sinks.Text, sinks.Text, sinks.Text}, kinds); diff != "" {
		t.Error(diff)
	}
	if err := s.exec(t.Context(), "CREATE OR REPLACE VIEW v AS SELECT 9223372036854775808::HUGEINT AS h; DROP TABLE "+exported); err != nil {
		t.Fatal(err)
	}
	if err := s.each(t.Context(), "main", "v", func(sinks.Rows) error { return nil }); err == nil || !strings.Contains(err.Error(), "Conversion") {
		t.Errorf("a number that is too large: %v", err)
	}
}
