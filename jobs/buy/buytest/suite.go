// Package buytest is the suite that every engine passes: what an order's lists come to, for which money, and how a round of buying ends
// early. It runs engines against the emulator by the vendor's own client, and knows them by their contract alone.
package buytest

import (
	"context"
	"errors"
	"fmt"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"backhaul/jobs/account"
	"backhaul/jobs/books"
	"backhaul/jobs/budget"
	"backhaul/jobs/buy"
	"backhaul/jobs/ledger"
	"backhaul/jobs/plan"
	"backhaul/jobs/recovery"
	"backhaul/pipeline"
	"backhaul/pipeline/emulator"
	"backhaul/pipeline/engine"
	"backhaul/pipeline/journal"
	"backhaul/pipeline/vendors"
	"backhaul/pipeline/vendors/mozv2"
)

// Shop is an engine, and the books that it buys into.
type Shop struct {
	Books  books.Books
	Engine buy.Engine
}

// Sources deliver the source of a task.
type Sources func(pipeline.Task) (pipeline.Source, error)

// Key is the run that an engine buys for.
var Key = books.Key{Job: "suite", RunDate: "2026-11-23"}

// Run runs the suite. open returns an engine, with books in which nothing is, that buys from the sources.
func Run(t *testing.T, open func(t *testing.T, from Sources) Shop) {
	for name, try := range map[string]func(*try){
		"every list is bought to its end, each page once": (*try).whole,
		"what is there is not bought again":               (*try).goesOn,
		"a budget is used up and not overrun":             (*try).ceiling,
		"an extract's own ceiling ends it alone":          (*try).purse,
		"a vendor that refuses is given up":               (*try).denied,
		"a list that is refused fails alone":              (*try).refused,
		"an end keeps the replies under way":              (*try).stopped,
		"what waits is bought once that is over":          (*try).waits,
	} {
		t.Run(name, func(t *testing.T) { try(begin(t, open)) })
	}
}

var targets = []string{"summit-supply.example", "trailhead-co.example", "quietpeak.example", "pinecone-packs.example", "tiny-tarps.example"}

// perPage is how many rows a page has: few, so that there are many.
const perPage = 4

// try is a run whose lists are bought.
type try struct {
	*testing.T
	shop    Shop
	vendor  *emulator.Server
	source  Sources
	ledger  *ledger.Ledger
	journal *journal.Journal
	tasks   []pipeline.Task
	token   string // what the client shows the vendor
	latency time.Duration
}

var now = time.Date(2026, 11, 23, 3, 0, 0, 0, time.UTC)

func begin(t *testing.T, open func(*testing.T, Sources) Shop) *try {
	t.Helper()
	r := &try{T: t, vendor: emulator.New(emulator.Options{}), token: emulator.DefaultToken}
	server := httptest.NewServer(r.vendor)
	t.Cleanup(server.Close)
	r.source = func(task pipeline.Task) (pipeline.Source, error) {
		client, err := mozv2.Surface().Open(vendors.Settings{BaseURL: server.URL + "/v2", Credentials: map[string]string{"MOZ_TOKEN": r.token}, Connections: 1})
		if err != nil {
			return nil, err
		}
		t.Cleanup(client.Close)
		for _, s := range client.Sources() {
			if "moz/"+s.Endpoint().Name == task.Endpoint {
				return slow{s, r}, nil
			}
		}
		return nil, fmt.Errorf("no source of %s", task.Endpoint)
	}
	r.shop = open(t, func(task pipeline.Task) (pipeline.Source, error) { return r.source(task) })
	r.enter()
	return r
}

// slow is a source whose replies take a while, if the try says so.
type slow struct {
	pipeline.Source
	of *try
}

func (s slow) Fetch(ctx context.Context, t pipeline.Task, ask pipeline.Ask) (pipeline.Page, error) {
	time.Sleep(s.of.latency)
	return s.Source.Fetch(ctx, t, ask)
}

