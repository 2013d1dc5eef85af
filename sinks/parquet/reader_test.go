package parquet

import (
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/google/go-cmp/cmp"

	"backhaul/schemas"
	"backhaul/sinks"
	"backhaul/sinks/blob"
	"backhaul/sinks/internal/sample"
)

func TestRowsCanBeLeftHalfWay(t *testing.T) {
	table, path := schemas.Lookup("moz.anchor_text"), filepath.Join(t.TempDir(), "f")
	write(t, path, table, 3000, Options{Memory: memory.DefaultAllocator})
	for _, err := range Rows(path, table, 100) {
		if err != nil {
			t.Error(err)
		}
		break
	}
}

// column is a table of one column, of which an earlier version declared something else.
func column(name string, typ schemas.Type) *schemas.Table {
	return &schemas.Table{Schema: "ops", Name: "evolving", Own: []schemas.Column{
		{Name: "kept", Type: schemas.String, Required: true}, {Name: name, Type: typ},
	}}
}

func TestRowsComeInTheColumnsOfToday(t *testing.T) {
	for _, c := range []struct {
		what   string
		before *schemas.Table
		value  any
		today  *schemas.Table
		want   string // the value as a text, or a part of the error
	}{
		{"the same", column("n", schemas.Int64), int64(7), column("n", schemas.Int64), "7"},
		{"a wider one", column("n", schemas.Int32), int64(7), column("n", schemas.Int64), "7"},
		{"a narrower one", column("n", schemas.Int64), int64(7), column("n", schemas.Int32), "7"},
		{"one too narrow", column("n", schemas.Int64), int64(math.MaxInt64), column("n", schemas.Int32), "column n: int64 as int32"},
		{"a float", column("n", schemas.Int64), int64(7), column("n", schemas.Float64), "7"},
		{"a float too coarse", column("n", schemas.Int64), int64(1<<53 + 1), column("n", schemas.Float64), "column n: int64 as float64"},
		{"a fraction", column("n", schemas.Float64), 0.5, column("n", schemas.Int64), "column n: float64 as int64"},
		{"a time of a day", column("n", schemas.Date), int64(1), column("n", schemas.Timestamp), "1970-01-02T00:00:00"},
		{"a day of a time", column("n", schemas.Timestamp), int64(1), column("n", schemas.Date), "column n: timestamp[us] as date32"},
		{"a text", column("n", schemas.Int64), int64(7), column("n", schemas.String), "7"},
		{"a number", column("n", schemas.String), "007", column("n", schemas.Int64), "column n: utf8 as int64"},
		{"null", column("n", schemas.Int32), nil, column("n", schemas.Int64), "(null)"},
		{"no list", column("n", schemas.Strings), []any{"a"}, column("n", schemas.Int64), "column n: list<element: utf8, nullable> as int64"},
		{"a new one", &schemas.Table{Schema: "ops", Name: "evolving", Own: column("n", schemas.Int64).Own[:1]}, nil, column("n", schemas.Int64), "(null)"},
		{"another name", column("n", schemas.Int64), int64(7), column("m", schemas.Int64), "column n: ops.evolving has none of that name"},
	} {
		path := filepath.Join(t.TempDir(), "f.parquet")
		writeRow(t, path, c.before, []any{"x", c.value})
		var got string
		for batch, err := range Rows(path, c.today, 10) {
			if err != nil {
				if !errors.Is(err, sinks.ErrColumns) || errors.Is(err, sinks.ErrDamaged) || !strings.HasPrefix(err.Error(), path+": ") {
					t.Errorf("%s: %v", c.what, err)
				}
				got = err.Error()
				continue
			}
			got = batch.Column(1).ValueStr(0)
			if !batch.Schema().Equal(c.today.Arrow()) || batch.Column(0).ValueStr(0) != "x" {
				t.Errorf("%s: %v", c.what, batch)
			}
		}
		if !strings.Contains(got, c.want) {
			t.Errorf("%s: %s, not %s", c.what, got, c.want)
		}
	}
}

// writeRow writes a file of one row of as many of the values as the table has columns.
func writeRow(t *testing.T, path string, table *schemas.Table, values []any) {
	t.Helper()
	w, err := Create(blob.FS{}, path, table, Options{})
	if err != nil {
		t.Fatal(err)
	}
	batch := sample.Batch(memory.DefaultAllocator, table, "", [][]any{values[:len(table.Own)]})
	defer batch.Release()
	if err := w.Write(batch); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestMetadataComesBack(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f")
	want := map[string]string{"manifest": strings.Repeat(`{"job":"nightly"}`, 1000), "empty": ""}
	write(t, path, schemas.Lookup("moz.anchor_text"), 10, Options{Memory: memory.DefaultAllocator, Metadata: want})
	got, err := Metadata(path)
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Error(err, diff)
	}
	if _, err := Metadata(path + ".none"); !errors.Is(err, os.ErrNotExist) || errors.Is(err, sinks.ErrDamaged) {
		t.Error(err)
	}
	if err := os.Truncate(path, 100); err != nil {
		t.Fatal(err)
	}
	if _, err := Metadata(path); !errors.Is(err, sinks.ErrDamaged) || !strings.Contains(err.Error(), path) {
		t.Error(err)
	}
}

func TestMetadataOfTheWritersOwnIsRefused(t *testing.T) {
	for _, key := range []string{tableKey, sealKey} {
		path := filepath.Join(t.TempDir(), "f")
		_, err := Create(blob.FS{}, path, schemas.Lookup("moz.anchor_text"), Options{Metadata: map[string]string{key: "x"}})
		if _, statErr := os.Stat(path); err == nil || !strings.Contains(err.Error(), fmt.Sprintf("metadata %s:", key)) || statErr == nil {
			t.Errorf("%v, file: %v", err, statErr)
		}
	}
}

// TestFooterHasNoMeanings holds that a wide table's small file is its rows, not what schemas says of its columns.
func TestFooterHasNoMeanings(t *testing.T) {
	table, path := schemas.Lookup("moz.links"), filepath.Join(t.TempDir(), "f")
	staged := write(t, path, table, 1, Options{Memory: memory.DefaultAllocator})
	if perColumn := staged.Bytes / int64(len(table.Columns())); perColumn > 170 {
		t.Errorf("%d bytes a column", perColumn)
	}
}
