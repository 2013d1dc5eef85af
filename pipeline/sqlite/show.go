package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
)

// show opens a file that cannot be written.
func show(ctx context.Context, path string, layout Layout) (*DB, error) {
	db, err := sql.Open("sqlite", dsn(path, reading(path)))
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	d := &DB{path: path, sql: db}
	var have int
	err = db.QueryRowContext(ctx, "PRAGMA user_version").Scan(&have)
	if want := layout.Format(); err == nil && have != want {
		err = fmt.Errorf("it is of format %d, and this program reads format %d: open it once where it can be written", have, want)
	}
	if err != nil {
		return nil, errors.Join(d.Wrap(err), db.Close())
	}
	return d, nil
}

// reading returns the options of a file that cannot be written. SQLite reads one in WAL mode only beside its log and the
// log's index, or if it is told that nobody writes: which holds where a file's last user closed it, so that there is no log.
// With a log the file alone would be behind what was committed.
func reading(path string) url.Values {
	options := url.Values{"mode": {"ro"}, "_pragma": {"busy_timeout(30000)"}}
	if _, err := os.Stat(path + "-wal"); err != nil {
		options.Set("immutable", "1")
	}
	return options
}
