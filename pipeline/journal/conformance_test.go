package journal_test

import (
	"context"
	"database/sql"
	"net/url"
	"os"
	"path/filepath"
	"testing"

	_ "modernc.org/sqlite" // the driver

	"backhaul/pipeline/journal"
	"backhaul/pipeline/journaltest"
)

func TestTheJournalKeepsItsPromises(t *testing.T) {
	t.Parallel()
	flip := func(column string) func(t *testing.T, path, taskID string, seq int) {
		return func(t *testing.T, path, taskID string, seq int) { flipped(t, path, column, taskID, seq) }
	}
	journaltest.Run(t, journaltest.Config{
		Place: func(t *testing.T) string { return filepath.Join(t.TempDir(), "with space & ?", "j.sqlite") },
		Open: func(ctx context.Context, path string, h journal.Header) (journaltest.Journal, error) {
			j, err := journal.Open(ctx, path, h)
			if err != nil {
				return nil, err
			}
			return j, nil
		},
		Notes: func(ctx context.Context, to, from journaltest.Journal) error {
			return to.(*journal.Journal).Notes(ctx, from.(*journal.Journal))
		},
		Killed: copied,
		Harm: journaltest.Harm{
			Owner: func(t *testing.T, path string) { change(t, path, `DELETE FROM header`) },
			Body:  flip("body"), Units: flip("units"), Next: flip("next"),
			Page: func(t *testing.T, path, taskID string, seq int) {
				change(t, path, `DELETE FROM pages WHERE task = (SELECT no FROM tasks WHERE id = ?) AND seq = ?`, taskID, seq)
			},
			Reply: func(t *testing.T, path string) {
				change(t, path, `UPDATE attempts SET body = (SELECT body FROM attempts ORDER BY no DESC LIMIT 1) WHERE no = (SELECT min(no) FROM attempts)`)
			},
		},
	})
}

// copied returns a copy of an open journal's files, which is what the next process finds.
func copied(t *testing.T, path string) string {
	to := filepath.Join(t.TempDir(), "j.sqlite")
	for _, end := range []string{"", "-wal"} {
		file, err := os.ReadFile(path + end)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(to+end, file, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return to
}

// change changes a file without asking the journal.
func change(t *testing.T, path, statement string, args ...any) {
	t.Helper()
	done, err := opened(t, path).Exec(statement, args...)
	if err != nil {
		t.Fatal(err)
	}
	if n, err := done.RowsAffected(); err != nil || n == 0 {
		t.Fatalf("nothing was changed: %v", err)
	}
}

func opened(t *testing.T, path string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", (&url.URL{Scheme: "file", OmitHost: true, Path: path}).String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

// flipped changes the last bit of a page's column.
func flipped(t *testing.T, path, column, taskID string, seq int) {
	t.Helper()
	const which = " WHERE task = (SELECT no FROM tasks WHERE id = ?) AND seq = ?"
	var value any
	if err := opened(t, path).QueryRow("SELECT "+column+" FROM pages"+which, taskID, seq).Scan(&value); err != nil {
		t.Fatal(err)
	}
	switch v := value.(type) {
	case int64:
		value = v ^ 1
	case []byte:
		v[len(v)-1] ^= 1
	case string:
		value = v[:len(v)-1] + string(v[len(v)-1]^1)
	}
	change(t, path, "UPDATE pages SET "+column+" = ?"+which, value, taskID, seq)
}
