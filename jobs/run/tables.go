package run

import (
	"context"
	"errors"
	"fmt"

	"github.com/apache/arrow-go/v18/arrow/memory"

	"backhaul/jobs/chain"
	"backhaul/schemas"
)

// UserTable is a list that a job brings along.
type UserTable interface {
	// Name is what the spec, and so its queries, call the list.
	Name() string
	// Table declares the table of schema user that it is kept in.
	Table() *schemas.Table
	// Digest identifies its content.
	Digest() string
	// Len is how many rows it has.
	Len() int
	// Fill sets the columns of row i, but for those of the run.
	Fill(i int, row *schemas.Row)
}

// tableBatch is how many rows of a list are handed to a writer at once.
const tableBatch = 8192

// writeTables stages the run's snapshot of the lists the job brings along, for its queries and to be published.
func (r *runner) writeTables() error {
	for _, t := range r.Tables {
		file, err := r.writeTable(t)
		if err != nil {
			return fmt.Errorf("write table %s: %w", t.Name(), err)
		}
		r.brought = append(r.brought, chain.Relation{Name: t.Name(), Table: t.Table(), Path: file})
	}
	return nil
}

func (r *runner) writeTable(t UserTable) (path string, err error) {
	w, err := r.Lake.Create(t.Table())
	if err != nil {
		return "", err
	}
	b := schemas.NewBuilder(memory.DefaultAllocator, t.Table())
	defer b.Release()
	for i := range t.Len() {
		row := b.Row()
		row.SetString(t.Table().Index("job"), r.Name)
		row.SetString(t.Table().Index("run_id"), r.run.ID)
		row.SetInt(t.Table().Index(schemas.ColRunDate), int64(days(r.RunDate)))
		t.Fill(i, row)
		b.Append()
		if err := b.Drain(tableBatch, w.Write); err != nil {
			return "", errors.Join(err, w.Abort())
		}
	}
	if err := b.Drain(1, w.Write); err != nil {
		return "", errors.Join(err, w.Abort())
	}
	staged, err := w.Close()
	return staged.Path, err
}

// publishTables publishes the snapshots. A list may be edited after the run of the day is complete.
func (r *runner) publishTables(ctx context.Context) error {
	for _, t := range r.brought {
		if _, err := r.Lake.Publish(ctx, t.Table, r.Name, r.RunDate, t.Path); err != nil {
			return err
		}
	}
	return nil
}
