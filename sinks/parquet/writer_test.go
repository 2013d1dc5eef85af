package parquet

import (
	"testing"

	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet/file"

	"backhaul/schemas"
	"backhaul/sinks"
	"backhaul/sinks/blob"
	"backhaul/sinks/internal/sample"
)

// checked returns an allocator that fails the test if anything is left over.
func checked(t testing.TB) memory.Allocator {
	mem := memory.NewCheckedAllocator(memory.DefaultAllocator)
	t.Cleanup(func() { mem.AssertSize(t, 0) })
	return mem
}

// write writes n rows of the table's shape, in batches of 4,096.
func write(t testing.TB, path string, table *schemas.Table, n int, o Options) sinks.Staged {
	t.Helper()
	w, err := Create(blob.FS{}, path, table, o)
	if err != nil {
		t.Fatal(err)
	}
	shape := sample.NewShape(o.Memory, table, 1000)
	defer shape.Release()
	for ; n > 0; n -= 4096 {
		batch := shape.Next(min(n, 4096))
		err := w.Write(batch)
		batch.Release()
		if err != nil {
			t.Fatal(err)
		}
	}
	staged, err := w.Close()
	if err != nil {
		t.Fatal(err)
	}
	return staged
}

func openFile(t testing.TB, path string) *file.Reader {
	t.Helper()
	r, err := file.OpenParquetFile(path, false)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	return r
}
