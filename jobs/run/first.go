package run

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"

	"backhaul/jobs/books"
	"backhaul/jobs/chain"
	"backhaul/jobs/ledger"
	"backhaul/jobs/load"
	"backhaul/jobs/plan"
	"backhaul/pipeline"
	"backhaul/pipeline/journal"
)

// A probe is a run of a job of its own that buys the first replies of lists, to learn how long those are. The run that the lists are
// for takes them over from the probe of its date, and goes on behind them. No table has the rows of the probe itself, which would be
// there twice.

// ProbeOf names the job whose runs are the probes of a job.
func ProbeOf(job string) string { return job + "-probe" }

// FirstReplyOf names the extract of a probe that buys the first replies of an extract's lists. No extract of a spec has such a name.
func FirstReplyOf(extract string) string { return firstReply + extract }

const firstReply = "first reply of "

// IsFirstReply tells the tasks that buy first replies, whose rows no table has.
func IsFirstReply(t pipeline.Task) bool { return strings.HasPrefix(t.Extract, firstReply) }

// FirstReplies writes the rows that a probe has bought of an extract's lists to a file that is not published, for queries.
func FirstReplies(ctx context.Context, probe Job, o Options, extract string) (r chain.Relation, err error) {
	o = o.withDefaults()
	j, err := o.book(probe).Open(ctx, journal.Header{Job: probe.Name, RunDate: probe.date()})
	if err != nil {
		return r, err
	}
	defer func() { _ = j.Close() }()
	tasks, err := j.Tasks(ctx)
	if err != nil {
		return r, err
	}
	tasks = slices.DeleteFunc(tasks, func(t pipeline.Task) bool { return t.Extract != FirstReplyOf(extract) })
	if len(tasks) == 0 {
		return r, fmt.Errorf("the probe of %s has not asked for the lists of %s", probe.date(), extract)
	}
	source, err := probe.Sources(tasks[0])
	if err != nil {
		return r, err
	}
	places, err := j.Places(ctx)
	if err != nil {
		return r, err
	}
	r = chain.Relation{Name: "first_replies", Table: source.Endpoint().Table}
	file, _, err := load.Table(ctx, load.Config{Journal: j, Sources: probe.Sources, Create: o.Lake.Create, RunDate: probe.RunDate, Places: places}, r.Table, tasks)
	r.Path = file.Path
	return r, err
}

// firsts is what the probe of a run has bought of its lists. Zero if there was none.
type firsts struct {
	runID string
	book  books.Book
	journal.Header
	// by request
	tasks  map[string]string
	places map[string]pipeline.Place
}

// firstsOf finds them.
func firstsOf(ctx context.Context, l *ledger.Ledger, job Job, o Options) (f firsts, err error) {
	f.Header = journal.Header{Job: ProbeOf(job.Name), RunDate: job.date()}
	f.book = o.Books.Of(f.Job, f.RunDate)
	probe, err := l.Find(ctx, f.Job, f.RunDate)
	if errors.Is(err, ledger.ErrNoRun) {
		return firsts{}, nil
	}
	if err != nil {
		return f, err
	}
	if gone, err := f.book.Gone(ctx); err != nil || gone {
		return firsts{}, err
	}
	j, err := f.book.Open(ctx, f.Header)
	if err != nil {
		return f, err
	}
	defer func() { _ = j.Close() }()
	tasks, err := j.Tasks(ctx)
	if err != nil {
		return f, err
	}
	places, err := j.Places(ctx)
	f.runID, f.tasks, f.places = probe.ID, map[string]string{}, map[string]pipeline.Place{}
	for _, t := range tasks {
		if place := places[t.ID]; IsFirstReply(t) && place.Pages > 0 {
			f.tasks[t.Request()], f.places[t.Request()] = t.ID, place
		}
	}
	return f, err
}

// of returns where a task's list goes on behind its first reply, if that was bought, and what the reply cost.
func (f firsts) of(t pipeline.Task) (place pipeline.Place, cost pipeline.Units, ok bool) {
	if len(f.places) == 0 { // a request is known by a hash, which takes time
		return place, 0, false
	}
	place, ok = f.places[t.Request()]
	cost, place.ReusedFrom = place.Units, f.runID
	place.Units, place.MaybeUnits, place.Attempts, place.Unreadable, place.Recovered = 0, 0, 0, 0, 0 // those are the probe's
	return place, cost, ok
}

// onwards returns the places of tasks, where those that have bought nothing stand behind their first replies.
func (f firsts) onwards(places map[string]pipeline.Place, items iter.Seq[*plan.Item]) map[string]pipeline.Place {
	if len(f.places) == 0 {
		return places
	}
	all := maps.Clone(places)
	if all == nil {
		all = map[string]pipeline.Place{}
	}
	for it := range items {
		if place, _, ok := f.of(it.Task); ok && places[it.Task.ID].Pages == 0 {
			all[it.Task.ID] = place
		}
	}
	return all
}

// takeFirsts copies the first replies of the extracts' lists into this run's journal. A list that ends there is complete.
func (r *runner) takeFirsts(ctx context.Context, result *Result, extracts []string) error {
	if len(r.firsts.places) == 0 {
		return nil
	}
	from, err := r.firsts.book.Open(ctx, r.firsts.Header)
	if err != nil {
		return err
	}
	defer func() { _ = from.Close() }()
	stands := map[string]journal.Standing{}
	for _, it := range r.chain.Known() {
		t := it.Task
		place, cost, ok := r.firsts.of(t)
		if !ok || r.places[t.ID].Pages > 0 || !slices.Contains(extracts, t.Extract) {
			continue
		}
		if err := r.journal.Take(ctx, t.ID, r.firsts.runID, from.Pages(ctx, r.firsts.tasks[t.Request()])); err != nil {
			return err
		}
		result.Saved += cost
		switch done := (journal.Standing{Ended: r.Now().UTC(), SavedUnits: cost, IndexID: r.price.Index(t.Vendor())}); {
		case place.End:
			done.Ending = pipeline.EndOfList
			stands[t.ID] = done
		case t.MaxRows > 0 && place.ChainRows >= t.MaxRows:
			done.Ending = pipeline.EndMaxRows
			stands[t.ID] = done
		}
	}
	if r.places, err = r.journal.Places(ctx); err != nil || len(stands) == 0 {
		return err
	}
	return r.journal.Stand(ctx, maps.All(stands))
}
