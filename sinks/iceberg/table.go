//go:build fleet

package iceberg

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	ice "github.com/apache/iceberg-go"
	"github.com/apache/iceberg-go/catalog"
	"github.com/apache/iceberg-go/table"

	"backhaul/schemas"
	"backhaul/sinks/lake"
)

func identifier(t *schemas.Table) table.Identifier { return table.Identifier{t.Schema, t.Name} }

// load returns a table as it is now; nil if it is not there.
func (s *Store) load(ctx context.Context, t *schemas.Table) (*table.Table, error) {
	tbl, err := s.catalog.LoadTable(ctx, identifier(t))
	if isAbsent(err) {
		return nil, nil
	}
	return tbl, err
}

// properties are those of every table.
var properties = ice.Properties{
	table.MetadataDeleteAfterCommitEnabledKey: "true",
	table.MetadataPreviousVersionsMaxKey:      "100",
	// A reader that looks for a target or a run opens no file that has none of it.
	"write.metadata.metrics.default": "truncate(64)",
	// Iceberg's reader of batches, which Spark uses, knows no column whose values are stored as differences (1.10.0).
	"read.parquet.vectorization.enabled": "false",
	// We start over ourselves.
	table.CommitNumRetriesKey: strconv.Itoa(libraryRetries),
}

// libraryRetries is how often the library tries a commit again for which a commit of nothing but metadata was quicker.
const libraryRetries = 4

// ensure returns a table, which it makes if it is not there.
func (s *Store) ensure(ctx context.Context, t *schemas.Table) (*table.Table, error) {
	tbl, err := s.load(ctx, t)
	if tbl != nil || err != nil {
		return tbl, err
	}
	if err := s.ensureNamespace(ctx, t.Schema); err != nil {
		return nil, err
	}
	sc, err := schemaOf(t)
	if err != nil {
		return nil, err
	}
	spec, err := byMonth(sc)
	if err != nil {
		return nil, fmt.Errorf("partition %s: %w", t.FullName(), err)
	}
	tbl, err = s.catalog.CreateTable(ctx, identifier(t), sc, catalog.WithLocation(s.location(t)), catalog.WithPartitionSpec(&spec), catalog.WithProperties(properties))
	if errors.Is(err, catalog.ErrTableAlreadyExists) {
		return s.load(ctx, t) // another host was quicker
	}
	return tbl, err
}

// schemaOf is a table's as Iceberg has it. Every column may be null: files of earlier versions lack some.
func schemaOf(t *schemas.Table) (*ice.Schema, error) {
	fields := slices.Clone(t.Arrow().Fields())
	for i, c := range t.Columns() {
		fields[i].Nullable = true
		fields[i].Metadata = arrow.NewMetadata([]string{"doc"}, []string{c.Meaning})
	}
	return table.ArrowSchemaToIcebergWithFreshIDs(arrow.NewSchema(fields, nil), false)
}

// partitionField is the id of the one field of all tables' partitions.
const partitionField = 1000

// byMonth partitions by the month of run_date.
func byMonth(sc *ice.Schema) (ice.PartitionSpec, error) {
	date, ok := sc.FindFieldByName(schemas.ColRunDate)
	if !ok {
		return ice.PartitionSpec{}, fmt.Errorf("it has no column %s", schemas.ColRunDate)
	}
	return ice.NewPartitionSpec(ice.PartitionField{SourceIDs: []int{date.ID}, FieldID: partitionField, Name: "run_month", Transform: ice.MonthTransform{}}), nil
}

// State is [lake.Origin.State]. A state is named by the place of the metadata, which changes with everything.
func (s *Store) State(ctx context.Context, t *schemas.Table, known string) (id string, files []lake.Object, err error) {
	defer func() { err = s.told(err) }()
	tbl, err := s.load(ctx, t)
	if err != nil || tbl == nil || tbl.CurrentSnapshot() == nil {
		return "", nil, err
	}
	if tbl.MetadataLocation() == known {
		return known, nil, nil
	}
	state, err := s.stateOf(ctx, tbl)
	return state.ID, state.Files, err
}

// stateOf lists a table's files.
func (s *Store) stateOf(ctx context.Context, tbl *table.Table) (lake.State, error) {
	state := lake.State{ID: tbl.MetadataLocation(), Files: []lake.Object{}}
	data, err := dataFiles(s, ctx, tbl, tbl.CurrentSnapshot())
	for _, f := range data {
		state.Files = append(state.Files, object(f.FilePath(), f.FileSizeBytes()))
	}
	return state, err
}

// dataFiles are those of a snapshot.
func dataFiles(s *Store, ctx context.Context, tbl *table.Table, snapshot *table.Snapshot) (all []ice.DataFile, err error) {
	if snapshot == nil {
		return nil, nil
	}
	files := s.files(ctx)
	manifests, err := snapshot.Manifests(files)
	if err != nil {
		return nil, err
	}
	for _, m := range manifests {
		if m.ManifestContent() != ice.ManifestContentData {
			return nil, fmt.Errorf("somebody has deleted rows of %v by delete files, which this program does not read: rewrite its data files, or roll it back", tbl.Identifier())
		}
		for e, err := range m.Entries(files, true) {
			if err != nil {
				return nil, err
			}
			all = append(all, e.DataFile())
		}
	}
	return all, nil
}

// Count returns how many rows a table's current snapshot has of each run date, YYYY-MM-DD, as a reader finds them that knows the catalog
// and the objects alone.
func (s *Store) Count(ctx context.Context, t *schemas.Table) (map[string]int64, error) {
	counts := map[string]int64{}
	tbl, err := s.load(ctx, t)
	if err != nil || tbl == nil {
		return counts, err
	}
	rows, err := tbl.Scan(table.WithSelectedFields(schemas.ColRunDate)).ToArrowTable(ctx)
	if err != nil {
		return counts, err
	}
	defer rows.Release()
	for _, chunk := range rows.Column(0).Data().Chunks() {
		dates, ok := chunk.(*array.Date32)
		for i := 0; ok && i < dates.Len(); i++ {
			counts[dates.Value(i).FormattedString()]++
		}
	}
	return counts, nil
}
