package duckdb

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/gofrs/flock"
)

// scratch is a directory for what does not fit in memory and for exported files. Its lock goes with the process, however that ends,
// so that the next one can tell what is nobody's any more.
type scratch struct {
	dir  string
	lock *flock.Flock
}

const (
	scratchPrefix = "backhaul-duckdb-"
	scratchLock   = ".lock"
	// unlocked is how long a directory may be there without its lock: earlier versions had none.
	unlocked = 24 * time.Hour
)

// sweepOnce removes what dead processes have left.
var sweepOnce = sync.OnceFunc(func() { sweepScratch(os.TempDir(), time.Now()) })

func newScratch() (*scratch, error) {
	sweepOnce()
	for range 100 {
		dir, err := os.MkdirTemp("", scratchPrefix)
		if err != nil {
			return nil, err
		}
		lock := flock.New(filepath.Join(dir, scratchLock))
		locked, err := lock.TryLock()
		if locked {
			if _, err = os.Stat(lock.Path()); err == nil {
				return &scratch{dir, lock}, nil
			}
		}
		// Somebody who sweeps was there before the lock.
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return nil, errors.Join(err, lock.Close(), os.RemoveAll(dir))
		}
		_ = lock.Close()
	}
	return nil, fmt.Errorf("%s: a directory that was just made is gone, again and again", os.TempDir())
}

// sweepScratch removes the directories of which nobody holds the lock. Whatever cannot be removed is another user's.
func sweepScratch(temp string, now time.Time) {
	found, _ := filepath.Glob(filepath.Join(globEscape.Replace(temp), scratchPrefix+"*"))
	for _, dir := range found {
		lock := flock.New(filepath.Join(dir, scratchLock))
		if _, err := os.Stat(lock.Path()); err != nil {
			if info, err := os.Lstat(dir); err == nil && info.IsDir() && now.Sub(info.ModTime()) > unlocked {
				_ = os.RemoveAll(dir)
			}
			continue
		}
		if dead, err := lock.TryLock(); dead && err == nil {
			_ = os.RemoveAll(dir)
		}
		_ = lock.Close()
	}
}

func (s *scratch) remove() error { return errors.Join(os.RemoveAll(s.dir), s.lock.Close()) }
