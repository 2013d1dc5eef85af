package sinktest

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow/memory"

	"backhaul/schemas"
	"backhaul/sinks"
)

// errFull is what the storage says.
var errFull = errors.New("no space left")

// stage writes rows to a file, calling before ahead of every operation.
func (l Lake) stage(path string, rows int, before func() error) (sinks.Staged, error) {
	mem := memory.NewGoAllocator() // nobody promises to give memory back where something fails
	w, err := l.Create(path, anchors(), mem, before)
	if err != nil {
		return sinks.Staged{}, err
	}
	if err := batches(mem, anchors(), rows, w.Write); err != nil {
		return sinks.Staged{}, errors.Join(err, w.Abort())
	}
	return w.Close()
}

func (l Lake) failing(t *testing.T) {
	for nth := 1; ; nth++ {
		dir := t.TempDir()
		path := filepath.Join(dir, "f")
		count := 0
		_, err := l.stage(path, 60_000, func() error {
			if count++; count == nth {
				return errFull
			}
			return nil
		})
		if count < nth {
			if err != nil || nth < 4 {
				t.Fatalf("%d operations, then %v", nth-1, err)
			}
			return
		}
		if !errors.Is(err, errFull) || strings.Count(err.Error(), path) != 1 {
			t.Errorf("operation %d failed: %v", nth, err)
		}
		if left, err := os.ReadDir(dir); err != nil || len(left) != 0 {
			t.Errorf("operation %d failed and left %v, %v", nth, left, err)
		}
	}
}

// spoilt changes bytes of the file ahead of every operation there is.
func (l Lake) spoilt(t *testing.T) {
	found := 0
	for nth := 1; ; nth++ {
		path := filepath.Join(t.TempDir(), "nightly.2026-11-23.parquet")
		for _, at := range []int{0, 10, 500, 1500, -5, -200} {
			count := 0
			_, err := l.stage(path, 500, func() error {
				if count++; count == nth {
					return flip(path, at)
				}
				return nil
			})
			if count < nth {
				if found == 0 {
					t.Error("no change was found: the test does not test")
				}
				return
			}
			_, statErr := os.Stat(path)
			switch {
			case err == nil:
				if _, err := l.Contents(path, anchors()); err != nil {
					t.Errorf("byte %d was changed before operation %d, and then the file was called complete: %v", at, nth, err)
				}
				if err := os.Remove(path); err != nil {
					t.Fatal(err)
				}
			case !strings.Contains(err.Error(), path), !errors.Is(statErr, fs.ErrNotExist):
				t.Errorf("byte %d was changed before operation %d: %v, file: %v", at, nth, err, statErr)
			default:
				found++
			}
		}
	}
}

// flip inverts a byte of the file, if it has that; negative positions count from the end.
func flip(path string, at int) error {
	b, err := os.ReadFile(path)
	if err != nil || len(b) == 0 {
		return nil // it is not there yet
	}
	b[(at%len(b)+len(b))%len(b)] ^= 0xff
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	return errors.Join(err, f.Close())
}

// damaged fails where a file is not called damaged, or has rows all the same.
func (l Lake) damaged(t *testing.T, what, path string, table *schemas.Table) {
	t.Helper()
	if _, err := l.Contents(path, table); !errors.Is(err, sinks.ErrDamaged) || !strings.Contains(err.Error(), path) {
		t.Fatalf("%s: contents: %v", what, err)
	}
	n := 0
	for batch, err := range l.Rows(path, table, 100) {
		if n++; batch != nil || !errors.Is(err, sinks.ErrDamaged) || !strings.Contains(err.Error(), path) {
			t.Fatalf("%s: rows: %v, %v", what, batch, err)
		}
	}
	if n != 1 {
		t.Fatalf("%s: %d errors", what, n)
	}
}

func (l Lake) flipped(t *testing.T) {
	table, dir := anchors(), t.TempDir()
	for _, rows := range []int{0, 100, 9000} { // without pages, with one a column, with an index of pages and a filter
		path := filepath.Join(dir, fmt.Sprint(rows))
		l.write(t, path, table, memory.DefaultAllocator, rows)
		whole, broken := bytesOf(t, path), filepath.Join(dir, "broken.parquet")
		for at := 0; at < len(whole); at += 1 + len(whole)/1000 {
			changed := bytes.Clone(whole)
			changed[at] ^= 1 << (at % 8)
			if err := os.WriteFile(broken, changed, 0o644); err != nil {
				t.Fatal(err)
			}
			l.damaged(t, fmt.Sprintf("bit %d of byte %d of %d changed", at%8, at, len(whole)), broken, table)
		}
	}
}

func (l Lake) cut(t *testing.T) {
	table, path := anchors(), filepath.Join(t.TempDir(), "f")
	l.write(t, path, table, memory.DefaultAllocator, 3000)
	whole := bytesOf(t, path)
	for size := 0; size < len(whole); size += 509 {
		if err := os.WriteFile(path, whole[:size], 0o644); err != nil {
			t.Fatal(err)
		}
		l.damaged(t, fmt.Sprintf("cut to %d of %d bytes", size, len(whole)), path, table)
	}
}

func (l Lake) others(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f")
	l.write(t, path, schemas.Lookup("moz.linking_root_domains"), memory.DefaultAllocator, 10)
	if _, err := l.Contents(path, anchors()); !errors.Is(err, sinks.ErrColumns) || errors.Is(err, sinks.ErrDamaged) {
		t.Errorf("another table's: %v", err)
	}
	_, missing := l.Contents(path+".none", anchors())
	for _, err := range l.Rows(path+".none", anchors(), 10) {
		if !errors.Is(err, fs.ErrNotExist) || errors.Is(err, sinks.ErrDamaged) {
			t.Errorf("rows of none: %v", err)
		}
	}
	if !errors.Is(missing, fs.ErrNotExist) || errors.Is(missing, sinks.ErrDamaged) {
		t.Errorf("none: %v", missing)
	}
}
