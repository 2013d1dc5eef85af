package duckdb

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
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

// newScratch makes one. Under its name it has its lock from the first moment, so that nobody sweeps it.
func newScratch() (*scratch, error) {
	sweepOnce()
	begun, err := os.MkdirTemp("", "backhaul-new-")
	if err != nil {
		return nil, err
	}
	dir := filepath.Join(filepath.Dir(begun), strings.Replace(filepath.Base(begun), "backhaul-new-", scratchPrefix, 1))
	lock := flock.New(filepath.Join(begun, scratchLock))
	if _, err = lock.TryLock(); err == nil {
		err = os.Rename(begun, dir)
	}
	if err != nil {
		return nil, errors.Join(err, lock.Close(), os.RemoveAll(begun))
	}
	return &scratch{dir, lock}, nil
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
