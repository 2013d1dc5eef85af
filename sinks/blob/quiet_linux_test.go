package blob

import (
	"encoding/binary"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func TestListingsUnderWayAreCounted(t *testing.T) {
	event := func(mask, name uint32) []byte {
		e := make([]byte, unix.SizeofInotifyEvent+name)
		binary.NativeEndian.PutUint32(e[4:], mask)
		binary.NativeEndian.PutUint32(e[12:], name)
		return e
	}
	dir := uint32(unix.IN_ISDIR)
	events := event(dir|unix.IN_CLOSE_NOWRITE, 0) // opened before
	for _, e := range [][]byte{
		event(dir|unix.IN_OPEN, 0), event(unix.IN_OPEN, 16), event(unix.IN_CLOSE_NOWRITE, 16), event(dir|unix.IN_OPEN, 16), event(dir|unix.IN_OPEN, 0),
		event(dir|unix.IN_CLOSE_NOWRITE, 0),
	} {
		events = append(events, e...)
	}
	l := &listings{}
	if l.count(events); l.open != 1 {
		t.Errorf("%d under way", l.open)
	}
}

// TestWhoHasListedTheOldDirectoryFindsItsNamesUntilItIsDone opens the directory and reads its names, exchanges it, and only then
// looks at the files, as DuckDB does when it is interrupted there.
func TestWhoHasListedTheOldDirectoryFindsItsNamesUntilItIsDone(t *testing.T) {
	for opens, at := range map[string]Op{
		"before anybody looks who does":                OpMkdir,
		"after those who were listing were waited for": OpExchange,
	} {
		t.Run(opens, func(t *testing.T) {
			root := t.TempDir()
			dir := filepath.Join(root, "lake", "month")
			if err := change(FS{}, root, dir, map[string]string{"a": "1"}); err != nil {
				t.Fatal(err)
			}
			opened, exchanged := make(chan *os.File, 1), make(chan error)
			var once sync.Once
			go func() {
				exchanged <- change(FS{Before: func(op Op, path string) (err error) {
					if op == at {
						once.Do(func() {
							var d *os.File
							d, err = os.Open(dir)
							opened <- d
						})
					}
					return err
				}}, root, dir, map[string]string{"b": "2"}, "a")
			}()
			listed := <-opened
			for _, err := os.Stat(filepath.Join(dir, "b")); err != nil; _, err = os.Stat(filepath.Join(dir, "b")) {
				time.Sleep(time.Millisecond)
			}
			time.Sleep(10 * stillness)
			names, err := listed.Readdirnames(-1)
			if err != nil || len(names) != 1 || names[0] != "a" {
				t.Fatal(names, err)
			}
			if info, err := os.Stat(filepath.Join(dir, "a")); err != nil || !info.Mode().IsRegular() || info.Size() > 0 {
				t.Errorf("who listed it before finds %v, %v", info, err)
			}
			listed.Close()
			if err := <-exchanged; err != nil {
				t.Fatal(err)
			}
			if _, err := os.Lstat(filepath.Join(dir, "a")); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("afterwards: %v", err)
			}
		})
	}
}

func TestNamesThatAKilledProcessLeftAreDropped(t *testing.T) {
	root := t.TempDir()
	dir := filepath.Join(root, "lake", "month")
	if err := errors.Join(change(FS{}, root, dir, map[string]string{"a": "1"}), os.Symlink("/proc/4194305/comm", filepath.Join(dir, "z")),
		change(FS{}, root, dir, map[string]string{"b": "2"}, "a")); err != nil {
		t.Fatal(err)
	}
	if names, err := filepath.Glob(filepath.Join(dir, "*")); err != nil || len(names) != 1 {
		t.Error(names, err)
	}
}

func TestWhatAKilledExchangeLeftGoesWithTheDirectoryThatWent(t *testing.T) {
	root := t.TempDir()
	dir, aside := filepath.Join(root, "lake", "month"), filepath.Join(root, "aside")
	if err := errors.Join(change(FS{}, root, dir, map[string]string{"a": "1"}), change(FS{}, root, dir, map[string]string{"b": "2"}, "a"),
		os.Symlink("/proc/4194305/comm", filepath.Join(dir, "a")), FS{}.SweepAside(aside, time.Now().Add(time.Minute))); err != nil {
		t.Fatal(err)
	}
	if names, err := filepath.Glob(filepath.Join(dir, "*")); err != nil || len(names) != 1 {
		t.Error(names, err)
	}
	if left, err := os.ReadDir(aside); err != nil || len(left) > 0 {
		t.Error(left, err)
	}
}

// A name that goes must not come back after a loss of power, when nothing is left that tells of it.
func TestNamesThatGoAreSyncedAway(t *testing.T) {
	root := t.TempDir()
	dir := filepath.Join(root, "t", "m")
	if err := change(FS{}, root, dir, map[string]string{"a": "1"}); err != nil {
		t.Fatal(err)
	}
	var ops []string
	f := FS{Before: func(op Op, path string) error {
		rel, err := filepath.Rel(root, path)
		ops = append(ops, string(op)+" "+rel)
		return err
	}}
	if err := change(f, root, dir, map[string]string{"b": "2"}, "a"); err != nil {
		t.Fatal(err)
	}
	removed := slices.Index(ops, "remove t/m/a")
	if removed < 0 || ops[removed+1] != "sync directory t/m" {
		t.Errorf("%v", ops)
	}
}
