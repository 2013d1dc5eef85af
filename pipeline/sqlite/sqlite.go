// Package sqlite opens the program's own SQLite files, the journal of a run and the ledger of a warehouse, and
// owns what both rely on there: a write that has returned is on disk (WAL, synchronous=FULL), and a damaged file is told apart from a
// busy or a full one. It is a [store.DB].
//
// New files are for their owner alone, mode 0600: they have the replies as the vendor sent them, and what was spent. Whoever
// wants others to read them may change that; files that are there keep the mode they have.
//
// It knows nothing of what the tables mean. The driver is modernc.org/sqlite: no cgo.
package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	driver "modernc.org/sqlite"
	lib "modernc.org/sqlite/lib"

	"backhaul/pipeline/failpoint"
	"backhaul/pipeline/store"
)

// ErrDamaged is the error, somewhere in its chain, of a file that SQLite can no longer read as it was written.
var ErrDamaged = store.ErrDamaged

// Before, where a test sets it, is called ahead of every step of a write with the file it is about; its error takes the
// place of the step. The steps are "sync name", of a new file, "begin", "commit", and "sync": a commit that took place and did
// not say so, as when the disk fails it at last. Set it while no file is open. Default nil: never called.
var Before func(step, path string) error

func (d *DB) before(step string) error {
	if Before == nil {
		return nil
	}
	return Before(step, d.path)
}

// DB is one open SQLite file. It is safe for concurrent use.
type DB struct {
	path  string
	sql   *sql.DB
	group store.Writers

	prepared sync.Map // of *sql.Stmt, by the text of the statement
}

// Layout is what a file's tables look like.
type Layout = store.Layout

// Open opens the file, creating it and its folder when absent, and gives it the layout. A file that is there and cannot be
// written, on a read-only mount say, is opened for reading: writes fail.
func Open(ctx context.Context, path string, layout Layout) (*DB, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, err
	}
	info, statErr := os.Stat(path)
	if errors.Is(statErr, fs.ErrNotExist) || statErr == nil && info.Size() == 0 {
		if err := createPrivate(path); err != nil {
			return nil, err
		}
	}
	db, err := sql.Open("sqlite", dsn(path, writing))
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	d := &DB{path: path, sql: db}
	if err := d.layOut(ctx, layout); err != nil {
		err = errors.Join(d.Wrap(err), db.Close())
		if statErr == nil && (errors.Is(err, syscall.EROFS) || errors.Is(err, fs.ErrPermission)) {
			shown, showErr := show(ctx, path, layout)
			if showErr == nil {
				return shown, nil
			}
			err = errors.Join(err, showErr)
		}
		return nil, err
	}
	return d, nil
}

// createPrivate makes an empty file, which SQLite takes for a new one, and makes its name last; the files that SQLite puts
// beside it have the same mode. One that another was faster to make is not touched: to open and close it would let go of
// SQLite's locks on it in this process. But its name may not last yet, and does before anything is in it: so one that is not
// empty needs no more.
func createPrivate(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err == nil {
		err = f.Close()
	}
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	if Before != nil {
		if err := Before("sync name", path); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
	}
	return syncDirs(filepath.Dir(path))
}

// writing are the options of a file that can be written.
var writing = url.Values{
	"_pragma": {"busy_timeout(30000)", "journal_mode(WAL)", "synchronous(FULL)", "foreign_keys(ON)", "cache_size(-8192)"}, // KiB
	"_txlock": {"immediate"},
}

// dsn spells the path as a URI, so that no character of it is taken for an option.
func dsn(path string, options url.Values) string {
	u := url.URL{Scheme: "file", OmitHost: true, Path: path, RawQuery: options.Encode()}
	if !filepath.IsAbs(path) {
		u.Path, u.Opaque = "", (&url.URL{Path: path}).EscapedPath()
	}
	return u.String()
}

// patience is how long Open waits for another process that creates the same file: SQLite does not wait by itself where a
// file is changed to WAL.
const patience = 30 * time.Second

func (d *DB) layOut(ctx context.Context, layout Layout) error {
	ctx = context.WithoutCancel(ctx)
	for begin := time.Now(); ; time.Sleep(5 * time.Millisecond) {
		err := d.create(ctx, layout)
		var e *driver.Error
		busy := errors.As(err, &e) && e.Code()&0xff == lib.SQLITE_BUSY
		if !busy || time.Since(begin) > patience {
			return err
		}
	}
}

// create makes the tables of a new file, or brings those of an older format up to date.
func (d *DB) create(ctx context.Context, layout Layout) error {
	return d.Write(ctx, func(tx *sql.Tx) error {
		var have int
		if err := tx.QueryRowContext(ctx, "PRAGMA user_version").Scan(&have); err != nil {
			return err
		}
		want := layout.Format()
		if have > want {
			return fmt.Errorf("format %d was written by a later version of this program, which reads up to %d", have, want)
		}
		if have == want {
			return nil
		}
		statements := layout.Schema
		if have > 0 {
			statements = strings.Join(append(slices.Clone(layout.Upgrades[have-1:]), layout.Schema), ";")
		}
		_, err := tx.ExecContext(ctx, fmt.Sprintf("%s; PRAGMA user_version = %d", statements, want))
		return err
	})
}

// Read returns the handle for queries. Writes go through Write.
func (d *DB) Read() *sql.DB { return d.sql }

