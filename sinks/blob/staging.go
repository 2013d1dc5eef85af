package blob

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/gofrs/flock"
)

// ErrInUse means that a live process has staging open under the same owner.
var ErrInUse = errors.New("in use by another process")

// lockName is the file that guards a directory: staging/.lock the act of opening and sweeping, and
// staging/<owner>/.lock the life of that owner.
const lockName = ".lock"

// Staging is a directory for the files of one owner (a run, a catalog being built) until they are published.
//
// It lives as long as its owner holds an flock on staging/<owner>/.lock. The kernel drops that lock when the
// process dies however it dies, so "nobody holds the lock" means "the owner is dead" and no age or process number
// has to be guessed. Opening, closing and sweeping exclude each other by a second flock on staging/.lock, held
// for moments, so that a sweep never sees a directory half made or half removed.
type Staging struct {
	// FS is what the files are written through.
	FS
	dir  string
	lock *flock.Flock
}

// OpenStaging makes root/<owner>, empty, and holds it until Close. What a dead process left under the same owner
// is removed. If a live one has it the error is ErrInUse.
func (f FS) OpenStaging(root, owner string) (*Staging, error) {
	guard, err := f.guard(root)
	if err != nil {
		return nil, err
	}
	defer guard.Unlock()
	dir := filepath.Join(root, owner)
	if err := f.sweep(dir); err != nil {
		return nil, err
	}
	if err := f.MkdirAll(dir); err != nil {
		return nil, err
	}
	lock, err := tryLock(filepath.Join(dir, lockName))
	if err != nil {
		return nil, err
	}
	return &Staging{FS: f, dir: dir, lock: lock}, nil
}

// Path returns the path of a file in staging.
func (s *Staging) Path(name string) string { return filepath.Join(s.dir, name) }

// Close removes the directory with everything not published and lets go of it. A second Close does nothing.
func (s *Staging) Close() error {
	if !s.lock.Locked() {
		return nil
	}
	guard, err := s.guard(filepath.Dir(s.dir))
	if err != nil {
		return errors.Join(err, s.lock.Unlock())
	}
	defer guard.Unlock()
	err = s.RemoveAll(s.dir)
	return errors.Join(err, s.lock.Unlock())
}

// Sweep removes the staging directories of owners that are dead, and returns their names. Directories of live
// owners, in this process or another, are left alone, and those whose names begin with a dot: these have no owner. A root that does not exist has nothing to sweep.
func (f FS) Sweep(root string) (swept []string, err error) {
	if !isDir(root) {
		return nil, nil
	}
	guard, err := f.guard(root)
	if err != nil {
		return nil, err
	}
	defer guard.Unlock()
	entries, err := os.ReadDir(root)
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		if !e.IsDir() || strings.HasPrefix(e.Name(), ".") {
			continue
		}
		switch err := f.sweep(filepath.Join(root, e.Name())); {
		case err == nil:
			swept = append(swept, e.Name())
		case !errors.Is(err, ErrInUse):
			return swept, err
		}
	}
	return swept, nil
}

// Dead returns the names of staging directories whose owners are dead: what Sweep would remove.
func (f FS) Dead(root string) (dead []string, err error) {
	if !isDir(root) {
		return nil, nil
	}
	guard, err := f.guard(root)
	if err != nil {
		return nil, err
	}
	defer guard.Unlock()
	entries, err := os.ReadDir(root)
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		if !e.IsDir() || strings.HasPrefix(e.Name(), ".") {
			continue
		}
		lock, err := tryLock(filepath.Join(root, e.Name(), lockName))
		if errors.Is(err, ErrInUse) {
			continue
		}
		if err != nil {
			return dead, err
		}
		dead = append(dead, e.Name())
		_ = lock.Unlock()
	}
	return dead, nil
}

// sweep removes one owner's directory if the owner is dead. The guard is held.
func (f FS) sweep(dir string) error {
	if !isDir(dir) {
		return nil
	}
	lock, err := tryLock(filepath.Join(dir, lockName))
	if err != nil {
		return err
	}
	defer lock.Unlock()
	return f.RemoveAll(dir)
}

// guard waits for the lock that makes opening, closing and sweeping exclude each other.
func (f FS) guard(root string) (*flock.Flock, error) {
	if err := f.MkdirAll(root); err != nil {
		return nil, err
	}
	path := filepath.Join(root, lockName)
	lock := flock.New(path)
	if err := lock.Lock(); err != nil {
		return nil, named("lock", path, err)
	}
	return lock, nil
}

func tryLock(path string) (*flock.Flock, error) {
	lock := flock.New(path)
	ok, err := lock.TryLock()
	if err != nil {
		return nil, named("lock", path, err)
	}
	if !ok {
		return nil, fmt.Errorf("staging %s: %w", filepath.Dir(path), ErrInUse)
	}
	return lock, nil
}

// Lock waits until this process is the only one to hold the lock file at path, which it makes if need be, or
// until ctx ends. release lets go; the kernel does so too when the process dies.
func (f FS) Lock(ctx context.Context, path string) (release func() error, err error) {
	if err := f.MkdirAll(filepath.Dir(path)); err != nil {
		return nil, err
	}
	lock := flock.New(path)
	if _, err := lock.TryLockContext(ctx, lockPoll); err != nil {
		return nil, named("lock", path, err)
	}
	return lock.Unlock, nil
}

// lockPoll is how often a taken lock is tried again. What waits for one takes tens of milliseconds.
const lockPoll = 5 * time.Millisecond
