package books

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"backhaul/jobs/ledger"
	"backhaul/pipeline"
	"backhaul/pipeline/journal"
	"backhaul/sinks"
	"backhaul/sinks/blob"
)

// InFiles are the books that are SQLite files of a warehouse: the ledger, and for each run a journal, a file that is locked by
// who works on the run, and one in the journal's place where that was retired.
func InFiles(w sinks.Warehouse) Movable { return files{w} }

type files struct{ sinks.Warehouse }

func (f files) LedgerName() string { return f.Ledger() }

func (f files) LedgerGone(context.Context) (bool, error) { return gone(f.Ledger()), nil }

func (f files) OpenLedger(ctx context.Context) (*ledger.Ledger, error) {
	return ledger.Open(ctx, f.Ledger())
}

// PutLedgerAside renames the file and the logs beside it. A file without a byte is of no use to anybody.
func (f files) PutLedgerAside(_ context.Context, now time.Time) (string, error) {
	aside := f.Ledger() + damagedSince(now)
	found := aside
	for _, suffix := range []string{"", "-wal", "-shm"} {
		err := os.Rename(f.Ledger()+suffix, aside+suffix)
		if errors.Is(err, fs.ErrNotExist) {
			if suffix == "" {
				found = ""
			}
			continue
		}
		if err != nil {
			return "", err
		}
	}
	return found, nil
}

func damagedSince(now time.Time) string { return ".damaged-" + now.UTC().Format("20060102T150405Z") }

func (f files) Of(job, runDate string) Book { return file(f.JournalOf(job, runDate)) }

func (f files) Runs(context.Context) ([]Key, error) {
	var all []Key
	err := filepath.WalkDir(f.Journal(), func(path string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err == nil && !d.IsDir() {
			if key, rest, ok := KeyOf(f.Warehouse, path); ok && (rest == "" || rest == RetiredSuffix) {
				all = append(all, key)
			}
		}
		return err
	})
	slices.SortFunc(all, Key.compare)
	return slices.Compact(all), err
}

// KeyOf returns the run that a file belongs to, and what its name has after that of the journal. ok is false where it is of no run.
func KeyOf(w sinks.Warehouse, path string) (key Key, rest string, ok bool) {
	rel, _ := filepath.Rel(w.Journal(), path)
	job, name := filepath.Split(rel)
	key.Job = strings.TrimSuffix(job, string(filepath.Separator))
	key.RunDate, rest, _ = strings.Cut(name, ".sqlite")
	_, err := time.Parse(time.DateOnly, key.RunDate)
	return key, rest, err == nil && key.Job != "" && !strings.Contains(key.Job, string(filepath.Separator))
}

// file is the path of a journal.
type file string

func (f file) Name() string { return string(f) }

// gone reports whether a file is missing or has no byte, which SQLite would take for a new one.
func gone(path string) bool {
	info, err := os.Stat(path)
	return os.IsNotExist(err) || err == nil && info.Size() == 0
}

func (f file) Gone(context.Context) (bool, error) { return gone(string(f)), nil }

// Claimed is nothing: the process that has locked the run buys all of its lists.
func (f file) Claimed(context.Context, int) (map[string]pipeline.Units, error) { return nil, nil }

func (f file) ForgetClaims(context.Context) error { return nil }

func (f file) Open(ctx context.Context, header journal.Header) (*journal.Journal, error) {
	return journal.Open(ctx, string(f), header)
}

func (f file) Replace(ctx context.Context, now time.Time, header journal.Header, write func(*journal.Journal) error) (aside string, err error) {
	fresh := f + ".salvaged"
	if err := fresh.Remove(ctx); err != nil {
		return "", err
	}
	j, err := fresh.Open(ctx, header)
	if err != nil {
		return "", err
	}
	if err := errors.Join(write(j), j.Close()); err != nil {
		return "", errors.Join(err, fresh.Remove(ctx))
	}
	if !gone(string(f)) {
		aside = string(f) + damagedSince(now)
	}
	return aside, exchange(string(f), string(fresh), aside)
}

// exchange gives the damaged file its new name before the fresh one takes its place, so that at no time there is none.
func exchange(path, fresh, aside string) error {
	if aside != "" {
		if err := os.Link(path, aside); err != nil {
			return err
		}
		// SQLite would apply a log that stays behind to the fresh file.
		for _, suffix := range []string{"-wal", "-shm"} {
			if err := os.Rename(path+suffix, aside+suffix); err != nil && !os.IsNotExist(err) {
				return err
			}
		}
	}
	if err := os.Rename(fresh, path); err != nil {
		return err
	}
	return blob.FS{}.SyncDir(filepath.Dir(path))
}

func (f file) Remove(context.Context) error {
	for _, suffix := range []string{"", "-wal", "-shm"} {
		if err := os.Remove(string(f) + suffix); err != nil && !os.IsNotExist(err) {
			return err
		}
	}
	return nil
}

func (f file) Size(context.Context) int64 {
	info, err := os.Stat(string(f))
	if err != nil {
		return 0
	}
	return info.Size()
}

// RetiredSuffix is what the file that a retired journal leaves in its place has after the journal's name.
const RetiredSuffix = ".retired"

func (f file) Remains(context.Context) ([]byte, error) {
	text, err := os.ReadFile(string(f) + RetiredSuffix)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err == nil && text == nil {
		text = []byte{}
	}
	return text, err
}

func (f file) KeepRemains(_ context.Context, text []byte) error {
	path := string(f) + RetiredSuffix
	return blob.FS{}.WriteWhole(path+".new", path, func(b *blob.File) error {
		if err := b.OwnerOnly(); err != nil { // as the journal was, and the ledger is
			return err
		}
		_, err := b.Write(text)
		if err != nil {
			return fmt.Errorf("write %s: %w", path, err)
		}
		return nil
	})
}
