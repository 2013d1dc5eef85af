package sourcetest

import (
	"slices"
	"testing"

	"github.com/apache/arrow-go/v18/arrow/memory"

	"backhaul/pipeline"
	"backhaul/schemas"
)

// Named returns the source of an endpoint, for a surface's own tests.
func Named(t testing.TB, all []pipeline.Source, name string) pipeline.Source {
	t.Helper()
	i := slices.IndexFunc(all, func(s pipeline.Source) bool { return s.Endpoint().Name == name })
	if i < 0 {
		t.Fatalf("no endpoint %s", name)
	}
	return all[i]
}

// Rows returns what a page brings for a table, for a surface's own tests: its rows by column, nulls left out, and what was
// rejected. Without names there are all columns, else the table's own and those.
func Rows(t testing.TB, s pipeline.Source, table *schemas.Table, from schemas.Origin, page pipeline.Page, common ...string) (rows []map[string]any, rejected []schemas.Rejection, err error) {
	t.Helper()
	mem := memory.NewCheckedAllocator(memory.DefaultAllocator)
	defer mem.AssertSize(t, 0)
	b := schemas.NewBuilder(mem, table)
	defer b.Release()
	b.Begin(from)
	err = s.Decode(page, b)
	batch := b.Batch()
	defer batch.Release()
	for i := range int(batch.NumRows()) {
		row := map[string]any{}
		for j, c := range table.Columns() {
			wanted := common == nil || j < len(table.Own) || slices.Contains(common, c.Name)
			if column := batch.Column(j); wanted && column.IsValid(i) {
				row[c.Name] = column.GetOneForMarshal(i)
			}
		}
		rows = append(rows, row)
	}
	return rows, b.Rejected(), err
}
