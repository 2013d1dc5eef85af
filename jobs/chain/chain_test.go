package chain

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"backhaul/jobs/ledger"
	"backhaul/jobs/plan"
	"backhaul/pipeline"
	"backhaul/pipeline/journal"
	"backhaul/schemas"
)

// memory keeps resolutions.
type memory struct {
	tasks    []pipeline.Task
	resolved map[string]journal.Resolution
}

func (m *memory) Tasks(context.Context) ([]pipeline.Task, error) { return m.tasks, nil }

func (m *memory) Resolution(_ context.Context, extract string) (r journal.Resolution, ok bool, err error) {
	r, ok = m.resolved[extract]
	return r, ok, nil
}

func (m *memory) Resolve(_ context.Context, extract string, r journal.Resolution) error {
	m.resolved[extract] = r
	m.tasks = append(m.tasks, r.Tasks...)
	return nil
}

var (
	list = &pipeline.Endpoint{Vendor: "moz", Name: "anchor_text", Surface: "v2", Table: schemas.Lookup("moz.anchor_text"), PageSize: 50}
	once = &pipeline.Endpoint{Vendor: "moz", Name: "url_metrics", Surface: "v2", Table: schemas.Lookup("moz.url_metrics"), PageSize: 50, Once: true}
)

func taskOf(e *pipeline.Endpoint, extract, target string) pipeline.Task {
	return pipeline.Task{ID: extract + "/" + target, Extract: extract, Endpoint: e.String(), Surface: e.Surface, Target: target}
}

// asks is a step that makes a task of every target its query yields.
func asks(extract, query string, after ...string) Step {
	return Step{Extract: extract, Endpoint: list, After: after, Before: after, Query: query, Digest: query,
		Make: func(_ []string, rows [][]*string, held []pipeline.Task) (tasks []pipeline.Task, notes []string, err error) {
			for _, row := range rows {
				if *row[0] == "bad" {
					notes = append(notes, "one row is bad")
					continue
				}
				tasks = append(tasks, taskOf(list, extract, *row[0]))
			}
			for _, t := range held {
				if !slices.ContainsFunc(tasks, func(made pipeline.Task) bool { return made.ID == t.ID }) {
					tasks = append(tasks, t)
				}
			}
			return tasks, notes, nil
		},
		Item: func(t pipeline.Task) plan.Item { return plan.Item{Task: t, Endpoint: list, PageSize: 50} },
	}
}

// catalog answers queries, which are targets or "broken", and counts them.
type catalog struct {
	asked  []string
	unfit  int64
	loaded int
}

func (c *catalog) ask(_ context.Context, query string, relations []Relation) ([]string, [][]*string, error) {
	text := query
	for _, r := range relations {
		text += " from " + r.Name
	}
	c.asked = append(c.asked, text)
	if query == "broken" {
		return nil, nil, errors.New("no such column")
	}
	var rows [][]*string
	for target := range strings.FieldsSeq(query) {
		rows = append(rows, []*string{&target})
	}
	return []string{"target"}, rows, nil
}

func (c *catalog) load(_ context.Context, t *schemas.Table, tasks []pipeline.Task) (string, int64, error) {
	c.loaded++
	return fmt.Sprint(t.FullName(), len(tasks)), c.unfit, nil
}

// made returns a chain over extract "first", of one task of each endpoint, and the steps; and what it is told: all of that bought.
func made(c *catalog, change func(*Config), steps ...Step) (*Chain, Past, []ledger.Task) {
	first, other := taskOf(list, "first", "a.example"), taskOf(once, "single", "a.example")
	cfg := Config{Items: []plan.Item{{Task: first, Endpoint: list}, {Task: other, Endpoint: once}}, Steps: steps, Ask: c.ask, Load: c.load,
		Select: func(string) bool { return true },
		LastTime: func(context.Context, string) (pipeline.Cost, int, bool, error) {
			return pipeline.Cost{Units: 7}, 1, true, nil
		}}
	if change != nil {
		change(&cfg)
	}
	past := Past{Memory: &memory{resolved: map[string]journal.Resolution{}}, Places: map[string]pipeline.Place{first.ID: {Pages: 1, End: true}}}
	return New(cfg), past, []ledger.Task{{Task: first, Ending: pipeline.EndOfList}, {Task: other, Ending: pipeline.EndOfList}}
}

// begun asks whose turn it is.
func begun(t *testing.T, c *Chain, past Past, tasks []ledger.Task, want ...string) {
	t.Helper()
	got, err := c.Next(t.Context(), past, tasks)
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("%v begin, want %v; %v", got, want, err)
	}
}

