package duckdb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	duckdb "github.com/duckdb/duckdb-go/v2"

	"backhaul/schemas"
	"backhaul/sinks"
)

// session is one connection to a DuckDB of its own in memory.
type session struct {
	*scratch
	db     *sql.DB
	conn   *sql.Conn
	memory int64 // what a statement may hold; 0 is as much as DuckDB takes by itself
	// declared is what there is to ask of the warehouse; nil in a session that has none. mixed are its tables with files that lack
	// columns.
	declared *declarations
	mixed    []string
}

// settings close the doors through which DuckDB would fetch code from outside.
var settings = []string{
	"SET autoinstall_known_extensions = false",
	"SET autoload_known_extensions = false",
	"SET allow_community_extensions = false",
}

func openSession(ctx context.Context) (*session, error) {
	files, err := newScratch()
	if err != nil {
		return nil, err
	}
	s := &session{scratch: files}
	connector, err := (*duckdb.Connector)(nil), hasRoom()
	if err == nil {
		connector, err = duckdb.NewConnector("", nil)
	}
	if err != nil {
		return nil, errors.Join(err, s.close())
	}
	s.db = sql.OpenDB(connector)
	if s.conn, err = s.db.Conn(ctx); err != nil {
		return nil, errors.Join(err, s.close())
	}
	if err := s.exec(ctx, append(settings, "SET temp_directory = "+quote(s.dir))...); err != nil {
		return nil, errors.Join(err, s.close())
	}
	return s, nil
}

// hasRoom reports whether a file can be opened. A DuckDB that begins where none can ends the whole process.
func hasRoom() error {
	f, err := os.Open(os.DevNull)
	if err != nil {
		return err
	}
	return f.Close()
}

// over lets do put a statement to a session that has the warehouse's views as its default database, and sees of the file
// system no more than they and the loose tables need. Making every view takes many times what most statements take, so that
// only those are made that it names; all of them where one was not found, for a better message. do may be called more than once,
// see again.
func over(ctx context.Context, w sinks.Warehouse, statement string, memory int64, tables []Loose, do func(context.Context, *session) error) error {
	w, err := absolute(w)
	if err != nil {
		return err
	}
	if err := hasLake(w); err != nil {
		return err
	}
	once := func(wanted func(*declarations) func(string) bool) error {
		s, err := openSession(ctx)
		if err != nil {
			return err
		}
		defer s.close()
		err = s.declare(ctx, w, wanted, strings.Contains(strings.ToLower(statement), "comment"))
		if err = errors.Join(err, s.limit(ctx, memory), s.confine(ctx, w, tables)); err != nil {
			return err
		}
		return s.watched(ctx, func(ctx context.Context) error { return do(ctx, s) })
	}
	put := func(wanted func(*declarations) func(string) bool) error {
		return again(ctx, func() error { return once(wanted) })
	}
	err = put(func(d *declarations) func(string) bool { return d.mentioned(statement) })
	var e *duckdb.Error
	if errors.As(err, &e) && e.Type == duckdb.ErrorTypeCatalog {
		return put(func(*declarations) func(string) bool { return everything })
	}
	return err
}

// declare makes the wanted views of the warehouse in memory. What is said about them takes most of the time, and few ask for
// it.
func (s *session) declare(ctx context.Context, w sinks.Warehouse, wanted func(*declarations) func(string) bool, comments bool) (err error) {
	n := readNote(w)
	if s.mixed = n.Mixed; n.Columns != fingerprint(schemas.All()) {
		if s.mixed, err = n.findMixed(ctx, w, schemas.All()); err != nil {
			return err
		}
	}
	all := globs(w, s.mixed)
	s.declared, err = declare(schemas.All(), func(t *schemas.Table, month bool) string {
		if !hasFiles(w, t) { // nothing was published by this version yet
			return ""
		}
		return all(t, month)
	})
	if err != nil {
		return err
	}
	return s.exec(ctx, s.declared.making(wanted(s.declared), comments)...)
}

// ErrNoLake means that the warehouse has no lake.
var ErrNoLake = errors.New("no lake")

func hasLake(w sinks.Warehouse) error {
	if _, err := os.Stat(w.Lake()); errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%w at %s: `backhaul run JOB` makes one, --warehouse names another", ErrNoLake, w.Lake())
	}
	return nil
}

// Views returns the full names of the warehouse's tables and marts, sorted. An error is ErrNoLake.
func Views(w sinks.Warehouse) (names []string, err error) {
	if err := hasLake(w); err != nil {
		return nil, err
	}
	d, err := declare(schemas.All(), none)
	if err != nil {
		return nil, err
	}
	for _, v := range d.views() {
		names = append(names, v.name)
	}
	return names, nil
}

func (s *session) exec(ctx context.Context, statements ...string) error {
	for _, statement := range statements {
		if _, err := s.conn.ExecContext(ctx, statement); err != nil {
			return err
		}
	}
	return nil
}

// check prepares a statement, which finds faults in its syntax, names and types without running it.
func (s *session) check(ctx context.Context, statement string) error {
	prepared, err := s.conn.PrepareContext(ctx, statement)
	if err != nil {
		return err
	}
	return prepared.Close()
}

// close lets go of everything. A second close does nothing.
func (s *session) close() (err error) {
	if s.conn != nil {
		err = s.conn.Close()
		s.conn = nil
	}
	if s.db != nil {
		err = errors.Join(err, s.db.Close())
		s.db = nil
	}
	return errors.Join(err, s.remove())
}
