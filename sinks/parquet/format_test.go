package parquet

import (
	"path/filepath"
	"testing"

	pq "github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/compress"
	"github.com/apache/arrow-go/v18/parquet/file"
	"github.com/google/go-cmp/cmp"

	"backhaul/schemas"
	"backhaul/sinks/internal/sample"
)

func TestColumnsAreNullableAsDeclared(t *testing.T) {
	path, table := filepath.Join(t.TempDir(), "f"), sample.Table()
	write(t, path, table, 0, Options{Memory: checked(t)})
	columns := openFile(t, path).MetaData().Schema.Root()
	for i, c := range table.Columns() {
		if required := columns.Field(i).RepetitionType() == pq.Repetitions.Required; required != c.Required {
			t.Errorf("%s required: %v", c.Name, required)
		}
	}
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
	if n := md.RowGroup(0).NumRows(); n != 28_000 || r.NumRowGroups() != 5 {
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
	want := compress.Codecs.Zstd
	switch c.Name {
	case "external_root_domains", "external_pages", "scope", "job", "extract", "run_id", "run_date", "surface": // noise, and one value
		want = compress.Codecs.Uncompressed
	}
	if set, err := chunk.StatsSet(); !set || err != nil || chunk.Compression() != want {
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
