package parquet

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	pq "github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/compress"
	"github.com/apache/arrow-go/v18/parquet/file"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"
	"github.com/google/go-cmp/cmp"

	"backhaul/schemas"
	"backhaul/sinks/blob"
	"backhaul/sinks/internal/sample"
)

func TestArrowReadsTheValuesThatWereWritten(t *testing.T) {
	mem := checked(t)
	path := filepath.Join(t.TempDir(), "f")
	table := sample.Table()
	batch := sample.Batch(mem, table, "a.com", sample.Rows(table))
	defer batch.Release()
	w, err := Create(blob.FS{}, path, table, Options{Memory: mem})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Write(batch); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Close(); err != nil {
		t.Fatal(err)
	}
	back := readTable(t, path)
	defer back.Release()
	if back.NumCols() != batch.NumCols() || back.NumRows() != batch.NumRows() {
		t.Fatalf("%d columns, %d rows", back.NumCols(), back.NumRows())
	}
	for i := range int(batch.NumCols()) {
		got, want := back.Column(i), batch.Column(i)
		name := batch.ColumnName(i)
		if len(got.Data().Chunks()) != 1 || !array.Equal(got.Data().Chunk(0), want) {
			t.Errorf("%s: got %v, want %v", name, got.Data().Chunks(), want)
		}
		f := table.Arrow().Field(i)
		if got.Field().Nullable != f.Nullable {
			t.Errorf("%s nullable: %v", name, got.Field().Nullable)
		}
	}
}

func readTable(t *testing.T, path string) arrow.Table {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	mem := memory.NewGoAllocator() // see readSums
	table, err := pqarrow.ReadTable(context.Background(), f, pq.NewReaderProperties(mem), pqarrow.ArrowReadProperties{}, mem)
	if err != nil {
		t.Fatal(err)
	}
	return table
}

func TestTheFileDeclaresWhatReadersSkipBy(t *testing.T) {
	mem := checked(t)
	path := filepath.Join(t.TempDir(), "f")
	table := schemas.Lookup("moz.anchor_text")
	write(t, path, table, 130_000, Options{Memory: mem, Version: "1.2.3"})
	r := openFile(t, path)
	md := r.MetaData()
	if md.GetCreatedBy() != "backhaul version 1.2.3" {
		t.Errorf("created by %q", md.GetCreatedBy())
	}
	if v := md.KeyValueMetadata().FindValue("table"); v == nil || *v != "moz.anchor_text" {
		t.Errorf("table metadata: %v", md.KeyValueMetadata())
	}
	if n := md.RowGroup(0).NumRows(); n != rowGroupRows || r.NumRowGroups() != 2 {
		t.Errorf("%d row groups, the first of %d rows", r.NumRowGroups(), n)
	}
	if diff := cmp.Diff([]int32{3, 5, 6}, sortedBy(r)); diff != "" {
		t.Errorf("sorting columns: %s", diff)
	}
	for i, c := range table.Columns() {
		checkChunk(t, r, i, c)
	}
}

func sortedBy(r *file.Reader) (columns []int32) {
	for _, c := range r.MetaData().RowGroup(0).SortingColumns() {
		columns = append(columns, c.ColumnIdx)
	}
	return columns
}

func checkChunk(t *testing.T, r *file.Reader, i int, c schemas.Column) {
	t.Helper()
	chunk, err := r.MetaData().RowGroup(0).ColumnChunk(i)
	if err != nil {
		t.Fatal(err)
	}
	if set, err := chunk.StatsSet(); !set || err != nil || chunk.Compression() != compress.Codecs.Zstd {
		t.Errorf("%s: statistics %v %v, compression %s", c.Name, set, err, chunk.Compression())
	}
	if chunk.GetColumnIndexLocation() == nil || chunk.GetOffsetIndexLocation() == nil {
		t.Errorf("%s has no page index", c.Name)
	}
	if has := chunk.BloomFilterOffset() > 0; has != (c.Name == schemas.ColTarget) {
		t.Errorf("%s has a bloom filter: %v", c.Name, has)
	}
}

func TestBloomFilterFindsTheTargetsAndIsSmall(t *testing.T) {
	mem := checked(t)
	path := filepath.Join(t.TempDir(), "f")
	write(t, path, schemas.Lookup("moz.anchor_text"), 10_000, Options{Memory: mem})
	r := openFile(t, path)
	chunk, err := r.MetaData().RowGroup(0).ColumnChunk(3)
	if err != nil || chunk.BloomFilterLength() > 2100 {
		t.Errorf("a filter of ten targets takes %d bytes, %v", chunk.BloomFilterLength(), err)
	}
	group, err := r.GetBloomFilterReader().RowGroup(0)
	if err != nil {
		t.Fatal(err)
	}
	filter, err := group.GetColumnBloomFilter(3)
	if err != nil {
		t.Fatal(err)
	}
	hasher := filter.Hasher()
	for target, want := range map[string]bool{"target-0000001.com": true, "target-0000002.com": true, "absent.com": false} {
		if got := filter.CheckHash(hasher.Sum64([]byte(target))); got != want {
			t.Errorf("%s in the filter: %v", target, got)
		}
	}
}

func TestWideTablesGetSmallerRowGroups(t *testing.T) {
	mem := checked(t)
	path := filepath.Join(t.TempDir(), "f")
	write(t, path, schemas.Lookup("moz.links"), 5_000, Options{Memory: mem, RowGroupBytes: 1 << 20})
	r := openFile(t, path)
	if n := r.NumRowGroups(); n < 4 || n > 8 {
		t.Errorf("%d row groups of 5,000 rows of about 1 kB under 1 MiB", n)
	}
}
