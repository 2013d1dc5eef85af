package load

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/google/go-cmp/cmp"

	"backhaul/pipeline"
	"backhaul/pipeline/journal"
	"backhaul/schemas"
	"backhaul/sinks"
)

var table = schemas.Lookup("moz.anchor_text")

// words is a source whose pages hold an anchor text a word; ! before it makes a row that does not fit, and a page of ? cannot
// be read.
type words struct{ pipeline.Source }

func (words) Endpoint() *pipeline.Endpoint {
	return &pipeline.Endpoint{Vendor: "moz", Surface: "v2", Name: "anchor_text", Table: table}
}

func (words) Decode(p pipeline.Page, b *schemas.Builder) error {
	if string(p.Body) == "?" {
		return errors.New("no JSON")
	}
	for i, word := range strings.Fields(string(p.Body)) {
		if strings.HasPrefix(word, "!") {
			b.Reject(i, []byte(word), &schemas.FieldError{Field: "anchor_text", Problem: "want a string"})
			continue
		}
		row := b.Row()
		row.SetString(0, word)
		row.SetInt(1, 1)
		row.SetInt(2, 1)
		b.Append()
	}
	return nil
}

// sheet keeps of every row its text and its rank.
type sheet struct{ rows []string }

func (s *sheet) Write(b arrow.RecordBatch) error {
	for i := range int(b.NumRows()) {
		s.rows = append(s.rows, b.Column(table.Index("rank")).ValueStr(i)+" "+b.Column(0).ValueStr(i))
	}
	return nil
}
func (s *sheet) Close() (sinks.Staged, error) { return sinks.Staged{Rows: int64(len(s.rows))}, nil }
func (s *sheet) Abort() error                 { s.rows = nil; return nil }

// loaded is what comes of a task with these pages, each the chain it is of and its words.
func loaded(t *testing.T, maxRows int64, pages ...string) (rows []string, l *Loaded, err error) {
	t.Helper()
	return observed(t, nil, maxRows, pages...)
}

// observed is loaded, but that somebody is told how far it has come.
func observed(t *testing.T, observe func(Progress), maxRows int64, pages ...string) (rows []string, l *Loaded, err error) {
	t.Helper()
	task := pipeline.Task{ID: "a", Extract: "x", Endpoint: "moz/anchor_text", Surface: "v2", Target: "a.example", MaxRows: maxRows}
	var bought []pipeline.Page
	for seq, text := range pages {
		chain, body, _ := strings.Cut(text, ":")
		p := pipeline.Page{Seq: seq, Rows: len(strings.Fields(body)), Body: []byte(body), FetchedAt: time.Now(), Cursor: pipeline.Cursor(fmt.Sprint(seq)), Next: "x"}
		if chain == "1" {
			p.Chain = 1
		}
		bought = append(bought, p)
	}
	out := &sheet{}
	l, err = from(t, []pipeline.Task{task}, map[string][]pipeline.Page{"a": bought}, out, observe)
	return out.rows, l, err
}

// from loads tasks out of a journal with these pages of each, by its id.
func from(t *testing.T, tasks []pipeline.Task, pages map[string][]pipeline.Page, to sinks.Writer, observe func(Progress)) (*Loaded, error) {
	t.Helper()
	ctx := t.Context()
	j, err := journal.Open(ctx, filepath.Join(t.TempDir(), "j.sqlite"), journal.Header{RunID: "r1", Job: "nightly", RunDate: "2026-11-23", Created: time.Now()})
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	if err := j.AddTasks(ctx, tasks); err != nil {
		t.Fatal(err)
	}
	for id, all := range pages {
		for _, p := range all {
			if err := j.Append(ctx, id, p); err != nil {
				t.Fatal(err)
			}
		}
	}
	places, err := j.Places(ctx)
	if err != nil {
		t.Fatal(err)
	}
	return All(ctx, Config{Journal: j, RunDate: time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC), Places: places, Observe: observe,
		Sources: func(pipeline.Task) (pipeline.Source, error) { return words{}, nil },
		Create:  func(*schemas.Table) (sinks.Writer, error) { return to, nil }}, tasks)
}

func TestAListIsLoadedInItsOrderEachRowOnce(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		maxRows int64
		pages   []string
		want    []string
	}{
		"ranks go on from page to page":       {0, []string{"0:a b", "0:", "0:c"}, []string{"1 a", "2 b", "3 c"}},
		"equal rows of one chain stay":        {0, []string{"0:a b", "0:b c"}, []string{"1 a", "2 b", "3 b", "4 c"}},
		"no row more than max_rows":           {3, []string{"0:a b", "0:c d"}, []string{"1 a", "2 b", "3 c"}},
		"the latest chain first":              {0, []string{"0:a b", "0:c", "1:z a"}, []string{"1 z", "2 a", "3 b", "4 c"}},
		"an earlier chain fills up":           {4, []string{"0:a b", "0:c d", "1:z a"}, []string{"1 z", "2 a", "3 b", "4 c"}},
		"what does not fit has no rank":       {0, []string{"0:a !b c"}, []string{"1 a", "2 c"}},
		"what does not fit is no row to fill": {2, []string{"0:a !b c", "0:d"}, []string{"1 a", "2 c"}},
	} {
		rows, l, err := loaded(t, test.maxRows, test.pages...)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if diff := cmp.Diff(test.want, rows); diff != "" || l.Rows["a"] != int64(len(test.want)) {
			t.Errorf("%s: %s; %d rows told", name, diff, l.Rows["a"])
		}
	}
}

func TestRowsThatDoNotFitAreCountedOnceAndKept(t *testing.T) {
	t.Parallel()
	_, l, err := loaded(t, 0, "0:a !b !c", "1:a !b !d")
	if err != nil {
		t.Fatal(err)
	}
	m := l.Misfits[Misfit{"a", "moz.anchor_text", "anchor_text"}]
	if l.RejectedRows != 3 || len(l.Rejected) != 3 || m == nil || m.Rows != 3 || l.Waste["a"] != 2 {
		t.Errorf("%d rejected, %+v, %+v, %d bought again", l.RejectedRows, l.Rejected, m, l.Waste["a"])
	}
}

func TestAPageThatCannotBeReadLeavesNoTable(t *testing.T) {
	t.Parallel()
	rows, l, err := loaded(t, 0, "0:a b", "0:?")
	if err == nil || rows != nil || len(l.Files) != 0 {
		t.Errorf("%v, %+v, %v", rows, l.Files, err)
	}
}

func TestWhoLooksOnIsToldOfEveryPageThatIsLoaded(t *testing.T) {
	t.Parallel()
	var told []Progress
	if _, _, err := observed(t, func(p Progress) { told = append(told, p) }, 0, "0:a b", "0:c", "1:z a"); err != nil {
		t.Fatal(err)
	}
	want := []Progress{{"moz.anchor_text", 1, 3}, {"moz.anchor_text", 2, 3}, {"moz.anchor_text", 3, 3}}
	if diff := cmp.Diff(want, told); diff != "" {
		t.Error(diff)
	}
}
