package books

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"
)

// lockSuffix is what the file that is locked has after its journal's name. Its content says who works on the run, its time is the
// sign of life.
const lockSuffix = ".lock"

func (f file) lock() string { return string(f) + lockSuffix }

func (f file) Lock(ctx context.Context) (unlock func(), err error) {
	if err := os.MkdirAll(filepath.Dir(f.lock()), 0o755); err != nil {
		return nil, err
	}
	l := flock.New(f.lock())
	ok, err := l.TryLock()
	if err != nil {
		return nil, fmt.Errorf("lock %s: %w", f.lock(), err)
	}
	if !ok {
		return nil, &BusyError{f.Holder(ctx)}
	}
	return func() { _ = l.Unlock() }, nil
}

// lockPoll is how often a run that is waited for is tried again.
const lockPoll = 200 * time.Millisecond

func (f file) Wait(ctx context.Context) (unlock func(), err error) {
	l := flock.New(f.lock())
	if _, err := l.TryLockContext(ctx, lockPoll); err != nil {
		return nil, fmt.Errorf("wait for the run: %w", err)
	}
	return func() { _ = l.Unlock() }, nil
}

func (f file) Busy(ctx context.Context) (bool, error) {
	if _, err := os.Stat(f.lock()); errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	unlock, err := f.Lock(ctx)
	if errors.Is(err, ErrBusy) {
		return true, nil
	}
	if err != nil {
		return false, err
	}
	unlock()
	return false, nil
}

// Sure is certain: the operating system takes the lock from nobody.
func (f file) Sure(context.Context) error { return nil }

// Sign writes into the file that is locked. The file's time stays what it was.
func (f file) Sign(since time.Time) (erase func()) {
	host, _ := os.Hostname()
	text, err := json.Marshal(Holder{PID: os.Getpid(), Host: host, Since: since.UTC().Truncate(time.Second)})
	if err != nil {
		return func() {}
	}
	rewrite(f.lock(), append(text, '\n'))
	return func() { rewrite(f.lock(), nil) }
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

func (f file) Holder(ctx context.Context) (h Holder) {
	text, err := os.ReadFile(f.lock())
	if err != nil || json.Unmarshal(text, &h) != nil {
		return Holder{}
	}
	last := f.LastBeat(ctx)
	if silent := time.Since(last); silent >= lately && !last.Before(h.Since) {
		h.Silent = silent
	}
	return h
}

// lately is how old the sign of life of a process may be that works.
const lately = 10 * time.Second

func (f file) Beat(sign time.Time) { _ = os.Chtimes(f.lock(), sign, sign) }

func (f file) LastBeat(context.Context) time.Time {
	info, err := os.Stat(f.lock())
	if err != nil {
		return time.Time{}
	}
	return info.ModTime()
}
