// Package lake is the directory of what is published: which file has the rows of which run, and how one takes the place of
// another.
//
// The directories are the only truth about that, and package sinks says why readers need no lock. A run has a file of its own
// until its month is merged; what is then published of it, or taken out, rewrites the merged files. The package knows
// neither what a row means nor how a file is written.
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
	"slices"
	"time"

	"backhaul/pipeline/failpoint"
	"backhaul/schemas"
	"backhaul/sinks"
	"backhaul/sinks/blob"
	"backhaul/sinks/compact"
)

// Lake is the published files of a warehouse. It is safe for concurrent use, by several processes too.
type Lake struct {
	Disk      blob.FS
	Warehouse sinks.Warehouse
	// Merger rewrites merged files. A lake that only looks needs none.
	Merger compact.Merger
	// Origin is where the tables are, if the directories are this host's copy of them. Default nil: the directories are the tables.
	Origin Origin
	// Replays: what is published had been bought and published before. It is only noted.
	Replays bool
}

// File is a published file.
type File struct {
	Path string
	sinks.Name
	// Merged is what a file that has a month's runs says of them; else nil.
	Merged *compact.Manifest
}

// Run returns what a merged file says of a run; nil if it has nothing of it.
func (f File) Run(run sinks.RunKey) *compact.Run {
	if f.Merged == nil {
		return nil
	}
	for i, r := range f.Merged.Runs {
		if r.Key() == run {
			return &f.Merged.Runs[i]
		}
	}
	return nil
}

// Month returns the files of a table's month. What the program did not name is left out.
func (l Lake) Month(t *schemas.Table, date time.Time) (files []File, err error) {
	err = anew(mostTries, func() error {
		files, err = l.look(t, date)
		return err
	})
	return files, err
}

// anew does something so often at most while it ends with ErrChanged: each time, somebody has published.
func anew(tries int, do func() error) (err error) {
	for range tries {
		if err = do(); !errors.Is(err, ErrChanged) {
			break
		}
	}
	return err
}

// look is Month at one moment, or ErrChanged.
func (l Lake) look(t *schemas.Table, date time.Time) ([]File, error) {
	dir := l.Warehouse.Month(t.Schema, t.Name, date)
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	var files []File
	for _, e := range entries {
		name, ok := sinks.ParseName(e.Name())
		if !ok || name.Month != date.Format("2006-01") || !e.Type().IsRegular() { // a link: see sinks/blob
			continue
		}
		f := File{Path: filepath.Join(dir, e.Name()), Name: name}
		if name.Job == "" {
			m, err := compact.Read(f.Path)
			if err != nil && blob.Gone(f.Path) {
				return nil, fmt.Errorf("%s: %w", f.Path, ErrChanged)
			}
			if err != nil {
				return nil, err
			}
			f.Merged = &m
		}
		files = append(files, f)
	}
	return files, nil
}

// Of returns the files of a table that have rows of the run of (job, date): its own, and those of its month that say so; none
// if the table has nothing of it.
func (l Lake) Of(t *schemas.Table, job string, date time.Time) (own, merged []File, err error) {
	files, err := l.Month(t, date)
	if err != nil {
		return nil, nil, err
	}
	for _, f := range files {
		switch {
		case f.Merged == nil && f.IsOf(job, date):
			own = append(own, f)
		case f.Run(sinks.KeyOf(job, date)) != nil:
			merged = append(merged, f)
		}
	}
	return own, merged, nil
}

// Nights returns the dates of a month of whose runs of a job a table has something, in order.
func (l Lake) Nights(t *schemas.Table, job string, month time.Time) (nights []time.Time, err error) {
	files, err := l.Month(t, month)
	for _, f := range files {
		if f.Merged == nil && f.Job == job {
			nights = append(nights, f.Date)
		}
		if f.Merged == nil {
			continue
		}
		for _, r := range f.Merged.Runs {
			if r.Job != job {
				continue
			}
			night, err := time.Parse(time.DateOnly, r.Date)
			if err != nil {
				return nil, fmt.Errorf("%s: %w: manifest: %w", f.Path, sinks.ErrDamaged, err)
			}
			nights = append(nights, night)
		}
	}
	slices.SortFunc(nights, time.Time.Compare)
	return slices.CompactFunc(nights, time.Time.Equal), err
}

