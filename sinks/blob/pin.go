package blob

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"backhaul/pipeline/failpoint"
)

// Pin gives what path holds now a second name in dir, one that no other content ever gets, and returns it: a hard
// link whose name carries the file's inode and time. Whoever opens the pinned name twice sees the same bytes
// twice, whatever has been published under path in between. Pinning the same content again returns the same name.
// The new name is durable when SyncDir(dir) has returned.
//
// Where the filesystem has no hard links path itself is returned. One process at a time may pin into dir.
func (f FS) Pin(path, dir string) (pinned string, err error) {
	for {
		before, err := stat(path)
		if err != nil {
			return "", err
		}
		pinned := filepath.Join(dir, pinName(path, before))
		if _, err := os.Lstat(pinned); err == nil {
			return pinned, nil
		}
		if err := f.MkdirAll(dir); err != nil {
			return "", err
		}
		err = f.do(OpLink, pinned, func() error { return os.Link(path, pinned) })
		switch {
		case errors.Is(err, errors.ErrUnsupported) || errors.Is(err, unix.EPERM):
			return path, nil
		case err != nil:
			return "", err
		}
		failpoint.Hit("blob.pin.after")
		// path may have been published anew between the look and the link.
		after, err := stat(pinned)
		if err == nil && pinName(path, after) == filepath.Base(pinned) {
			return pinned, nil
		}
		if err := errors.Join(err, f.Remove(pinned)); err != nil {
			return "", err
		}
	}
}

// pinName is nightly.2026-11-23.<inode>-<modification time>.parquet, the last two in hexadecimal. As long as the
// pin exists the inode is not given to another file.
func pinName(path string, s unix.Stat_t) string {
	ext := filepath.Ext(path)
	stem := strings.TrimSuffix(filepath.Base(path), ext)
	return fmt.Sprintf("%s.%x-%x%s", stem, s.Ino, unix.TimespecToNsec(s.Mtim), ext)
}

// SweepPins removes the pins in dir whose content has had no other name since before: what they pinned has been
// replaced or deleted, and readers have had that long to finish. It returns their paths. A dir that does not exist
// has none.
func (f FS) SweepPins(dir string, before time.Time) (removed []string, err error) {
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	for _, e := range entries {
		path := filepath.Join(dir, e.Name())
		s, err := stat(path)
		if err != nil {
			return removed, err
		}
		// Losing a name is a change of the inode: the change time says when.
		if e.IsDir() || s.Nlink > 1 || !time.Unix(0, unix.TimespecToNsec(s.Ctim)).Before(before) {
			continue
		}
		if err := f.Remove(path); err != nil {
			return removed, err
		}
		removed = append(removed, path)
	}
	return removed, nil
}

func stat(path string) (s unix.Stat_t, err error) {
	if err = unix.Lstat(path, &s); err != nil {
		err = named("stat", path, err)
	}
	return s, err
}
