// Package plan turns what a job asks for, what is known about its endpoints and what earlier runs found into ordered,
// priced work. It is pure: no network, no clock, no disk.
//
// What a list will cost cannot be known before it is read. A task whose request was answered to the end before is
// expected to cost the same again. One that never was is "unknown": it is counted with one page, said to be so, and
// its worst case is its max_rows, or none at all. What a batch costs, or a request that brings all there is, is known.
//
// An extract whose targets others provide has no tasks yet: it is Pending, expected to cost what it did when its job ran
// last, and at most what its bounds allow.
//
// What everything needs and what is expected are two things where a ceiling is lower: totals never exceed the ceilings.
package plan

import (
	"cmp"
	"iter"
	"math"
	"slices"
	"time"

	"backhaul/pipeline"
)

// Item is one task with the facts needed to price it.
type Item struct {
	Task     pipeline.Task
	Endpoint *pipeline.Endpoint
	// PageSize is how many rows are asked for at a time.
	PageSize int
	// Place is how far the task has come in this run. Default: nowhere.
	Place pipeline.Place
	// MaxAge is how old an earlier answer may be to be taken over instead of bought. Default 0: none.
	MaxAge time.Duration
	// OnlyIfIndexChanged skips the task while the vendor's index is that of the last answer. IndexDecides: there is such an
	// answer, and the vendor has not been asked yet whether its index is still the same.
	OnlyIfIndexChanged, IndexDecides bool
	// MaxUnits bounds what the task's extract may spend in one execution. Default nil: nothing does.
	MaxUnits *pipeline.Units
	// Counted is how many rows the task's list has by a count of the vendor's, where no earlier answer says it. Default 0: nobody counted.
	Counted int64
	// Merged is how many targets and sources of the task's extract were those of others. Default 0.
	Merged int
	// Stuck: nothing comes of the task at its place, so it is not asked for until somebody wants it. Default false.
	Stuck bool
	// Saves says why the task need not be bought, and AnswerUnits what the answer that is there had cost.
	Saves       Saving
	AnswerUnits pipeline.Units
}

// Saving is why a task need not be bought.
type Saving uint8

// The reasons not to buy.
const (
	Nothing   Saving = iota
	Reused           // a young answer to the same request is taken over
	Unchanged        // the vendor's index has not changed since the last answer
)

// Pending is an extract whose tasks are made of the rows of others, which are not there yet.
type Pending struct {
	Extract  string
	Endpoint *pipeline.Endpoint
	// After are the extracts it waits for.
	After []string
	// Items are its tasks where they are known all the same. The rest is for those that are not.
	Items []Item
	// AtMost is how many targets there can be. Default nil: nothing bounds them.
	AtMost *int64
	// Worst is what those can cost. Nil where nothing bounds it.
	Worst *pipeline.Cost
	// MaxUnits and IndexDecides are what its items will have.
	MaxUnits     *pipeline.Units
	IndexDecides bool
	// Last is what the extract bought when the job last ran, Targets for how many. Known is false where it never did.
	Last    pipeline.Cost
	Targets int
	Known   bool
}

// Account is what a vendor account allows this run.
type Account struct {
	PerSecond   float64
	Connections int
	// Left is what the ceilings leave for this run. Nil: there is none.
	Left *pipeline.Units
	// Ceiling is the one that leaves the least, Others what others have used of the account this month by the vendor's word.
	Ceiling Ceiling
	Others  pipeline.Units
	// Used is what each job may have spent this month, the most first.
	Used []JobUnits
	// Held is what the month's requests without an answer may have cost, by the run that made them. It counts as spent.
	Held []Hold
	// Uncounted: there is a month's budget for all, and the vendor has not said what others have used of it.
	Uncounted bool
}

// JobUnits is what one job may have spent.
type JobUnits struct {
	Job   string         `json:"job"`
	Units pipeline.Units `json:"units"`
}

// Hold is units held for requests of a run that got no answer, until somebody knows whether they were charged.
type Hold struct {
	RunID   string         `json:"run_id"`
	Job     string         `json:"job"`
	RunDate string         `json:"run_date"`
	Units   pipeline.Units `json:"units"`
	Since   time.Time      `json:"since,omitzero"`
}

// HeldUnits returns what is held in all.
func HeldUnits(holds []Hold) (units pipeline.Units) {
	for _, h := range holds {
		units += h.Units
	}
	return units
}

// Ceiling names what bounds the units that may be spent at a vendor.
type Ceiling string

