package parquet

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/google/go-cmp/cmp"

	"backhaul/schemas"
	"backhaul/sinks/blob"
	"backhaul/sinks/internal/sample"
)

// paged has rows of several pages and targets, the first of which has no target, and of more pages than a byte counts.
func paged(mem memory.Allocator) *schemas.Builder {
	b := schemas.NewBuilder(mem, schemas.Lookup("moz.anchor_text"))
	for page := range 300 {
		o := sample.Origin(fmt.Sprintf("target-%03d.example", page/3))
		if page < 3 {
			o.Target, o.Scope = "", ""
		}
		o.Rank, o.PageSeq, o.FetchedAt = int64(1+page%3*20), int32(page%3), o.FetchedAt.Add(time.Duration(page)*time.Second)
		b.Begin(o)
		for i := range 20 {
			row := b.Row()
			row.SetString(0, fmt.Sprint("text ", i))
			row.SetInt(1, int64(i))
			row.SetInt(2, int64(page))
			b.Append()
		}
	}
	return b
}

// TestRunsAreTheRowsTheyStandFor holds that nobody can tell whether rows came in runs: neither by the checksums nor by the file.
func TestRunsAreTheRowsTheyStandFor(t *testing.T) {
	mem := checked(t)
	table := schemas.Lookup("moz.anchor_text")
	rows, runs := paged(mem), paged(mem)
	defer rows.Release()
	defer runs.Release()
	one := rows.Batch()
	defer one.Release()
	want := NewDigest(table)
	if err := want.Write(one); err != nil {
		t.Fatal(err)
	}
	contents := want.Contents()
	written := func(batch arrow.RecordBatch) []byte {
		digest, path := NewDigest(table), filepath.Join(t.TempDir(), "f")
		w, err := Create(blob.FS{}, path, table, Options{Memory: mem, RowGroupRows: 60})
		if err != nil {
			t.Fatal(err)
		}
		for from := int64(0); from < batch.NumRows(); from += 700 { // in the middle of runs
			part := batch.NewSlice(from, min(from+700, batch.NumRows()))
			defer part.Release()
			if err := w.Write(part); err != nil {
				t.Fatal(err)
			}
			if err := digest.Write(part); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := w.Close(); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(contents, digest.Contents()); diff != "" {
			t.Errorf("checksums: %s", diff)
		}
		read, err := Read(path, table)
		read.Bytes = 0
		if diff := cmp.Diff(contents, read); diff != "" || err != nil {
			t.Errorf("read: %v %s", err, diff)
		}
		file, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return file
	}
	first := written(one)
	if err := runs.Drain(1, func(batch arrow.RecordBatch) error {
		if !bytes.Equal(first, written(batch)) {
			t.Error("runs and rows make different files")
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
}

func TestRowsOutOfOrderAreFoundInRunsAndBetweenThem(t *testing.T) {
	for name, tc := range map[string]struct {
		targets []string
		ranks   []int64
		row     int
	}{
		"in order":                  {[]string{"", "a", "a", "b"}, []int64{1, 1, 2, 1}, 0},
		"a target before another's": {[]string{"a", "b", "a"}, []int64{1, 1, 2}, 2},
		"no target behind one":      {[]string{"a", ""}, []int64{1, 1}, 1},
		"a rank before another's":   {[]string{"a", "a", "a"}, []int64{1, 3, 2}, 2},
	} {
		for cut := range tc.targets { // the rows before go in a batch of their own
			w, err := Create(blob.FS{}, filepath.Join(t.TempDir(), "f"), schemas.Lookup("moz.anchor_text"), Options{Memory: checked(t)})
			if err != nil {
				t.Fatal(err)
			}
			b := schemas.NewBuilder(w.opts.Memory, w.table)
			for i, target := range tc.targets {
				if i == cut && err == nil {
					err = b.Drain(1, w.Write)
				}
				o := sample.Origin(target)
				o.Rank = tc.ranks[i]
				b.Begin(o)
				row := b.Row()
				row.SetString(0, "text")
				row.SetInt(1, 1)
				row.SetInt(2, 1)
				b.Append()
			}
			if err == nil {
				err = b.Drain(1, w.Write)
			}
			b.Release()
			if err := w.Abort(); err != nil {
				t.Fatal(err)
			}
			if want := fmt.Sprintf("row %d is out of order", tc.row); (err != nil) != (tc.row > 0) || err != nil && !bytes.Contains([]byte(err.Error()), []byte(want)) {
				t.Errorf("%s, cut at %d: %v", name, cut, err)
			}
		}
	}
}
