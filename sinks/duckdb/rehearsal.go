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

// ErrQuestion means that a question can never be answered: it is not a question, its syntax is wrong, or it names what there
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