// The ceilings.
const (
	OfRun   Ceiling = "run"       // the job's budget for one execution
	OfFlag  Ceiling = "max-units" // the user's for this execution
	OfMonth Ceiling = "month"     // the job's budget for the month
	// OfWarehouse is the budget of all jobs for the month, for all who use the account.
	OfWarehouse Ceiling = "warehouse_month"
	OfQuota     Ceiling = "quota" // the vendor's own
)

// Remaining is what a ceiling leaves to be spent at a vendor.
type Remaining struct {
	Vendor  string         `json:"vendor"`
	Ceiling Ceiling        `json:"ceiling"`
	Units   pipeline.Units `json:"units"`
}

// Extract sums up the tasks of one extract.
type Extract struct {
	Extract  string `json:"extract"`
	Endpoint string `json:"endpoint"`
	Targets  int    `json:"targets"`
	// Inputs is how many targets or sources they ask about together, where one target here is a batch of them.
	Inputs int `json:"inputs,omitempty"`
	// Merged is how many more the spec names, that are the same as one of them or mean the same at their scope.
	Merged int `json:"merged,omitempty"`
	// Done is how many targets need nothing more in this run.
	Done int `json:"done"`
	// Reused is how many are taken over from another run, Unchanged how many are skipped because the vendor's index is
	// the same, and Saved what both together had cost.
	Reused    int            `json:"reused"`
	Unchanged int            `json:"unchanged"`
	Saved     pipeline.Units `json:"units_saved"`
	// Stuck is how many are left where they are, because nothing comes of them.
	Stuck int `json:"stuck,omitempty"`
	// MaxUnits is the extract's own ceiling; null if it has none.
	MaxUnits *pipeline.Units `json:"max_units"`
	// IfIndexChanged is how many are skipped if the vendor's index is still the same, which only a run asks.
	IfIndexChanged int `json:"if_index_changed,omitempty"`
	// Unknown is how many have no complete earlier answer; they are expected with one page each. Counted is how many have none, but
	// a count of the vendor's.
	Unknown int `json:"unknown"`
	Counted int `json:"counted,omitempty"`
	// Needed is what completing them all is expected to take, Expected what of it MaxUnits leaves room for.
	Needed   pipeline.Cost `json:"needed"`
	Expected pipeline.Cost `json:"expected"`
	// Worst is null where a list of unknown length is read to its end and nothing else bounds it. Where only a ceiling does,
	// its pages and rows are not known, and 0.
	Worst *pipeline.Cost `json:"worst"`
	// After are the extracts whose rows its targets will come from; empty if its targets are known. AtMost bounds how many
	// those can be, and is null if nothing does.
	After  []string `json:"after,omitempty"`
	AtMost *int64   `json:"at_most,omitempty"`
	// Open: its targets are not known yet, and it never ran, so that nothing of it is in Needed and Expected.
	Open bool `json:"open,omitempty"`
}

// Vendor sums up the work at one vendor.
type Vendor struct {
	Vendor string `json:"vendor"`
	// Needed is what completing all extracts is expected to take. Expected and Worst are what the ceilings leave room for of
	// that and of the worst case, see [Extract].
	Needed   pipeline.Cost  `json:"needed"`
	Expected pipeline.Cost  `json:"expected"`
	Worst    *pipeline.Cost `json:"worst"`
	// Unknown is how many lists have no complete earlier answer, and extracts are open. Where there are any, Needed and Expected are
	// floors.
	Unknown int `json:"unknown"`
	// Allowed is what the ceilings leave, and null where there is none; Ceiling, Others, Used, Held and Uncounted are the account's.
	Allowed   *pipeline.Units `json:"allowed"`
	Ceiling   Ceiling         `json:"ceiling,omitempty"`
	Others    pipeline.Units  `json:"used_by_others,omitempty"`
	Used      []JobUnits      `json:"used_by_jobs,omitempty"`
	Held      []Hold          `json:"held,omitempty"`
	Uncounted bool            `json:"uncounted,omitempty"`
	// PerSecond is the account's rate of requests, 0 if it is unlimited; Seconds the time the expected pages take at it.
	PerSecond float64 `json:"requests_per_second"`
	Seconds   float64 `json:"seconds"`
	// Scarce: the ceilings do not cover what the extracts want.
	Scarce bool `json:"scarce"`
}

// Plan is what a run would do and cost.
type Plan struct {
	Extracts []Extract `json:"extracts"`
	Vendors  []Vendor  `json:"vendors"`
	// Work is every item that is not done, by vendor, in the order it is to be begun.
	Work    map[string][]Work `json:"-"`
	sellers map[string]string // the vendor of each extract
}

