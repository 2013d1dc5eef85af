package journaltest

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"backhaul/pipeline"
	"backhaul/pipeline/journal"
)

func task(id string) pipeline.Task {
	return pipeline.Task{ID: id, Extract: "anchors", Endpoint: "moz/anchor_text", Surface: "v2", Target: id + ".example",
		TargetAsGiven: "https://" + id + ".example/", Scope: "root_domain", Params: `{"scope":"root_domain"}`, MaxRows: 5000, Priority: 3}
}

func tasks(ids ...string) []pipeline.Task {
	all := make([]pipeline.Task, len(ids))
	for i, id := range ids {
		all[i] = task(id)
	}
	return all
}

// of returns tasks of another extract.
func of(extract string, ids ...string) []pipeline.Task {
	all := tasks(ids...)
	for i := range all {
		all[i].Extract = extract
	}
	return all
}

// at returns the place that a task has reached.
func (r *try) at(id string) pipeline.Place {
	r.t.Helper()
	places, err := r.j.Places(r.ctx())
	r.must(err)
	return places[id]
}

func (r *try) addedAgain() {
	batch := task("batch")
	batch.Target, batch.TargetAsGiven = "", ""
	batch.Inputs = []pipeline.Input{{Target: "ž.example", TargetAsGiven: "Ž.example"}, {Target: `"quoted"`, Source: "s.example"}}
	r.append(pagesOf(2), "z")
	r.must(r.j.AddTasks(r.ctx(), append(tasks("a"), batch)))
	again := task("z")
	again.MaxRows, again.Priority, again.Target, again.Params = 7, -1, "other.example", "{}"
	r.must(r.j.AddTasks(r.ctx(), []pipeline.Task{batch, again, task("new")}))
	want := task("z")
	want.MaxRows, want.Priority = 7, -1
	got, err := r.j.Tasks(r.ctx())
	r.must(err)
	r.same("tasks", []pipeline.Task{want, task("a"), batch, task("new")}, got)
	r.has("z", pagesOf(2))
}

func (r *try) many() {
	var all []pipeline.Task
	for i := range 300 {
		t := task(fmt.Sprint("t", i))
		t.Extract = fmt.Sprint("x", i/130) // some stretches are alike, and others not
		if t.TargetAsGiven = fmt.Sprint(i); i%50 == 0 {
			t.Scope, t.Inputs = "page", []pipeline.Input{{Target: "a.example"}}
		}
		all = append(all, t)
	}
	first := slices.Clone(all[100:150])
	for i := range first {
		first[i].MaxRows, first[i].Priority = 7, 1
	}
	r.must(r.j.AddTasks(r.ctx(), first))
	r.must(r.j.AddTasks(r.ctx(), of("dropped", "d")))
	r.must(r.j.Append(r.ctx(), "t120", page(0, 3)))
	r.must(r.j.Intend(r.ctx(), append(slices.Clone(all), all[5], all[120])))
	for _, id := range []string{"t0", "t99", "t150", "t299"} {
		r.must(r.j.Append(r.ctx(), id, page(0, 3)))
	}
	r.harm(func() {})
	want := slices.Concat(all[100:150], all[:5], all[6:100], all[150:], all[5:6]) // of one that is there twice the last
	r.intends(r.j, want...)
	for _, id := range []string{"t0", "t99", "t120", "t150", "t299"} {
		r.has(id, []pipeline.Page{page(0, 3)})
	}
	places, err := r.j.Places(r.ctx())
	r.must(err)
	if len(places) != 5 {
		r.t.Errorf("%d lists have begun, want 5: %+v", len(places), places)
	}
	if _, _, err := r.j.List(r.ctx(), "t300"); !errors.Is(err, journal.ErrUnknown) {
		r.t.Errorf("a task that nobody added: %v", err)
	}
	t, place, err := r.j.List(r.ctx(), "t150")
	r.must(err)
	r.same("task", all[150], t)
	r.same("place", 1, place.Pages)
}

