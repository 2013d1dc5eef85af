// Package lake is the directory of what is published: which file has the rows of which run, and how one takes the place of
// another.
//
// The directories are the only truth about that, and package sinks says why readers need no lock. The package knows neither
// what a row means nor how a file is written.
package lake

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"backhaul/schemas"
	"backhaul/sinks"
	"backhaul/sinks/blob"
)

// Lake is the published files of a warehouse. It is safe for concurrent use, by several processes too.
type Lake struct {
	Disk      blob.FS
	Warehouse sinks.Warehouse
}

// File is a published file.
type File struct {
	Path string
	sinks.Name
}

// Of returns the files of a table that have rows of the run of (job, date): one, none, or a month's that was merged.
func (l Lake) Of(t *schemas.Table, job string, date time.Time) ([]File, error) {
	files, err := l.month(t, date)
	if err != nil {
		return nil, err
	}
	var own []File
	for _, f := range files {
		if f.IsOf(job, date) {
			own = append(own, f)
		}
	}
	return own, nil
}

// month returns the files of a table's month. What the program did not name is left out.
func (l Lake) month(t *schemas.Table, date time.Time) ([]File, error) {
	dir := l.Warehouse.Month(t.Schema, t.Name, date)
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	var files []File
	for _, e := range entries {
		if name, ok := sinks.ParseName(e.Name()); ok && name.Month == date.Format("2006-01") {
			files = append(files, File{Path: filepath.Join(dir, e.Name()), Name: name})
		}
	}
	return files, nil
}

// Publish makes a staged file the rows of the run of (job, date), in the place of what the table has of it, in one step, and
// returns the file's path once that is durable. changed says that the rows, or their bytes, are others than before.
func (l Lake) Publish(ctx context.Context, t *schemas.Table, job string, date time.Time, staged string) (path string, changed bool, err error) {
	id, err := contentID(staged)
	if err != nil {
		return "", false, err
	}
	name := sinks.OfRun(job, date, id)
	path = filepath.Join(l.Warehouse.Month(t.Schema, t.Name, date), name.String())
	release, err := l.lock(ctx, t)
	if err != nil {
		return "", false, err
	}
	defer func() { err = errors.Join(err, release()) }()
	old, err := l.Of(t, job, date)
	if err != nil {
		return "", false, err
	}
	c := blob.Change{Dir: filepath.Dir(path), Add: map[string]string{name.String(): staged}, Aside: l.Warehouse.Replaced()}
	for _, f := range old {
		c.Remove = append(c.Remove, filepath.Base(f.Path))
	}
	if len(old) == 1 && old[0].Path == path {
		if now, err := contentID(path); err == nil && now == id { // else it is damaged
			return path, false, l.Disk.Remove(staged)
		}
	}
	return path, true, l.Disk.Apply(c)
}

// Columns sees to it that a table has its columns where it has no rows: its file without rows takes the place of what
// earlier versions declared. create stages it.
func (l Lake) Columns(ctx context.Context, t *schemas.Table, create func(*schemas.Table) (sinks.Writer, error)) (err error) {
	release, err := l.lock(ctx, t)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, release()) }()
	dir := l.Warehouse.SchemaMonth(t.Schema, t.Name)
	name := "schema." + t.Fingerprint() + ".parquet"
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if len(entries) == 1 && entries[0].Name() == name {
		return nil
	}
	w, err := create(t)
	if err != nil {
		return err
	}
	staged, err := w.Close()
	if err != nil {
		return err
	}
	c := blob.Change{Dir: dir, Add: map[string]string{name: staged.Path}, Aside: l.Warehouse.Replaced()}
	for _, e := range entries {
		c.Remove = append(c.Remove, e.Name())
	}
	return l.Disk.Apply(c)
}

// lock waits until this process alone may change the table.
func (l Lake) lock(ctx context.Context, t *schemas.Table) (release func() error, err error) {
	return l.Disk.Lock(ctx, filepath.Join(l.Warehouse.Staging(), ".lake."+t.FullName()+".lock"))
}

// contentID identifies a file's bytes.
func contentID(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	sum := sha256.New()
	if _, err := io.Copy(sum, f); err != nil {
		return "", fmt.Errorf("read %s: %w", path, err)
	}
	return hex.EncodeToString(sum.Sum(nil)[:8]), nil
}

// grace is how long what was taken out of the lake stays for those who were just reading it.
const grace = 10 * time.Minute

// Sweep removes what was taken out of the lake long enough ago.
func (l Lake) Sweep(now time.Time) error {
	return l.Disk.SweepAside(l.Warehouse.Replaced(), now.Add(-grace))
}
