package lake

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"backhaul/schemas"
	"backhaul/sinks"
)

// shelf is an origin in memory.
type shelf struct {
	mu      sync.Mutex
	state   int
	files   []Object
	content map[string][]byte
	listed  int          // how often its files were listed
	before  func() error // called ahead of every commit
	after   error        // what commits end with that were made
	notes   []Note
}

func (s *shelf) State(_ context.Context, _ *schemas.Table, known string) (string, []Object, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if id := s.id(); id != known {
		s.listed++
		return id, slices.Clone(s.files), nil
	}
	return known, nil, nil
}

func (s *shelf) id() string {
	if s.state == 0 {
		return ""
	}
	return fmt.Sprint(s.state)
}

func (s *shelf) Fetch(_ context.Context, o Object, to io.Writer) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, err := to.Write(s.content[o.Place])
	return err
}

func (s *shelf) Commit(_ context.Context, _ *schemas.Table, from State, c Commit) (State, error) {
	if s.before != nil {
		if err := s.before(); err != nil {
			return State{}, err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if from.ID != s.id() {
		return State{}, ErrMoved
	}
	s.state++
	s.notes = append(s.notes, c.Note)
	s.files = slices.DeleteFunc(s.files, func(o Object) bool { return slices.Contains(c.Remove, o) })
	for name, path := range c.Add {
		text, err := os.ReadFile(path)
		if err != nil {
			return State{}, err
		}
		o := Object{Name: name, Bytes: int64(len(text)), Place: fmt.Sprintf("%d/%s", s.state, name)}
		s.content[o.Place], s.files = text, append(s.files, o)
	}
	return State{ID: s.id(), Files: slices.Clone(s.files)}, s.after
}

func newShelf() *shelf { return &shelf{content: map[string][]byte{}} }

// copyOf is a lake that is a copy of what is on a shelf.
func copyOf(t *testing.T, s Origin) Lake {
	l := empty(t)
	l.Origin = s
	return l
}

func pulled(t *testing.T, l Lake, date time.Time) []string {
	t.Helper()
	if _, err := l.Pull(t.Context(), table); err != nil {
		t.Fatal(err)
	}
	return contents(t, l, date)
}

func TestACopyHasWhatAnyHostHasPublished(t *testing.T) {
	t.Parallel()
	s := newShelf()
	east, west := copyOf(t, s), copyOf(t, s)
	publish(t, east, "nightly", night, "22")
	publish(t, west, "nightly", night.AddDate(0, 0, 1), "23")
	publish(t, west, "nightly", night, "22, mended")
	publish(t, east, "weekly", night.AddDate(0, 1, 0), "december")
	if _, err := east.Remove(t.Context(), table, "nightly", night.AddDate(0, 0, 1)); err != nil {
		t.Fatal(err)
	}
	if _, err := west.Expire(t.Context(), table, night.AddDate(0, 1, 0), false); err != nil {
		t.Fatal(err)
	}
	for name, l := range map[string]Lake{"east": east, "west": west, "new": copyOf(t, s)} {
		if diff := cmp.Diff([]string{"22, mended"}, pulled(t, l, night)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
		if months, err := l.Months(table); err != nil || len(months) != 1 {
			t.Errorf("%s: %v, %v", name, months, err)
		}
	}
	var did []string
	for _, n := range s.notes {
		did = append(did, strings.TrimSpace(n.Did+" "+n.Job))
	}
	if diff := cmp.Diff([]string{"publish nightly", "publish nightly", "publish nightly", "publish weekly", "forget nightly", "expire"}, did); diff != "" {
		t.Error(diff)
	}
}

// Whoever comes second has what the first has left, and starts over on it.
func TestAHostThatWasTooSlowBeginsAnew(t *testing.T) {
	t.Parallel()
	s := newShelf()
	slow, quick := copyOf(t, s), copyOf(t, s)
	tries := 0
	s.before = func() error {
		if tries++; tries == 1 {
			publish(t, quick, "nightly", night, "of the quick")
			publish(t, quick, "weekly", night, "weekly")
		}
		return nil
	}
	publish(t, slow, "nightly", night, "of the slow")
	holds(t, slow, night, "of the slow", "weekly")
	if diff := cmp.Diff([]string{"of the slow", "weekly"}, pulled(t, copyOf(t, s), night)); diff != "" {
		t.Error(diff)
	}
	s.before = func() error { return ErrMoved }
	if _, err := slow.Publish(t.Context(), table, "nightly", night, stage(t, "never")); !errors.Is(err, ErrMoved) {
		t.Error(err)
	}
	holds(t, slow, night, "of the slow", "weekly")
}

func TestACopyNeverHasWhatWasNotCommittedAndComesToWhatWas(t *testing.T) {
	t.Parallel()
	cut := errors.New("cut short")
	s := newShelf()
	l := copyOf(t, s)
	publish(t, l, "nightly", night, "22")
	s.before = func() error { return cut }
	if _, err := l.Publish(t.Context(), table, "nightly", night, stage(t, "not committed")); !errors.Is(err, cut) {
		t.Error(err)
	}
	holds(t, l, night, "22")
	s.before, s.after = nil, cut
	if _, err := l.Publish(t.Context(), table, "nightly", night, stage(t, "committed")); !errors.Is(err, cut) {
		t.Error(err)
	}
	holds(t, l, night, "22")
	s.after = nil
	if diff := cmp.Diff([]string{"committed"}, pulled(t, l, night)); diff != "" {
		t.Error(diff)
	}
	publish(t, l, "nightly", night, "committed") // the same run again
	if s.state != 2 {
		t.Errorf("what is there was committed again: %d commits", s.state)
	}
}

func TestACopyIsComparedEachTimeAndListedOnce(t *testing.T) {
	t.Parallel()
	s := newShelf()
	publish(t, copyOf(t, s), "nightly", night, "22")
	l := copyOf(t, s)
	pulled(t, l, night)
	listed := s.listed
	files, err := l.Month(table, night)
	if err != nil || len(files) != 1 {
		t.Fatalf("%v, %v", files, err)
	}
	for what, spoil := range map[string]func() error{
		"gone":    func() error { return os.Remove(files[0].Path) },
		"cut off": func() error { return os.WriteFile(files[0].Path, []byte("2"), 0o644) },
		"more": func() error {
			return os.WriteFile(filepath.Join(filepath.Dir(files[0].Path), "other.2026-11-22.0123456789abcdef.parquet"), nil, 0o644)
		},
	} {
		if err := spoil(); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{"22"}, pulled(t, l, night)); diff != "" {
			t.Errorf("%s: %s", what, diff)
		}
	}
	if s.listed != listed {
		t.Errorf("listed %d times more", s.listed-listed)
	}
}

func TestWhatIsNotAsItsNameSaysIsRefused(t *testing.T) {
	t.Parallel()
	s := newShelf()
	publish(t, copyOf(t, s), "nightly", night, "22")
	place := s.files[0].Place
	for _, text := range []string{"23", "2", ""} {
		s.content[place] = []byte(text)
		l := copyOf(t, s)
		if _, err := l.Pull(t.Context(), table); !errors.Is(err, sinks.ErrDamaged) || !strings.Contains(err.Error(), place) {
			t.Errorf("%q: %v", text, err)
		}
		holds(t, l, night)
	}
	s.files = append(s.files, Object{Name: "00000-0-somebody.parquet", Place: "9/00000-0-somebody.parquet"})
	if _, err := copyOf(t, s).Pull(t.Context(), table); err == nil || !strings.Contains(err.Error(), "9/00000-0-somebody.parquet") {
		t.Error(err)
	}
}