func (r *try) places() {
	pages := pagesOf(5)
	pages[1].Overlap = 1
	pages[2].Repeated = true
	pages[3].Chain, pages[3].Cursor = 1, ""
	pages[4].Chain, pages[4].Rows = 1, 2
	r.append(pages[:3], "a")
	r.same("in the first chain", pipeline.Place{Pages: 3, Rows: 5, Waste: 4, ChainRows: 5, Units: 9, Next: "token-2",
		Fetched: pages[2].FetchedAt, LastRows: 3}, r.at("a"))
	for _, p := range pages[3:] {
		r.must(r.j.Append(r.ctx(), "a", p))
	}
	for i, units := range []pipeline.Units{50, 20, 0} {
		r.must(r.j.AddAttempt(r.ctx(), "a", pipeline.Attempt{Seq: 5, At: header.Created.Add(time.Duration(i) * time.Hour), Kind: pipeline.Transient, MaybeUnits: units}))
	}
	r.same("in the second", pipeline.Place{Pages: 5, Chain: 1, Rows: 10, Waste: 4, ChainRows: 5, Units: 15, Next: "token-4",
		Fetched: pages[4].FetchedAt, LastRows: 2, Attempts: 3, MaybeUnits: 70}, r.at("a"))
}

func (r *try) indexes() {
	want := []journal.Index{{Vendor: "moz", ID: "2026-11", At: header.Created}, {Vendor: "ahrefs", ID: "", At: header.Created.Add(time.Second)},
		{Vendor: "moz", ID: "2026-12", At: header.Created.Add(time.Hour)}}
	for _, i := range []int{0, 2, 1} {
		r.must(r.j.AddIndex(r.ctx(), want[i]))
	}
	r.harm(func() {})
	got, err := r.j.Indexes(r.ctx())
	r.must(err)
	r.same("indexes", want, got)
}

// resolved fails where an extract's tasks came about in another way.
func (r *try) resolved(j Journal, extract string, want journal.Resolution) {
	r.t.Helper()
	got, ok, err := j.Resolution(r.ctx(), extract)
	if err != nil || !ok {
		r.t.Errorf("resolution of %s: %v, %v", extract, ok, err)
	}
	r.same("resolution of "+extract, want, got)
}

// intends fails where other tasks are intended.
func (r *try) intends(j Journal, want ...pipeline.Task) {
	r.t.Helper()
	var got []pipeline.Task
	r.must(j.Entries(r.ctx(), func(e journal.Entry) { got = append(got, e.Task) }))
	r.same("tasks intended", want, got)
}

func (r *try) resolutions() {
	r.append(nil, "plain")
	if _, ok, err := r.j.Resolution(r.ctx(), "links"); ok || err != nil {
		r.t.Errorf("before any: %v, %v", ok, err)
	}
	first := journal.Resolution{Digest: "d1", Basis: "b1", Tasks: of("links", "x", "y")}
	r.must(r.j.Resolve(r.ctx(), "links", first))
	r.resolved(r.j, "links", first)
	r.intends(r.j, append(tasks("plain"), of("links", "x", "y")...)...)
	r.must(r.j.Append(r.ctx(), "x", page(0, 3)))

	second := journal.Resolution{Digest: "d2", Basis: "b2", Final: true, Tasks: of("links", "y", "v")}
	r.must(r.j.Resolve(r.ctx(), "links", second))
	r.must(r.j.Resolve(r.ctx(), "none", journal.Resolution{Digest: "d", Final: true}))
	r.harm(func() {})
	r.resolved(r.j, "links", second)
	r.resolved(r.j, "none", journal.Resolution{Digest: "d", Final: true})
	r.intends(r.j, append(tasks("plain"), of("links", "y", "v")...)...)
	r.has("x", []pipeline.Page{page(0, 3)})
	all, err := r.j.Tasks(r.ctx())
	r.must(err)
	r.same("tasks", append(tasks("plain"), of("links", "x", "y", "v")...), all)
}

