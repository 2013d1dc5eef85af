package run

import (
	"errors"
	"io/fs"
	"os"

	"backhaul/sinks"
)

// Busy reports whether a process is at work on the run whose journal lies at path. It makes no file.
func Busy(path string) (bool, error) {
	if _, err := os.Stat(path + lockSuffix); errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	unlock, err := lock(path)
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
	return lock(JournalPath(w, job, runDate))
}

// Gone reports whether a file of the warehouse is missing or empty.
func Gone(path string) bool { return gone(path) }