// Work is an item that is not done, with what it is expected to need.
type Work struct {
	*Item
	Missing Missing
}

// Missing is what remains of one task.
type Missing struct {
	pipeline.Cost
	// Known: an earlier complete answer says so; else it is one page, to begin with. Counted: the vendor's count says so.
	Known, Counted bool
}

// Expected returns what all vendors together are expected to deliver.
func (p *Plan) Expected() pipeline.Cost {
	var c pipeline.Cost
	for _, v := range p.Vendors {
		c.Add(v.Expected)
	}
	return c
}

// Needed returns what completing everything is expected to take, whatever the ceilings leave now.
func (p *Plan) Needed() pipeline.Cost {
	var c pipeline.Cost
	for _, v := range p.Vendors {
		c.Add(v.Needed)
	}
	return c
}

// Unknown returns how many lists have no complete earlier answer, and extracts are open.
func (p *Plan) Unknown() int { return p.Unread() + p.Open() }

// Unread returns how many lists have no complete earlier answer.
func (p *Plan) Unread() int {
	n := 0
	for _, x := range p.Extracts {
		n += x.Unknown
	}
	return n
}

// Open returns how many extracts are open.
func (p *Plan) Open() int {
	n := 0
	for _, x := range p.Extracts {
		if x.Open {
			n++
		}
	}
	return n
}

// Stuck returns how many tasks are left where they are, because nothing comes of them.
func (p *Plan) Stuck() int {
	n := 0
	for _, x := range p.Extracts {
		n += x.Stuck
	}
	return n
}

// Make plans items in the order given; the plan's Work has them. histories are by request, see pipeline.Task.Request.
func Make(items iter.Seq[*Item], histories map[string]pipeline.History, accounts map[string]Account, pending ...Pending) *Plan {
	p := newPlan()
	p.Work = map[string][]Work{}
	for it := range items {
		if e := p.estimate(it, histories); !e.done {
			p.Work[it.Endpoint.Vendor] = append(p.Work[it.Endpoint.Vendor], Work{it, e.Missing})
		}
	}
	p.sum(histories, accounts, pending)
	for _, v := range p.Vendors {
		order(p.Work[v.Vendor], v.Scarce)
	}
	return p
}

// Each yields the items themselves, and no copies.
func Each(items []Item) iter.Seq[*Item] {
	return func(yield func(*Item) bool) {
		for i := range items {
			if !yield(&items[i]) {
				return
			}
		}
	}
}

// Price is Make for those who only want to know what it comes to: the plan has no Work, and takes no more room
// for a million items than for one. Each item is done with when the next is asked for.
func Price(items iter.Seq[*Item], histories map[string]pipeline.History, accounts map[string]Account, pending ...Pending) *Plan {
	p := newPlan()
	for it := range items {
		p.estimate(it, histories)
	}
	p.sum(histories, accounts, pending)
	return p
}

func newPlan() *Plan {
	return &Plan{sellers: map[string]string{}, Extracts: []Extract{}, Vendors: []Vendor{}}
}

// sum adds what waits, and keeps all under the ceilings.
func (p *Plan) sum(histories map[string]pipeline.History, accounts map[string]Account, pending []Pending) {
	for _, x := range pending {
		if x.Items == nil {
			p.wait(x)
		}
		for i := range x.Items {
			p.estimate(&x.Items[i], histories)
		}
	}
	for i := range p.Extracts {
		p.total(&p.Extracts[i])
	}
	for i := range p.Vendors {
		p.Vendors[i].allow(accounts[p.Vendors[i].Vendor])
	}
}

// total keeps an extract under its own ceiling and adds it to its vendor.
func (p *Plan) total(x *Extract) {
	x.Expected = x.Needed
	under(x.MaxUnits, &x.Expected, &x.Worst)
	v := p.vendor(p.sellers[x.Extract])
	v.Needed.Add(x.Needed)
	v.Expected.Add(x.Expected)
	addWorst(&v.Worst, x.Worst)
	if v.Unknown += x.Unknown; x.Open {
		v.Unknown++
	}
}

// allow keeps a vendor's work under what its account allows.
func (v *Vendor) allow(a Account) {
	v.Allowed, v.Ceiling, v.Others, v.Used, v.Held, v.Uncounted, v.PerSecond = a.Left, a.Ceiling, a.Others, a.Used, a.Held, a.Uncounted, a.PerSecond
	v.Scarce = v.Allowed != nil && v.Expected.Units > *v.Allowed
	under(v.Allowed, &v.Expected, &v.Worst)
	if a.PerSecond > 0 {
		v.Seconds = float64(v.Expected.Pages) / a.PerSecond
	}
}

