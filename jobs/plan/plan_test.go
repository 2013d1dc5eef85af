package plan

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"backhaul/pipeline"
	"backhaul/pipeline/journal"
)

var endpoint = &pipeline.Endpoint{Vendor: "moz", Surface: "v2", Name: "anchor_text", PageSize: 50, UnitsPerRow: 2}

func item(target string, priority int, maxRows int64) Item {
	t := pipeline.Task{Extract: "x", Endpoint: endpoint.String(), Surface: "v2", Target: target, Params: "{}", Priority: priority, MaxRows: maxRows}
	t.ID = pipeline.TaskID(t)
	return Item{Task: t, Endpoint: endpoint, PageSize: 50}
}

func histories(rows map[string]int64) map[string]History {
	h := map[string]History{}
	for target, n := range rows {
		h[item(target, 0, 0).Task.Request()] = History{Rows: n}
	}
	return h
}

func orderOf(p *Plan) string {
	var names []string
	for _, it := range p.Work["moz"] {
		names = append(names, it.Task.Target)
	}
	return strings.Join(names, " ")
}

func units(n pipeline.Units) *pipeline.Units { return &n }

func TestTheLongestListsComeFirstAndUnknownOnesBeforeThem(t *testing.T) {
	items := []Item{item("short", 0, 0), item("long", 0, 0), item("unknown", 0, 0), item("first", 9, 0)}
	p := Make(items, histories(map[string]int64{"short": 10, "long": 500, "first": 1}), map[string]Account{"moz": {PerSecond: 2}})
	if got := orderOf(p); got != "first unknown long short" {
		t.Error(got)
	}
	want := Cost{Pages: 1 + 10 + 1 + 1, Rows: 10 + 500 + 50 + 1, Units: 2 * 561}
	if diff := cmp.Diff(want, p.Expected()); diff != "" {
		t.Error(diff)
	}
	if x := p.Extracts[0]; x.Unknown != 1 || x.Worst != nil || p.Vendors[0].Seconds != 6.5 {
		t.Errorf("%+v %+v", x, p.Vendors[0])
	}
}

func TestAShortBudgetTurnsTheOrderRound(t *testing.T) {
	items := []Item{item("long", 0, 0), item("short", 0, 0), item("middle", 0, 0)}
	p := Make(items, histories(map[string]int64{"short": 10, "long": 500, "middle": 60}), map[string]Account{"moz": {Left: units(200)}})
	if got := orderOf(p); got != "short middle long" || !p.Vendors[0].Scarce {
		t.Errorf("%s, scarce: %v", got, p.Vendors[0].Scarce)
	}
}

func TestWhatIsHeldOrSavedIsNotPlanned(t *testing.T) {
	done, half, reused, unchanged := item("done", 0, 0), item("half", 0, 0), item("reused", 0, 0), item("same", 0, 0)
	done.Place = journal.Place{Pages: 3, End: true}
	half.Place = journal.Place{Pages: 2, ChainRows: 100, Rows: 100}
	reused.Saves, reused.AnswerUnits = Reused, 70
	unchanged.Saves, unchanged.AnswerUnits = Unchanged, 30
	p := Make([]Item{done, half, reused, unchanged}, histories(map[string]int64{"half": 180}), nil)
	if got := orderOf(p); got != "half" {
		t.Error(got)
	}
	x := p.Extracts[0]
	if got := fmt.Sprint(x.Targets, x.Done, x.Reused, x.Unchanged, x.Saved, x.Expected); got != "4 1 1 1 100 {2 80 160}" {
		t.Error(got)
	}
}

func TestMaxRowsBoundsWhatIsExpectedAndTheWorstCase(t *testing.T) {
	long := item("long", 0, 120)
	p := Make([]Item{long}, histories(map[string]int64{"long": 500}), nil)
	if x := p.Extracts[0]; x.Expected.Rows != 120 || x.Worst == nil || x.Worst.Units != 240 {
		t.Errorf("%+v", x)
	}
	// An answer that was cut off at 100 rows tells nothing about the next 20.
	h := map[string]History{long.Task.Request(): {Rows: 100, More: true}}
	if p := Make([]Item{long}, h, nil); p.Extracts[0].Unknown != 1 {
		t.Errorf("%+v", p.Extracts[0])
	}
	h[long.Task.Request()] = History{Rows: 120, More: true}
	if p := Make([]Item{long}, h, nil); p.Extracts[0].Unknown != 0 || p.Extracts[0].Expected.Rows != 120 {
		t.Errorf("%+v", p.Extracts[0])
	}
}
