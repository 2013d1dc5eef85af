package recovery

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

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

// Lock takes a run for this process, or returns a *BusyError.
func Lock(w sinks.Warehouse, job, runDate string) (unlock func(), err error) {
	return LockAt(w.JournalOf(job, runDate))
}

// lockSuffix is what the file that is locked has after its journal's name.
const lockSuffix = ".lock"

// LockAt takes the run for this process, or returns a *BusyError. The operating system lets go of it when the process dies.
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
		return nil, &BusyError{HolderOf(journalPath)}
	}
	return func() { _ = l.Unlock() }, nil
}

// Wait is LockAt, but that it waits until the run is free, or until ctx ends. told is told once who has it, if somebody does.
func Wait(ctx context.Context, journalPath string, told func(Holder)) (unlock func(), err error) {
	unlock, err = LockAt(journalPath)
	if !errors.Is(err, ErrBusy) {
		return unlock, err
	}
	told(HolderOf(journalPath))
	l := flock.New(journalPath + lockSuffix)
	if _, err := l.TryLockContext(ctx, lockPoll); err != nil {
		return nil, fmt.Errorf("wait for the run: %w", err)
	}
	return func() { _ = l.Unlock() }, nil
}

// lockPoll is how often a run that is waited for is tried again.
const lockPoll = 200 * time.Millisecond

// Sign writes into the file that this process has locked who it is. The file's time stays what it was: it is the sign of life of
// the process before. Where it cannot be written, nobody is told who is at work.
func Sign(journalPath string, since time.Time) {
	path := journalPath + lockSuffix
	info, err := os.Stat(path)
	if err != nil {
		return
	}
	host, _ := os.Hostname()
	text, err := json.Marshal(Holder{PID: os.Getpid(), Host: host, Since: since.UTC().Truncate(time.Second)})
	if err != nil {
		return
	}
	_ = os.WriteFile(path, append(text, '\n'), 0o644)
	_ = os.Chtimes(path, info.ModTime(), info.ModTime())
}

// HolderOf returns who last took the run to work on it, as far as that is known; zero if it is not.
func HolderOf(journalPath string) (h Holder) {
	text, err := os.ReadFile(journalPath + lockSuffix)
	if err != nil || json.Unmarshal(text, &h) != nil {
		return Holder{}
	}
	return h
}