// Name returns the file's path.
func (d *DB) Name() string { return d.path }

// Write is [store.DB.Write].
func (d *DB) Write(ctx context.Context, do func(*sql.Tx) error) error {
	return store.Write(ctx, &d.group, transactions{d}, do)
}

// transactions are those of a file.
type transactions struct{ *DB }

func (d transactions) Begin(ctx context.Context) (*sql.Tx, error) {
	if err := d.before("begin"); err != nil {
		return nil, err
	}
	return d.sql.BeginTx(ctx, nil)
}

func (d transactions) Commit(tx *sql.Tx) error {
	if err := d.before("commit"); err != nil {
		return errors.Join(err, tx.Rollback())
	}
	failpoint.Hit("sqlite.commit.before")
	if err := tx.Commit(); err != nil {
		return err
	}
	failpoint.Hit("sqlite.commit.after")
	return d.before("sync")
}

// Check reads the whole file and reports damage to its structure.
func (d *DB) Check(ctx context.Context) error {
	var verdict string
	if err := d.sql.QueryRowContext(ctx, "PRAGMA integrity_check(1)").Scan(&verdict); err != nil {
		return d.Wrap(err)
	}
	if verdict != "ok" {
		return fmt.Errorf("%s: %w: %s", d.path, ErrDamaged, verdict)
	}
	return nil
}

// Each is [store.DB.Each]. The query is prepared once.
func (d *DB) Each(ctx context.Context, query string, row func(*sql.Rows) error, args ...any) error {
	prepared, err := d.prepare(ctx, query)
	if err != nil {
		return d.Wrap(err)
	}
	rows, err := prepared.QueryContext(ctx, args...)
	if err != nil {
		return d.Wrap(err)
	}
	return store.Rows(d, rows, row)
}

// Enter is [store.DB.Enter].
func (d *DB) Enter(ctx context.Context, statements ...store.Statement) error {
	return d.Write(ctx, func(tx *sql.Tx) error {
		for _, s := range statements {
			if err := d.Exec(tx, s.Text, s.Args...); err != nil {
				return err
			}
		}
		return nil
	})
}

// Exec is [store.DB.Exec]. The statement is prepared once.
func (d *DB) Exec(tx *sql.Tx, statement string, args ...any) error {
	prepared, err := d.prepare(context.Background(), statement)
	if err != nil {
		return err
	}
	_, err = tx.Stmt(prepared).Exec(args...)
	return err
}

// prepare returns a statement that is kept until the file is closed.
func (d *DB) prepare(ctx context.Context, statement string) (*sql.Stmt, error) {
	if kept, ok := d.prepared.Load(statement); ok {
		return kept.(*sql.Stmt), nil
	}
	prepared, err := d.sql.PrepareContext(ctx, statement)
	if err != nil {
		return nil, err
	}
	if kept, ok := d.prepared.LoadOrStore(statement, prepared); ok {
		return kept.(*sql.Stmt), prepared.Close() // another was faster
	}
	return prepared, nil
}

// Wrap names the file in an error of the driver, and marks damage with ErrDamaged.
func (d *DB) Wrap(err error) error {
	if err == nil || strings.HasPrefix(err.Error(), d.path+": ") {
		return err
	}
	var e *driver.Error
	if errors.As(err, &e) {
		switch e.Code() & 0xff {
		case lib.SQLITE_CORRUPT, lib.SQLITE_NOTADB, lib.SQLITE_FORMAT:
			return fmt.Errorf("%s: %w: %w", d.path, ErrDamaged, err)
		case lib.SQLITE_IOERR, lib.SQLITE_CANTOPEN, lib.SQLITE_READONLY:
			if reason := probe(filepath.Dir(d.path)); reason != nil {
				return fmt.Errorf("%s: %w: %w", d.path, reason, err)
			}
		case lib.SQLITE_FULL:
			return fmt.Errorf("%s: no space left on device: %w", d.path, err)
		}
	}
	return fmt.Errorf("%s: %w", d.path, err)
}

// probe writes a little beside a file that SQLite could not write, since SQLite keeps the system's reason to itself: it
// returns the reason, such as a full disk, or nil if there is none any more.
func probe(dir string) error {
	for range 3 { // SQLite opens a file, its log and the log's index
		h, err := os.Open(dir)
		if err != nil {
			return err
		}
		defer h.Close()
	}
	f, err := os.CreateTemp(dir, ".probe-")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.Write(make([]byte, 128<<10)) // more than the 32 KiB by which SQLite lets a file grow
	return errors.Join(err, f.Sync(), f.Close())
}

// Close closes the file. Everything written is merged into it, and no second file remains beside it.
func (d *DB) Close() error { return d.sql.Close() }

// syncDirs makes a new file's name survive a power cut: it lasts once its folder is synced, and the folder's own name once
// the one above is, for that may be as new.
func syncDirs(dir string) error {
	err := syncDir(dir)
	for parent := filepath.Dir(dir); err == nil && parent != dir; parent = filepath.Dir(dir) {
		dir = parent
		if err = syncDir(dir); errors.Is(err, fs.ErrPermission) || errors.Is(err, errors.ErrUnsupported) || errors.Is(err, syscall.EINVAL) {
			return nil // not a folder that this program has made
		}
	}
	return err
}

func syncDir(path string) error {
	dir, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}
