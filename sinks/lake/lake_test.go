package lake

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"backhaul/schemas"
	"backhaul/sinks"
	"backhaul/sinks/blob"
)

var (
	table = schemas.Lookup("moz.links")
	night = time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)
)

func empty(t *testing.T) Lake {
	t.Helper()
	return Lake{Warehouse: sinks.Warehouse{Root: t.TempDir()}}
}

// publish makes a text the rows of a run, as far as the lake cares.
func publish(t *testing.T, l Lake, job string, date time.Time, text string) (path string) {
	t.Helper()
	path, err := l.Publish(t.Context(), table, job, date, stage(t, text))
	if err != nil {
		t.Fatal(err)
	}
	return path
}

func stage(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "staged")
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// contents are what the files of a month hold.
func contents(t *testing.T, l Lake, date time.Time) (all []string) {
	t.Helper()
	files, err := l.Month(table, date)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		text, err := os.ReadFile(f.Path)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, string(text))
	}
	slices.Sort(all)
	return all
}

func holds(t *testing.T, l Lake, date time.Time, want ...string) {
	t.Helper()
	if diff := cmp.Diff(want, contents(t, l, date)); diff != "" {
		t.Error(diff)
	}
}

func TestANightTakesThePlaceOfItsOwnAndOfNoOther(t *testing.T) {
	t.Parallel()
	l := empty(t)
	first := publish(t, l, "nightly", night, "22")
	publish(t, l, "nightly", night.AddDate(0, 0, 1), "23")
	publish(t, l, "weekly", night, "weekly")
	publish(t, l, "nightly", night.AddDate(0, 1, 0), "december")
	again := publish(t, l, "nightly", night, "22, mended")
	holds(t, l, night, "22, mended", "23", "weekly")
	holds(t, l, night.AddDate(0, 1, 0), "december")
	if first == again {
		t.Error("a name has come to mean other bytes")
	}
	if removed, err := l.Remove(t.Context(), table, "nightly", night); err != nil || !removed {
		t.Errorf("%v, %v", removed, err)
	}
	if removed, err := l.Remove(t.Context(), table, "nightly", night); err != nil || removed {
		t.Errorf("removed twice: %v, %v", removed, err)
	}
	holds(t, l, night, "23", "weekly")
}

func TestTheSameNightAgainIsLeftAloneUnlessItIsDamaged(t *testing.T) {
	t.Parallel()
	l := empty(t)
	path := publish(t, l, "nightly", night, "22")
	before, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	publish(t, l, "nightly", night, "22")
	if after, err := os.Stat(path); err != nil || !os.SameFile(before, after) {
		t.Errorf("written anew: %v", err)
	}
	if err := os.WriteFile(path, []byte("2?"), 0o644); err != nil {
		t.Fatal(err)
	}
	publish(t, l, "nightly", night, "22")
	holds(t, l, night, "22")
}

// What fails a sync once is there all the same: whoever finds it must not take it for durable.
func TestANightWhoseNameWasNotSyncedIsSyncedByTheNextToPublishIt(t *testing.T) {
	t.Parallel()
	l, fails, synced := empty(t), true, map[string]bool{}
	month := l.Warehouse.Month(table.Schema, table.Name, night)
	l.Disk.Before = func(op blob.Op, path string) error {
		if op == blob.OpSyncDir && path == month && fails {
			return syscall.EIO
		}
		synced[path] = synced[path] || op == blob.OpSyncDir
		return nil
	}
	if _, err := l.Publish(t.Context(), table, "nightly", night, stage(t, "22")); !errors.Is(err, syscall.EIO) {
		t.Errorf("%v", err)
	}
	holds(t, l, night, "22")
	fails = false
	clear(synced)
	publish(t, l, "nightly", night, "22")
	if !synced[month] || !synced[filepath.Dir(month)] {
		t.Errorf("synced: %v", synced)
	}
}

// impatient is a context that ends as soon as somebody waits for its end.
type impatient struct {
	context.Context
	end context.CancelFunc
}

func (c impatient) Done() <-chan struct{} {
	c.end()
	return c.Context.Done()
}

func TestATableIsChangedByOneAtATime(t *testing.T) {
	t.Parallel()
	l := empty(t)
	publish(t, l, "nightly", night, "22")
	release, err := l.lock(t.Context(), table)
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	wait := func() context.Context {
		ctx, end := context.WithCancel(t.Context())
		return impatient{ctx, end}
	}
	_, published := l.Publish(wait(), table, "nightly", night, stage(t, "other"))
	_, removed := l.Remove(wait(), table, "nightly", night)
	_, expired := l.Expire(wait(), table, night, false)
	for what, err := range map[string]error{"published": published, "removed": removed, "expired": expired} {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%s while another process changes the table: %v", what, err)
		}
	}
	holds(t, l, night, "22")
}

func TestAMergeIsGivenUpWhenItsMonthWasPublishedTo(t *testing.T) {
	t.Parallel()
	l := empty(t)
	publish(t, l, "nightly", night, "22")
	files, err := l.Month(table, night)
	if err != nil {
		t.Fatal(err)
	}
	publish(t, l, "nightly", night.AddDate(0, 0, 1), "23")
	c := blob.Change{Dir: filepath.Dir(files[0].Path), Remove: []string{filepath.Base(files[0].Path)}, Aside: l.Warehouse.Replaced()}
	if err := l.exchange(t.Context(), table, night, files, c); !errors.Is(err, ErrChanged) {
		t.Error(err)
	}
	holds(t, l, night, "22", "23")
}

func TestAMonthExpiresWhollyAndDryNotAtAll(t *testing.T) {
	t.Parallel()
	l := empty(t)
	publish(t, l, "nightly", night, "22")
	publish(t, l, "nightly", night.AddDate(0, 0, 1), "23")
	publish(t, l, "nightly", night.AddDate(0, 1, 0), "december")
	for _, dry := range []bool{true, false} {
		if bytes, err := l.Expire(t.Context(), table, night, dry); bytes != 4 || err != nil {
			t.Errorf("%d bytes, %v", bytes, err)
		}
		if got := len(contents(t, l, night)); got != map[bool]int{true: 2}[dry] {
			t.Errorf("dry: %v, %d files are left", dry, got)
		}
	}
	holds(t, l, night.AddDate(0, 1, 0), "december")
}

func TestWhatWasReplacedStaysForThoseWhoReadIt(t *testing.T) {
	t.Parallel()
	l := empty(t)
	publish(t, l, "nightly", night, "22")
	publish(t, l, "nightly", night, "22, mended")
	for _, step := range []struct {
		after time.Duration
		left  int
	}{{0, 1}, {20 * time.Minute, 0}} {
		if err := l.Sweep(time.Now().Add(step.after)); err != nil {
			t.Fatal(err)
		}
		if all, _ := os.ReadDir(l.Warehouse.Replaced()); len(all) != step.left {
			t.Errorf("after %v: %v", step.after, all)
		}
	}
}
