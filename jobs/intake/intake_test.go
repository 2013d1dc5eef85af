package intake

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"backhaul/jobs/archive"
	"backhaul/pipeline"
)

// shelf is an archive in memory: by file its replies, each "date target rows", or "bad".
type shelf map[string][]string

func (s shelf) pages(path string) iter.Seq2[archive.Page, error] {
	return func(yield func(archive.Page, error) bool) {
		for i, text := range s[path] {
			p, err := reply(path, i+1, text)
			if !yield(p, err) {
				return
			}
		}
	}
}

func reply(path string, line int, text string) (archive.Page, error) {
	var date, target string
	var rows int
	if _, err := fmt.Sscan(text, &date, &target, &rows); err != nil {
		return archive.Page{}, &archive.Problem{File: path, Line: line, Text: "bad"}
	}
	day, err := time.Parse(time.DateOnly, date)
	return archive.Page{File: path, Date: day, Task: pipeline.Task{ID: target, Target: target}, Page: pipeline.Page{Body: []byte(text), Rows: rows}}, err
}

// again yields the same, but for the rows.
func (s shelf) again(path string) iter.Seq2[archive.Page, error] {
	return func(yield func(archive.Page, error) bool) {
		for p, err := range s.pages(path) {
			p.Page.Rows = 0
			if !yield(p, err) {
				return
			}
		}
	}
}

func (s shelf) archive(files ...string) Archive {
	return Archive{Files: files, Pages: s.pages, Again: s.again}
}

// journal keeps what it is given.
type journal map[string][]pipeline.Page

func (j journal) Pages(_ context.Context, id string) iter.Seq2[pipeline.Page, error] {
	return func(yield func(pipeline.Page, error) bool) {
		for _, p := range j[id] {
			if !yield(p, nil) {
				return
			}
		}
	}
}

func (j journal) Take(_ context.Context, id, _ string, pages iter.Seq2[pipeline.Page, error]) error {
	for p, err := range pages {
		if err != nil {
			return err
		}
		j[id] = append(j[id], p)
	}
	return nil
}

func (j journal) places() map[string]pipeline.Place {
	places := map[string]pipeline.Place{}
	for id, pages := range j {
		p := pipeline.Place{Pages: len(pages)}
		for _, page := range pages {
			p.Rows += int64(page.Rows)
		}
		places[id] = p
	}
	return places
}

// spelt is every page of the journal: its task, number and rows, where it was asked, and whether the list ends.
func (j journal) spelt() (all []string) {
	for id, pages := range j {
		for _, p := range pages {
			text := fmt.Sprintf("%s %d: %d@%s", id, p.Seq, p.Rows, p.Cursor)
			if p.End {
				text += " end"
			}
			all = append(all, text)
		}
	}
	slices.Sort(all)
	return all
}

func TestRepliesAreEnteredOnceAndInTheirOrder(t *testing.T) {
	t.Parallel()
	s := shelf{"a": {"2024-01-31 x 50", "2024-02-29 x 1", "2024-01-31 y 5", "2024-01-31 x 49", "2024-01-31 x 50"}, "b": {"2024-01-31 x 7"}}
	j := journal{}
	for _, step := range []struct {
		files []string
		want  Entered
		pages []string
	}{
		{[]string{"a"}, Entered{Pages: 3, Rows: 104}, []string{"x 0: 50@", "x 1: 49@imported:50 end", "y 0: 5@ end"}},
		{[]string{"a"}, Entered{Known: 3}, []string{"x 0: 50@", "x 1: 49@imported:50 end", "y 0: 5@ end"}},
		{[]string{"a", "b"}, Entered{Pages: 1, Known: 3, Rows: 7}, []string{"x 0: 50@", "x 1: 49@imported:50 end", "x 2: 7@imported:99 end", "y 0: 5@ end"}},
	} {
		days, err := s.archive(step.files...).Survey(t.Context())
		if err != nil || days[0].Date.Format(time.DateOnly) != "2024-01-31" || len(days) != 2 {
			t.Fatalf("%+v, %v", days, err)
		}
		got, err := days[0].Enter(t.Context(), j, j.places())
		if err != nil || got != step.want {
			t.Errorf("%v: %+v, want %+v; %v", step.files, got, step.want, err)
		}
		if diff := cmp.Diff(step.pages, j.spelt()); diff != "" {
			t.Errorf("%v: %s", step.files, diff)
		}
	}
}

func TestProblemsAreCollectedUpToAHundred(t *testing.T) {
	t.Parallel()
	s := shelf{"few": {"bad", "2024-01-31 x 20", "bad"}, "many": slices.Repeat([]string{"bad"}, 1000), "none": nil}
	for file, want := range map[string]int{"few": 2, "many": mostProblems} {
		var failed *Error
		if _, err := s.archive(file).Survey(t.Context()); !errors.As(err, &failed) || len(failed.Problems) != want || failed.More != (file == "many") {
			t.Errorf("%s: %v", file, err)
		}
	}
	if _, err := s.archive("none").Survey(t.Context()); err == nil || !strings.Contains(err.Error(), "no reply") {
		t.Errorf("nothing: %v", err)
	}
}

func TestFilesThatChangeMeanwhileAreTold(t *testing.T) {
	t.Parallel()
	s := shelf{"a": {"2024-01-31 x 50", "2024-01-31 x 49"}}
	days, err := s.archive("a").Survey(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	s["a"] = s["a"][:1]
	j := journal{}
	if _, err := days[0].Enter(t.Context(), j, nil); err == nil || !strings.Contains(err.Error(), "task x: 1 of its replies are gone") {
		t.Errorf("%v", err)
	}
}
