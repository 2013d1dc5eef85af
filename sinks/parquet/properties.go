package parquet

import (
	"github.com/apache/arrow-go/v18/arrow/memory"
	pq "github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/compress"

	"backhaul/schemas"
)

const (
	createdBy = "backhaul"

	// rowGroupRows is DuckDB's own row group (60 vectors of 2,048), its unit of parallel scanning.
	rowGroupRows = 122_880

	// rowGroupBytes bounds a row group of a wide table by what its rows take in Arrow, because the writer keeps
	// a row group in memory until it is complete. moz.anchor_text (about 150 B a row) never reaches it.
	rowGroupBytes = 64 << 20

	// dictionaryBytes is high enough that no string column of a row group loses its dictionary; arrow-go's
	// default of 1 MiB loses that of anchor texts (architecture.md: 19.9 against 25.7 MiB a million rows).
	dictionaryBytes = 64 << 20
)

// properties returns how the table's columns are encoded.
func properties(mem memory.Allocator, t *schemas.Table, sorted []int) *pq.WriterProperties {
	opts := []pq.WriterProperty{
		pq.WithAllocator(mem),
		pq.WithCreatedBy(createdBy),
		pq.WithVersion(pq.V2_LATEST),
		pq.WithCompression(compress.Codecs.Zstd),
		pq.WithCompressionLevel(1),
		pq.WithMaxRowGroupLength(rowGroupRows),
		pq.WithDictionaryPageSizeLimit(dictionaryBytes),
		pq.WithStats(true),
		pq.WithPageIndexEnabled(true),
	}
	for _, c := range t.Columns() {
		opts = append(opts, encoding(c)...)
	}
	if t.Index(schemas.ColTarget) >= 0 {
		// Adaptive: the smallest of a few candidate filters that holds the row group's distinct targets, instead
		// of 1 MiB in every row group whatever it holds.
		opts = append(opts,
			pq.WithBloomFilterEnabledFor(schemas.ColTarget, true),
			pq.WithAdaptiveBloomFilterEnabledFor(schemas.ColTarget, true),
			pq.WithBloomFilterFPPFor(schemas.ColTarget, 0.01),
			pq.WithMaxBloomFilterBytes(64<<10))
	}
	if len(sorted) > 0 {
		columns := make([]pq.SortingColumn, len(sorted))
		for i, at := range sorted {
			columns[i] = pq.SortingColumn{ColumnIdx: int32(at), NullsFirst: true}
		}
		opts = append(opts, pq.WithSortingColumns(columns))
	}
	return pq.NewWriterProperties(opts...)
}

// encoding returns the options of one column: dictionaries for text, deltas for whole numbers and dates, which
// move little from row to row within a target.
func encoding(c schemas.Column) []pq.WriterProperty {
	path := c.Name
	switch c.Type {
	case schemas.Strings, schemas.Int32s, schemas.Dates:
		path += ".list.element"
	}
	delta := []pq.WriterProperty{
		pq.WithDictionaryFor(path, false),
		pq.WithEncodingFor(path, pq.Encodings.DeltaBinaryPacked),
	}
	switch c.Type {
	case schemas.Int32, schemas.Int64, schemas.Date, schemas.Timestamp, schemas.Int32s, schemas.Dates:
		return delta
	case schemas.Bool:
		return []pq.WriterProperty{pq.WithDictionaryFor(path, false)}
	}
	return nil
}
