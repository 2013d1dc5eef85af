package duckdb

import (
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"backhaul/schemas"
	"backhaul/sinks/internal/sample"
)

func TestDriftNamesTheFieldsThatHaveNoColumn(t *testing.T) {
	w := warehouse(t)
	table, date := schemas.Lookup("moz.anchor_text"), time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	b := schemas.NewBuilder(memory.DefaultAllocator, table)
	defer b.Release()
	o := sample.Origin("a.com")
	o.RunDate = arrow.Date32FromTime(date)
	b.Begin(o)
	for _, extra := range []string{`{"shiny":{"deep":1}}`, "", `{"shiny":{"deep":1},"we\"ird":2,"*":3,"":4,"a/b~c d":5}`} {
		row := b.Row()
		row.SetString(0, "x")
		row.SetInt(1, 1)
		row.SetInt(2, 1)
		if extra != "" {
			row.SetString(table.Index(schemas.ColExtra), extra)
		}
		b.Append()
	}
	batch := b.Batch()
	defer batch.Release()
	put(t, w, table, o.Job, date, batch)
	mustBuild(t, w)
	got := ask(t, w, "SELECT table_name, field, rows, example FROM ops.drift ORDER BY field", CSV)
	want := "table_name,field,rows,example\nmoz.anchor_text,\"\",1,4\nmoz.anchor_text,*,1,3\nmoz.anchor_text,a/b~c d,1,5\n" +
		"moz.anchor_text,shiny,2,\"{\"\"deep\"\":1}\"\nmoz.anchor_text,\"we\"\"ird\",1,2\n"
	if got != want {
		t.Errorf("%s\nwant\n%s", got, want)
	}
}