// Months returns the months of which a table has files, but for that of its file without rows, in order.
func (l Lake) Months(t *schemas.Table) ([]time.Time, error) {
	entries, err := os.ReadDir(l.Warehouse.Table(t.Schema, t.Name))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	var months []time.Time
	for _, e := range entries {
		if month, err := time.Parse("month=2006-01", e.Name()); err == nil {
			months = append(months, month)
		}
	}
	return months, nil
}

// Publish makes a staged file the rows of the run of (job, date), in the place of what the table has of it, in one step, and
// returns the file's path once that is durable. What is there already, byte for byte, is left alone, but for its name: whoever
// gave it may have failed to make it last.
func (l Lake) Publish(ctx context.Context, t *schemas.Table, job string, date time.Time, staged string) (path string, err error) {
	id, err := contentID(staged)
	if err != nil {
		return "", err
	}
	name := sinks.OfRun(job, date, id)
	path = filepath.Join(l.Warehouse.Month(t.Schema, t.Name, date), name.String())
	release, err := l.lock(ctx, t)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, release()) }()
	did := Published
	if l.Replays {
		did = Replayed
	}
	return path, l.apply(ctx, t, Note{did, job, date, date}, func() (*blob.Change, error) {
		own, merged, err := l.Of(t, job, date)
		if err != nil {
			return nil, err
		}
		if len(own) == 1 && len(merged) == 0 && own[0].Path == path {
			if now, err := contentID(path); err == nil && now == id { // else it is damaged
				return nil, errors.Join(l.Disk.SyncName(path), l.Disk.Remove(staged))
			}
		}
		c, err := l.without(ctx, t, job, date, own, merged)
		if err != nil {
			return nil, err
		}
		c.Add[name.String()] = staged
		return c, nil
	})
}

// Remove takes the rows of the run of (job, date) out of a table, in one step, and reports whether there were any.
func (l Lake) Remove(ctx context.Context, t *schemas.Table, job string, date time.Time) (removed bool, err error) {
	release, err := l.lock(ctx, t)
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, release()) }()
	err = l.apply(ctx, t, Note{Forgot, job, date, date}, func() (*blob.Change, error) {
		own, merged, err := l.Of(t, job, date)
		if removed = len(own)+len(merged) > 0; err != nil || !removed {
			return nil, err
		}
		return l.without(ctx, t, job, date, own, merged)
	})
	return removed, err
}

// Expire removes a table's month in one step, and returns the bytes of its files. With dry nothing changes.
func (l Lake) Expire(ctx context.Context, t *schemas.Table, month time.Time, dry bool) (bytes int64, err error) {
	release, err := l.lock(ctx, t)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, release()) }()
	c := blob.Change{Dir: l.Warehouse.Month(t.Schema, t.Name, month), Aside: l.Warehouse.Replaced()}
	err = l.apply(ctx, t, Note{Did: Expired, Month: month}, func() (*blob.Change, error) {
		files, err := l.Month(t, month)
		if bytes = bytesOf(files); err != nil || dry || len(files) == 0 {
			return nil, err
		}
		c.Remove = nil
		for _, f := range files {
			c.Remove = append(c.Remove, filepath.Base(f.Path))
		}
		return &c, nil
	})
	switch {
	case err != nil && len(c.Remove) > 0:
		return 0, err
	case err != nil || len(c.Remove) == 0:
		return bytes, err
	}
	return bytes, l.Disk.RemoveEmpty(c.Dir)
}

