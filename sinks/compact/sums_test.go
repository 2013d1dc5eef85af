package compact

import (
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"backhaul/schemas"
	"backhaul/sinks"
)

// sumOf is the sum of one row of the run nightly of 2026-10-01 with two numbers and a list; nil is null.
func sumOf(t *testing.T, a, b *int64, list ...int32) Total {
	t.Helper()
	fields := []arrow.Field{{Name: "job", Type: arrow.BinaryTypes.String}, {Name: schemas.ColRunDate, Type: arrow.FixedWidthTypes.Date32},
		{Name: "a", Type: arrow.PrimitiveTypes.Int64, Nullable: true}, {Name: "b", Type: arrow.PrimitiveTypes.Int64, Nullable: true},
		{Name: "list", Type: arrow.ListOf(arrow.PrimitiveTypes.Int32)}}
	rows := array.NewRecordBuilder(memory.DefaultAllocator, arrow.NewSchema(fields, nil))
	defer rows.Release()
	rows.Field(0).(*array.StringBuilder).Append("nightly")
	rows.Field(1).(*array.Date32Builder).Append(20727)
	for i, n := range []*int64{a, b} {
		if n == nil {
			rows.Field(2 + i).AppendNull()
		} else {
			rows.Field(2 + i).(*array.Int64Builder).Append(*n)
		}
	}
	elements := rows.Field(4).(*array.ListBuilder)
	elements.Append(true)
	elements.ValueBuilder().(*array.Int32Builder).AppendValues(list, nil)
	batch := rows.NewRecordBatch()
	defer batch.Release()
	sums := Sums{}
	if err := sums.Add(batch); err != nil {
		t.Fatal(err)
	}
	return sums[sinks.RunKey{Job: "nightly", Date: "2026-10-01"}]
}

func TestASumTellsEveryChangeOfARow(t *testing.T) {
	none, one, two := int64(0), int64(1), int64(2)
	seen := map[uint64]string{}
	for name, total := range map[string]Total{
		"as it was":               sumOf(t, &one, &two, 1, 2),
		"values change places":    sumOf(t, &two, &one, 1, 2),
		"a value becomes 0":       sumOf(t, &none, &two, 1, 2),
		"a value becomes null":    sumOf(t, nil, &two, 1, 2),
		"a list in another order": sumOf(t, &one, &two, 2, 1),
		"a list without its end":  sumOf(t, &one, &two, 1),
	} {
		if total.Rows != 1 {
			t.Errorf("%s: %d rows", name, total.Rows)
		}
		if other, same := seen[total.Sum]; same {
			t.Errorf("%s has the sum of %s", name, other)
		}
		seen[total.Sum] = name
	}
}

func TestAManifestFitsItsRowsAlone(t *testing.T) {
	m := Manifest{Runs: []Run{{Job: "nightly", Date: "2026-10-01", Rows: 50, Sum: 7}, {Job: "nightly", Date: "2026-10-02"}}}
	first, second, other := m.Runs[0].Key(), m.Runs[1].Key(), sinks.RunKey{Job: "other", Date: "2026-10-02"}
	for name, test := range map[string]struct {
		sums Sums
		fits bool
	}{
		"as it says":                 {Sums{first: {Rows: 50, Sum: 7}}, true},
		"a row changed":              {Sums{first: {Rows: 50, Sum: 8}}, false},
		"a row less":                 {Sums{first: {Rows: 49, Sum: 7}}, false},
		"a run is missing":           {Sums{}, false},
		"a row where there are none": {Sums{first: {Rows: 50, Sum: 7}, second: {Rows: 1, Sum: 1}}, false},
		"a run that is not said":     {Sums{first: {Rows: 50, Sum: 7}, other: {Rows: 1, Sum: 1}}, false},
	} {
		if err := m.check(test.sums); (err == nil) != test.fits {
			t.Errorf("%s: %v", name, err)
		}
	}
}