// enter enters run and tasks, as package run does.
func (r *try) enter() {
	r.Helper()
	ctx, book := r.Context(), r.shop.Books.Of(Key.Job, Key.RunDate)
	unlock, err := book.Lock(ctx)
	r.must(err)
	r.Cleanup(unlock)
	r.ledger, err = r.shop.Books.OpenLedger(ctx)
	r.must(err)
	r.Cleanup(func() { _ = r.ledger.Close() })
	run, err := r.ledger.Begin(ctx, Key.Job, Key.RunDate, "hash", "r1", now)
	r.must(err)
	r.journal, err = book.Open(ctx, journal.Header{RunID: run.ID, Job: Key.Job, RunDate: Key.RunDate, Created: now})
	r.must(err)
	r.Cleanup(func() { _ = r.journal.Close() })
	for _, target := range targets {
		r.add("anchors", "moz/anchor_text", target, `{"scope":"root_domain"}`)
		r.add("domains", "moz/linking_root_domains", target, `{"target_scope":"root_domain"}`)
	}
	r.must(r.journal.AddTasks(ctx, r.tasks))
}

func (r *try) add(extract, endpoint, target, params string) {
	task := pipeline.Task{Extract: extract, Endpoint: endpoint, Surface: "v2", Target: target, TargetAsGiven: target, Scope: "root_domain", Params: params, MaxRows: 60}
	task.ID = pipeline.TaskID(task)
	r.tasks = append(r.tasks, task)
}

func (r *try) must(err error) {
	r.Helper()
	if err != nil {
		r.Fatal(err)
	}
}

// terms are under which something is bought.
type terms struct {
	ceiling *pipeline.Units            // of this execution
	own     map[string]*pipeline.Units // of extracts
	waiting string                     // the extract that waits for the other one
}

// missing is what the journal lacks of some extracts.
func (r *try) missing(places map[string]pipeline.Place, on terms, of func(extract string) bool) (work []plan.Work) {
	r.Helper()
	for _, t := range r.tasks {
		source, err := r.source(t)
		r.must(err)
		if p := places[t.ID]; of(t.Extract) && !p.End && p.ChainRows < t.MaxRows {
			work = append(work, plan.Work{Item: &plan.Item{Task: t, Endpoint: source.Endpoint(), PageSize: perPage, Place: p, MaxUnits: on.own[t.Extract]}})
		}
	}
	return work
}

// buy has the engine buy what the journal lacks.
func (r *try) buy(ctx context.Context, on terms) buy.Bought {
	r.Helper()
	places, err := r.journal.Places(r.Context())
	r.must(err)
	work := r.missing(places, on, func(x string) bool { return x != on.waiting })
	lists := len(r.missing(places, on, func(string) bool { return true }))
	var over []engine.Outcome
	var more func(context.Context, engine.Over) (map[string][]plan.Work, error)
	if on.waiting != "" {
		more = func(_ context.Context, one engine.Over) (map[string][]plan.Work, error) {
			if over = append(over, one.Outcomes...); one.Extract == on.waiting {
				return nil, nil
			}
			return map[string][]plan.Work{"moz": r.missing(places, on, func(x string) bool { return x == on.waiting })}, nil
		}
	}
	money := budget.New(map[string]budget.Account{"moz": {Connections: 3, PerSecond: 500, Ceiling: ledger.Ceiling{Run: on.ceiling}}}, time.Now)
	in := budget.Books{Ledger: r.ledger, RunID: "r1", Job: Key.Job}
	r.must(money.Raise(r.Context(), in))
	book := r.shop.Books.Of(Key.Job, Key.RunDate)
	bought, err := buy.Order{
		Work: map[string][]plan.Work{"moz": work}, More: more, Sources: r.source, Journal: r.journal, Budget: money, Books: in, Retry: engine.Retry{},
		Recovers: func(string) bool { return false }, Pulse: recovery.NewPulse(book, time.Now), Now: time.Now, Engine: r.shop.Engine,
		Close: func(ctx context.Context, round int) (map[string]pipeline.Place, error) {
			return places, errors.Join(recovery.RecordClaims(ctx, r.journal, book, round, time.Now()), r.read(ctx, &places))
		},
	}.Place(ctx)
	r.must(err)
	r.must(bought.Fault)
	r.given(bought.Unspent["moz"])
	r.must(account.Settle(r.Context(), r.ledger, r.journal, "r1", money.Month))
	bought.Outcomes = append(over, bought.Outcomes...)
	r.agree(bought, lists)
	return bought
}