// under keeps costs under a ceiling, nil if there is none. Of what is expected it leaves the same part of pages and rows; the
// worst case keeps its pages and rows, which bound it as well.
func under(ceiling *pipeline.Units, expected *pipeline.Cost, worst **pipeline.Cost) {
	if ceiling == nil {
		return
	}
	if all := expected.Units; all > *ceiling {
		part := float64(*ceiling) / float64(all)
		expected.Units = *ceiling
		expected.Rows = int64(float64(expected.Rows) * part)
		expected.Pages = int64(math.Ceil(float64(expected.Pages) * part))
	}
	switch {
	case *worst == nil:
		*worst = &pipeline.Cost{Units: *ceiling}
	case (*worst).Units > *ceiling:
		capped := **worst
		capped.Units = *ceiling
		*worst = &capped
	}
}

// wait adds an extract without tasks.
func (p *Plan) wait(x Pending) {
	e := Extract{Extract: x.Extract, Endpoint: x.Endpoint.String(), After: x.After, AtMost: x.AtMost, Worst: x.Worst, MaxUnits: x.MaxUnits}
	if e.Open = !x.Known; x.Known {
		e.Targets, e.Needed = x.Targets, x.Last
	}
	if x.IndexDecides {
		e.IfIndexChanged = e.Targets
	}
	p.Extracts = append(p.Extracts, e)
	p.sellers[x.Extract] = x.Endpoint.Vendor
	p.vendor(x.Endpoint.Vendor)
}

func (p *Plan) estimate(it *Item, histories map[string]pipeline.History) estimate {
	e := remaining(it, histories)
	x := p.extract(it)
	p.vendor(it.Endpoint.Vendor)
	x.Targets++
	x.MaxUnits, x.Merged = it.MaxUnits, it.Merged
	if it.Endpoint.Asks.Batched() {
		x.Inputs += len(it.Task.Inputs)
	}
	switch {
	case e.done:
		x.Done++
		return e
	case it.Stuck:
		x.Stuck++
		return estimate{done: true}
	case it.Saves != Nothing:
		if it.Saves == Reused {
			x.Reused++
		} else {
			x.Unchanged++
		}
		x.Saved += it.AnswerUnits
		return estimate{done: true}
	}
	switch {
	case e.Counted:
		x.Counted++
	case !e.Known:
		x.Unknown++
	}
	if it.IndexDecides {
		x.IfIndexChanged++
	}
	x.Needed.Add(e.Cost)
	addWorst(&x.Worst, Worst(it))
	return e
}

func (p *Plan) extract(it *Item) *Extract {
	for i := range p.Extracts {
		if p.Extracts[i].Extract == it.Task.Extract {
			return &p.Extracts[i]
		}
	}
	p.sellers[it.Task.Extract] = it.Endpoint.Vendor
	p.Extracts = append(p.Extracts, Extract{Extract: it.Task.Extract, Endpoint: it.Task.Endpoint, Worst: &pipeline.Cost{}})
	return &p.Extracts[len(p.Extracts)-1]
}

func (p *Plan) vendor(name string) *Vendor {
	for i := range p.Vendors {
		if p.Vendors[i].Vendor == name {
			return &p.Vendors[i]
		}
	}
	p.Vendors = append(p.Vendors, Vendor{Vendor: name, Worst: &pipeline.Cost{}})
	return &p.Vendors[len(p.Vendors)-1]
}

// addWorst adds to a sum that is nil as soon as one summand is.
func addWorst(sum **pipeline.Cost, c *pipeline.Cost) {
	if c == nil {
		*sum = nil
	}
	if *sum != nil {
		(*sum).Add(*c)
	}
}

// order sorts work as it is to be begun: by priority; then the longest lists first, so that none ends alone, and of
// unknown length before them. When the budget is short, the cheapest first, so that whole targets are finished.
func order(open []Work, scarce bool) {
	slices.SortStableFunc(open, func(a, b Work) int {
		if c := cmp.Compare(b.Task.Priority, a.Task.Priority); c != 0 {
			return c
		}
		if scarce {
			return cmp.Compare(a.Missing.Units, b.Missing.Units)
		}
		if a.Missing.Known != b.Missing.Known {
			if a.Missing.Known {
				return 1
			}
			return -1
		}
		return cmp.Compare(b.Missing.Pages, a.Missing.Pages)
	})
}
