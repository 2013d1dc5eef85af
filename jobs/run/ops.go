package run

import (
	"github.com/apache/arrow-go/v18/arrow/memory"

	"backhaul/schemas"
	"backhaul/sinks"
)

// ops writes the run's own account: the rows that did not fit.
func (l *loader) ops() ([]staged, error) {
	table := schemas.Lookup("ops.rejected_rows")
	b := schemas.NewBuilder(memory.DefaultAllocator, table)
	defer b.Release()
	for _, rejection := range l.rejected {
		o, row := rejection.Origin, b.Row()
		text := func(column, s string) {
			if s != "" {
				row.SetString(table.Index(column), s)
			}
		}
		text("job", o.Job)
		text("run_id", o.RunID)
		row.SetInt(table.Index(schemas.ColRunDate), int64(o.RunDate))
		text("table_name", rejection.Table)
		text("extract", o.Extract)
		text("task_id", o.Task)
		text("target", o.Target)
		text("scope", o.Scope)
		row.SetInt(table.Index("page_seq"), int64(o.PageSeq))
		row.SetInt(table.Index("row"), int64(rejection.Row))
		text("reason", rejection.Reason)
		text("json", string(rejection.JSON))
		b.Append()
	}
	file, err := l.write(table, b)
	return []staged{{table: table, file: file}}, err
}

// write stages a whole table that fits in memory.
func (l *loader) write(table *schemas.Table, b *schemas.Builder) (sinks.Staged, error) {
	w, err := l.create(table)
	if err != nil {
		return sinks.Staged{}, err
	}
	if err := flush(b, w, 1); err != nil {
		_ = w.Abort()
		return sinks.Staged{}, err
	}
	return w.Close()
}
