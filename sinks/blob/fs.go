// Package blob keeps named immutable files on the local disk: each is written in staging, made durable, and then
// appears under its final name in one step.
//
// It owns the order of the system calls that makes this true, and knows nothing of what the files hold. Every
// call that changes the disk passes through [FS], whose one hook lets a test fail any of them.
package blob

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// Op names a file operation as the hook of [FS] sees it.
type Op string

// The operations that change the disk, in the order a publish performs them.
const (
	OpMkdir    Op = "mkdir"
	OpCreate   Op = "create"
	OpWrite    Op = "write"
	OpSync     Op = "sync"
	OpClose    Op = "close"
	OpLink     Op = "link"
	OpRename   Op = "rename"
	OpExchange Op = "exchange"
	OpSyncDir  Op = "sync directory"
	OpRemove   Op = "remove"
)

// FS is the local disk. The zero value works. It is safe for concurrent use if its hook is.
type FS struct {
	// Before is called ahead of every operation with the file it is about; its error takes the operation's
	// place. It is there for tests that fail the nth write. Default nil: never called.
	Before func(op Op, path string) error
}

// do runs one operation under the hook. Errors come back as *fs.PathError, which names the operation and the file.
func (f FS) do(op Op, path string, run func() error) error {
	if f.Before != nil {
		if err := f.Before(op, path); err != nil {
			return named(op, path, err)
		}
	}
	if err := run(); err != nil {
		return named(op, path, err)
	}
	return nil
}

// named says what failed on which file, once: "write /w/staging/x/a.parquet: no space left on device".
func named(op Op, path string, err error) error {
	var pe *fs.PathError
	var le *os.LinkError
	switch {
	case errors.As(err, &pe):
		err = pe.Err
	case errors.As(err, &le):
		err = le.Err
	}
	return &fs.PathError{Op: string(op), Path: path, Err: err}
}

// File is a file being written. It is for one goroutine.
type File struct {
	fs   FS
	file *os.File
}

// Create makes a new file, which must not exist, in a directory that does.
func (f FS) Create(path string) (*File, error) {
	out := &File{fs: f}
	err := f.do(OpCreate, path, func() (err error) {
		out.file, err = os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o666)
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// Name returns the file's path.
func (f *File) Name() string { return f.file.Name() }

// OwnerOnly keeps everybody else from reading the file.
func (f *File) OwnerOnly() error {
	return f.fs.do(OpCreate, f.Name(), func() error { return f.file.Chmod(0o600) })
}

// Write appends p.
func (f *File) Write(p []byte) (n int, err error) {
	err = f.fs.do(OpWrite, f.Name(), func() error { n, err = f.file.Write(p); return err })
	return n, err
}

// Close makes the content durable and closes the file. It returns after fsync.
func (f *File) Close() error {
	err := f.fs.do(OpSync, f.Name(), f.file.Sync)
	return errors.Join(err, f.fs.do(OpClose, f.Name(), f.close))
}

// Abort closes the file without regard to its content and removes it.
func (f *File) Abort() error {
	f.close()
	return f.fs.Remove(f.Name())
}

// close tolerates being called twice, so that Abort may follow Close.
func (f *File) close() error {
	if err := f.file.Close(); !errors.Is(err, os.ErrClosed) {
		return err
	}
	return nil
}

// Remove deletes a file. A file that does not exist is not an error.
func (f FS) Remove(path string) error {
	err := f.do(OpRemove, path, func() error { return os.Remove(path) })
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// Sync makes the content of a file written by somebody else durable.
func (f FS) Sync(path string) error {
	return f.do(OpSync, path, func() error { return syncPath(path) })
}

// MkdirAll makes the directory and the missing ones above it, and makes the new names durable. One whose name cannot be made
// durable is taken back: found there by the next call, it would pass for one that lasts.
func (f FS) MkdirAll(dir string) error {
	info, err := os.Stat(dir)
	if err == nil && info.IsDir() {
		return nil
	}
	parent := filepath.Dir(dir)
	if parent != dir {
		if err := f.MkdirAll(parent); err != nil {
			return err
		}
	}
	err = f.do(OpMkdir, dir, func() error { return os.Mkdir(dir, 0o777) })
	if err != nil && !isDir(dir) { // another process may have been first
		return err
	}
	if err := f.SyncDir(parent); err != nil {
		_ = f.do(OpRemove, dir, func() error { return os.Remove(dir) }) // unless another process has put something there
		return err
	}
	return nil
}

func isDir(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

// SyncDir makes the names in a directory durable.
func (f FS) SyncDir(dir string) error {
	return f.do(OpSyncDir, dir, func() error { return syncPath(dir) })
}

// SyncName makes the name of a file durable that is there already, whoever gave it and whatever became of their sync, whether
// it came by itself or with its whole directory.
func (f FS) SyncName(path string) error {
	dir := filepath.Dir(path)
	return errors.Join(f.SyncDir(dir), f.SyncDir(filepath.Dir(dir)))
}

func syncPath(path string) error {
	h, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(h.Sync(), h.Close())
}

// Replace gives a staged file, closed and so durable, its final name in one step, in the place of what has it now: for files
// that are read whole, such as the catalog.
func (f FS) Replace(staged, final string) error {
	dir := filepath.Dir(final)
	if err := f.MkdirAll(dir); err != nil {
		return err
	}
	return f.add(Change{Dir: dir, Add: map[string]string{filepath.Base(final): staged}})
}

// WriteWhole makes what fill writes the content of a file, in one step: one of that name stays as it is until then, and if it fails.
// It is written to staged, where what a process has left that died goes first.
func (f FS) WriteWhole(staged, final string, fill func(*File) error) error {
	if err := f.Remove(staged); err != nil {
		return err
	}
	file, err := f.Create(staged)
	if err != nil {
		return err
	}
	if err = fill(file); err == nil {
		err = file.Close()
	}
	if err != nil {
		return errors.Join(err, file.Abort())
	}
	return f.Replace(staged, final)
}
