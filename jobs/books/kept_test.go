package books

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"backhaul/pipeline"
	"backhaul/pipeline/journal"
	"backhaul/sinks"
)

// away is a journal whose database does not answer, though it may have done what it was asked.
type away struct {
	Buying
	done bool
}

func (a away) Append(ctx context.Context, taskID string, p pipeline.Page) error {
	if a.done {
		if err := a.Buying.Append(ctx, taskID, p); err != nil {
			return err
		}
	}
	return ErrAway
}

func (a away) AddAttempt(ctx context.Context, taskID string, x pipeline.Attempt) error {
	if a.done {
		if err := a.Buying.AddAttempt(ctx, taskID, x); err != nil {
			return err
		}
	}
	return ErrAway
}

func TestAReplyThatCannotBeEnteredIsKeptAndEnteredOnce(t *testing.T) {
	t.Parallel()
	for name, done := range map[string]bool{"not entered": false, "entered, and nobody was told": true} {
		t.Run(name, func(t *testing.T) {
			ctx, w := t.Context(), sinks.Warehouse{Root: filepath.Join(t.TempDir(), "of [one]")}
			dir := w.Kept("nightly", "2026-11-23")
			j := must(InFiles(w).Of("nightly", "2026-11-23").Open(ctx, header))(t)
			defer j.Close()
			if n, err := Enter(ctx, j, dir); n != 0 || err != nil {
				t.Errorf("nothing was kept: %d, %v", n, err)
			}
			page := pipeline.Page{Seq: 1, Cursor: "a\xff\x00", Next: "b", Request: []byte("q"), Status: 200, Body: []byte("paid"), FetchedAt: now, Rows: 3, Units: 5}
			failed := pipeline.Attempt{Seq: 0, At: now, Kind: pipeline.Transient, MaybeUnits: 9, Message: "cut"}
			plain := Keeping(j, "r1", dir)
			if err := errors.Join(j.AddTasks(ctx, []pipeline.Task{{ID: "a"}, {ID: "b"}}), plain.Append(ctx, "a", pipeline.Page{FetchedAt: now})); err != nil {
				t.Fatal(err)
			}
			broken := Keeping(away{j, done}, "r1", dir)
			if err := broken.Append(ctx, "a", page); !errors.Is(err, ErrAway) {
				t.Errorf("told to be entered: %v", err)
			}
			if err := broken.AddAttempt(ctx, "b", failed); !errors.Is(err, ErrAway) {
				t.Errorf("told to be entered: %v", err)
			}
			files := must(os.ReadDir(dir))(t)
			if len(files) != 2 {
				t.Fatalf("%v", files)
			}
			for _, f := range files {
				if info := must(f.Info())(t); info.Mode().Perm() != 0o600 {
					t.Errorf("%s: %v", f.Name(), info.Mode())
				}
			}
			want := 2
			if done {
				want = 0
			}
			for range 2 {
				if n, err := Enter(ctx, j, dir); n != want || err != nil {
					t.Errorf("%d entered, %v", n, err)
				}
				want = 0
			}
			var got []pipeline.Page
			for p, err := range j.Pages(ctx, "a") {
				if err != nil {
					t.Fatal(err)
				}
				got = append(got, p)
			}
			if len(got) != 2 || !cmp.Equal(got[1], page) {
				t.Errorf("%+v", got)
			}
			if places := must(j.Places(ctx))(t); places["b"].MaybeUnits != 9 || places["b"].Attempts != 1 {
				t.Errorf("%+v", places["b"])
			}
			if left := must(os.ReadDir(dir))(t); len(left) != 0 {
				t.Errorf("%v", left)
			}
		})
	}
}

func TestAKeptReplyThatIsDamagedOrOfAnotherRunIsNotEntered(t *testing.T) {
	t.Parallel()
	ctx, w := t.Context(), sinks.Warehouse{Root: t.TempDir()}
	dir := w.Kept("nightly", "2026-11-23")
	j := must(InFiles(w).Of("nightly", "2026-11-23").Open(ctx, header))(t)
	defer j.Close()
	if err := j.AddTasks(ctx, []pipeline.Task{{ID: "a"}}); err != nil {
		t.Fatal(err)
	}
	keepOne := func(runID, taskID string, seq int) (path string) {
		if err := Keeping(away{j, false}, runID, dir).Append(ctx, taskID, pipeline.Page{Seq: seq, Body: []byte("paid"), FetchedAt: time.Now()}); !errors.Is(err, ErrAway) {
			t.Fatal(err)
		}
		return filepath.Join(dir, must(os.ReadDir(dir))(t)[0].Name())
	}
	for name, k := range map[string]struct {
		runID, taskID string
		seq           int
	}{"another run": {"r2", "a", 0}, "another task": {"r1", "z", 0}, "a page too far": {"r1", "a", 1}} {
		path := keepOne(k.runID, k.taskID, k.seq)
		if n, err := Enter(ctx, j, dir); n != 0 || err == nil {
			t.Errorf("%s was entered: %d, %v", name, n, err)
		}
		if err := os.Remove(path); err != nil {
			t.Errorf("it is not there any more: %v", err)
		}
	}
	path := keepOne("r1", "a", 0)
	whole := must(os.ReadFile(path))(t)
	for at := range whole {
		spoilt := append([]byte{}, whole...)
		spoilt[at] ^= 1
		for _, content := range [][]byte{spoilt, whole[:at]} {
			if err := os.WriteFile(path, content, 0o600); err != nil {
				t.Fatal(err)
			}
			if n, err := Enter(ctx, j, dir); n != 0 || !errors.Is(err, journal.ErrDamaged) {
				t.Fatalf("spoilt at %d: %d, %v", at, n, err)
			}
		}
	}
}
