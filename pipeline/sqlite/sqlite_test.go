package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
)

const table = `CREATE TABLE IF NOT EXISTS numbers (n INTEGER PRIMARY KEY)`

func TestManyMayCreateTheSameFileAtOnce(t *testing.T) {
	for range 20 {
		path := filepath.Join(t.TempDir(), "a.sqlite")
		var wg sync.WaitGroup
		for i := range 6 {
			wg.Go(func() {
				d, err := Open(context.Background(), path, Layout{Schema: table})
				if err != nil {
					t.Error(err)
					return
				}
				defer d.Close()
				if err := d.Write(context.Background(), func(tx *sql.Tx) error {
					_, err := tx.Exec(`INSERT INTO numbers VALUES (?)`, i)
					return err
				}); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
	}
}

// sharing lets writers enter a number each in one commit, which ready is called ahead of, and returns what each was told. after is what
// a writer returns when it has entered its number.
func sharing(t *testing.T, d *DB, writers int, ready func(), after func(i int) error) []error {
	begun, together := make(chan struct{}), make(chan struct{})
	errs := make([]error, writers)
	write := func(i int) {
		errs[i] = d.Write(t.Context(), func(tx *sql.Tx) error {
			if i == 0 { // the others queue up behind the first, and share a commit
				close(begun)
				<-together
			}
			if _, err := tx.Exec(`INSERT INTO numbers VALUES (?)`, i); err != nil {
				return err
			}
			return after(i)
		})
	}
	var wg sync.WaitGroup
	wg.Go(func() { write(0) })
	<-begun
	for i := 1; i < writers; i++ {
		wg.Go(func() { write(i) })
	}
	for waiting := 0; waiting < writers-1; runtime.Gosched() {
		waiting = d.group.Waiting()
	}
	ready()
	close(together)
	wg.Wait()
	return errs
}

func TestTheFaultOfOneWriterIsItsAlone(t *testing.T) {
	d, err := Open(context.Background(), filepath.Join(t.TempDir(), "a.sqlite"), Layout{Schema: table})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	const writers = 40
	no := errors.New("no")
	errs := sharing(t, d, writers, func() {}, func(i int) error {
		if i%3 == 1 {
			return no
		}
		return nil
	})
	want := 0
	for i, err := range errs {
		if failed := i%3 == 1; failed != errors.Is(err, no) || !failed && err != nil {
			t.Errorf("writer %d: %v", i, err)
		} else if !failed {
			want++
		}
	}
	var n int
	if err := d.Read().QueryRow(`SELECT count(*) FROM numbers`).Scan(&n); err != nil || n != want {
		t.Errorf("%d rows, %v, want %d", n, err, want)
	}
}

func TestAFileOfALaterVersionIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.sqlite")
	d, err := Open(context.Background(), path, Layout{Schema: table, Upgrades: []string{""}})
	if err != nil {
		t.Fatal(err)
	}
	d.Close()
	if _, err := Open(context.Background(), path, Layout{Schema: table}); err == nil {
		t.Error("opened")
	}
}

func TestWhatIsNoDatabaseIsDamage(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.sqlite")
	if err := os.WriteFile(path, []byte("this is a text, and quite a long one, so that it has a header's length and more than that"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(context.Background(), path, Layout{Schema: table}); !errors.Is(err, ErrDamaged) {
		t.Errorf("opened with %v", err)
	}
}

func TestAnOlderFileIsBroughtUpToDateOnce(t *testing.T) {
	ctx, path := context.Background(), filepath.Join(t.TempDir(), "a.sqlite")
	old, err := Open(ctx, path, Layout{Schema: "CREATE TABLE IF NOT EXISTS a (n INTEGER)"})
	if err != nil {
		t.Fatal(err)
	}
	if err := old.Write(ctx, func(tx *sql.Tx) error { _, err := tx.Exec("INSERT INTO a VALUES (7)"); return err }); err != nil {
		t.Fatal(err)
	}
	if err := old.Close(); err != nil {
		t.Fatal(err)
	}
	layout := Layout{
		Schema:   "CREATE TABLE IF NOT EXISTS a (n INTEGER, s TEXT, x TEXT); CREATE TABLE IF NOT EXISTS b (n INTEGER)",
		Upgrades: []string{"ALTER TABLE a ADD COLUMN s TEXT NOT NULL DEFAULT 'none'", "ALTER TABLE a ADD COLUMN x TEXT NOT NULL DEFAULT 'x'"},
	}
	for range 2 {
		d, err := Open(ctx, path, layout)
		if err != nil {
			t.Fatal(err)
		}
		var got string
		if err := d.Read().QueryRow("SELECT n || s || x || (SELECT count(*) FROM b) FROM a").Scan(&got); err != nil || got != "7nonex0" {
			t.Errorf("%q, %v", got, err)
		}
		if err := d.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestNewFilesAreForTheirOwnerAlone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sub", "new.sqlite")
	db, err := Open(t.Context(), path, Layout{Schema: table})
	if err != nil {
		t.Fatal(err)
	}
	for _, suffix := range []string{"", "-wal", "-shm"} {
		info, err := os.Stat(path + suffix)
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%q: %v, %v", suffix, info.Mode(), err)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, 0o640); err != nil {
		t.Fatal(err)
	}
	if db, err = Open(t.Context(), path, Layout{Schema: table}); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o640 {
		t.Errorf("the mode that its owner gave a file is %v, %v", info.Mode(), err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestACommitThatFailsIsToldAndLetsOthersWrite(t *testing.T) {
	ctx := t.Context()
	const family = `CREATE TABLE IF NOT EXISTS parents (n INTEGER PRIMARY KEY);
		CREATE TABLE IF NOT EXISTS children (n INTEGER REFERENCES parents(n) DEFERRABLE INITIALLY DEFERRED)`
	d, err := Open(ctx, filepath.Join(t.TempDir(), "a.sqlite"), Layout{Schema: family})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	child := func(tx *sql.Tx) error { _, err := tx.Exec("INSERT INTO children VALUES (1)"); return err }
	if err := d.Write(ctx, child); err == nil {
		t.Error("a commit that failed was told to be durable")
	}
	if err := d.Write(ctx, func(tx *sql.Tx) error { _, err := tx.Exec("INSERT INTO parents VALUES (1)"); return err }); err != nil {
		t.Error(err)
	}
	if err := d.Write(ctx, child); err != nil {
		t.Error(err)
	}
	var n int
	if err := d.Read().QueryRow("SELECT count(*) FROM children").Scan(&n); err != nil || n != 1 {
		t.Errorf("%d children, %v", n, err)
	}
}

func TestTheNameOfANewFileIsSyncedBeforeAnythingIsInItHoweverOftenThatFails(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.sqlite")
	broken, synced := errors.New("input/output error"), 0
	Before = func(step, of string) error {
		if step != "sync name" {
			return nil
		}
		if info, err := os.Stat(of); err != nil || info.Size() != 0 {
			t.Errorf("%v, %v", info, err)
		}
		if synced++; synced < 3 {
			return broken
		}
		return nil
	}
	defer func() { Before = nil }()
	for range 2 {
		if _, err := Open(t.Context(), path, Layout{Schema: table}); !errors.Is(err, broken) {
			t.Errorf("%v", err)
		}
	}
	for range 2 { // of a file with something in it the name lasts
		d, err := Open(t.Context(), path, Layout{Schema: table})
		if err != nil {
			t.Fatal(err)
		}
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	}
	if synced != 3 {
		t.Errorf("synced %d times", synced)
	}
}

func TestWritersThatShareACommitAreAllToldThatItFailed(t *testing.T) {
	full := errors.New("no space left on device")
	var fails atomic.Bool
	Before = func(step, _ string) error {
		if fails.Load() && step == "commit" {
			return full
		}
		return nil
	}
	defer func() { Before = nil }()
	d, err := Open(t.Context(), filepath.Join(t.TempDir(), "a.sqlite"), Layout{Schema: table})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	const writers = 10
	errs := sharing(t, d, writers, func() { fails.Store(true) }, func(int) error { return nil })
	for i, err := range errs {
		if !errors.Is(err, full) {
			t.Errorf("writer %d: %v", i, err)
		}
	}
	var n int
	if err := d.Read().QueryRow(`SELECT count(*) FROM numbers`).Scan(&n); err != nil || n != 0 {
		t.Errorf("%d rows, %v", n, err)
	}
}

func TestAnInterruptedWriterStillWrites(t *testing.T) {
	d, err := Open(t.Context(), filepath.Join(t.TempDir(), "a.sqlite"), Layout{Schema: table})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := d.Write(ctx, func(tx *sql.Tx) error { _, err := tx.Exec("INSERT INTO numbers VALUES (1)"); return err }); err != nil {
		t.Error(err)
	}
}

func TestAFileThatContradictsItselfIsDamaged(t *testing.T) {
	d, err := Open(t.Context(), filepath.Join(t.TempDir(), "a.sqlite"), Layout{Schema: `CREATE TABLE IF NOT EXISTS texts (s TEXT)`})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if err := d.Check(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := d.Write(t.Context(), func(tx *sql.Tx) error {
		_, err := tx.Exec(`INSERT INTO texts VALUES (NULL); PRAGMA writable_schema = ON;
			UPDATE sqlite_schema SET sql = 'CREATE TABLE texts (s TEXT NOT NULL)' WHERE name = 'texts'; PRAGMA writable_schema = RESET`)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if err := d.Check(t.Context()); !errors.Is(err, ErrDamaged) {
		t.Errorf("examined with %v", err)
	}
}
