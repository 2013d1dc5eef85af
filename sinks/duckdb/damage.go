package duckdb

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/cenkalti/backoff/v5"

	"backhaul/schemas"
	"backhaul/sinks"
	"backhaul/sinks/blob"
)

// broken are the classes of errors that hardly any statement brings about, only a file that does not hold what it says.
var broken = []string{"Invalid Error:", "Serialization Error:", "INTERNAL Error:", "FATAL Error:", "IO Error:"}

// unread are DuckDB's words, in a class that statements bring about as well, for a file it cannot read.
var unread = []string{"magic bytes", "ZSTD", "orrupt", "Failed to read", "Out of buffer", ".parquet'", `.parquet"`, "arquet", "stats", "page", "column chunk"}

// spared are errors of the machine, and of files that a statement names.
var spared = []string{"Too many open files", "Permission denied", "No space left", "Out of Memory", "Cannot open file", "Could not write", "Could not truncate"}

// errReplaced means that a run has put another file in the place of one that was being read.
var errReplaced = errors.New("a file was replaced while it was read")

// patience is how long a question is put again that lost a file. Names that go stay unreadable for a second at most.
const patience = 5 * time.Second

// toBeSure is how often a file must be found damaged before it is told: one that was replaced may be back when it is looked at, where
// what a table has goes to and fro.
const toBeSure = 2

// callers is an error of what rows were handed to: it says nothing of the lake, and is for the caller.
type callers struct{ error }

// again does something that reads the lake, and once more where a file was replaced meanwhile: nobody who asks the program needs
// to know that a run published in this moment. What it leaves must be the same however often it is done.
func again(ctx context.Context, read func() error) error {
	damaged := 0
	_, err := backoff.Retry(ctx, func() (struct{}, error) {
		err := read()
		if own := (callers{}); errors.As(err, &own) {
			return struct{}{}, backoff.Permanent(own.error)
		}
		err = damage(err)
		if errors.Is(err, sinks.ErrDamaged) {
			damaged++
		}
		if unsure := errors.Is(err, sinks.ErrDamaged) && damaged < toBeSure; !unsure && !errors.Is(err, errReplaced) {
			err = backoff.Permanent(err)
		}
		return struct{}{}, err
	}, backoff.WithBackOff(&backoff.ExponentialBackOff{InitialInterval: 5 * time.Millisecond, RandomizationFactor: 0.5, Multiplier: 1.5, MaxInterval: time.Second}),
		backoff.WithMaxElapsedTime(patience))
	return err
}

// damage marks errors that are neither the statement's nor the machine's: a file DuckDB could not read.
func damage(err error) error {
	if err == nil || errors.Is(err, sinks.ErrDamaged) {
		return err
	}
	text := err.Error() // statements that are not queries fail with plain errors
	in := func(s string) bool { return strings.Contains(text, s) }
	beginsWith := func(s string) bool { return strings.HasPrefix(text, s) }
	switch {
	case in("No files found"):
		// Every table has a file: DuckDB says nothing of a directory that it could not open.
		return fmt.Errorf("%w: %w", syscall.EMFILE, err)
	case replaced(text):
		return fmt.Errorf("%w, ask again: %v", errReplaced, err)
	case slices.ContainsFunc(spared, in):
		return err
	case slices.ContainsFunc(broken, beginsWith), beginsWith("Invalid Input Error:") && slices.ContainsFunc(unread, in):
		return fmt.Errorf("%w: %w", sinks.ErrDamaged, err)
	}
	return err
}

// ofFile finds the file of the lake that DuckDB speaks of.
var ofFile = regexp.MustCompile(`/.*/month=[^/]*/[^/]*\.parquet`)

// replaced reports whether a file that could not be read is one that a run has put another in the place of meanwhile.
func replaced(text string) bool {
	path := ofFile.FindString(text)
	if path != "" && strings.Contains(text, "No such file") {
		return true // it was listed
	}
	if _, err := os.Stat(filepath.Dir(path)); path == "" || err != nil {
		return false // it is not a path
	}
	return blob.Gone(path)
}

