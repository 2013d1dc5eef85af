//go:build fleet

package iceberg

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/apache/arrow-go/v18/arrow/array"
	ice "github.com/apache/iceberg-go"
	iceio "github.com/apache/iceberg-go/io"
	"github.com/apache/iceberg-go/table"
	"github.com/oklog/ulid/v2"
	"gocloud.dev/blob"

	"backhaul/pipeline/failpoint"
	"backhaul/schemas"
	"backhaul/sinks"
	"backhaul/sinks/lake"
	"backhaul/sinks/parquet"
)

// What a snapshot's summary says of the change.
const (
	summaryDid    = "backhaul.did"
	summaryJob    = "backhaul.job"
	summaryDate   = "backhaul.run-date"
	summaryMonth  = "backhaul.month"
	summaryRun    = "backhaul.run-id"
	summaryChange = "backhaul.change" // no two changes have the same
)

// Commit is [lake.Origin.Commit].
func (s *Store) Commit(ctx context.Context, t *schemas.Table, from lake.State, c lake.Commit) (after lake.State, err error) {
	defer func() { err = s.told(err) }()
	tbl, err := s.ensure(ctx, t)
	if err != nil {
		return lake.State{}, err
	}
	if now := stateID(tbl); now != from.ID {
		return lake.State{}, lake.ErrMoved
	}
	came, err := s.upload(ctx, tbl, c)
	if err != nil {
		return lake.State{}, err
	}
	failpoint.Hit("iceberg.uploaded")
	s.changed.Store(true)
	change := ulid.Make().String()
	now, err := s.replace(ctx, t, tbl, c, came, change)
	if err != nil {
		return s.outcome(ctx, t, tbl, change, err)
	}
	return lake.State{ID: stateID(now), Files: filesAfter(from, c, came)}, nil
}

// stateID names the state of a table that is there.
func stateID(tbl *table.Table) string {
	if tbl.CurrentSnapshot() == nil {
		return ""
	}
	return tbl.MetadataLocation()
}

// filesAfter are a table's files after a change.
func filesAfter(from lake.State, c lake.Commit, came []upload) []lake.Object {
	files := slices.DeleteFunc(slices.Clone(from.Files), func(o lake.Object) bool { return slices.Contains(c.Remove, o) })
	for _, u := range came {
		files = append(files, u.Object)
	}
	return files
}

// upload is a staged file and the object that it became.
type upload struct {
	lake.Object
	staged string
}

// upload uploads what comes, in the order of the names.
func (s *Store) upload(ctx context.Context, tbl *table.Table, c lake.Commit) (all []upload, err error) {
	month := c.Note.Month.Format("2006-01")
	for _, name := range slices.Sorted(maps.Keys(c.Add)) {
		place := tbl.Location() + "/data/month=" + month + "/" + strings.TrimSuffix(name, ending) + "." + strings.ToLower(ulid.Make().String()) + ending
		size, err := s.uploadFile(ctx, place, c.Add[name])
		if err != nil {
			return nil, fmt.Errorf("upload %s: %w", place, err)
		}
		all = append(all, upload{lake.Object{Name: name, Bytes: size, Place: place}, c.Add[name]})
	}
	return all, nil
}

const ending = ".parquet"

// object is that of a place, whose name is a file's with the id of its upload.
func object(place string, bytes int64) lake.Object {
	name, _ := strings.CutSuffix(path.Base(place), ending)
	if at := strings.LastIndexByte(name, '.'); at >= 0 && len(name)-at-1 == ulid.EncodedSize {
		name = name[:at]
	}
	return lake.Object{Name: name + ending, Bytes: bytes, Place: place}
}

// uploadFile uploads a file, under a name that must not be there yet.
func (s *Store) uploadFile(ctx context.Context, place, staged string) (size int64, err error) {
	key, err := s.keyOf(place)
	if err != nil {
		return 0, err
	}
	f, err := os.Open(staged)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}
	return info.Size(), s.bucket.Upload(ctx, key, f, &blob.WriterOptions{ContentType: "application/vnd.apache.parquet", IfNotExist: true})
}

// replace commits a change, if the table still is at the snapshot it was loaded at.
func (s *Store) replace(ctx context.Context, t *schemas.Table, tbl *table.Table, c lake.Commit, came []upload, change string) (*table.Table, error) {
	tx := tbl.NewTransaction()
	if err := tx.AssertRefSnapshotID(table.MainBranch); err != nil {
		return nil, err
	}
	sc, err := evolve(tx, t, tbl)
	if err != nil {
		return nil, fmt.Errorf("columns of %s: %w", t.FullName(), err)
	}
	var add []ice.DataFile
	for _, u := range came {
		f, err := dataFile(ctx, u, sc, tbl, c.Note.Month)
		if err != nil {
			return nil, err
		}
		add = append(add, f)
	}
	gone, err := s.named(ctx, tbl, c.Remove)
	if err != nil {
		return nil, err
	}
	if err := tx.ReplaceDataFilesWithDataFiles(ctx, gone, add, summary(t, c.Note, came, change)); err != nil {
		return nil, err
	}
	return tx.Commit(ctx)
}

