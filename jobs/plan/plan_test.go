package plan

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"backhaul/pipeline"
)

var endpoint = &pipeline.Endpoint{Vendor: "moz", Surface: "v2", Name: "anchor_text", PageSize: 50, UnitsPerRow: 2}

func item(target string, priority int, maxRows int64) Item {
	t := pipeline.Task{Extract: "x", Endpoint: endpoint.String(), Surface: "v2", Target: target, Params: "{}", Priority: priority, MaxRows: maxRows}
	t.ID = pipeline.TaskID(t)
	return Item{Task: t, Endpoint: endpoint, PageSize: 50}
}

func histories(rows map[string]int64) map[string]pipeline.History {
	h := map[string]pipeline.History{}
	for target, n := range rows {
		h[item(target, 0, 0).Task.Request()] = pipeline.History{Rows: n}
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
	p := Make(Each(items), histories(map[string]int64{"short": 10, "long": 500, "first": 1}), map[string]Account{"moz": {PerSecond: 2}})
	if got := orderOf(p); got != "first unknown long short" {
		t.Error(got)
	}
	want := pipeline.Cost{Pages: 1 + 10 + 1 + 1, Rows: 10 + 500 + 50 + 1, Units: 2 * 561}
	if diff := cmp.Diff(want, p.Expected()); diff != "" {
		t.Error(diff)
	}
	if x := p.Extracts[0]; x.Unknown != 1 || p.Vendors[0].Unknown != 1 || x.Worst != nil || p.Vendors[0].Seconds != 6.5 {
		t.Errorf("%+v %+v", x, p.Vendors[0])
	}
}

func TestAShortBudgetTurnsTheOrderRound(t *testing.T) {
	items := []Item{item("long", 0, 0), item("short", 0, 0), item("middle", 0, 0)}
	p := Make(Each(items), histories(map[string]int64{"short": 10, "long": 500, "middle": 60}), map[string]Account{"moz": {Left: units(200)}})
	if got := orderOf(p); got != "short middle long" || !p.Vendors[0].Scarce {
		t.Errorf("%s, scarce: %v", got, p.Vendors[0].Scarce)
	}
}

func TestABatchUnderWayIsExpectedToBringTheInputsItLacks(t *testing.T) {
	own := &pipeline.Endpoint{Vendor: "moz", Name: "url_metrics", Asks: pipeline.AboutTargets, PageSize: 50, UnitsPerRow: 1}
	own.Estimate = func(pipeline.Task, pipeline.Cursor) (int64, pipeline.Units, bool) { return 1, 1, true }
	it := Item{Endpoint: own, PageSize: 50, Task: pipeline.Task{ID: "b", Extract: "x", Inputs: make([]pipeline.Input, 6)}}
	it.Place = pipeline.Place{Pages: 1, Rows: 5, ChainRows: 5, Next: "a cursor of its own"}
	if got, want := Make(Each([]Item{it}), nil, nil).Expected(), (pipeline.Cost{Pages: 1, Rows: 1, Units: 1}); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
}

func TestWhatIsHeldOrSavedIsNotPlanned(t *testing.T) {
	done, half, reused, unchanged := item("done", 0, 0), item("half", 0, 0), item("reused", 0, 0), item("same", 0, 0)
	done.Place = pipeline.Place{Pages: 3, End: true}
	half.Place = pipeline.Place{Pages: 2, ChainRows: 100, Rows: 100}
	reused.Saves, reused.AnswerUnits = Reused, 70
	unchanged.Saves, unchanged.AnswerUnits = Unchanged, 30
	p := Make(Each([]Item{done, half, reused, unchanged}), histories(map[string]int64{"half": 180}), nil)
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
	p := Make(Each([]Item{long}), histories(map[string]int64{"long": 500}), nil)
	if x := p.Extracts[0]; x.Expected.Rows != 120 || x.Worst == nil || x.Worst.Units != 240 {
		t.Errorf("%+v", x)
	}
	// An answer that was cut off at 100 rows tells nothing about the next 20.
	h := map[string]pipeline.History{long.Task.Request(): {Rows: 100, More: true}}
	if p := Make(Each([]Item{long}), h, nil); p.Extracts[0].Unknown != 1 {
		t.Errorf("%+v", p.Extracts[0])
	}
	h[long.Task.Request()] = pipeline.History{Rows: 120, More: true}
	if p := Make(Each([]Item{long}), h, nil); p.Extracts[0].Unknown != 0 || p.Extracts[0].Expected.Rows != 120 {
		t.Errorf("%+v", p.Extracts[0])
	}
}

func TestTheWorstCaseIsInWholePagesWhereTheirSizeIsBound(t *testing.T) {
	steady := *endpoint
	steady.SteadySize = true
	for _, tc := range []struct {
		maxRows int64
		place   pipeline.Place
		want    pipeline.Cost
	}{
		{50, pipeline.Place{}, pipeline.Cost{Pages: 1, Rows: 50, Units: 100}},
		{51, pipeline.Place{}, pipeline.Cost{Pages: 2, Rows: 52, Units: 104}},
		{60, pipeline.Place{}, pipeline.Cost{Pages: 2, Rows: 60, Units: 120}},
		{120, pipeline.Place{}, pipeline.Cost{Pages: 3, Rows: 120, Units: 240}},
		{121, pipeline.Place{}, pipeline.Cost{Pages: 3, Rows: 123, Units: 246}},
		{51, pipeline.Place{Pages: 1, ChainRows: 26, LastRows: 26, Next: "x"}, pipeline.Cost{Pages: 1, Rows: 26, Units: 52}},
		// Raised from 60: the list goes on in pages of 30.
		{110, pipeline.Place{Pages: 2, ChainRows: 60, LastRows: 30, Next: "x"}, pipeline.Cost{Pages: 2, Rows: 60, Units: 120}},
		// A budget cut the first page to 7, which may have to be bought again.
		{60, pipeline.Place{Pages: 1, ChainRows: 7, LastRows: 7, Next: "x"}, pipeline.Cost{Pages: 2, Rows: 60, Units: 120}},
		{99, pipeline.Place{Pages: 7, ChainRows: 49, LastRows: 7, Next: "x"}, pipeline.Cost{Pages: 2, Rows: 100, Units: 200}},
		{200, pipeline.Place{Pages: 3, ChainRows: 107, LastRows: 7, Next: "x"}, pipeline.Cost{Pages: 2, Rows: 100, Units: 200}},
	} {
		it := item("a", 0, tc.maxRows)
		it.Endpoint, it.Place = &steady, tc.place
		if got := Worst(&it); got == nil || *got != tc.want {
			t.Errorf("max_rows %d at %+v: %+v, want %+v", tc.maxRows, tc.place, got, tc.want)
		}
	}
	it := item("a", 0, 51)
	it.Endpoint = &steady
	known := map[string]pipeline.History{it.Task.Request(): {Rows: 52, More: true}}
	if got, want := Make(Each([]Item{it}), known, nil).Expected(), (pipeline.Cost{Pages: 2, Rows: 52, Units: 104}); got != want {
		t.Errorf("expected %+v, want %+v", got, want)
	}
}

func TestAListIsExpectedToCostWhatItsCutsCameToLastTime(t *testing.T) {
	floor := *endpoint
	floor.PageSize, floor.Price = 1000, func(pipeline.Task, pipeline.Ask) (pipeline.Price, error) {
		return pipeline.Price{PerRow: 3, Least: 50}, nil
	}
	it := item("capped", 0, 0)
	it.Endpoint, it.PageSize = &floor, 1000
	known := map[string]pipeline.History{it.Task.Request(): {Rows: 120, Pages: 3, Units: 420}}
	if got, want := Make(Each([]Item{it}), known, nil).Expected(), (pipeline.Cost{Pages: 3, Rows: 120, Units: 420}); got != want {
		t.Errorf("%+v, want %+v: a vendor's cap made pages of it", got, want)
	}
	known[it.Task.Request()] = pipeline.History{Rows: 120, Pages: 3} // all from the vendor's cache
	if got, want := Make(Each([]Item{it}), known, nil).Expected(), (pipeline.Cost{Pages: 3, Rows: 120, Units: 360}); got != want {
		t.Errorf("%+v, want %+v: the cache may have forgotten", got, want)
	}
	under := it
	under.Place = pipeline.Place{Pages: 1, Rows: 100, ChainRows: 100, Next: "x"}
	if got, want := Make(Each([]Item{under}), known, nil).Expected(), (pipeline.Cost{Pages: 1, Rows: 20, Units: 60}); got != want {
		t.Errorf("%+v, want %+v of a list under way", got, want)
	}
}

func TestBatchesAndSingleAnswersArePricedExactly(t *testing.T) {
	batch := &pipeline.Endpoint{Vendor: "moz", Name: "url_metrics", Asks: pipeline.AboutTargets, PageSize: 50}
	batch.Price = func(task pipeline.Task, ask pipeline.Ask) (pipeline.Price, error) {
		part, _, _, err := task.Slice(ask, 50)
		return pipeline.Price{PerInput: 2, MaxRows: len(part)}, err
	}
	inputs := make([]pipeline.Input, 120)
	task := pipeline.Task{ID: "b", Extract: "m", Endpoint: "moz/url_metrics", Inputs: inputs}
	once := &pipeline.Endpoint{Vendor: "moz", Name: "final_redirect", Once: true, PageSize: 1}
	once.Price = func(pipeline.Task, pipeline.Ask) (pipeline.Price, error) {
		return pipeline.Price{PerRequest: 1, MaxRows: 1}, nil
	}
	p := Make(Each([]Item{
		{Task: task, Endpoint: batch, PageSize: 50},
		{Task: pipeline.Task{ID: "o", Extract: "r", Target: "a"}, Endpoint: once, PageSize: 1},
	}), nil, nil)
	if got, want := p.Expected(), (pipeline.Cost{Pages: 3 + 1, Rows: 120 + 1, Units: 240 + 1}); got != want || p.Unknown() != 0 {
		t.Errorf("%+v with %d unknown, want %+v", got, p.Unknown(), want)
	}
	if p.Extracts[0].Inputs != 120 || p.Extracts[0].Worst == nil || *p.Extracts[0].Worst != (pipeline.Cost{Pages: 3, Rows: 120, Units: 240}) {
		t.Errorf("%+v", p.Extracts[0])
	}
	p = Make(Each([]Item{{Task: task, Endpoint: batch, PageSize: 50, Place: pipeline.Place{Pages: 1, Next: "50"}}}), nil, nil)
	if got, want := p.Expected(), (pipeline.Cost{Pages: 2, Rows: 70, Units: 140}); got != want {
		t.Errorf("the rest of a batch: %+v, want %+v", got, want)
	}
}

func TestTheTotalsStayUnderTheCeilings(t *testing.T) {
	capped := item("capped", 0, 500)
	capped.MaxUnits = units(60)
	other := item("other", 0, 0)
	other.Task.Extract = "y"
	known := histories(map[string]int64{"capped": 66, "other": 100})
	p := Make(Each([]Item{capped}), known, nil)
	x, v := p.Extracts[0], p.Vendors[0]
	if x.Needed.Units != 132 || x.Expected != (pipeline.Cost{Pages: 1, Rows: 30, Units: 60}) || x.Worst.Units != 60 {
		t.Errorf("%+v worst %+v", x, x.Worst)
	}
	if v.Needed.Units != 132 || v.Expected.Units != 60 || v.Worst.Units != 60 || p.Needed().Units != 132 {
		t.Errorf("%+v worst %+v", v, v.Worst)
	}
	// A list without a bound is bounded by the budget. The extract's ceiling is not the budget's shortage.
	p = Make(Each([]Item{capped, other}), known, map[string]Account{"moz": {Left: units(300)}})
	if v := p.Vendors[0]; v.Expected.Units != 260 || v.Worst == nil || v.Worst.Units != 300 || v.Scarce {
		t.Errorf("%+v worst %+v", v, v.Worst)
	}
	p = Make(Each([]Item{capped, other}), known, map[string]Account{"moz": {Left: units(0)}})
	if v := p.Vendors[0]; v.Expected.Units != 0 || v.Worst.Units != 0 || !v.Scarce || p.Needed().Units != 332 {
		t.Errorf("%+v worst %+v", v, v.Worst)
	}
}

func TestOnlyWhatAnIndexDecidesIsSaidToDependOnIt(t *testing.T) {
	a, b := item("a", 0, 0), item("b", 0, 0)
	a.IndexDecides = true
	if x := Make(Each([]Item{a, b}), nil, nil).Extracts[0]; x.IfIndexChanged != 1 || x.Expected.Rows != 100 {
		t.Errorf("%+v", x)
	}
}

func TestAnExtractThatWaitsIsExpectedToCostWhatItDidLastTime(t *testing.T) {
	most := int64(40)
	p := Make(Each([]Item{item("a", 0, 10)}), nil, map[string]Account{"moz": {}}, Pending{
		Extract: "next", Endpoint: endpoint, After: []string{"x"}, AtMost: &most, Worst: &pipeline.Cost{Pages: 40, Rows: 40, Units: 80},
		Last: pipeline.Cost{Pages: 12, Rows: 12, Units: 24}, Targets: 12, Known: true,
	})
	if got, want := p.Expected(), (pipeline.Cost{Pages: 1 + 12, Rows: 10 + 12, Units: 20 + 24}); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	if w := p.Vendors[0].Worst; w == nil || w.Units != 20+80 {
		t.Errorf("worst case %+v", w)
	}
}

func TestAListThatTheVendorCountedIsExpectedToHaveSoManyRows(t *testing.T) {
	counted, read, bounded := item("a.example", 0, 0), item("b.example", 0, 0), item("c.example", 0, 60)
	counted.Counted, read.Counted, bounded.Counted = 120, 7, 1000
	p := Make(Each([]Item{counted, read, bounded, item("d.example", 0, 0)}), histories(map[string]int64{"b.example": 30}), nil)
	x := p.Extracts[0]
	if x.Counted != 2 || x.Unknown != 1 || x.Needed.Rows != 120+30+60+50 {
		t.Errorf("%d counted, %d unknown, %d rows", x.Counted, x.Unknown, x.Needed.Rows)
	}
}

func TestABudgetIsShortIfItLacksAUnitAndNotBefore(t *testing.T) {
	for left, scarce := range map[pipeline.Units]bool{199: true, 200: false, 201: false} {
		p := Make(Each([]Item{item("a", 0, 0)}), histories(map[string]int64{"a": 100}), map[string]Account{"moz": {Left: units(left)}})
		if v := p.Vendors[0]; v.Scarce != scarce || v.Expected.Units != min(left, 200) || v.Worst.Units != left {
			t.Errorf("of 200 units %d are left: %+v, worst %+v", left, v, v.Worst)
		}
	}
}

func TestUnderACeilingAPartOfAPageIsARequest(t *testing.T) {
	p := Make(Each([]Item{item("a", 0, 0)}), histories(map[string]int64{"a": 100}), map[string]Account{"moz": {Left: units(110), PerSecond: 1}})
	if v := p.Vendors[0]; v.Expected != (pipeline.Cost{Pages: 2, Rows: 55, Units: 110}) || v.Seconds != 2 {
		t.Errorf("%+v", v)
	}
}

func TestAListOneRowShortOfItsBoundIsNotDone(t *testing.T) {
	it := item("a", 0, 100)
	it.Place = pipeline.Place{Pages: 3, Rows: 99, ChainRows: 99, LastRows: 49, Next: "x"}
	p := Make(Each([]Item{it}), nil, nil)
	if got, want := p.Expected(), (pipeline.Cost{Pages: 1, Rows: 1, Units: 2}); got != want || orderOf(p) != "a" {
		t.Errorf("%+v, want %+v; %q", got, want, orderOf(p))
	}
}

func TestAListThatHasOutgrownItselfIsExpectedToBringAPage(t *testing.T) {
	it := item("a", 0, 0)
	it.Place = pipeline.Place{Pages: 3, Rows: 150, ChainRows: 150, LastRows: 50, Next: "x"}
	p := Make(Each([]Item{it}), histories(map[string]int64{"a": 100}), nil)
	if got, want := p.Expected(), (pipeline.Cost{Pages: 1, Rows: 50, Units: 100}); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
}

func TestAListOfWhichNothingComesIsNotBoughtUnasked(t *testing.T) {
	it := item("a", 0, 0)
	it.Stuck = true
	p := Make(Each([]Item{it, item("b", 0, 0)}), nil, nil)
	if p.Stuck() != 1 || orderOf(p) != "b" || p.Expected().Pages != 1 {
		t.Errorf("%d stuck, work %q, %+v", p.Stuck(), orderOf(p), p.Expected())
	}
}
