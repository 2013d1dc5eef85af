package recovery

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"backhaul/sinks"

	"github.com/gofrs/flock"
)

// Busy reports whether a process is at work on the run whose journal lies at path. It makes no file.
func Busy(path string) (bool, error) {
	if _, err := os.Stat(path + lockSuffix); errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	unlock, err := LockAt(path)
	if errors.Is(err, ErrBusy) {
		return true, nil
	}
	if err != nil {
		return false, err
	}
	unlock()
	return false, nil
}

// Lock takes a run for this process, or returns ErrBusy.
func Lock(w sinks.Warehouse, job, runDate string) (unlock func(), err error) {
	return LockAt(w.JournalOf(job, runDate))
}

// lockSuffix is what the file that is locked has after its journal's name.
const lockSuffix = ".lock"

// LockAt takes the run for this process. The operating system lets go of it when the process dies.
func LockAt(journalPath string) (unlock func(), err error) {
	path := journalPath + lockSuffix
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, err
	}
	l := flock.New(path)
	ok, err := l.TryLock()
	if err != nil {
		return nil, fmt.Errorf("lock %s: %w", path, err)
	}
	if !ok {
		return nil, ErrBusy
	}
	return func() { _ = l.Unlock() }, nil
}
