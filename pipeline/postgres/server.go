// Package postgres keeps journal and ledger in a PostgreSQL database that many hosts share: each in a schema of its own, with the
// statements that SQLite is given ([store.DB]). It owns what is particular to it: how statements and types are spelt there, that what
// has been committed is on disk, that of several hosts one at a time has a run ([Lease]) and that they keep to one rate together
// ([Slots]).
//
// PostgreSQL 14 and later. It knows nothing of what the tables mean. The driver is pgx, through database/sql.
package postgres

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"strings"
	"sync"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"

	"backhaul/pipeline/store"
)

// ErrAway is in the chain of an error that means that the database does not answer, or went away: what was asked of it has not been
// done, or nobody knows whether it has.
var ErrAway = errors.New("the database does not answer")

// Server is a database of a PostgreSQL server. It connects when it is asked something. It is safe for concurrent use.
type Server struct {
	config   *pgx.ConnConfig
	name     string
	password string

	mu    sync.Mutex
	pools map[string]*sql.DB // by schema
}

// New returns the database at an address, postgres://user:password@host:port/name, which no error repeats.
func New(address string) (*Server, error) {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "postgres" && u.Scheme != "postgresql" {
		return nil, errors.New("want postgres://user:password@host:port/name") // what is there may be the password
	}
	config, err := pgx.ParseConfig(address)
	if err != nil {
		return nil, errors.New("want postgres://user:password@host:port/name, with the options of libpq")
	}
	for name, value := range map[string]string{
		"application_name":              "backhaul",
		"default_transaction_isolation": "read committed",
		// A host that stands still in the midst of a write must not hold up the others for ever.
		"idle_in_transaction_session_timeout": "20000", // milliseconds
	} {
		if config.RuntimeParams[name] == "" {
			config.RuntimeParams[name] = value
		}
	}
	config.DialFunc = dialer.DialContext
	s := &Server{config: config, password: config.Password, pools: map[string]*sql.DB{}}
	u.RawQuery, u.Fragment = "", ""
	s.name = u.Redacted()
	return s, nil
}

// Name is the address without the password.
func (s *Server) Name() string { return s.name }

// mostIdle bounds the connections of a schema that are kept while nobody uses them.
const mostIdle = 4

// pool returns the connections whose tables are those of a schema, as the driver has them or as what is put around it.
func (s *Server) pool(schema string, around func(driver.Connector) driver.Connector) *sql.DB {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.pools[schema] == nil {
		config := s.config.Copy()
		config.RuntimeParams["search_path"] = quoted(schema)
		db := sql.OpenDB(around(stdlib.GetConnector(*config, stdlib.OptionAfterConnect(durable))))
		db.SetMaxIdleConns(mostIdle)
		s.pools[schema] = db
	}
	return s.pools[schema]
}

// durable sees to it that a commit that has returned is on the server's disk, whatever the server's settings say.
func durable(ctx context.Context, conn *pgx.Conn) error {
	var version int
	var encoding, fsync string
	err := conn.QueryRow(ctx, `SELECT current_setting('server_version_num')::int, current_setting('server_encoding'), current_setting('fsync'),
		set_config('synchronous_commit', CASE current_setting('synchronous_commit') WHEN 'off' THEN 'on' ELSE current_setting('synchronous_commit') END, false)`).
		Scan(&version, &encoding, &fsync, new(string))
	switch {
	case err != nil:
		return err
	case version < 140000:
		return fmt.Errorf("it is PostgreSQL %d, and this program needs 14 or later", version/10000)
	case encoding != "UTF8":
		return fmt.Errorf("its encoding is %s, and this program needs UTF8", encoding)
	case fsync != "on":
		return errors.New("it has fsync off: what was paid for would be lost with the power; turn it on")
	}
	return nil
}

// Close closes all connections. Whatever is open in the database must not be used any more.
func (s *Server) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var errs []error
	for _, db := range s.pools {
		errs = append(errs, db.Close())
	}
	s.pools = map[string]*sql.DB{}
	return errors.Join(errs...)
}