func ids(tasks []pipeline.Task) (all []string) {
	for _, t := range tasks {
		all = append(all, t.ID)
	}
	return all
}

func TestAStepBeginsWhenWhatItWaitsForIsOver(t *testing.T) {
	t.Parallel()
	cat := &catalog{}
	again := func(cfg *Config) { cfg.Again = true } // lists that are not whole hold nothing up
	c, past, tasks := made(cat, again, asks("second", "x.example bad", "first"), asks("third", "y.example", "second"))
	for _, ending := range []pipeline.Ending{pipeline.EndInterrupted, pipeline.EndFault} { // it failed in an earlier execution, and may be tried now
		tasks[0].Ending = ending
		begun(t, c, past, tasks)
	}
	tasks[0].Ending = pipeline.EndOfList
	begun(t, c, past, tasks, "second")
	tasks = append(tasks, ledger.Task{Task: taskOf(list, "second", "x.example"), Ending: pipeline.EndNotReached})
	begun(t, c, past, tasks)
	if diff := cmp.Diff([]string{"first/a.example", "single/a.example", "second/x.example"}, ids(c.Tasks())); diff != "" {
		t.Error(diff)
	}
	tasks[2].Ending = pipeline.EndOfList
	begun(t, c, past, tasks, "third")
	if len(c.Waiting()) > 0 {
		t.Errorf("%v wait", c.Waiting())
	}
	if diff := cmp.Diff([]string{"x.example bad from first", "y.example from second"}, cat.asked); diff != "" {
		t.Error(diff)
	}
	left, err := c.Leave(t.Context(), past)
	if err != nil || len(left.Records) > 0 || !slices.Equal(left.Notes, []string{"one row is bad"}) {
		t.Errorf("%+v, %v", left, err)
	}
}

func TestTasksThatCameOfAWholeAnswerAreKept(t *testing.T) {
	t.Parallel()
	cat := &catalog{}
	c, past, tasks := made(cat, nil, asks("second", "x.example", "first"))
	begun(t, c, past, tasks, "second")
	again, _, _ := made(cat, nil, asks("second", "x.example", "first"))
	begun(t, again, past, tasks, "second")
	if len(cat.asked) != 1 || len(again.Tasks()) != 3 {
		t.Errorf("asked %d times, %v", len(cat.asked), ids(again.Tasks()))
	}
	other, _, _ := made(cat, nil, asks("second", "z.example", "first")) // another question
	begun(t, other, past, tasks, "second")
	if diff := cmp.Diff([]string{"first/a.example", "single/a.example", "second/z.example"}, ids(other.Tasks())); len(cat.asked) != 2 || diff != "" {
		t.Errorf("asked %d times, %s", len(cat.asked), diff)
	}
}

func TestAQueryIsAskedAgainIfWhatItSeesHasChangedAndWhatWasBoughtStays(t *testing.T) {
	t.Parallel()
	cat := &catalog{}
	lists := func(digest string) func(*Config) {
		return func(cfg *Config) { cfg.Lists = []List{{Name: "user.partners", Digest: digest}} }
	}
	step := asks("second", "user.partners x.example", "first")
	c, past, tasks := made(cat, lists("before"), step)
	begun(t, c, past, tasks, "second")
	step.Make = func(_ []string, _ [][]*string, held []pipeline.Task) ([]pipeline.Task, []string, error) {
		return held, nil, nil
	}
	past.Places["second/x.example"] = pipeline.Place{Pages: 1}
	again, _, _ := made(cat, lists("after"), step)
	begun(t, again, past, tasks, "second")
	if diff := cmp.Diff([]string{"first/a.example", "single/a.example", "second/x.example"}, ids(again.Tasks())); len(cat.asked) != 2 || diff != "" {
		t.Errorf("asked %d times, %s", len(cat.asked), diff)
	}
}

