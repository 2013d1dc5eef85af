package parquet

import (
	"path/filepath"
	"runtime"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"backhaul/schemas"
	"backhaul/sinks/blob"
	"backhaul/sinks/internal/sample"
)

// BenchmarkWrite writes and verifies a million rows of anchor_text, a tenth of it of links.
func BenchmarkWrite(b *testing.B) {
	for name, rows := range map[string]int{"moz.anchor_text": 1_000_000, "moz.linking_root_domains": 1_000_000, "moz.links": 100_000} {
		b.Run(name, func(b *testing.B) { benchmarkWrite(b, schemas.Lookup(name), rows, 8192) })
	}
}

// BenchmarkWriteSmallBatches shows what batches of one page (50 rows) cost.
func BenchmarkWriteSmallBatches(b *testing.B) {
	benchmarkWrite(b, schemas.Lookup("moz.anchor_text"), 100_000, 50)
}

func benchmarkWrite(b *testing.B, table *schemas.Table, rows, batchRows int) {
	var batches []arrow.RecordBatch
	shape := sample.NewShape(memory.DefaultAllocator, table, 5000)
	for n := 0; n < rows; n += batchRows {
		batches = append(batches, shape.Next(min(batchRows, rows-n)))
	}
	dir := b.TempDir()
	var bytes int64
	for b.Loop() {
		w, err := Create(blob.FS{}, filepath.Join(dir, "f"), table, Options{})
		if err != nil {
			b.Fatal(err)
		}
		for _, batch := range batches {
			if err := w.Write(batch); err != nil {
				b.Fatal(err)
			}
		}
		staged, err := w.Close()
		if err != nil {
			b.Fatal(err)
		}
		bytes = staged.Bytes
		blob.FS{}.Remove(staged.Path)
	}
	b.ReportMetric(float64(rows*b.N)/b.Elapsed().Seconds(), "rows/s")
	b.ReportMetric(float64(bytes)/float64(rows), "bytes/row")
}

// BenchmarkMemory writes ten million rows of anchor_text, and half a million of links, and reports the memory
// the Go runtime had from the system, which its heap limit does not hide.
func BenchmarkMemory(b *testing.B) {
	for name, rows := range map[string]int{"moz.anchor_text": 10_000_000, "moz.links": 500_000} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				staged := write(b, filepath.Join(b.TempDir(), "f"), schemas.Lookup(name), rows, Options{Memory: memory.DefaultAllocator})
				var m runtime.MemStats
				runtime.ReadMemStats(&m)
				b.ReportMetric(float64(m.Sys)/(1<<20), "MiB")
				b.ReportMetric(float64(staged.Bytes)/float64(rows), "bytes/row")
			}
		})
	}
}
