package simulation

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"sync"
	"time"

	"github.com/apache/arrow-go/v18/arrow"

	"backhaul/jobs/chain"
	"backhaul/schemas"
	"backhaul/sinks"
)

// published is the table of a run.
type published struct {
	table     *schemas.Table
	job, date string
}

// shelf is the lake of a simulated warehouse: the rows that were published, in memory.
type shelf struct {
	mu     sync.Mutex
	staged map[string][]row
	tables map[published][]row
}

// row is what a check wants to know of a row: the list it is of, and what the truth knows of it.
type row struct {
	extract, target string
	rank            int64
	text            string
}

func newShelf() *shelf { return &shelf{staged: map[string][]row{}, tables: map[published][]row{}} }

// lake is the shelf as one process has it. It implements run.Lake.
type lake struct{ *process }

func (l lake) Create(t *schemas.Table) (sinks.Writer, error) {
	return &writer{lake: l, table: t}, l.act("create", t.FullName())
}

func (l lake) Publish(_ context.Context, t *schemas.Table, job string, date time.Time, staged string) (string, error) {
	if err := l.act("publish", t.FullName()); err != nil {
		return "", err
	}
	l.shelf.mu.Lock()
	key := published{t, job, date.Format(time.DateOnly)}
	before, rows := l.shelf.tables[key], l.shelf.staged[staged]
	l.shelf.tables[key] = rows
	l.shelf.mu.Unlock()
	if facts[t.FullName()] != nil && len(rows) < len(before) {
		l.check(fmt.Errorf("rows: %s of %s had %d rows and has %d", t.FullName(), l.runKey(), len(before), len(rows)))
	}
	l.check(l.checkRows(key, rows))
	return staged, l.step("published", fmt.Sprint(t.FullName(), len(rows)))
}

func (l lake) Has(t *schemas.Table, job string, date time.Time) bool {
	l.shelf.mu.Lock()
	defer l.shelf.mu.Unlock()
	_, has := l.shelf.tables[published{t, job, date.Format(time.DateOnly)}]
	return has
}

func (l lake) Catalog(context.Context) error {
	if err := l.act("catalog", ""); err != nil {
		return err
	}
	return os.WriteFile(l.warehouse().Catalog(), nil, 0o600)
}

func (l lake) WholeLists(context.Context, string, time.Time) error { return l.act("whole lists", "") }

func (l lake) Changes(context.Context, string, time.Time) error { return l.act("changes", "") }

// Ask is asked about one extract, by its name. It must be shown all of its rows, or none where its list has failed: what it says
// does not depend on them.
func (l lake) Ask(_ context.Context, query string, relations []chain.Relation) (columns []string, rows [][]*string, err error) {
	if err := l.act("query", query); err != nil {
		return nil, nil, err
	}
	shown := 0
	for _, r := range relations {
		if r.Name == query {
			l.shelf.mu.Lock()
			shown += len(l.shelf.staged[r.Path])
			l.shelf.mu.Unlock()
		}
	}
	if want := l.Lists[listOf(query)].want(); shown != want && shown != 0 {
		l.check(fmt.Errorf("rows: %s has a query that is shown %d rows of %s, of %d", l.runKey(), shown, query, want))
	}
	return nil, nil, nil
}

// writer collects the rows of one table.
type writer struct {
	lake
	table *schemas.Table
	rows  []row
}

func (w *writer) Write(b arrow.RecordBatch) error {
	known := facts[w.table.FullName()]
	if known == nil { // a table of the account
		w.rows = append(w.rows, make([]row, b.NumRows())...)
		return nil
	}
	value := func(column string, i int) string { return b.Column(w.table.Index(column)).ValueStr(i) }
	for i := range int(b.NumRows()) {
		rank, err := strconv.ParseInt(value(schemas.ColRank, i), 10, 64)
		if err != nil {
			return err
		}
		one := row{extract: value("extract", i), target: value(schemas.ColTarget, i), rank: rank}
		for _, f := range known {
			one.text += value(f.column, i) + "|"
		}
		w.rows = append(w.rows, one)
	}
	return nil
}

func (w *writer) Close() (sinks.Staged, error) {
	if err := w.step("staged", w.table.FullName()); err != nil {
		return sinks.Staged{}, err
	}
	w.shelf.mu.Lock()
	defer w.shelf.mu.Unlock()
	name := fmt.Sprint(w.name, ".", len(w.shelf.staged))
	w.shelf.staged[name] = w.rows
	return sinks.Staged{Path: name, Rows: int64(len(w.rows))}, nil
}

func (w *writer) Abort() error { return nil }