func (r *try) read(ctx context.Context, places *map[string]pipeline.Place) (err error) {
	all, err := r.journal.Places(ctx)
	for id, p := range all {
		(*places)[id] = p
	}
	return err
}

// given holds what is granted, but for what the engine says that it did not need, against what the vendor billed. Settling would make up
// for the difference; until then others lack it.
func (r *try) given(unspent pipeline.Units) {
	r.Helper()
	spends, err := r.ledger.Spends(r.Context(), "r1")
	r.must(err)
	granted := -unspent
	for _, s := range spends {
		granted += s.Granted
	}
	if billed := r.vendor.Meter().Rows; int64(granted) != billed {
		r.Errorf("%d units are granted and needed, %d were billed", granted, billed)
	}
}

// agree holds what the engine says, what the journal has and what the vendor billed against one another.
func (r *try) agree(bought buy.Bought, lists int) {
	r.Helper()
	places, err := r.journal.Places(r.Context())
	r.must(err)
	if len(bought.Outcomes) != lists {
		r.Errorf("%d outcomes of %d lists", len(bought.Outcomes), lists)
	}
	for _, o := range bought.Outcomes {
		if p := places[o.Task.ID]; o.Place.Pages != p.Pages || o.Place.Rows != p.Rows || o.Place.Next != p.Next || o.Place.End != p.End || o.Place.Units != p.Units {
			r.Errorf("%s/%s ended at %+v, and is at %+v", o.Task.Extract, o.Task.Target, o.Place, p)
		}
		if o.Ending == "" || (o.Err == nil) != o.Ending.Complete() {
			r.Errorf("%s/%s ended as %q, with %v", o.Task.Extract, o.Task.Target, o.Ending, o.Err)
		}
	}
	m := r.vendor.Meter()
	if m.DuplicatePages+m.WastePages > 0 {
		r.Errorf("%d pages were bought again", m.DuplicatePages+m.WastePages)
	}
	spends, err := r.ledger.Spends(r.Context(), "r1")
	r.must(err)
	var spent pipeline.Units
	for _, s := range spends {
		if spent += s.Spent; s.Granted != s.Spent {
			r.Errorf("nothing is held, and %d are granted where %d are spent", s.Granted, s.Spent)
		}
	}
	if int64(spent) != m.Rows {
		r.Errorf("%d units spent, %d billed", spent, m.Rows)
	}
}

// ended counts the endings of lists.
func ended(bought buy.Bought) map[pipeline.Ending]int {
	all := map[pipeline.Ending]int{}
	for _, o := range bought.Outcomes {
		all[o.Ending]++
	}
	return all
}

func (r *try) complete(bought buy.Bought) {
	r.Helper()
	for _, o := range bought.Outcomes {
		if !o.Ending.Complete() {
			r.Errorf("%s/%s ended as %q: %v", o.Task.Extract, o.Task.Target, o.Ending, o.Err)
		}
	}
	if bought.Err != nil || len(bought.Stops) > 0 {
		r.Error(bought.Err)
	}
}

func (r *try) waits() {
	bought := r.buy(r.Context(), terms{waiting: "domains"})
	if r.complete(bought); len(bought.Outcomes) != len(r.tasks) || bought.Outcomes[0].Task.Extract != "anchors" {
		r.Errorf("%d lists were bought of %d", len(bought.Outcomes), len(r.tasks))
	}
}

func (r *try) whole() { r.complete(r.buy(r.Context(), terms{})) }

func (r *try) goesOn() {
	some := pipeline.Units(70)
	r.buy(r.Context(), terms{ceiling: &some})
	pages := r.vendor.Meter().Pages
	if pages == 0 {
		r.Error("nothing was bought")
	}
	r.complete(r.buy(r.Context(), terms{}))
	if after := r.vendor.Meter().Pages; after <= pages {
		r.Errorf("%d pages, and then %d", pages, after)
	}
}

