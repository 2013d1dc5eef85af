package journal

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"backhaul/pipeline"
)

var header = Header{RunID: "run-1", Job: "nightly", RunDate: "2026-11-23", Created: time.Date(2026, 11, 23, 2, 0, 0, 0, time.UTC)}

func open(t *testing.T, path string) *Journal {
	t.Helper()
	j, err := Open(context.Background(), path, header)
	if err != nil {
		t.Fatal(err)
	}
	return j
}

func task(id string) pipeline.Task {
	return pipeline.Task{ID: id, Extract: "anchors", Endpoint: "moz/anchor_text", Surface: "v2", Target: id + ".example",
		TargetAsGiven: "https://" + id + ".example/", Scope: "root_domain", Params: `{"scope":"root_domain"}`, MaxRows: 5000, Priority: 3}
}

func page(seq, rows int) pipeline.Page {
	p := pipeline.Page{
		Seq: seq, Request: []byte(`{"target":"a.example"}`), Status: 200, Rows: rows, Units: pipeline.Units(rows),
		FetchedAt: time.Date(2026, 11, 23, 2, 0, seq, 123000, time.UTC),
		Body:      bytes.Repeat(fmt.Appendf(nil, `{"anchor_text":"page %d"},`, seq), rows),
		Next:      pipeline.Cursor(fmt.Sprint("token-", seq)),
	}
	if seq > 0 {
		p.Cursor = pipeline.Cursor(fmt.Sprint("token-", seq-1))
	}
	return p
}

func collect(t *testing.T, j *Journal, id string) ([]pipeline.Page, error) {
	t.Helper()
	var pages []pipeline.Page
	for p, err := range j.Pages(context.Background(), id) {
		if err != nil {
			return pages, err
		}
		pages = append(pages, p)
	}
	return pages, nil
}

func TestWhatWasAppendedIsThereAfterReopening(t *testing.T) {
	ctx, path := context.Background(), filepath.Join(t.TempDir(), "with space & ?", "j.sqlite")
	j := open(t, path)
	if err := j.AddTasks(ctx, []pipeline.Task{task("a"), task("b")}); err != nil {
		t.Fatal(err)
	}
	var want []pipeline.Page
	for seq := range 5 {
		p := page(seq, 50)
		p.End = seq == 4
		if p.End {
			p.Next = ""
		}
		if err := j.Append(ctx, "a", p); err != nil {
			t.Fatal(err)
		}
		want = append(want, p)
	}
	if err := j.AddAttempt(ctx, "a", pipeline.Attempt{Seq: 5, At: header.Created, Kind: pipeline.Transient, MaybeUnits: 50, Message: "cut"}); err != nil {
		t.Fatal(err)
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	left, _ := filepath.Glob(path + "*")
	if len(left) != 1 {
		t.Errorf("a closed journal is one file, found %v", left)
	}
	j = open(t, path)
	defer j.Close()
	got, err := collect(t, j, "a")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("pages differ:\n%s", diff)
	}
	places, err := j.Places(ctx)
	if err != nil {
		t.Fatal(err)
	}
	wantPlaces := map[string]pipeline.Place{
		"a": {Pages: 5, Rows: 250, ChainRows: 250, Units: 250, MaybeUnits: 50, MaybeAt: header.Created, Attempts: 1, End: true, Fetched: want[4].FetchedAt, LastRows: 50},
		"b": {},
	}
	if diff := cmp.Diff(wantPlaces, places); diff != "" {
		t.Errorf("places differ:\n%s", diff)
	}
	tasks, err := j.Tasks(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]pipeline.Task{task("a"), task("b")}, tasks); diff != "" {
		t.Errorf("tasks differ:\n%s", diff)
	}
	if diff := cmp.Diff(header, j.Header()); diff != "" {
		t.Errorf("headers differ:\n%s", diff)
	}
}

