package parquet

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"testing"

	"github.com/apache/arrow-go/v18/arrow/memory"
	pq "github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/compress"
	"github.com/apache/arrow-go/v18/parquet/file"
	"github.com/google/go-cmp/cmp"

	"backhaul/schemas"
	"backhaul/sinks/blob"
	"backhaul/sinks/internal/sample"
)

// TestTheEncodingIsThatOfTheRowsNotOfTheType holds that one column is written one way where it counts up and another where
// it jumps between few values.
func TestTheEncodingIsThatOfTheRowsNotOfTheType(t *testing.T) {
	jumps := oneOf(50)
	for _, c := range []struct {
		what  string
		pages func(i int) int64
		want  pq.Encoding
	}{
		{"counts up", func(i int) int64 { return int64(i) * 1000 }, pq.Encodings.DeltaBinaryPacked},
		{"jumps between few values", func(int) int64 { return jumps() }, pq.Encodings.RLEDict},
	} {
		path := filepath.Join(t.TempDir(), "f")
		writeAnchors(t, path, Options{Memory: checked(t)}, 5000, func(i int) []any {
			return []any{fmt.Sprint("https://a.example/page/", 100_000+i), int64(1), c.pages(i)}
		})
		r := openFile(t, path)
		if got := encodingsOf(t, r, 2); !slices.Contains(got, c.want) {
			t.Errorf("a column that %s has encodings %v, not %s", c.what, got, c.want)
		}
		if got := encodingsOf(t, r, 0); !slices.Contains(got, pq.Encodings.DeltaByteArray) {
			t.Errorf("sorted URLs have encodings %v", got)
		}
	}
}

// TestThoroughSeesWhatRecursFarApart holds what Thorough is for: a few rows of the group hold each time but once.
func TestThoroughSeesWhatRecursFarApart(t *testing.T) {
	bytes := map[bool]int64{}
	for _, thorough := range []bool{false, true} {
		path := filepath.Join(t.TempDir(), "f")
		o := Options{Memory: checked(t), Thorough: thorough, RowGroupRows: RowGroupRows}
		far := oneOf(6000)
		bytes[thorough] = writeAnchors(t, path, o, 60_000, func(int) []any { return []any{"a", int64(1), far()} })
	}
	if bytes[true]*10 > bytes[false]*9 {
		t.Errorf("%d bytes chosen thoroughly, %d by a sample", bytes[true], bytes[false])
	}
}

// oneOf returns a source of numbers that are each one of n large ones.
func oneOf(n int) func() int64 {
	rng := rand.New(rand.NewPCG(1, 2))
	numbers := make([]int64, n)
	for i := range numbers {
		numbers[i] = rng.Int64()
	}
	return func() int64 { return numbers[rng.IntN(n)] }
}

// writeAnchors writes n rows of moz.anchor_text and returns the size of the file.
func writeAnchors(t *testing.T, path string, o Options, n int, row func(i int) []any) int64 {
	t.Helper()
	table := schemas.Lookup("moz.anchor_text")
	w, err := Create(blob.FS{}, path, table, o)
	if err != nil {
		t.Fatal(err)
	}
	rows := make([][]any, n)
	for i := range rows {
		rows[i] = row(i)
	}
	batch := sample.Batch(o.Memory, table, "a.com", rows)
	defer batch.Release()
	if err := w.Write(batch); err != nil {
		t.Fatal(err)
	}
	staged, err := w.Close()
	if err != nil {
		t.Fatal(err)
	}
	return staged.Bytes
}

func encodingsOf(t *testing.T, r *file.Reader, column int) []pq.Encoding {
	t.Helper()
	chunk, err := r.MetaData().RowGroup(0).ColumnChunk(column)
	if err != nil {
		t.Fatal(err)
	}
	if chunk.HasDictionaryPage() {
		return []pq.Encoding{pq.Encodings.RLEDict}
	}
	return chunk.Encodings()
}

