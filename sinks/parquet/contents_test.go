package parquet

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/apache/arrow-go/v18/arrow/memory"
	pq "github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"

	"backhaul/schemas"
	"backhaul/sinks"
	"backhaul/sinks/internal/sample"
)

// TestAFileIsReadWithoutASealOnlyIfItWasWrittenWithoutOne writes as this program's early versions did, and as if a seal
// had been lost.
func TestAFileIsReadWithoutASealOnlyIfItWasWrittenWithoutOne(t *testing.T) {
	table := schemas.Lookup("moz.anchor_text")
	batch := sample.Batch(memory.DefaultAllocator, table, "a.com", [][]any{{"x", int64(1), int64(1)}})
	defer batch.Release()
	for by, want := range map[string]error{"backhaul": nil, "backhaul version 1.2.3": sinks.ErrDamaged} {
		path := filepath.Join(t.TempDir(), "t.parquet")
		f, err := os.Create(path)
		if err != nil {
			t.Fatal(err)
		}
		out, err := pqarrow.NewFileWriter(table.Arrow(), f, pq.NewWriterProperties(pq.WithCreatedBy(by)),
			pqarrow.NewArrowWriterProperties(pqarrow.WithStoreSchema()))
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(out.Write(batch), out.Close()); err != nil {
			t.Fatal(err)
		}
		if c, err := Read(path, table); !errors.Is(err, want) || want == nil && c.Rows != 1 {
			t.Errorf("created by %s: %d rows, %v", by, c.Rows, err)
		}
	}
}
