package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// made returns a file with one row, still open.
func made(t *testing.T, layout Layout) *DB {
	t.Helper()
	d, err := Open(context.Background(), filepath.Join(t.TempDir(), "a?b.sqlite"), layout)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.Close() })
	if err := d.Write(context.Background(), func(tx *sql.Tx) error {
		_, err := tx.Exec("INSERT INTO t VALUES (7)")
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return d
}

func row(t *testing.T, d *DB) (n int) {
	t.Helper()
	if err := d.Read().QueryRow("SELECT n FROM t").Scan(&n); err != nil {
		t.Error(err)
	}
	return n
}

var oneTable = Layout{Schema: "CREATE TABLE IF NOT EXISTS t (n INTEGER)"}

func TestAFileThatCannotBeWrittenIsShown(t *testing.T) {
	for _, closed := range []bool{true, false} { // without a log beside it, and with one that holds the row
		d := made(t, oneTable)
		if closed {
			if err := d.Close(); err != nil {
				t.Fatal(err)
			}
		}
		shown, err := show(t.Context(), d.Name(), oneTable)
		if err != nil {
			t.Fatal(err)
		}
		defer shown.Close()
		if n := row(t, shown); n != 7 {
			t.Errorf("%d", n)
		}
		if err := shown.Check(t.Context()); err != nil {
			t.Error(err)
		}
		err = shown.Write(t.Context(), func(tx *sql.Tx) error {
			_, err := tx.Exec("DELETE FROM t")
			return err
		})
		if err == nil || errors.Is(err, ErrDamaged) || row(t, shown) != 7 {
			t.Errorf("a write: %v", err)
		}
		if later, err := show(t.Context(), d.Name(), Layout{Schema: oneTable.Schema, Upgrades: []string{"SELECT 1"}}); err == nil {
			_ = later.Close()
			t.Error("an older format was not told")
		}
	}
}

// asNobody runs the test again in a process of a user who owns nothing, from a folder that he may enter.
func asNobody(t *testing.T) {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(exe)
	if err != nil {
		t.Fatal(err)
	}
	dir, err := os.MkdirTemp("", "nobody")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	copied := filepath.Join(dir, "test")
	if err := errors.Join(os.Chmod(dir, 0o777), os.WriteFile(copied, content, 0o755)); err != nil {
		t.Fatal(err)
	}
	const nobody = 65534
	cmd := exec.Command(copied, "-test.run", "^"+t.Name()+"$", "-test.v")
	cmd.Dir, cmd.Env = dir, append(os.Environ(), "TMPDIR="+dir, "HOME="+dir)
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	if out, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(out), "--- PASS: "+t.Name()) {
		t.Errorf("%v\n%s", err, out)
	}
}

func TestAFolderThatCannotBeWrittenIsReadAndNotFilled(t *testing.T) {
	if os.Geteuid() == 0 {
		asNobody(t) // everything can be written by root
		return
	}
	d := made(t, oneTable)
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	dir := filepath.Dir(d.Name())
	if err := errors.Join(os.Chmod(d.Name(), 0o444), os.Chmod(dir, 0o555)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.Chmod(dir, 0o755) })
	shown, err := Open(t.Context(), d.Name(), oneTable)
	if err != nil {
		t.Fatal(err)
	}
	defer shown.Close()
	if n := row(t, shown); n != 7 {
		t.Errorf("%d", n)
	}
	if _, err := Open(t.Context(), filepath.Join(dir, "new.sqlite"), oneTable); !errors.Is(err, fs.ErrPermission) {
		t.Errorf("a new file: %v", err)
	}
}
