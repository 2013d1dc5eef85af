package parquet_test

import (
	"testing"

	"github.com/apache/arrow-go/v18/arrow/memory"

	"backhaul/schemas"
	"backhaul/sinks"
	"backhaul/sinks/blob"
	"backhaul/sinks/parquet"
	"backhaul/sinks/sinktest"
)

func TestParquetFilesKeepTheirPromises(t *testing.T) {
	t.Parallel()
	for name, rows := range map[string]int64{"large row groups": 0, "small row groups": 1000} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sinktest.RunLake(t, sinktest.Lake{
				Create: func(path string, table *schemas.Table, mem memory.Allocator, before func() error) (sinks.Writer, error) {
					fs := blob.FS{Before: func(blob.Op, string) error { return before() }}
					w, err := parquet.Create(fs, path, table, parquet.Options{Memory: mem, RowGroupRows: rows})
					if err != nil {
						return nil, err
					}
					return w, nil
				},
				Contents: parquet.Read,
				Rows:     parquet.Rows,
				Digest:   func(table *schemas.Table) sinks.Digester { return parquet.NewDigest(table) },
			})
		})
	}
}