// Relation is a view of the catalog and how it answers.
type Relation struct {
	Name string // moz.anchor_text
	// Rows is how many rows the view shows; -1 for marts, which are not counted.
	Rows int64
	Err  error
}

// Check asks every view of the warehouse. Marts are asked for a row, where a table that they are made of has any: planning
// them takes far longer than looking into files without rows. None of the views is made: DuckDB would plan each twice.
func Check(ctx context.Context, w sinks.Warehouse) (all []Relation, err error) {
	err = over(ctx, w, "", 0, nil, func(ctx context.Context, s *session) error {
		all = nil
		views, tables := s.declared.views(), map[string]Relation{}
		for _, v := range views {
			if v.table != nil {
				tables[v.name] = s.relation(ctx, v)
			}
		}
		for _, v := range views {
			r, ok := tables[v.name]
			switch {
			case ok:
			case s.declared.idle(v.name, tables):
				r = Relation{Name: v.name, Rows: -1}
			default:
				r = s.relation(ctx, v)
			}
			all = append(all, r)
		}
		return ctx.Err()
	})
	return all, err
}

// idle reports whether all tables that a view is made of are without rows, be it that those of ops have some.
func (d *declarations) idle(view string, tables map[string]Relation) bool {
	some := false
	for _, t := range d.tables(view) {
		if t.Schema == "ops" {
			continue
		}
		if r := tables[t.FullName()]; r.Rows != 0 || r.Err != nil {
			return false
		}
		some = true
	}
	return some
}

// tables returns the tables that a view is made of, some of them several times.
func (d *declarations) tables(view string) (all []*schemas.Table) {
	for _, m := range relation.FindAllStringSubmatch(d.byName[view].body(), -1) {
		switch other := d.found(m); {
		case other == nil:
		case other.table != nil:
			all = append(all, other.table)
		default:
			all = append(all, d.tables(other.name)...)
		}
	}
	return all
}

// relation asks one view.
func (s *session) relation(ctx context.Context, view *declaration) Relation {
	r, rows := Relation{Name: view.name, Rows: -1}, "("+s.declared.inlined(view)+"\n)"
	r.Err = again(ctx, func() (err error) {
		if view.table == nil {
			_, _, err = s.rows(ctx, "SELECT * FROM "+rows+" LIMIT 1")
		} else {
			r.Rows, err = s.count(ctx, rows)
		}
		return err
	})
	return r
}

func (s *session) count(ctx context.Context, view string) (int64, error) {
	_, rows, err := s.rows(ctx, "SELECT count(*) FROM "+view)
	if err != nil {
		return -1, err
	}
	return rows[0][0].(int64), nil
}

// ErrInUse means that another program has the catalog open for writing, as DuckDB does unless it is told otherwise.
var ErrInUse = errors.New("another program has it open for writing")

// CheckCatalog opens the published file, which the program itself never reads from: somebody who does finds that it is damaged
// (sinks.ErrDamaged), made for another place or by another version (sinks.ErrStale), or in use (ErrInUse).
func CheckCatalog(ctx context.Context, w sinks.Warehouse) error {
	s, err := openSession(ctx)
	if err != nil {
		return err
	}
	defer s.close()
	err = s.exec(ctx, fmt.Sprintf("ATTACH %s AS %s (READ_ONLY)", quote(w.Catalog()), catalogName))
	switch {
	case err != nil && strings.Contains(err.Error(), "Could not set lock"):
		return fmt.Errorf("%s: %w", w.Catalog(), ErrInUse)
	case err != nil:
		return damage(err)
	}
	return Current(w)
}

// Current is sinks.ErrStale if there is a catalog and it is not the one that Build would write.
func Current(w sinks.Warehouse) error {
	w, err := absolute(w)
	if err != nil {
		return err
	}
	if _, err := os.Stat(w.Catalog()); err != nil {
		return nil
	}
	n := readNote(w)
	d, err := declare(schemas.All(), globs(w, n.Mixed))
	if err != nil {
		return err
	}
	if !n.current(w, d) {
		return fmt.Errorf("%s: %w", w.Catalog(), sinks.ErrStale)
	}
	return nil
}
