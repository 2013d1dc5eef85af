package duckdb

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/gofrs/flock"
)

func TestWhatKilledProcessesLeftIsSweptAndNothingElse(t *testing.T) {
	t.Parallel()
	temp, now := t.TempDir(), time.Now()
	for name, age := range map[string]time.Duration{"backhaul-duckdb-dead": 0, "backhaul-duckdb-alive": 0, "backhaul-duckdb-new": 0, "backhaul-duckdb-old": unlocked + time.Minute, "others": 1000 * time.Hour} {
		dir := filepath.Join(temp, name)
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		if name == "backhaul-duckdb-dead" {
			if err := os.WriteFile(filepath.Join(dir, scratchLock), nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if err := os.Chtimes(dir, now.Add(-age), now.Add(-age)); err != nil {
			t.Fatal(err)
		}
	}
	lock := flock.New(filepath.Join(temp, "backhaul-duckdb-alive", scratchLock))
	if held, err := lock.TryLock(); err != nil || !held {
		t.Fatal(held, err)
	}
	defer lock.Close()
	sweepScratch(temp, now)
	entries, err := os.ReadDir(temp)
	if err != nil {
		t.Fatal(err)
	}
	var left []string
	for _, e := range entries {
		left = append(left, e.Name())
	}
	if want := []string{"backhaul-duckdb-alive", "backhaul-duckdb-new", "others"}; !slices.Equal(left, want) {
		t.Errorf("%v is left, want %v", left, want)
	}
}

func TestASessionLeavesNothing(t *testing.T) {
	t.Parallel()
	s, err := openSession(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	sweepScratch(os.TempDir(), time.Now())
	if _, err := os.Stat(s.dir); err != nil {
		t.Errorf("what is in use is swept: %v", err)
	}
	if err := s.close(); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(s.dir); err == nil {
		t.Errorf("%s is left", s.dir)
	}
}
