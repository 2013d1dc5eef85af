package parquet

import (
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"backhaul/schemas"
	"backhaul/sinks"
)

// Read reads a published file of the table from first row to last and returns what it holds. A file that cannot be read,
// or is not what was written, is sinks.ErrDamaged; one with other columns than today's is sinks.ErrColumns.
func Read(path string, t *schemas.Table) (sinks.Contents, error) {
	c, err := contents(path, t)
	return c, named(path, err)
}

func contents(path string, t *schemas.Table) (c sinks.Contents, err error) {
	defer recovered(&err)
	r, err := open(path, readRows, texts(t))
	if err != nil {
		return sinks.Contents{}, err
	}
	defer r.close()
	d := NewDigest(t)
	for {
		batch, err := r.next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return sinks.Contents{}, err
		}
		if !sameNames(batch.Schema(), t.Arrow()) {
			return sinks.Contents{}, sinks.ErrColumns
		}
		if err := d.Write(batch); err != nil {
			return sinks.Contents{}, err
		}
	}
	c = d.Contents()
	c.Bytes = r.bytes
	return c, nil
}

func sameNames(a, b *arrow.Schema) bool {
	return slices.EqualFunc(a.Fields(), b.Fields(), func(a, b arrow.Field) bool {
		if d, ok := a.Type.(*arrow.DictionaryType); ok {
			a.Type = d.ValueType
		}
		return a.Name == b.Name && arrow.TypeEqual(a.Type, b.Type)
	})
}

// texts are the columns that are read as dictionaries, for their values are the same for many rows.
func texts(t *schemas.Table) (names []string) {
	for i, c := range t.Columns() {
		if t.OfPage(i) && c.Type == schemas.String {
			names = append(names, c.Name)
		}
	}
	return names
}

// Digest implements sinks.Digester: it keeps the checksums of a table's rows and the runs they are of.
type Digest struct {
	sums []*columnSum
	run  int // column run_id, or -1
	rows int64
	runs []string
}

// NewDigest returns the digest of no rows of the table.
func NewDigest(t *schemas.Table) *Digest {
	return &Digest{sums: newSums(len(t.Columns())), run: t.Index("run_id")}
}

// Write implements sinks.Writer.
func (d *Digest) Write(batch arrow.RecordBatch) error {
	if int(batch.NumCols()) != len(d.sums) {
		return fmt.Errorf("%d columns where the table has %d", batch.NumCols(), len(d.sums))
	}
	for i, s := range d.sums {
		if err := s.add(batch.Column(i)); err != nil {
			return err
		}
	}
	d.rows += batch.NumRows()
	if d.run >= 0 {
		d.addRuns(batch.Column(d.run))
	}
	return nil
}

func (d *Digest) addRuns(column arrow.Array) {
	switch column := column.(type) {
	case *array.RunEndEncoded:
		for at := range runsOf(column) {
			d.addRun(column.Values().(*array.String).Value(at))
		}
	case *array.Dictionary:
		for i := range column.Len() {
			if column.IsValid(i) {
				d.addRun(column.Dictionary().(*array.String).Value(column.GetValueIndex(i)))
			}
		}
	case *array.String:
		for i := range column.Len() {
			d.addRun(column.Value(i))
		}
	}
}

func (d *Digest) addRun(id string) {
	if len(d.runs) == 0 || d.runs[len(d.runs)-1] != id && !slices.Contains(d.runs, id) {
		d.runs = append(d.runs, id)
	}
}

// Contents implements sinks.Digester.
func (d *Digest) Contents() sinks.Contents {
	columns := finish(d.sums)
	return sinks.Contents{Rows: d.rows, Columns: columns, Checksum: total(columns), Runs: d.runs}
}

// Close implements sinks.Writer: nothing is staged, so no path is returned.
func (d *Digest) Close() (sinks.Staged, error) { return sinks.Staged{Rows: d.rows}, nil }

// Abort implements sinks.Writer. There is nothing to remove.
func (d *Digest) Abort() error { return nil }
