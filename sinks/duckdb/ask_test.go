package duckdb

import (
	"context"
	"errors"
	"path/filepath"
	"testing"
	"time"

	"backhaul/schemas"
	"backhaul/sinks"
)

func TestAskReadsTheCatalogAndTablesOutsideIt(t *testing.T) {
	t.Parallel()
	w, date := warehouse(t), time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	anchors(t, w, "job", date, map[string]int64{"brand": 7, "": 2})
	mustCompare(t, w)
	file := published(t, w, "moz.anchor_text", "job", date)
	loose := []Loose{{Name: "found", Table: schemas.Lookup("moz.anchor_text"), Files: []string{file}}, {Name: "none", Table: schemas.Lookup("moz.links")}}
	columns, rows, err := Ask(context.Background(), w,
		"select f.anchor_text, f.external_root_domains as n, f.extra, (select count(*) from none) as none from found f join moz.anchor_text using (anchor_text) order by n", loose, Limits{})
	if err != nil || len(columns) != 4 || len(rows) != 2 {
		t.Fatalf("%v, %d rows, %v", columns, len(rows), err)
	}
	if *rows[0][0] != "" || *rows[1][0] != "brand" || *rows[1][1] != "7" || rows[1][2] != nil || *rows[1][3] != "0" {
		t.Errorf("%v", rows)
	}
}

func TestAListIsAskedAsItsMartShowsIt(t *testing.T) {
	t.Parallel()
	b := book{t, warehouse(t), "job"}
	b.lay(1, "user.labels", "row source source_page label", "1|a.example|a.example|good", "2|a.example|a.example|Ignored", "3|b.example|b.example|-")
	b.lay(1, "ahrefs.anchors", "target anchor", "a.example|kept as it is")
	mustCompare(t, b.w)
	var loose []Loose
	for _, name := range []string{"user.labels", "ahrefs.anchors"} {
		table := schemas.Lookup(name)
		loose = append(loose, Loose{Name: table.Name, Table: table, Files: []string{published(t, b.w, name, "job", date(1))}})
	}
	const sql = "select l.source_page, l.label, l.ignored, a.anchor from labels l left join anchors a on a.target = l.source_page order by l.source_page"
	_, rows, err := Ask(t.Context(), b.w, sql, loose, Limits{})
	if err != nil || len(rows) != 2 {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	if *rows[0][1] != "Ignored" || *rows[0][2] != "true" || *rows[0][3] != "kept as it is" || rows[1][2] != nil {
		t.Errorf("%v", rows)
	}
	r, err := Rehearse(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Close() }()
	if columns, err := r.Columns(t.Context(), sql, loose); err != nil || len(columns) != 4 {
		t.Errorf("%v, %v", columns, err)
	}
}

func TestAskTellsAMissingRelationFromOtherMistakes(t *testing.T) {
	t.Parallel()
	w := warehouse(t)
	mustCompare(t, w)
	for sql, want := range map[string]bool{
		"select target from nowhere": true, "select target from marts.nothing": true,
		"select nothing from moz.links": false, "selec 1": false, "delete from moz.links": false,
	} {
		if _, _, err := Ask(context.Background(), w, sql, nil, Limits{}); err == nil || errors.Is(err, ErrNoRelation) != want {
			t.Errorf("%s: %v", sql, err)
		}
	}
	empty := sinks.Warehouse{Root: filepath.Join(t.TempDir(), "none")}
	if _, _, err := Ask(context.Background(), empty, "select 1", nil, Limits{}); !errors.Is(err, ErrNoLake) {
		t.Errorf("%v", err)
	}
}