// evolve gives a table the columns that this version of the program declares and it has not, and returns its columns after that. A column
// that is declared no more stays, for the files that have it.
func evolve(tx *table.Transaction, t *schemas.Table, tbl *table.Table) (*ice.Schema, error) {
	declared, err := schemaOf(t)
	if err != nil {
		return nil, err
	}
	missing := slices.ContainsFunc(declared.Fields(), func(f ice.NestedField) bool {
		have, ok := tbl.Schema().FindFieldByName(f.Name)
		return !ok || !sameType(have.Type, f.Type)
	})
	names := tbl.NameMapping()
	if missing {
		if err := tx.UpdateSchema(true, false, table.WithNameMapping(names)).UnionByNameWith(declared).Commit(); err != nil {
			return nil, err
		}
	}
	staged, err := tx.StagedTable()
	if err != nil {
		return nil, err
	}
	if names == nil {
		text, err := json.Marshal(staged.Schema().NameMapping())
		if err != nil {
			return nil, err
		}
		return staged.Schema(), tx.SetProperties(ice.Properties{table.DefaultNameMappingKey: string(text)})
	}
	return staged.Schema(), nil
}

// sameType compares types without the ids of their parts.
func sameType(a, b ice.Type) bool {
	la, ok := a.(*ice.ListType)
	lb, also := b.(*ice.ListType)
	if ok && also {
		return la.Element.Equals(lb.Element)
	}
	return a.Equals(b)
}

// named are the data files of the current snapshot at these places.
func (s *Store) named(ctx context.Context, tbl *table.Table, objects []lake.Object) (found []ice.DataFile, err error) {
	if len(objects) == 0 {
		return nil, nil
	}
	all, err := dataFiles(s, ctx, tbl, tbl.CurrentSnapshot())
	for _, f := range all {
		if slices.ContainsFunc(objects, func(o lake.Object) bool { return o.Place == f.FilePath() }) {
			found = append(found, f)
		}
	}
	return found, err
}

// dataFile is what the table's metadata says of an uploaded file: rows, sizes and bounds of its columns, out of the footer of the staged
// one.
func dataFile(ctx context.Context, u upload, sc *ice.Schema, tbl *table.Table, month time.Time) (ice.DataFile, error) {
	spec := tbl.Spec()
	f, err := table.FileToDataFile(ctx, local{u.Place: u.staged}, u.Place, sc, spec, 0, tbl.Properties())
	if err != nil {
		return nil, fmt.Errorf("%s: %w", u.staged, err)
	}
	partition := int32((month.Year()-1970)*12 + int(month.Month()) - 1)
	if f.Count() > 0 {
		if got := f.Partition()[partitionField]; got != partition {
			return nil, fmt.Errorf("%s: %w: its rows are of month %v, and should be of %d after January 1970", u.staged, sinks.ErrDamaged, got, partition)
		}
		return f, nil
	}
	// A file without rows tells of a run that had none. It has no statistics to take the month from.
	b, err := ice.NewDataFileBuilder(spec, ice.EntryContentData, u.Place, ice.ParquetFile, map[int]any{partitionField: partition}, nil, nil, 0, u.Bytes)
	if err != nil {
		return nil, err
	}
	return b.Build(), nil
}

// local reads staged files by the places they were uploaded to.
type local map[string]string

func (l local) Open(place string) (iceio.File, error) { return iceio.LocalFS{}.Open(l[place]) }

func (l local) Remove(string) error { return errors.ErrUnsupported }

// summary is what a snapshot says of a change.
func summary(t *schemas.Table, n lake.Note, came []upload, change string) ice.Properties {
	p := ice.Properties{summaryDid: n.Did, summaryMonth: n.Month.Format("2006-01"), summaryChange: change}
	if n.Job == "" {
		return p
	}
	p[summaryJob], p[summaryDate] = n.Job, n.Date.Format(time.DateOnly)
	for _, u := range came {
		if name, _ := sinks.ParseName(u.Name); name.IsOf(n.Job, n.Date) {
			if id := runOf(t, u.staged); id != "" {
				p[summaryRun] = id
			}
		}
	}
	return p
}

// runOf is the id of the run that the first row of a file is of; "" if it has no rows, or they do not say.
func runOf(t *schemas.Table, path string) string {
	for batch, err := range parquet.Rows(path, t, 1) {
		if err != nil {
			return ""
		}
		for i, column := range batch.Columns() {
			if ids, ok := column.(*array.String); ok && batch.ColumnName(i) == "run_id" {
				return strings.Clone(ids.Value(0))
			}
		}
		return ""
	}
	return ""
}

// recheckTime is how long it may take to find out what became of a commit.
const recheckTime = 30 * time.Second

// outcome finds out what became of a change whose commit ended with an error: whether it was made all the same shows in the table.
func (s *Store) outcome(ctx context.Context, t *schemas.Table, before *table.Table, change string, err error) (lake.State, error) {
	again, cancel := context.WithTimeout(context.WithoutCancel(ctx), recheckTime)
	defer cancel()
	tbl, loadErr := s.load(again, t)
	if loadErr != nil || tbl == nil {
		return lake.State{}, errors.Join(err, loadErr)
	}
	for _, snapshot := range tbl.Metadata().Snapshots() {
		if snapshot.Summary != nil && snapshot.Summary.Properties[summaryChange] == change {
			return s.stateOf(again, tbl) // perhaps with what others did after it
		}
	}
	// A commit that wants the snapshot before can come no more once there is another.
	if errors.Is(err, table.ErrCommitFailed) || snapshotID(tbl) != snapshotID(before) {
		return lake.State{}, lake.ErrMoved
	}
	return lake.State{}, err
}

// snapshotID is the id of a table's current snapshot; 0 if it has none.
func snapshotID(tbl *table.Table) int64 {
	if snapshot := tbl.CurrentSnapshot(); snapshot != nil {
		return snapshot.SnapshotID
	}
	return 0
}
