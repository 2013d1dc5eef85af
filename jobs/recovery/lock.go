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

// WaitSigned is LockSigned, but that it waits until the run is free, or until ctx ends. told is told once who has it, if somebody
// does.
func WaitSigned(ctx context.Context, journalPath string, now func() time.Time, told func(Holder)) (unlock func(), err error) {
	unlock, err = LockSigned(journalPath, now())
	var busy *BusyError
	if !errors.As(err, &busy) {
		return unlock, err
	}
	told(busy.Holder)
	l := flock.New(journalPath + lockSuffix)
	if _, err := l.TryLockContext(ctx, lockPoll); err != nil {
		return nil, fmt.Errorf("wait for the run: %w", err)
	}
	return signed(journalPath, now(), func() { _ = l.Unlock() }), nil
}

// lockPoll is how often a run that is waited for is tried again.
const lockPoll = 200 * time.Millisecond

// Sign writes into the file that this process has locked who it is, until erase is called. The file's time stays what it was: it is
// the sign of life of whoever worked on the run. Where it cannot be written, nobody is told who is at work.
func Sign(journalPath string, since time.Time) (erase func()) {
	host, _ := os.Hostname()
	text, err := json.Marshal(Holder{PID: os.Getpid(), Host: host, Since: since.UTC().Truncate(time.Second)})
	if err != nil {
		return func() {}
	}
	rewrite(journalPath+lockSuffix, append(text, '\n'))
	return func() { rewrite(journalPath+lockSuffix, nil) }
}

// rewrite gives a file another content and leaves its time.
func rewrite(path string, content []byte) {
	info, err := os.Stat(path)
	if err != nil {
		return
	}
	_ = os.WriteFile(path, content, 0o644)
	_ = os.Chtimes(path, info.ModTime(), info.ModTime())
}

// LockSigned is LockAt for who works on the run for longer than it takes to look at it: until unlock, others are told who it is.
func LockSigned(journalPath string, since time.Time) (unlock func(), err error) {
	unlock, err = LockAt(journalPath)
	if err != nil {
		return nil, err
	}
	return signed(journalPath, since, unlock), nil
}

func signed(journalPath string, since time.Time, unlock func()) func() {
	erase := Sign(journalPath, since)
	return func() {
		erase()
		unlock()
	}
}

// HolderOf returns who is at work on the run, or was when it was killed; zero if nobody said so.
func HolderOf(journalPath string) (h Holder) {
	info, err := os.Stat(journalPath + lockSuffix)
	if err != nil {
		return Holder{}
	}
	text, err := os.ReadFile(journalPath + lockSuffix)
	if err != nil || json.Unmarshal(text, &h) != nil {
		return Holder{}
	}
	if silent := time.Since(info.ModTime()); silent >= lately && !info.ModTime().Before(h.Since) {
		h.Silent = silent
	}
	return h
}

// lately is how old the sign of life of a process may be that works.
const lately = 10 * time.Second