// Wrap names the database in an error of the driver, and says with ErrAway that it does not answer and with [store.ErrDamaged] that it
// is damaged.
func (s *Server) Wrap(err error) error {
	if err == nil || strings.HasPrefix(err.Error(), s.name) {
		return err
	}
	var kind error
	var e *pgconn.PgError
	switch {
	case errors.As(err, &e):
		switch {
		case e.Code == "XX001" || e.Code == "XX002":
			kind = store.ErrDamaged
		case strings.HasPrefix(e.Code, "08"), strings.HasPrefix(e.Code, "57P"), e.Code == "53300", e.Code == "25P03":
			kind = ErrAway // connection lost, shutting down or starting, too many connections, stood still too long
		}
	case isAway(err):
		kind = ErrAway
	}
	err = s.redact(err)
	if kind != nil {
		return fmt.Errorf("%s: %w: %w", s.name, kind, err)
	}
	return fmt.Errorf("%s: %w", s.name, err)
}

func isAway(err error) bool {
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) && !errors.As(err, new(*pgconn.ConnectError)) {
		return false
	}
	return errors.As(err, new(*pgconn.ConnectError)) || errors.As(err, new(net.Error)) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.Is(err, driver.ErrBadConn) || errors.Is(err, sql.ErrConnDone) || errors.Is(err, net.ErrClosed) ||
		strings.Contains(err.Error(), "conn closed")
}

// redact keeps the password out of what an error says.
func (s *Server) redact(err error) error {
	const least = 4 // letters of a password that would be told by what it is missing from
	if len(s.password) < least || !strings.Contains(err.Error(), s.password) {
		return err
	}
	return redacted{strings.ReplaceAll(err.Error(), s.password, "xxxxx"), err}
}

type redacted struct {
	text string
	err  error
}

func (r redacted) Error() string { return r.text }
func (r redacted) Unwrap() error { return r.err }

func quoted(name string) string { return pgx.Identifier{name}.Sanitize() }

// named is an error of the server's that names the schema as well.
type named struct {
	text string
	err  error
}

func (n named) Error() string { return n.text }
func (n named) Unwrap() error { return n.err }

// cutName returns what an error says behind the name of the server, unless it names a schema already.
func cutName(err error, name string) (rest string, ok bool) {
	rest, ok = strings.CutPrefix(err.Error(), name)
	return rest, ok && !strings.HasPrefix(rest, " (")
}

// mostOpen bounds the connections of a library's schema: a server has a hundred for all processes of a fleet, and a library that is asked
// about many tables at once would take one for each.
const mostOpen = 4

// telling connects with errors as Wrap has them.
type telling struct {
	driver.Connector
	server *Server
}

func (t telling) Connect(ctx context.Context) (driver.Conn, error) {
	c, err := t.Connector.Connect(ctx)
	return c, t.server.Wrap(err)
}

// Tables returns a schema for a library that has statements of its own, as the driver takes them. The schema is made where it is absent,
// and by statements, which must be harmless where they were carried out before, its tables. It has few connections, and errors of
// connecting are those of Wrap.
func (s *Server) Tables(ctx context.Context, schema, statements string) (*sql.DB, error) {
	db := s.pool(schema, func(c driver.Connector) driver.Connector { return telling{c, s} })
	db.SetMaxOpenConns(mostOpen)
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return nil, s.Wrap(err)
	}
	defer func() { _ = tx.Rollback() }()
	if _, err := tx.ExecContext(ctx, `SELECT pg_advisory_xact_lock(hashtextextended($1, 0))`, "backhaul layout of "+schema); err != nil {
		return nil, s.Wrap(err)
	}
	if _, err := tx.ExecContext(ctx, fmt.Sprintf(`CREATE SCHEMA IF NOT EXISTS %s; %s`, quoted(schema), statements)); err != nil {
		return nil, s.Wrap(err)
	}
	return db, s.Wrap(tx.Commit())
}
