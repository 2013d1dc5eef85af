package journal

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"backhaul/pipeline"
)

// written is a small journal file, and the pages that are in it.
func written(tb testing.TB) (file []byte, pages map[string]bool) {
	tb.Helper()
	ctx, path := context.Background(), filepath.Join(tb.TempDir(), "j.sqlite")
	j, err := Open(ctx, path, header)
	if err != nil {
		tb.Fatal(err)
	}
	if err := j.AddTasks(ctx, []pipeline.Task{task("a"), task("b")}); err != nil {
		tb.Fatal(err)
	}
	pages = map[string]bool{}
	for _, id := range []string{"a", "b"} {
		for seq := range 3 {
			p := page(seq, 2)
			p.Body = append(p.Body, id...)
			p.Repeated, p.End = seq == 1, seq == 2
			if err := j.Append(ctx, id, p); err != nil {
				tb.Fatal(err)
			}
			pages[fmt.Sprintf("%+v", p)] = true
		}
	}
	if err := j.AddAttempt(ctx, "a", pipeline.Attempt{Seq: 1, At: header.Created, Kind: pipeline.Malformed, MaybeUnits: 50, Message: "cut", Body: []byte("{")}); err != nil {
		tb.Fatal(err)
	}
	if err := j.Close(); err != nil {
		tb.Fatal(err)
	}
	if file, err = os.ReadFile(path); err != nil {
		tb.Fatal(err)
	}
	return file, pages
}

// FuzzJournal reads arbitrary bytes as a journal. Whatever they are, nothing panics, and no page comes out that was not
// put in: a page is as it was written, or it is an error.
func FuzzJournal(f *testing.F) {
	file, pages := written(f)
	f.Add(file)
	f.Add(file[:len(file)/2])
	f.Add(file[:4096])
	f.Add([]byte("SQLite format 3\x00"))
	f.Add([]byte("not a database at all"))
	f.Add([]byte{})
	for _, text := range []string{"token-1", "root_domain", "page 1", "a.example", "run-1", "CREATE TABLE pages", "repeated INTEGER"} {
		if i := bytes.Index(file, []byte(text)); i >= 0 {
			flipped := bytes.Clone(file)
			flipped[i] ^= 1
			f.Add(flipped)
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 4*len(file) {
			t.Skip("more of the same")
		}
		path := filepath.Join(t.TempDir(), "j.sqlite")
		if err := os.WriteFile(path, data, 0o644); err != nil {
			t.Fatal(err)
		}
		readAll(t, path, pages)
	})
}

// readAll reads everything a journal may be asked for.
func readAll(t *testing.T, path string, pages map[string]bool) {
	ctx := context.Background()
	j, err := Open(ctx, path, header)
	if err != nil {
		return
	}
	defer func() { _ = j.Close() }()
	_ = j.Check(ctx)
	_, _ = j.Places(ctx)
	_ = j.Entries(ctx, func(Entry) {})
	_, _ = j.Course(ctx)
	for range j.Attempts(ctx) {
		continue
	}
	tasks, err := j.Tasks(ctx)
	if err != nil {
		return
	}
	for _, task := range tasks {
		for _, err := range j.Facts(ctx, task.ID) {
			if err != nil {
				break
			}
		}
		n := 0
		for p, err := range j.Pages(ctx, task.ID) {
			if err != nil {
				n = -1
				break
			}
			if p.Seq != n {
				t.Fatalf("page %d of %q comes in place of page %d", p.Seq, task.ID, n)
			}
			n++
			if got := fmt.Sprintf("%+v", p); !pages[got] {
				t.Fatalf("a page that was never written: %s", got)
			}
		}
		if task.ID == "a" && task.Extract == "anchors" && n >= 0 && n != 3 && n != 0 {
			t.Fatalf("%d of 3 pages without an error", n)
		}
	}
}

func TestEveryFlippedByteOfAJournalIsFoundOrHarmless(t *testing.T) {
	file, pages := written(t)
	path := filepath.Join(t.TempDir(), "j.sqlite")
	step := 131
	if testing.Short() {
		step = 1031
	}
	for i := 0; i < len(file); i += step {
		damaged := bytes.Clone(file)
		damaged[i] ^= 1 << (i % 8)
		readSpoilt(t, path, damaged, pages)
	}
}

func TestACutJournalIsFoundOrHarmless(t *testing.T) {
	file, pages := written(t)
	path := filepath.Join(t.TempDir(), "j.sqlite")
	for size := 1; size < len(file); size += 509 {
		readSpoilt(t, path, file[:size], pages)
	}
}

// readSpoilt reads everything of a journal whose file has other bytes.
func readSpoilt(t *testing.T, path string, file []byte, pages map[string]bool) {
	t.Helper()
	if err := os.WriteFile(path, file, 0o644); err != nil {
		t.Fatal(err)
	}
	readAll(t, path, pages)
	for _, left := range []string{"-wal", "-shm", "-journal"} {
		if err := os.Remove(path + left); err != nil && !errors.Is(err, os.ErrNotExist) {
			t.Fatal(err)
		}
	}
}
