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
	w, date := warehouse(t), time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	anchors(t, w, "job", date, map[string]int64{"brand": 7, "": 2})
	mustBuild(t, w)
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

func TestAskTellsAMissingRelationFromOtherMistakes(t *testing.T) {
	w := warehouse(t)
	mustBuild(t, w)
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
