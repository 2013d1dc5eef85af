// Package compact merges the files that a table has of a month into one, or into parts where it is large: sorted by target,
// scope, the row's own key and run date, so that a target's history lies in one place and what stays from night to night
// takes next to no room.
//
// A merged file says in its metadata which runs it has, and what they add up to. That is compared with what was read from the
// merged files before anything is published, so a merge either has every row of every run or is given up. The package knows
// neither where files are published nor what a row means beyond its key.
package compact

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"github.com/apache/arrow-go/v18/arrow"

	"backhaul/pipeline/failpoint"
	"backhaul/schemas"
	"backhaul/sinks"
	"backhaul/sinks/parquet"
)

// Run is what a merged file has of one run.
type Run struct {
	Job  string
	Date string // YYYY-MM-DD
	Rows int64
	// Sum is that of the rows, whatever their order: see Sums.
	Sum uint64
	// Checksum is that of the run's own file, in its order: see sinks.Staged.
	Checksum uint64
	// IDs are the ids of the run; several if the file was written by several.
	IDs []string
}

// Key returns the run's name.
func (r Run) Key() sinks.RunKey { return sinks.RunKey{Job: r.Job, Date: r.Date} }

// Manifest is what the parts of one merge have between them.
type Manifest struct {
	// Merge is equal in all parts.
	Merge string `json:"merge"`
	// Columns is the fingerprint of the table's columns.
	Columns string `json:"columns"`
	Runs    []Run  `json:"runs"`
}

// MarshalJSON keeps footers small: every reader reads them.
func (r Run) MarshalJSON() ([]byte, error) {
	return json.Marshal([]any{r.Job, r.Date, r.Rows, strconv.FormatUint(r.Sum, 16), strconv.FormatUint(r.Checksum, 16), r.IDs})
}

// UnmarshalJSON is the inverse of MarshalJSON.
func (r *Run) UnmarshalJSON(text []byte) error {
	var sum, checksum string
	if err := json.Unmarshal(text, &[]any{&r.Job, &r.Date, &r.Rows, &sum, &checksum, &r.IDs}); err != nil {
		return err
	}
	var err, err2 error
	r.Sum, err = strconv.ParseUint(sum, 16, 64)
	r.Checksum, err2 = strconv.ParseUint(checksum, 16, 64)
	return errors.Join(err, err2)
}

// manifestKey is where a file's metadata has the manifest.
const manifestKey = "backhaul.runs"

// Read returns the manifest of a merged file. It reads the footer only.
func Read(path string) (m Manifest, err error) {
	metadata, err := parquet.Metadata(path)
	if err != nil {
		return m, err
	}
	if err := json.Unmarshal([]byte(metadata[manifestKey]), &m); err != nil {
		return m, fmt.Errorf("%s: %w: manifest: %w", path, sinks.ErrDamaged, err)
	}
	return m, nil
}

// Merger merges. All fields are required.
type Merger struct {
	// Sort writes a sorted copy, in bounded memory.
	Sort func(context.Context, sinks.Sorting) error
	// Create begins a staged file.
	Create func(*schemas.Table, parquet.Options) (*parquet.Writer, error)
	// Scratch makes an empty directory, which remove removes.
	Scratch func() (dir string, remove func() error, err error)
	// PartBytes is the size from which on another part begins, with a row group. Default 256 MiB.
	PartBytes int64
}

const (
	partBytes = 256 << 20
	batchRows = 8192
)

// Merge stages the rows of the files, but for those of the runs in except, as the parts of one merge; none if there are no
// rows and no runs. The files are the table's own and are not changed. It takes the memory of the sort and of one writer.
func (m Merger) Merge(ctx context.Context, t *schemas.Table, files []string, except ...sinks.RunKey) (parts []sinks.Staged, err error) {
	manifest, err := read(ctx, t, files, except)
	if err != nil || len(manifest.Runs) == 0 {
		return nil, err
	}
	dir, remove, err := m.Scratch()
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, remove()) }()
	sorting := sinks.Sorting{Table: t, Files: files, Except: except, By: order(t), Out: filepath.Join(dir, "sorted.parquet"), Scratch: dir}
	if err := m.Sort(ctx, sorting); err != nil {
		return nil, fmt.Errorf("sort %s: %w", t.FullName(), err)
	}
	failpoint.Hit("compact.sorted")
	sums := Sums{}
	if parts, err = m.write(ctx, t, manifest, counted(sums, parquet.Rows(sorting.Out, t, batchRows))); err != nil {
		return nil, err
	}
	if err := manifest.check(sums); err != nil {
		return nil, fmt.Errorf("merge %s: %w", t.FullName(), err)
	}
	return parts, nil
}

// order is how a merged file of the table is sorted.
func order(t *schemas.Table) []string {
	var by []string
	for _, name := range slices.Concat([]string{schemas.ColTarget, schemas.ColScope}, t.Key, []string{schemas.ColRunDate, "job", "extract", schemas.ColRank}) {
		if at := t.Index(name); at >= 0 && !slices.Contains(by, name) && !t.Columns()[at].Type.List() {
			by = append(by, name)
		}
	}
	return by
}