// without returns the change that takes a run out of its month: its own files go, and merged ones are rewritten.
func (l Lake) without(ctx context.Context, t *schemas.Table, job string, date time.Time, own, merged []File) (*blob.Change, error) {
	c := &blob.Change{Dir: l.Warehouse.Month(t.Schema, t.Name, date), Add: map[string]string{}, Aside: l.Warehouse.Replaced()}
	for _, f := range append(own, merged...) {
		c.Remove = append(c.Remove, filepath.Base(f.Path))
	}
	if len(merged) == 0 {
		return c, nil
	}
	return c, l.merge(ctx, t, date, merged, c, sinks.KeyOf(job, date))
}

// merge adds to a change the parts that files become.
func (l Lake) merge(ctx context.Context, t *schemas.Table, date time.Time, files []File, c *blob.Change, except ...sinks.RunKey) error {
	paths := make([]string, len(files))
	for i, f := range files {
		paths[i] = f.Path
	}
	parts, err := l.Merger.Merge(ctx, t, paths, except...)
	if err != nil {
		return err
	}
	for _, part := range parts {
		id, err := contentID(part.Path)
		if err != nil {
			return err
		}
		c.Add[sinks.Name{Month: date.Format("2006-01"), ID: id}.String()] = part.Path
	}
	return nil
}

// Check reads the merged files of a table's month and compares them with what they say of themselves. It returns how many rows
// they have. A difference is sinks.ErrDamaged.
func (l Lake) Check(ctx context.Context, t *schemas.Table, month time.Time) (rows int64, err error) {
	err = anew(mostTries, func() error {
		rows, err = l.check(ctx, t, month)
		return err
	})
	return rows, err
}

func (l Lake) check(ctx context.Context, t *schemas.Table, month time.Time) (rows int64, err error) {
	files, err := l.Month(t, month)
	if err != nil {
		return 0, err
	}
	var merged []string
	for _, f := range files {
		if f.Merged != nil {
			merged = append(merged, f.Path)
		}
	}
	if rows, err = compact.Check(ctx, t, merged); err != nil {
		return 0, l.reading(err, t, month, files)
	}
	return rows, nil
}

// Compacted is what a merge of a table's month has done.
type Compacted struct {
	Table string `json:"table"`
	Month string `json:"month"`
	// Files and Bytes are those before; Parts and MergedBytes those after.
	Files       int   `json:"files"`
	Bytes       int64 `json:"bytes"`
	Parts       int   `json:"parts"`
	MergedBytes int64 `json:"merged_bytes"`
}

// mostMerges is how often a month is merged again that was published to meanwhile.
const mostMerges = 3

// Compact merges the files of a table's month into one, or its parts, in one step. It returns nil if there was nothing to
// merge. Runs are published meanwhile; if one was in this month the merge is given up, and made again. ErrChanged is that it was
// given up so often that somebody is loading a night after the other.
func (l Lake) Compact(ctx context.Context, t *schemas.Table, month time.Time) (done *Compacted, err error) {
	err = anew(mostMerges, func() error {
		done, err = l.compact(ctx, t, month)
		return err
	})
	return done, err
}

func (l Lake) compact(ctx context.Context, t *schemas.Table, month time.Time) (*Compacted, error) {
	files, err := l.Month(t, month)
	if err != nil || compacted(files, t) {
		return nil, err
	}
	c := blob.Change{Dir: l.Warehouse.Month(t.Schema, t.Name, month), Add: map[string]string{}, Aside: l.Warehouse.Replaced()}
	done := &Compacted{Table: t.FullName(), Month: month.Format("2006-01"), Files: len(files), Bytes: bytesOf(files)}
	switch err := l.merge(ctx, t, month, files, &c); {
	case errors.Is(err, sinks.ErrColumns):
		return nil, nil // files of an earlier version, with columns that are no more, stay as they are until they are replayed
	case err != nil:
		return nil, l.reading(err, t, month, files)
	}
	for _, staged := range c.Add {
		done.Parts++
		done.MergedBytes += sizeOf(staged)
	}
	for _, f := range files {
		if name := filepath.Base(f.Path); c.Add[name] == "" {
			c.Remove = append(c.Remove, name)
		}
	}
	failpoint.Hit("lake.merged")
	err = l.exchange(ctx, t, month, files, c)
	if err != nil {
		for _, staged := range c.Add {
			err = errors.Join(err, l.Disk.Remove(staged))
		}
	}
	return done, err
}