func (r *try) notes() {
	want := journal.Resolution{Digest: "d", Basis: "b", Final: true, Tasks: of("links", "x")}
	r.append(nil, "plain")
	r.must(r.j.Resolve(r.ctx(), "links", want))
	r.must(r.j.AddIndex(r.ctx(), journal.Index{Vendor: "moz", ID: "1", At: header.Created}))
	to, err := r.cfg.Open(r.ctx(), r.cfg.Place(r.t), header)
	r.must(err)
	defer func() { r.must(to.Close()) }()
	r.must(to.AddTasks(r.ctx(), of("links", "x", "left out")))
	r.must(r.cfg.Notes(r.ctx(), to, r.j))
	r.resolved(to, "links", want)
	r.intends(to, of("links", "x")...)
	indexes, err := to.Indexes(r.ctx())
	r.must(err)
	r.same("indexes", []journal.Index{{Vendor: "moz", ID: "1", At: header.Created}}, indexes)
}

func (r *try) intended() {
	waits := of("waits", "w")[0]
	waits.Params = pipeline.PlaceholderParams
	r.append(pagesOf(1), "a")
	r.must(r.j.AddTasks(r.ctx(), append(tasks("b"), of("open", "o")...)))
	r.must(r.j.Intend(r.ctx(), append(tasks("b", "new"), waits), "open", "other"))
	r.harm(func() {})
	r.intends(r.j, append(append(tasks("b"), of("open", "o")...), task("new"), waits)...)
	all, err := r.j.Tasks(r.ctx())
	r.must(err)
	r.same("tasks", append(append(tasks("a", "b"), of("open", "o")...), task("new")), all)
	r.has("a", pagesOf(1))
	leftOut, err := r.j.LeftOut(r.ctx())
	r.must(err)
	r.same("tasks left out", tasks("a"), leftOut)
	r.must(r.j.Intend(r.ctx(), tasks("a")))
	r.intends(r.j, tasks("a")...)
}

func (r *try) bills() {
	v3 := task("v3")
	v3.Endpoint = "ahrefs/anchors"
	waits := of("waits", "w")[0]
	waits.Params, waits.Endpoint = pipeline.PlaceholderParams, "nobody/anchors"
	r.must(r.j.AddTasks(r.ctx(), append(tasks("b"), v3, waits)))
	r.append(pagesOf(2), "a")
	later, free := page(0, 5), page(1, 0)
	later.FetchedAt, free.FetchedAt = later.FetchedAt.AddDate(0, 1, 0), free.FetchedAt.AddDate(0, 2, 0)
	r.must(r.j.Append(r.ctx(), "b", later))
	r.must(r.j.Append(r.ctx(), "b", free))
	cut := later.FetchedAt.Add(time.Hour)
	r.must(r.j.AddAttempt(r.ctx(), "b", pipeline.Attempt{Seq: 1, At: cut, Kind: pipeline.Transient, MaybeUnits: 50, Message: "cut"}))
	r.must(r.j.AddAttempt(r.ctx(), "a", pipeline.Attempt{Seq: 2, At: cut.Add(-time.Minute), Kind: pipeline.Transient, MaybeUnits: 20, Message: "cut"}))
	r.must(r.j.AddAttempt(r.ctx(), "b", pipeline.Attempt{Seq: 1, At: cut.Add(time.Hour), Kind: pipeline.Throttled, Message: "slow down"}))
	r.harm(func() {})
	got, err := r.j.Bills(r.ctx())
	r.must(err)
	r.same("bills", map[string]map[string]pipeline.Bill{
		"ahrefs": {"2026-11": {}},
		"moz": {"2026-11": {Spent: 6, SpentAt: page(1, 3).FetchedAt}, "2026-12": {Spent: 5, SpentAt: later.FetchedAt, Maybe: 70, HeldAt: cut},
			"2027-01": {}},
	}, got)
}

