package duckdb

import (
	"context"
	"errors"
	"regexp"

	"github.com/duckdb/duckdb-go/v2"

	"backhaul/schemas"
	"backhaul/sinks"
)

// Rehearsal is a catalog without a row, in memory: it has every view a catalog gets, so that questions can be tried before
// there is anything to ask, and without a warehouse. It is for one goroutine.
type Rehearsal struct{ s *session }

// Rehearse makes the catalog. Close it.
func Rehearse(ctx context.Context) (*Rehearsal, error) { return rehearse(ctx, false) }

func rehearse(ctx context.Context, comments bool) (*Rehearsal, error) {
	s, err := openSession(ctx)
	if err != nil {
		return nil, err
	}
	d, err := declare(schemas.All(), none)
	if err == nil {
		err = errors.Join(s.exec(ctx, d.making(everything, comments)...), s.limit(ctx, 0), s.confine(ctx, sinks.Warehouse{}, nil))
	}
	if err != nil {
		return nil, errors.Join(err, s.close())
	}
	return &Rehearsal{s}, nil
}

// Close lets go of the catalog.
func (r *Rehearsal) Close() error { return r.s.close() }

// ErrQuestion means that a question can never be answered: it is no question, its syntax is wrong, or it names what there
// is not, or a file. Its text is DuckDB's.
var ErrQuestion = errors.New("the question is at fault")

type atFault struct{ error }

func (e atFault) Unwrap() []error { return []error{e.error, ErrQuestion} }

// Columns returns the columns that Ask would return of the same question; nil where they depend on rows. Errors that are
// not ErrQuestion may be the circumstances'.
func (r *Rehearsal) Columns(ctx context.Context, sql string, tables []Loose) (columns []string, err error) {
	for _, t := range tables {
		if err := r.s.lay(ctx, t, none); err != nil {
			return nil, err
		}
	}
	defer func() {
		for _, t := range tables {
			err = errors.Join(err, r.s.exec(ctx, "DROP VIEW IF EXISTS temp."+ident(t.Name)))
		}
	}()
	q, err := r.s.rowsOf(ctx, sql)
	if err != nil {
		return nil, blame(err)
	}
	if pivot.MatchString(sql) {
		return nil, nil // makes columns of values
	}
	_, rows, err := r.s.rows(ctx, "SELECT column_name FROM (DESCRIBE "+from(q.text)+")")
	if err != nil {
		return nil, blame(err)
	}
	for _, row := range rows {
		columns = append(columns, row[0].(string))
	}
	return columns, nil
}

var pivot = regexp.MustCompile(`(?i)\bpivot`)

// blame marks the errors that are the question's own, whatever rows there are and whatever machine it is asked on.
func blame(err error) error {
	var e *duckdb.Error
	switch {
	case errors.Is(err, errNotAQuestion), errors.Is(err, errSeveral), errors.Is(err, errNoStatement):
		return atFault{err}
	case errors.As(err, &e) && e.Type == duckdb.ErrorTypePermission:
		return atFault{shut(err)}
	case errors.As(err, &e) && (e.Type == duckdb.ErrorTypeParser || e.Type == duckdb.ErrorTypeBinder || e.Type == duckdb.ErrorTypeCatalog):
		return atFault{err}
	}
	return err
}

// derived returns the views of the catalog that are no declared tables, by name: the marts.
func (r *Rehearsal) derived(ctx context.Context) ([]Described, error) {
	_, rows, err := r.s.rows(ctx, `SELECT v.schema_name || '.' || v.view_name, coalesce(v.comment, ''), c.column_name, c.data_type, coalesce(c.comment, '')
		FROM duckdb_views() v JOIN duckdb_columns() c ON c.database_name = v.database_name AND c.schema_name = v.schema_name AND c.table_name = v.view_name
		WHERE NOT v.internal AND v.database_name = `+quote(catalogName)+` ORDER BY v.schema_name, v.view_name, c.column_index`)
	if err != nil {
		return nil, err
	}
	var all []Described
	for _, row := range rows {
		name := row[0].(string)
		if schemas.Lookup(name) != nil {
			continue
		}
		if len(all) == 0 || all[len(all)-1].Name != name {
			all = append(all, Described{Name: name, Meaning: row[1].(string)})
		}
		last := &all[len(all)-1]
		last.Columns = append(last.Columns, DescribedColumn{row[2].(string), row[3].(string), row[4].(string)})
	}
	return all, nil
}
