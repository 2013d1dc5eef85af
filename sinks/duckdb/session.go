package duckdb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	duckdb "github.com/duckdb/duckdb-go/v2"
)

// session is one connection to a DuckDB of its own in memory, to which catalogs are attached.
type session struct {
	db     *sql.DB
	conn   *sql.Conn
	dir    string // for what does not fit in memory and for exported files
	memory int64  // what a statement may hold; 0 is as much as DuckDB takes by itself
}

// settings close the doors through which DuckDB would fetch code from outside.
var settings = []string{
	"SET autoinstall_known_extensions = false",
	"SET autoload_known_extensions = false",
	"SET allow_community_extensions = false",
}

func openSession(ctx context.Context) (*session, error) {
	dir, err := os.MkdirTemp("", "backhaul-duckdb-")
	if err != nil {
		return nil, err
	}
	s := &session{dir: dir}
	connector, err := duckdb.NewConnector("", nil)
	if err != nil {
		return nil, errors.Join(err, s.close())
	}
	s.db = sql.OpenDB(connector)
	if s.conn, err = s.db.Conn(ctx); err != nil {
		return nil, errors.Join(err, s.close())
	}
	for _, setting := range append(settings, "SET temp_directory = "+quote(dir)) {
		if err := s.exec(ctx, setting); err != nil {
			return nil, errors.Join(err, s.close())
		}
	}
	return s, nil
}

// openCatalog returns a session whose default database is the catalog, read-only, and which sees of the file system no
// more than the views and the loose tables need. A catalog of another place is sinks.ErrMoved.
func openCatalog(ctx context.Context, path string, memory int64, tables ...Loose) (*session, error) {
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w at %s: `backhaul run JOB` makes one; `backhaul catalog` makes one over files that are there already", ErrNoCatalog, path)
	}
	s, err := openSession(ctx)
	if err != nil {
		return nil, err
	}
	if err := s.attach(ctx, path, memory, tables); err != nil {
		return nil, errors.Join(err, s.close())
	}
	return s, nil
}

func (s *session) attach(ctx context.Context, path string, memory int64, tables []Loose) error {
	for _, statement := range []string{
		fmt.Sprintf("ATTACH %s AS %s (READ_ONLY)", quote(path), catalogName),
		"USE " + catalogName,
	} {
		if err := s.exec(ctx, statement); err != nil {
			return err
		}
	}
	views, err := s.views(ctx)
	if err != nil {
		return err
	}
	if err := moved(views, filepath.Dir(path)); err != nil {
		return err
	}
	if err := s.limit(ctx, memory); err != nil {
		return err
	}
	return s.confine(ctx, opened(views, tables))
}

// ErrNoCatalog means that the catalog's file does not exist.
var ErrNoCatalog = errors.New("no catalog")

func (s *session) exec(ctx context.Context, statement string) error {
	_, err := s.conn.ExecContext(ctx, statement)
	return err
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
	return errors.Join(err, os.RemoveAll(s.dir))
}