func (r *try) stands() {
	r.append(nil, "a", "b", "c")
	first := journal.Standing{Ending: pipeline.EndFault, Error: "no", Ended: header.Created, SavedUnits: 7, IndexID: "2026-11"}
	second := journal.Standing{Ending: pipeline.EndOfList, Ended: header.Created.Add(time.Hour)}
	r.must(r.j.Stand(r.ctx(), maps.All(map[string]journal.Standing{"a": first, "b": first})))
	r.must(r.j.Expect(r.ctx(), maps.All(map[string]pipeline.Expectation{"a": {Units: 40, Next: 2}, "c": {Units: 9}})))
	r.must(r.j.CameAgain(r.ctx(), map[string]int64{"a": 3, "b": 4}))
	r.must(r.j.Append(r.ctx(), "b", page(0, 1)))
	r.must(r.j.Append(r.ctx(), "b", page(1, 1)))
	r.must(r.j.Stand(r.ctx(), maps.All(map[string]journal.Standing{"b": second})))
	r.must(r.j.Append(r.ctx(), "b", page(2, 1)))
	r.must(r.j.Expect(r.ctx(), maps.All(map[string]pipeline.Expectation{"a": {Units: 50, Next: 2}})))
	r.must(r.j.AddTasks(r.ctx(), tasks("a")))
	r.must(r.j.Intend(r.ctx(), tasks("a", "b", "c")))
	r.must(r.j.Resolve(r.ctx(), "anchors", journal.Resolution{Tasks: tasks("a", "b", "c")}))
	r.harm(func() {})
	want := []journal.Entry{{Task: task("a"), Standing: first, Again: 3, Expected: pipeline.Expectation{Units: 50, Next: 2}}, {Task: task("b"), Standing: second, Stood: 2},
		{Task: task("c"), Expected: pipeline.Expectation{Units: 9}}}
	r.entries(want)
	r.must(r.j.Rewind(r.ctx(), header.Created.Add(time.Minute)))
	want[1].Ended = header.Created.Add(time.Minute)
	r.entries(want)

	// A task that is left out and asked for again starts over.
	r.must(r.j.Intend(r.ctx(), tasks("b", "c")))
	r.must(r.j.Intend(r.ctx(), tasks("a", "b", "c")))
	want[0] = journal.Entry{Task: task("a")}
	r.entries(want)
	r.must(r.j.Resolve(r.ctx(), "anchors", journal.Resolution{Tasks: tasks("a", "c")}))
	r.must(r.j.AddTasks(r.ctx(), tasks("b")))
	want[1] = journal.Entry{Task: task("b")}
	r.entries(want)
}

// entries fails where other tasks are intended, or they stand otherwise.
func (r *try) entries(want []journal.Entry) {
	r.t.Helper()
	var got []journal.Entry
	r.must(r.j.Entries(r.ctx(), func(e journal.Entry) { got = append(got, e) }))
	r.same("entries", want, got)
}

func (r *try) course() {
	for _, c := range []journal.Course{{}, {SpecHash: "hash", State: "running", Started: header.Created},
		{SpecHash: "hash", State: "incomplete", Message: "budget", Started: header.Created, Ended: header.Created.Add(time.Hour)}} {
		if c != (journal.Course{}) {
			r.must(r.j.SetCourse(r.ctx(), c))
		}
		r.harm(func() {})
		got, err := r.j.Course(r.ctx())
		r.must(err)
		r.same("course", c, got)
	}
	r.must(r.j.Rewind(r.ctx(), header.Created.Add(time.Minute)))
	c, err := r.j.Course(r.ctx())
	r.must(err)
	r.same("ended", header.Created.Add(time.Minute), c.Ended)
}

func (r *try) tables() {
	r.append(nil, "a", "b")
	tables := func(misfits []pipeline.Rejection, absent map[string]time.Time) {
		r.t.Helper()
		r.harm(func() {})
		rejected, err := r.j.Rejections(r.ctx())
		r.must(err)
		r.same("rows that did not fit", misfits, rejected)
		withdrawn, err := r.j.Withdrawn(r.ctx())
		r.must(err)
		r.same("tables without the run", absent, withdrawn)
	}
	misfits := []pipeline.Rejection{{TaskID: "a", Table: "moz.links", Field: "page", Rows: 3, Reason: "no"}, {TaskID: "b", Table: "moz.links", Rows: 1}}
	r.must(r.j.Published(r.ctx(), misfits))
	tables(misfits, map[string]time.Time{})
	later := header.Created.Add(time.Hour)
	r.must(r.j.Withdraw(r.ctx(), map[string]time.Time{"moz.links": header.Created}))
	r.must(r.j.Withdraw(r.ctx(), map[string]time.Time{"moz.links": later, "ops.tasks": later}))
	tables(misfits, map[string]time.Time{"moz.links": header.Created, "ops.tasks": later})
	r.must(r.j.Published(r.ctx(), misfits[1:]))
	tables(misfits[1:], map[string]time.Time{})
}
