// Package secondopinion reads our Parquet files with a reader that shares no code with their writer:
// xitongsys/parquet-go. It is a module of its own, so that this unmaintained reader stays out of the binary's
// module graph:
//
//	cd sinks/parquet/secondopinion && go test ./...
package secondopinion

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/google/go-cmp/cmp"
	"github.com/xitongsys/parquet-go/common"
	"github.com/xitongsys/parquet-go/parquet"
	"github.com/xitongsys/parquet-go/reader"
	"github.com/xitongsys/parquet-go/source"

	"backhaul/schemas"
	"backhaul/sinks/blob"
	"backhaul/sinks/internal/sample"
	ours "backhaul/sinks/parquet"
)

// diskFile is the source the reader wants: it opens the file once per column.
type diskFile struct{ *os.File }

func (f diskFile) Open(name string) (source.ParquetFile, error) {
	if name == "" {
		name = f.Name()
	}
	file, err := os.Open(name)
	return diskFile{file}, err
}

func (f diskFile) Create(name string) (source.ParquetFile, error) {
	file, err := os.Create(name)
	return diskFile{file}, err
}

// write writes the rows.
func write(t *testing.T, table *schemas.Table, rows [][]any, o ours.Options) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "f.parquet")
	w, err := ours.Create(blob.FS{}, path, table, o)
	if err != nil {
		t.Fatal(err)
	}
	batch := sample.Batch(memory.DefaultAllocator, table, "a.com", rows)
	defer batch.Release()
	if err := w.Write(batch); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestXitongsysReadsTheValuesThatWereWritten(t *testing.T) {
	table := sample.Table()
	want := sample.Rows(table)
	f, err := diskFile{}.Open(write(t, table, want, ours.Options{RowGroupRows: 2}))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r, err := reader.NewParquetColumnReader(f, 1)
	if err != nil {
		t.Fatal(err)
	}
	defer r.ReadStop()
	if n := r.GetNumRows(); n != int64(len(want)) {
		t.Fatalf("%d rows", n)
	}
	for i, c := range table.Own {
		got := column(t, r, c, int64(len(want)))
		values := make([]any, len(want))
		for row := range want {
			values[row] = want[row][i]
		}
		if diff := cmp.Diff(values, got); diff != "" {
			t.Errorf("%s %s: %s", c.Name, c.Type, diff)
		}
	}
}

// TestXitongsysReadsEveryEncoding has rows of which each column asks for an encoding of its own.
func TestXitongsysReadsEveryEncoding(t *testing.T) {
	table := &schemas.Table{Schema: "moz", Name: "every_encoding"}
	for i, typ := range []schemas.Type{schemas.String, schemas.Int64, schemas.Float64, schemas.String, schemas.Int64} {
		table.Own = append(table.Own, schemas.Column{Name: fmt.Sprint("c", i), Type: typ, Required: true})
	}
	wants := []parquet.Encoding{parquet.Encoding_DELTA_BYTE_ARRAY, parquet.Encoding_DELTA_BINARY_PACKED,
		parquet.Encoding_BYTE_STREAM_SPLIT, parquet.Encoding_RLE_DICTIONARY, parquet.Encoding_RLE_DICTIONARY}
	rng := rand.New(rand.NewPCG(1, 2))
	rows := make([][]any, 3000)
	for i := range rows {
		jump := rng.Int64N(20)
		rows[i] = []any{fmt.Sprint("https://a.example/page/", 100_000+i), int64(i) * 1000, 1 + rng.Float64(),
			fmt.Sprint("text ", jump*7919), jump * 1_000_003}
	}
	f, err := diskFile{}.Open(write(t, table, rows, ours.Options{}))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r, err := reader.NewParquetColumnReader(f, 1)
	if err != nil {
		t.Fatal(err)
	}
	defer r.ReadStop()
	for i, c := range table.Own {
		if got := r.Footer.RowGroups[0].Columns[i].MetaData.Encodings; !slices.Contains(got, wants[i]) {
			t.Errorf("%s is written in %v, not %v", c.Name, got, wants[i])
		}
		for row, got := range column(t, r, c, int64(len(rows))) {
			if got != rows[row][i] {
				t.Fatalf("%s of row %d: %v, not %v", c.Name, row, got, rows[row][i])
			}
		}
	}
}

// column reads one column and puts its lists together.
func column(t *testing.T, r *reader.ParquetReader, c schemas.Column, rows int64) (values []any) {
	t.Helper()
	list := c.Type == schemas.Strings || c.Type == schemas.Int32s || c.Type == schemas.Dates
	path := []string{r.SchemaHandler.GetRootExName(), c.Name}
	if list {
		path = append(path, "list", "element")
	}
	flat, rep, def, err := r.ReadColumnByPath(common.PathToStr(path), rows)
	if err != nil {
		t.Fatalf("%s: %v", c.Name, err)
	}
	if !list {
		for _, v := range flat {
			values = append(values, widen(v))
		}
		return values
	}
	nullable := int32(0)
	if !c.Required {
		nullable = 1
	}
	for i, v := range flat {
		if rep[i] == 0 {
			values = append(values, any([]any{}))
			if def[i] < nullable {
				values[len(values)-1] = nil
			}
		}
		if def[i] > nullable { // an element, not an empty list
			last := len(values) - 1
			values[last] = append(values[last].([]any), widen(v))
		}
	}
	return values
}

func widen(v any) any {
	if n, ok := v.(int32); ok {
		return int64(n)
	}
	return v
}