// TestEveryEncodingOfEveryTypeReadsBack writes each type in each encoding, whatever would be chosen for it.
func TestEveryEncodingOfEveryTypeReadsBack(t *testing.T) {
	mem := memory.NewGoAllocator()
	table := sample.Table()
	batch := sample.Batch(mem, table, "a.com", sample.Rows(table))
	want := NewDigest(table)
	if err := want.Write(batch); err != nil {
		t.Fatal(err)
	}
	for _, e := range []encoding{dictionary, plain, delta} {
		path := filepath.Join(t.TempDir(), "f")
		w, err := Create(blob.FS{}, path, table, Options{Memory: mem})
		if err != nil {
			t.Fatal(err)
		}
		forced := forms{}
		for i, f := range table.Arrow().Fields() {
			at, _ := leaf(f)
			forced[at] = form{encoding: e, bare: i%2 == 0}
		}
		if err := w.start(forced, false); err != nil {
			t.Fatal(err)
		}
		if err := w.Write(batch); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Close(); err != nil {
			t.Errorf("encoding %d: %v", e, err)
		}
	}
}

// A text that may be anything in the next row group is compressed, and so is what something is saved of.
func TestOnlyWhatCompressionSavesNothingOfIsLeftUncompressed(t *testing.T) {
	table := schemas.Lookup("moz.anchor_text")
	random := rand.New(rand.NewPCG(1, 2))
	for rows, want := range map[int]map[string]bool{
		100:              {"job": true, "anchor_text": false},
		2 * rowGroupRows: {"job": true, "anchor_text": false, "external_root_domains": true, "external_pages": false},
	} {
		path := filepath.Join(t.TempDir(), "f")
		writeAnchors(t, path, Options{Memory: checked(t)}, rows, func(i int) []any {
			return []any{fmt.Sprint("a text ", i%min(rows, 101)), random.Int64N(1 << 40), int64(i / 1000 % 2 * (i % 1000))}
		})
		for name, bare := range want {
			chunk, err := openFile(t, path).MetaData().RowGroup(0).ColumnChunk(table.Index(name))
			if err != nil {
				t.Fatal(err)
			}
			if got := chunk.Compression() == compress.Codecs.Uncompressed; got != bare {
				t.Errorf("%s of %d rows: uncompressed %v, want %v", name, rows, got, bare)
			}
		}
	}
}

func TestARowGroupEndsWithATarget(t *testing.T) {
	mem := checked(t)
	table := schemas.Lookup("moz.anchor_text")
	for of, want := range map[int][]int64{300: {900, 900, 900, 300}, 700: {700, 700, 700, 700, 200}, 5000: {1000, 1000, 1000}} {
		path := filepath.Join(t.TempDir(), "f")
		w, err := Create(blob.FS{}, path, table, Options{Memory: mem, RowGroupRows: 1000, SortedBy: []string{schemas.ColTarget}})
		if err != nil {
			t.Fatal(err)
		}
		for from := 0; from < 3000; from += 250 { // across the ends of targets and groups
			b := schemas.NewBuilder(mem, table)
			for i := from; i < from+250; i++ {
				if i == from || i%of == 0 {
					b.Begin(sample.Origin(fmt.Sprintf("%05d.com", i/of)))
				}
				row := b.Row()
				row.SetString(table.Index("anchor_text"), "text")
				row.SetInt(table.Index("external_root_domains"), 1)
				row.SetInt(table.Index("external_pages"), 1)
				b.Append()
			}
			batch := b.Batch()
			b.Release()
			err := w.Write(batch)
			batch.Release()
			if err != nil {
				t.Fatal(err)
			}
		}
		if _, err := w.Close(); err != nil {
			t.Fatal(err)
		}
		var got []int64
		r := openFile(t, path)
		for i := range r.NumRowGroups() {
			got = append(got, r.MetaData().RowGroup(i).NumRows())
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("targets of %d rows: %s", of, diff)
		}
	}
}

// TestATrialLeavesNothingBehind holds that the rows a choice is made by are the caller's again.
func TestATrialLeavesNothingBehind(t *testing.T) {
	mem := checked(t)
	shape := sample.NewShape(mem, schemas.Lookup("moz.links"), 100)
	defer shape.Release()
	var g group
	for range 3 {
		g.add(shape.Next(2000), 0)
	}
	defer g.release()
	columns := g.columns(schemas.Lookup("moz.links").Arrow())
	defer releaseAll(columns)
	part := spread(columns, 1000)
	defer releaseAll(part)
	if n := part[0].Len(); n != 1000 {
		t.Errorf("%d rows", n)
	}
	s, err := fileSchema(schemas.Lookup("moz.links"), nil)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := choose(mem, s, part, false, packedBytes); err != nil || len(got) != s.NumFields() {
		t.Errorf("%d encodings for %d columns, %v", len(got), s.NumFields(), err)
	}
}
