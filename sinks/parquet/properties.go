package parquet

import (
	"fmt"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/memory"
	pq "github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/compress"

	"backhaul/schemas"
)

const (
	// creator is the program's name in created_by, ahead of its version: as in "backhaul version 1.0.0", the form
	// that readers take apart. Files of the versions before sealed ones have no more than "backhaul".
	creator = "backhaul version "

	// RowGroupRows is DuckDB's own row group (60 vectors of 2,048), its unit of parallel scanning. It suits large files.
	RowGroupRows = 122_880
	// rowGroupRows is a third of it: a month of nightly files is searched one by one for a target, of which each has a group.
	rowGroupRows = RowGroupRows / 3

	// rowGroupBytes bounds a row group of a wide table by what its rows take in Arrow, because the writer keeps
	// a row group in memory until it is complete. moz.anchor_text (about 150 B a row) never reaches it.
	rowGroupBytes = 64 << 20

	// pageBytes is when arrow-go begins a new page of a column.
	pageBytes = 1 << 20

	// dictionaryBytes is high enough that no column of a row group loses its dictionary half-way.
	dictionaryBytes = 64 << 20

	// zstdLevel is the level of DuckDB's files, and of the encoder that klauspost/compress calls its default.
	zstdLevel = 3
)

// basics are the options that have a say in how many bytes a column takes.
func basics(mem memory.Allocator) []pq.WriterProperty {
	return []pq.WriterProperty{
		pq.WithAllocator(mem),
		pq.WithVersion(pq.V2_LATEST),
		pq.WithCompression(compress.Codecs.Zstd),
		pq.WithCompressionLevel(zstdLevel),
		pq.WithMaxRowGroupLength(RowGroupRows),
		pq.WithDataPageSize(pageBytes),
		pq.WithDictionaryPageSizeLimit(dictionaryBytes),
	}
}

// properties returns how the table's file is written. In a small one, of a page a column, there is nothing to skip but
// the file: statistics of the columns that rows are looked up by will do, and an index of pages or a filter would take
// more bytes than what it saves from being read.
func properties(o Options, t *schemas.Table, sorted []int, chosen forms, small bool) *pq.WriterProperties {
	opts := append(basics(o.Memory),
		pq.WithCreatedBy(creator+o.Version),
		pq.WithStats(!small),
		pq.WithPageIndexEnabled(!small))
	for _, name := range append(slices.Clone(o.SortedBy), schemas.ColTarget, schemas.ColRunDate) {
		opts = append(opts, pq.WithStatsFor(name, true))
	}
	opts = append(opts, chosen.options(t.Arrow())...)
	if t.Index(schemas.ColTarget) >= 0 && !small {
		// Adaptive: 2 KiB for up to about a thousand targets in a row group, instead of 1 MiB whatever it holds. A filter
		// of more than twice as many lets more pass.
		opts = append(opts,
			pq.WithBloomFilterEnabledFor(schemas.ColTarget, true),
			pq.WithAdaptiveBloomFilterEnabledFor(schemas.ColTarget, true),
			pq.WithBloomFilterFPPFor(schemas.ColTarget, 0.01),
			pq.WithBloomFilterCandidatesFor(schemas.ColTarget, 2),
			pq.WithMaxBloomFilterBytes(4<<10))
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

const tableKey = "table"

// fileSchema returns the table's columns without what schemas says of them, which the catalog tells, and the file's own
// metadata: in a wide table's small file, the meanings would be most of the file.
func fileSchema(t *schemas.Table, metadata map[string]string) (*arrow.Schema, error) {
	fields := slices.Clone(t.Arrow().Fields())
	for i := range fields {
		fields[i].Metadata = arrow.Metadata{}
	}
	all := map[string]string{tableKey: t.FullName(), sealKey: noSeal}
	for key, value := range metadata {
		if _, taken := all[key]; taken {
			return nil, fmt.Errorf("metadata %s: the writer's own", key)
		}
		all[key] = value
	}
	md := arrow.MetadataFrom(all) // sorted by key
	return arrow.NewSchema(fields, &md), nil
}