func TestAListThatIsNotWholeHoldsAQueryUp(t *testing.T) {
	t.Parallel()
	failed := func(tasks []ledger.Task) { tasks[0].Ending = pipeline.EndFault }
	for name, tc := range map[string]struct {
		after  string
		change func(*Config)
		spoil  func(*catalog, []ledger.Task)
		want   string // part of why it waits; "" if it begins
	}{
		"a list that failed":      {"first", nil, func(_ *catalog, tasks []ledger.Task) { failed(tasks) }, "waits for first, of whose 1 list 1 did not complete; second cost 7 units the last time"},
		"rows that do not fit":    {"first", nil, func(c *catalog, _ []ledger.Task) { c.unfit = 2 }, "waits for first, of which 2 rows did not fit"},
		"the user says so":        {"first", func(cfg *Config) { cfg.Again = true }, func(_ *catalog, tasks []ledger.Task) { failed(tasks) }, ""},
		"answers that stand each": {"single", nil, func(c *catalog, tasks []ledger.Task) { c.unfit, tasks[1].Ending = 2, pipeline.EndFault }, ""},
	} {
		cat := &catalog{}
		c, past, tasks := made(cat, tc.change, asks("second", "x.example", tc.after))
		tc.spoil(cat, tasks)
		c.Try("first", "single")
		got, err := c.Next(t.Context(), past, tasks)
		if err != nil || (len(got) == 1) != (tc.want == "") {
			t.Errorf("%s: %v begin, %v", name, got, err)
		}
		left, err := c.Leave(t.Context(), past)
		if err != nil || !strings.Contains(strings.Join(left.Notes, "; "), tc.want) || (len(left.Records) == 1) != (tc.want != "") {
			t.Errorf("%s: %+v, %v", name, left, err)
		}
	}
}

func TestAQueryAtFaultHoldsUpThoseThatWaitForIt(t *testing.T) {
	t.Parallel()
	c, past, tasks := made(&catalog{}, nil, asks("broken", "broken", "first"), asks("after", "x.example", "broken"), asks("beside", "y.example", "first"))
	begun(t, c, past, tasks, "beside")
	begun(t, c, past, tasks)
	if err := c.Err(); err == nil || !strings.Contains(err.Error(), "extract broken: no such column") {
		t.Error(err)
	}
	left, err := c.Leave(t.Context(), past)
	if err != nil || len(left.Records) != 2 {
		t.Fatalf("%+v, %v", left, err)
	}
	for _, task := range c.Tasks() {
		want, waits := map[string]string{"broken": "extract broken: no such column", "after": "waits for broken"}[task.Extract]
		if why, said := left.Records[task.ID]; said != waits || why != want || task.IsPlaceholder() != waits {
			t.Errorf("%+v: %q, want %q", task, why, want)
		}
	}
}

func TestNothingBeginsAtAVendorThatWasGivenUp(t *testing.T) {
	t.Parallel()
	for ending, cutOff := range map[pipeline.Ending]int{pipeline.EndUnreachable: 1, pipeline.EndBudget: 0} {
		c, past, tasks := made(&catalog{}, nil, asks("second", "x.example", "first"))
		c.GiveUp("moz", ending)
		begun(t, c, past, tasks)
		if left, err := c.Leave(t.Context(), past); err != nil || len(left.CutOff) != cutOff || len(left.Records) != 1 {
			t.Errorf("%s: %+v, %v", ending, left, err)
		}
	}
}

func TestWhatIsNotSelectedKeepsItsTasks(t *testing.T) {
	t.Parallel()
	cat := &catalog{}
	first, past, tasks := made(cat, nil, asks("second", "x.example", "first"))
	begun(t, first, past, tasks, "second")
	tasks = append(tasks, ledger.Task{Task: taskOf(list, "second", "x.example"), Ending: pipeline.EndOfList})
	c, _, _ := made(cat, func(cfg *Config) { cfg.Select = func(extract string) bool { return extract != "second" } },
		asks("second", "x.example", "first"), asks("third", "y.example", "second"), asks("free", "z.example"))
	begun(t, c, past, tasks, "third", "free")
	if !slices.Contains(ids(c.Tasks()), "second/x.example") {
		t.Error(ids(c.Tasks()))
	}
}

func TestAPlanTellsWhatWaits(t *testing.T) {
	t.Parallel()
	c, past, _ := made(&catalog{}, func(cfg *Config) { cfg.Items[0].Task.MaxRows = 30 }, asks("second", "x.example", "first"), asks("third", "y.example", "second"))
	all, err := c.Pending(t.Context(), past, func(*plan.Item) {}, false)
	if err != nil || len(all) != 2 {
		t.Fatalf("%+v, %v", all, err)
	}
	if p := all[0]; p.AtMost == nil || *p.AtMost != 30 || !p.Known || p.Last.Units != 7 || p.Items != nil {
		t.Errorf("%+v", p)
	}
	if p := all[1]; p.AtMost != nil { // nothing bounds the lists of the second
		t.Errorf("%+v", p)
	}
}
