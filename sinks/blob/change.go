package blob

import (
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"backhaul/pipeline/failpoint"
)

// Change is what becomes of a directory in one step.
type Change struct {
	Dir string
	// Add are the files that come in, staged on the same filesystem, closed and so durable, by their new names.
	Add map[string]string
	// Remove are the names that go. A name that is there and in Add goes as well.
	Remove []string
	// Aside is where a directory that was exchanged goes, for [FS.SweepAside]. It lies on the filesystem of Dir.
	Aside string
}

// Apply makes the change and returns when it is durable; package sinks says why it is one step for readers. One process at
// a time may change a directory.
//
// If an error comes from the last step, the sync of a directory, the change is already visible but might not survive a loss
// of power; making it again is safe.
func (f FS) Apply(c Change) error {
	if err := f.MkdirAll(c.Dir); err != nil {
		return err
	}
	if len(c.Remove) == 0 && len(c.Add) == 1 {
		return f.add(c)
	}
	err := f.exchange(c)
	if errors.Is(err, errors.ErrUnsupported) {
		return f.removeThenAdd(c)
	}
	return err
}

// add gives the directory new names.
func (f FS) add(c Change) error {
	for name, staged := range c.Add {
		final := filepath.Join(c.Dir, name)
		failpoint.Hit("blob.rename.before")
		if err := f.do(OpRename, final, func() error { return os.Rename(staged, final) }); err != nil {
			return err
		}
		failpoint.Hit("blob.rename.after")
	}
	// Without this a power loss could take the names back, after the ledger has said otherwise.
	return f.SyncDir(c.Dir)
}

// exchange builds the directory again and puts it in the place of the old one.
func (f FS) exchange(c Change) error {
	listed := listingsOf(c.Dir)
	defer listed.close()
	next, err := f.aside(c.Aside, c.Dir)
	if err != nil {
		return err
	}
	if err := f.build(c, next); err != nil {
		return errors.Join(err, f.RemoveAll(next))
	}
	failpoint.Hit("blob.exchange.before")
	listed.await() // only spares queries an error
	if err := f.do(OpExchange, c.Dir, func() error { return exchange(next, c.Dir) }); err != nil {
		return errors.Join(err, f.back(c, next), f.RemoveAll(next))
	}
	failpoint.Hit("blob.exchange.after")
	if listed.any() {
		listed.await()
	}
	awaitClosed(next)
	return errors.Join(f.removeUnreadable(c.Dir, c.Remove), f.SyncDir(filepath.Dir(c.Dir)), f.SyncDir(c.Aside))
}

// aside makes a directory whose name says when, and in the place of which one it is to be.
func (f FS) aside(in, of string) (dir string, err error) {
	if err := f.MkdirAll(in); err != nil {
		return "", err
	}
	rel, err := filepath.Rel(in, of)
	if err != nil {
		return "", err
	}
	for {
		dir := filepath.Join(in, fmt.Sprintf("%d.%s", time.Now().UnixNano(), url.PathEscape(rel)))
		err := f.do(OpMkdir, dir, func() error { return os.Mkdir(dir, 0o777) })
		if !errors.Is(err, fs.ErrExist) {
			return dir, err
		}
	}
}

// build makes next what the directory is to become.
func (f FS) build(c Change, next string) error {
	entries, err := os.ReadDir(c.Dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		old, stays := filepath.Join(c.Dir, e.Name()), filepath.Join(next, e.Name())
		link := os.Link
		switch _, added := c.Add[e.Name()]; {
		case added || isUnreadable(old):
			continue
		case slices.Contains(c.Remove, e.Name()):
			link = standIn
		case e.IsDir(): // not ours, and cannot be linked
			link = os.Rename
		}
		if err := f.do(OpLink, stays, func() error { return link(old, stays) }); err != nil {
			return fmt.Errorf("keep %s: %w", old, err)
		}
	}
	moved := c
	moved.Dir = next
	return f.add(moved)
}

// standIn gives a name that goes a file that cannot be read, where there is such a thing.
func standIn(_, name string) error {
	if unreadable() == "" {
		return nil
	}
	err := os.Symlink(unreadable(), name)
	if errors.Is(err, errors.ErrUnsupported) || errors.Is(err, fs.ErrPermission) { // no links on this filesystem
		return nil
	}
	return err
}

// Gone reports whether a name that was listed stands for no file any more: it is not there, or stands in for one that goes.
func Gone(path string) bool {
	info, err := os.Lstat(path)
	return errors.Is(err, fs.ErrNotExist) || err == nil && !info.Mode().IsRegular()
}

// removeUnreadable takes the names away that go, once nobody is left who has them from the directory that went. If the process
// ends before, they lead nowhere: readers pass over such names, and the next change drops them.
func (f FS) removeUnreadable(dir string, names []string) (err error) {
	removed := false
	for _, name := range names {
		if path := filepath.Join(dir, name); isUnreadable(path) {
			removed, err = true, errors.Join(err, f.Remove(path))
		}
	}
	if removed {
		// A loss of power could bring them back when nothing is left that tells of them: see SweepAside.
		err = errors.Join(err, f.SyncDir(dir))
	}
	return err
}

// back returns added files to where they were staged, for another try.
func (f FS) back(c Change, next string) error {
	var errs []error
	for name, staged := range c.Add {
		errs = append(errs, os.Rename(filepath.Join(next, name), staged))
	}
	return errors.Join(errs...)
}

// removeThenAdd is the change where directories cannot be exchanged.
func (f FS) removeThenAdd(c Change) error {
	for _, name := range c.Remove {
		if err := f.Remove(filepath.Join(c.Dir, name)); err != nil {
			return err
		}
	}
	return f.add(c)
}

// SweepAside removes what was exchanged away before a time, and what dead processes left there.
func (f FS) SweepAside(aside string, before time.Time) error {
	entries, err := os.ReadDir(aside)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, e := range entries {
		when, of, _ := strings.Cut(e.Name(), ".")
		at, err := strconv.ParseInt(when, 10, 64)
		if err != nil || !time.Unix(0, at).Before(before) {
			continue
		}
		if err := errors.Join(f.dropUnreadable(aside, of), f.RemoveAll(filepath.Join(aside, e.Name()))); err != nil {
			return err
		}
	}
	return nil
}

// dropUnreadable removes the names that a process which died in the middle of an exchange has left in the directory.
func (f FS) dropUnreadable(aside, of string) error {
	rel, err := url.PathUnescape(of)
	if err != nil || rel == "" {
		return nil
	}
	dir := filepath.Join(aside, rel)
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil // it is gone with them
	}
	names := make([]string, len(entries))
	for i, e := range entries {
		names[i] = e.Name()
	}
	return f.removeUnreadable(dir, names)
}

// RemoveEmpty removes a directory if nothing is in it.
func (f FS) RemoveEmpty(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) > 0 {
		return err
	}
	return f.do(OpRemove, dir, func() error { return os.Remove(dir) })
}

// RemoveAll removes a directory with all that is in it.
func (f FS) RemoveAll(dir string) error {
	return f.do(OpRemove, dir, func() error { return os.RemoveAll(dir) })
}