// read returns the manifest of all the files. What is merged already must be as its own manifest says.
func read(ctx context.Context, t *schemas.Table, files []string, except []sinks.RunKey) (Manifest, error) {
	runs := map[sinks.RunKey]Run{}
	all := Sums{}
	for _, path := range files {
		if err := ctx.Err(); err != nil {
			return Manifest{}, err
		}
		said, err := readOne(t, path, all)
		if err != nil {
			return Manifest{}, err
		}
		for _, r := range said {
			runs[r.Key()] = r
		}
	}
	m := Manifest{Columns: t.Fingerprint(), Merge: strconv.FormatInt(time.Now().UnixNano(), 36)}
	for _, key := range slices.SortedFunc(maps.Keys(runs), compareKeys) {
		m.Runs = append(m.Runs, runs[key])
	}
	if err := m.check(all); err != nil {
		return m, fmt.Errorf("%w: files of %s: %w", sinks.ErrDamaged, t.FullName(), err)
	}
	m.Runs = slices.DeleteFunc(m.Runs, func(r Run) bool { return slices.Contains(except, r.Key()) })
	return m, nil
}

// Check reads merged files and compares them with what they say of themselves. It returns how many rows they have.
func Check(ctx context.Context, t *schemas.Table, files []string) (rows int64, err error) {
	m, err := read(ctx, t, files, nil)
	for _, r := range m.Runs {
		rows += r.Rows
	}
	return rows, err
}

// readOne adds what a file has to all, and returns the runs it should have.
func readOne(t *schemas.Table, path string, all Sums) ([]Run, error) {
	own, digest := Sums{}, parquet.NewDigest(t)
	named, ok := sinks.ParseName(filepath.Base(path))
	merged := ok && named.Job == ""
	for batch, err := range counted(own, parquet.Rows(path, t, batchRows)) {
		if err == nil && !merged {
			err = digest.Write(batch)
		}
		if err != nil {
			return nil, err
		}
	}
	all.Join(own)
	if merged {
		m, err := Read(path)
		return m.Runs, err
	}
	contents, key := digest.Contents(), sinks.KeyOf(named.Job, named.Date)
	if foreign := own.except(key); !ok || len(foreign) > 0 {
		return nil, fmt.Errorf("%s: %w: it has rows of %v", path, sinks.ErrDamaged, foreign)
	}
	return []Run{{Job: key.Job, Date: key.Date, Rows: contents.Rows, Sum: own[key].Sum, Checksum: contents.Checksum, IDs: contents.Runs}}, nil
}

// check compares the manifest with what was counted.
func (m Manifest) check(sums Sums) error {
	for _, r := range m.Runs {
		if got := sums[r.Key()]; got.Rows != r.Rows || got.Sum != r.Sum {
			return fmt.Errorf("%d rows of %s/%s where there should be %d, or other values", got.Rows, r.Job, r.Date, r.Rows)
		}
	}
	for key, got := range sums {
		if !slices.ContainsFunc(m.Runs, func(r Run) bool { return r.Key() == key }) {
			return fmt.Errorf("%d rows of %s/%s, of which nothing is said", got.Rows, key.Job, key.Date)
		}
	}
	return nil
}

// counted passes batches on and adds them up.
func counted(sums Sums, batches iter.Seq2[arrow.RecordBatch, error]) iter.Seq2[arrow.RecordBatch, error] {
	return func(yield func(arrow.RecordBatch, error) bool) {
		for batch, err := range batches {
			if err == nil {
				err = sums.Add(batch)
			}
			if !yield(batch, err) || err != nil {
				return
			}
		}
	}
}

// write stages the parts.
func (m Merger) write(ctx context.Context, t *schemas.Table, manifest Manifest, batches iter.Seq2[arrow.RecordBatch, error]) (parts []sinks.Staged, err error) {
	text, err := json.Marshal(manifest)
	if err != nil {
		return nil, err
	}
	p := partWriter{most: m.PartBytes, begin: func() (*parquet.Writer, error) {
		return m.Create(t, parquet.Options{SortedBy: order(t), Thorough: true, RowGroupRows: parquet.RowGroupRows, Metadata: map[string]string{manifestKey: string(text)}})
	}}
	if p.most == 0 {
		p.most = partBytes
	}
	for batch, err := range batches {
		if err = errors.Join(err, ctx.Err()); err != nil {
			return nil, errors.Join(err, p.abort())
		}
		if err := p.add(batch); err != nil {
			return nil, errors.Join(err, p.abort())
		}
	}
	return p.parts, p.end()
}

// partWriter writes parts one after another.
type partWriter struct {
	begin func() (*parquet.Writer, error)
	most  int64
	w     *parquet.Writer
	parts []sinks.Staged
}

func (p *partWriter) add(batch arrow.RecordBatch) (err error) {
	if p.w != nil && p.w.Size() >= p.most {
		if err := p.close(); err != nil {
			return err
		}
	}
	if p.w == nil {
		if p.w, err = p.begin(); err != nil {
			return err
		}
	}
	return p.w.Write(batch)
}

// end closes the last part. Runs without a row are in a part of their own if there is no other.
func (p *partWriter) end() (err error) {
	if p.w == nil && len(p.parts) == 0 {
		if p.w, err = p.begin(); err != nil {
			return err
		}
	}
	if p.w == nil {
		return nil
	}
	return p.close()
}

func (p *partWriter) close() error {
	staged, err := p.w.Close()
	p.w = nil
	if err == nil {
		p.parts = append(p.parts, staged)
	}
	return err
}

// abort removes what was staged.
func (p *partWriter) abort() (err error) {
	if p.w != nil {
		err = p.w.Abort()
	}
	for _, part := range p.parts {
		err = errors.Join(err, os.Remove(part.Path))
	}
	return err
}