func (r *try) ceiling() {
	most := pipeline.Units(90)
	bought := r.buy(r.Context(), terms{ceiling: &most})
	if spent := r.vendor.Meter().Rows; spent > int64(most) || spent <= int64(most)-perPage {
		r.Errorf("%d of %d units were spent", spent, most)
	}
	var ceiling *budget.CeilingError
	if len(bought.Stops) != 1 || bought.Stops[0].Ending != pipeline.EndBudget || !errors.As(bought.Stops[0].Err, &ceiling) || ceiling.Ceiling != plan.OfRun {
		r.Errorf("it was stopped by %v", bought.Err)
	}
	if how := ended(bought); how[pipeline.EndBudget] == 0 || how[pipeline.EndNotReached] == 0 || how[pipeline.EndFault] > 0 {
		r.Errorf("%v", how)
	}
}

func (r *try) purse() {
	most := pipeline.Units(30)
	bought := r.buy(r.Context(), terms{own: map[string]*pipeline.Units{"anchors": &most}})
	if len(bought.Stops) > 0 {
		r.Errorf("the vendor was given up: %v", bought.Err)
	}
	var spent pipeline.Units
	for _, o := range bought.Outcomes {
		if o.Task.Extract == "anchors" {
			spent += o.Place.Units
		} else if !o.Ending.Complete() {
			r.Errorf("%s/%s ended as %q: %v", o.Task.Extract, o.Task.Target, o.Ending, o.Err)
		}
	}
	if how := ended(bought); spent > most || spent <= most-perPage || how[pipeline.EndBudget] == 0 {
		r.Errorf("%d of %d units were spent: %v", spent, most, how)
	}
}

func (r *try) denied() {
	r.token = "not the vendor's"
	bought := r.buy(r.Context(), terms{})
	if len(bought.Stops) != 1 || bought.Stops[0].Ending != pipeline.EndDenied || bought.Stops[0].Vendor != "moz" || pipeline.KindOf(bought.Stops[0]) != pipeline.Denied {
		r.Errorf("it was stopped by %v", bought.Err)
	}
	if how := ended(bought); how[pipeline.EndDenied] == 0 || how[pipeline.EndDenied]+how[pipeline.EndNotReached] != len(r.tasks) {
		r.Errorf("%v", how)
	}
}

func (r *try) refused() {
	r.add("refused", "moz/anchor_text", targets[0], `{"scope":"nonsense"}`)
	r.must(r.journal.AddTasks(r.Context(), r.tasks))
	bought := r.buy(r.Context(), terms{})
	if how := ended(bought); how[pipeline.EndFault] != 1 || len(bought.Stops) > 0 {
		r.Errorf("%v, stopped by %v", how, bought.Err)
	}
	for _, o := range bought.Outcomes {
		if refused := o.Task.Extract == "refused"; refused != (o.Ending == pipeline.EndFault) || refused && pipeline.KindOf(o.Err) != pipeline.Rejected {
			r.Errorf("%s ended as %q: %v", o.Task.Extract, o.Ending, o.Err)
		}
	}
}

func (r *try) stopped() {
	r.latency = 150 * time.Millisecond // an engine of other processes learns a little later that it is to end
	ctx, stop := context.WithCancel(r.Context())
	defer stop()
	var watching sync.WaitGroup
	defer watching.Wait()
	watching.Go(func() {
		for r.vendor.Meter().Pages < 12 && r.Context().Err() == nil {
			time.Sleep(time.Millisecond)
		}
		stop()
	})
	bought := r.buy(ctx, terms{})
	how := ended(bought)
	if how[pipeline.EndInterrupted] == 0 || how[pipeline.EndFault] > 0 || len(bought.Stops) > 0 {
		r.Errorf("%v, stopped by %v", how, bought.Err)
	}
	r.latency = 0
	r.complete(r.buy(r.Context(), terms{}))
}