// exchange applies the change if the month still has these files.
func (l Lake) exchange(ctx context.Context, t *schemas.Table, month time.Time, files []File, c blob.Change) (err error) {
	release, err := l.lock(ctx, t)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, release()) }()
	return l.apply(ctx, t, Note{Did: Merged, Month: month}, func() (*blob.Change, error) {
		return &c, l.unchanged(t, month, files)
	})
}

// unchanged is ErrChanged if the month has not these files any more.
func (l Lake) unchanged(t *schemas.Table, month time.Time, files []File) error {
	now, err := l.Month(t, month)
	if err == nil && !slices.EqualFunc(files, now, func(a, b File) bool { return a.Path == b.Path }) {
		err = fmt.Errorf("%s, month %s: %w", t.FullName(), month.Format("2006-01"), ErrChanged)
	}
	return err
}

// reading is an error of reading a month's files, or ErrChanged if they were not all there to be read.
func (l Lake) reading(err error, t *schemas.Table, month time.Time, files []File) error {
	if changed := l.unchanged(t, month, files); changed != nil {
		return changed
	}
	return err
}

// ErrChanged means that a month was published to while it was read or merged.
var ErrChanged = errors.New("it was published to meanwhile")

// compacted reports whether files are the parts of one merge, with today's columns, or there is none.
func compacted(files []File, t *schemas.Table) bool {
	for _, f := range files {
		if f.Merged == nil || f.Merged.Merge != files[0].Merged.Merge || f.Merged.Columns != t.Fingerprint() {
			return false
		}
	}
	return true
}

func bytesOf(files []File) (n int64) {
	for _, f := range files {
		n += sizeOf(f.Path)
	}
	return n
}

func sizeOf(path string) int64 {
	info, err := os.Stat(path)
	if err != nil {
		return 0
	}
	return info.Size()
}

// Columns sees to it that a table has its columns where it has no rows: its file without rows takes the place of what
// earlier versions declared. create stages it.
func (l Lake) Columns(ctx context.Context, t *schemas.Table, create func(*schemas.Table) (sinks.Writer, error)) (err error) {
	dir := l.Warehouse.SchemaMonth(t.Schema, t.Name)
	name := "schema." + t.Fingerprint() + ".parquet"
	if _, there, err := l.others(dir, name); there || err != nil {
		return err
	}
	w, err := create(t)
	if err != nil {
		return err
	}
	staged, err := w.Close()
	if err != nil {
		return err
	}
	release, err := l.lock(ctx, t)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, release()) }()
	others, there, err := l.others(dir, name)
	if err != nil {
		return err
	}
	if there {
		return l.Disk.Remove(staged.Path)
	}
	return l.Disk.Apply(blob.Change{Dir: dir, Add: map[string]string{name: staged.Path}, Remove: others, Aside: l.Warehouse.Replaced()})
}

// others are what a folder holds, and whether it is a file by that name and nothing else, which then is durable.
func (l Lake) others(dir, name string) (all []string, there bool, err error) {
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, false, err
	}
	for _, e := range entries {
		all = append(all, e.Name())
	}
	if len(all) == 1 && all[0] == name {
		return nil, true, l.Disk.SyncName(filepath.Join(dir, name))
	}
	return all, false, nil
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
	return hex.EncodeToString(sum.Sum(nil)[:idBytes]), nil
}

// idBytes is how much of its SHA-256 a file is known by.
const idBytes = 8

// grace is how long what was taken out of the lake stays for those who were just reading it.
const grace = 10 * time.Minute

// Sweep removes what was taken out of the lake long enough ago.
func (l Lake) Sweep(now time.Time) error {
	return l.Disk.SweepAside(l.Warehouse.Replaced(), now.Add(-grace))
}
