package load

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/google/go-cmp/cmp"

	"backhaul/pipeline"
	"backhaul/sinks"
)

// full is a sheet that takes so many rows.
type full struct {
	*sheet
	most int
}

var errFull = errors.New("no space left")

func (f full) Write(b arrow.RecordBatch) error {
	if len(f.rows)+int(b.NumRows()) > f.most {
		return errFull
	}
	return f.sheet.Write(b)
}

// many loads lists of one page each, by target, into a table.
func many(t *testing.T, to sinks.Writer, lists []string) (*Loaded, error) {
	t.Helper()
	tasks, pages := make([]pipeline.Task, len(lists)), map[string][]pipeline.Page{}
	for i, body := range lists {
		tasks[i] = pipeline.Task{ID: fmt.Sprint("t", i), Extract: "x", Endpoint: "moz/anchor_text", Surface: "v2", Target: fmt.Sprintf("%03d.example", i)}
		pages[tasks[i].ID] = []pipeline.Page{{Rows: len(strings.Fields(body)), Body: []byte(body), FetchedAt: time.Now(), End: true}}
	}
	return from(t, tasks, pages, to, nil)
}

// listsOf are lists of some parts: mostly of 300 rows, one of them larger than a part.
func listsOf() (lists, want []string) {
	for i := range 400 {
		rows := 300
		if i == 100 {
			rows = 3 * partRows
		}
		var body strings.Builder
		for n := range rows {
			fmt.Fprintf(&body, "%d.%d ", i, n)
			want = append(want, fmt.Sprintf("%d %d.%d", n+1, i, n))
		}
		lists = append(lists, body.String())
	}
	return lists, want
}

func TestListsThatAreReadAtOnceAreWrittenInTheirOrder(t *testing.T) {
	t.Parallel()
	lists, want := listsOf()
	lists[7], lists[300] = lists[7]+"!a", lists[300]+"!b !c"
	out := &sheet{}
	l, err := many(t, out, lists)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, out.rows); diff != "" {
		t.Errorf("%.2000s", diff)
	}
	if l.Rows["t100"] != 3*partRows || l.Rows["t399"] != 300 || len(l.Rows) != len(lists) {
		t.Errorf("%d and %d rows of %d lists told", l.Rows["t100"], l.Rows["t399"], len(l.Rows))
	}
	var rejected []string
	for _, one := range l.Rejected {
		rejected = append(rejected, string(one.JSON))
	}
	if diff := cmp.Diff([]string{"!a", "!b", "!c"}, rejected); diff != "" || l.RejectedRows != 3 {
		t.Errorf("%s; %d rejected", diff, l.RejectedRows)
	}
	for _, a := range l.Answers {
		if a.Rows != int64(len(want)) {
			t.Errorf("%d rows of an answer, want %d", a.Rows, len(want))
		}
	}
}

func TestTheFirstFaultOfListsThatAreReadAtOnceIsTold(t *testing.T) {
	t.Parallel()
	lists, _ := listsOf()
	lists[150], lists[390] = "?", "?"
	out := &sheet{}
	if _, err := many(t, out, lists); err == nil || !strings.Contains(err.Error(), "150.example") || out.rows != nil {
		t.Errorf("%v, %d rows", err, len(out.rows))
	}
	lists[150] = ""
	if _, err := many(t, full{&sheet{}, 4 * partRows}, lists); !errors.Is(err, errFull) {
		t.Error(err)
	}
}