func TestConcurrentAppendsAllBecomeDurable(t *testing.T) {
	ctx, path := context.Background(), filepath.Join(t.TempDir(), "j.sqlite")
	j := open(t, path)
	var tasks []pipeline.Task
	for i := range 16 {
		tasks = append(tasks, task(fmt.Sprint("t", i)))
	}
	if err := j.AddTasks(ctx, tasks); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for _, tk := range tasks {
		wg.Go(func() {
			for seq := range 20 {
				if err := j.Append(ctx, tk.ID, page(seq, 3)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	j = open(t, path)
	defer j.Close()
	for _, tk := range tasks {
		pages, err := collect(t, j, tk.ID)
		if err != nil || len(pages) != 20 {
			t.Errorf("%s: %d pages, %v", tk.ID, len(pages), err)
		}
	}
	if err := j.Check(ctx); err != nil {
		t.Error(err)
	}
}

func TestTheSamePageTwiceIsRefused(t *testing.T) {
	ctx := context.Background()
	j := open(t, filepath.Join(t.TempDir(), "j.sqlite"))
	defer j.Close()
	if err := j.AddTasks(ctx, []pipeline.Task{task("a")}); err != nil {
		t.Fatal(err)
	}
	if err := j.Append(ctx, "a", page(0, 1)); err != nil {
		t.Fatal(err)
	}
	if err := j.Append(ctx, "a", page(0, 1)); err == nil {
		t.Error("a second page 0 was taken")
	}
	if pages, err := collect(t, j, "a"); err != nil || len(pages) != 1 {
		t.Errorf("%d pages, %v", len(pages), err)
	}
}

func TestAJournalOfAnotherRunIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "j.sqlite")
	if err := open(t, path).Close(); err != nil {
		t.Fatal(err)
	}
	other := header
	other.Job = "weekly"
	if _, err := Open(context.Background(), path, other); !errors.Is(err, ErrDamaged) {
		t.Errorf("opened with %v", err)
	}
}

func TestAJournalThatSaysNotWhoseItIsIsDamagedAndNotTakenForANewOne(t *testing.T) {
	path := filepath.Join(t.TempDir(), "j.sqlite")
	if err := os.WriteFile(path, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	anybody := header
	anybody.RunID = ""
	if _, err := Open(context.Background(), path, anybody); !errors.Is(err, ErrDamaged) {
		t.Errorf("opened with %v", err)
	}
	if err := open(t, path).Close(); err != nil { // a run that was killed as it made the file goes on
		t.Fatal(err)
	}
}

func TestAFlippedCursorIsNeverReadOnFrom(t *testing.T) {
	ctx, dir := context.Background(), t.TempDir()
	file, want := small(t)
	token := []byte(want[len(want)-1].Next)
	at := bytes.LastIndex(file, token)
	if at < 0 {
		t.Fatal("the last cursor is not in the file")
	}
	noticed := 0
	for i := 0; i < len(file)-len(token); i++ {
		if !bytes.Equal(file[i:i+len(token)], token) {
			continue
		}
		damaged := bytes.Clone(file)
		damaged[i+len(token)-1] ^= 1
		path := filepath.Join(dir, fmt.Sprint(i, ".sqlite"))
		if err := os.WriteFile(path, damaged, 0o644); err != nil {
			t.Fatal(err)
		}
		j := open(t, path)
		places, err := j.Places(ctx)
		_ = j.Close()
		switch {
		case errors.Is(err, ErrDamaged):
			noticed++
		case err != nil:
			t.Fatal(err)
		case string(places["a"].Next) != string(token):
			t.Errorf("the list would be read on from %q", places["a"].Next)
		}
	}
	if noticed == 0 {
		t.Error("no flip was noticed: the test does not test")
	}
}

// small writes a journal of six pages and returns its bytes and what it must read as.
func small(t *testing.T) (file []byte, want []pipeline.Page) {
	ctx, path := context.Background(), filepath.Join(t.TempDir(), "j.sqlite")
	j := open(t, path)
	if err := j.AddTasks(ctx, []pipeline.Task{task("a")}); err != nil {
		t.Fatal(err)
	}
	for seq := range 6 {
		p := page(seq, 40)
		if err := j.Append(ctx, "a", p); err != nil {
			t.Fatal(err)
		}
		want = append(want, p)
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	file, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return file, want
}

// read returns the pages of a journal that may be damaged, or the first error.
func read(t *testing.T, path string) ([]pipeline.Page, error) {
	ctx := context.Background()
	j, err := Open(ctx, path, header)
	if err != nil {
		return nil, err
	}
	defer j.Close()
	tasks, err := j.Tasks(ctx)
	if err != nil {
		return nil, err
	}
	if len(tasks) != 1 || cmp.Diff(tasks[0], task("a")) != "" {
		return nil, fmt.Errorf("%w: other tasks", ErrDamaged) // what a run that knows its tasks notices
	}
	if _, err := j.Places(ctx); err != nil {
		return nil, err
	}
	return collect(t, j, "a")
}

func TestAFlippedBitIsNeverReadAsDataOrAsTheEnd(t *testing.T) {
	file, want := small(t)
	path := filepath.Join(t.TempDir(), "j.sqlite")
	harmless := 0
	for at := 0; at < len(file); at += 61 {
		damaged := bytes.Clone(file)
		damaged[at] ^= 1 << (at % 8)
		if err := os.WriteFile(path, damaged, 0o644); err != nil {
			t.Fatal(err)
		}
		got, err := read(t, path)
		os.Remove(path + "-wal")
		os.Remove(path + "-shm")
		if err != nil {
			continue
		}
		harmless++
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("byte %d flipped, and other pages were read without an error:\n%s", at, diff)
		}
	}
	if harmless == len(file)/61 {
		t.Error("no flipped bit was noticed: the test does not test")
	}
}

func TestACutFileIsDamage(t *testing.T) {
	file, want := small(t)
	path := filepath.Join(t.TempDir(), "j.sqlite")
	for size := 1; size < len(file); size += 509 {
		if err := os.WriteFile(path, file[:size], 0o644); err != nil {
			t.Fatal(err)
		}
		got, err := read(t, path)
		os.Remove(path + "-wal")
		os.Remove(path + "-shm")
		if err == nil && cmp.Diff(want, got) != "" {
			t.Fatalf("cut to %d of %d bytes, %d pages were read without an error", size, len(file), len(got))
		}
	}
}

func BenchmarkAppend(b *testing.B) {
	ctx := context.Background()
	j, err := Open(ctx, filepath.Join(b.TempDir(), "j.sqlite"), header)
	if err != nil {
		b.Fatal(err)
	}
	defer j.Close()
	if err := j.AddTasks(ctx, []pipeline.Task{task("a")}); err != nil {
		b.Fatal(err)
	}
	var mu sync.Mutex
	seq := 0
	b.SetParallelism(8)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			mu.Lock()
			p := page(seq, 50)
			p.Seq = seq
			seq++
			mu.Unlock()
			if err := j.Append(ctx, "a", p); err != nil {
				b.Error(err)
			}
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "pages/s")
}
