package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/oklog/ulid/v2"

	"backhaul/jobs"
	"backhaul/jobs/chain"
	"backhaul/jobs/plan"
	"backhaul/jobs/run"
	"backhaul/pipeline"
	"backhaul/pipeline/words"
	"backhaul/sinks"
)

// probe is what is asked to learn the lengths of lists.
type probe struct {
	date time.Time
	// reports are what tells them, by the name of the extract that asks.
	reports map[string]*counter
	// firsts are what buys first replies, by the name of the extract whose lists begin with them.
	firsts map[string]*first
	// asked are the questions so far, each once.
	asked map[string]bool
}

// counter is one report, with what it is to count.
type counter struct {
	extract jobs.Extract
	lists   []list
}

// first buys the first replies of an extract's lists, which go on as tail says.
type first struct {
	extract jobs.Extract
	tail    *pipeline.Tail
}

// list is one that a count tells the length of.
type list struct {
	task  pipeline.Task
	count pipeline.Count
}

// probed returns the items with the lengths of those that were never read, as the vendors' counts tell them, and first replies where
// nobody counts, which it buys.
func (a *app) probed(ctx context.Context, job *loadedJob, date time.Time, w sinks.Warehouse, items iter.Seq[plan.Item]) (iter.Seq[plan.Item], error) {
	unread, err := run.Unread(ctx, items, a.books(w))
	if err != nil {
		return nil, err
	}
	p := &probe{date: date, reports: map[string]*counter{}, firsts: map[string]*first{}, asked: map[string]bool{}}
	for it := range unread {
		if err := p.add(a.vendors, it); err != nil {
			return nil, err
		}
	}
	if len(p.reports) == 0 {
		fmt.Fprintln(a.stderr, "probe: nothing to count")
		return items, nil
	}
	counted, err := a.count(ctx, p, job, w)
	return func(yield func(plan.Item) bool) {
		for it := range items {
			if it.Counted = counted[it.Task.ID]; !yield(it) {
				return
			}
		}
	}, err
}

// add takes up an item's list if something tells its length.
func (p *probe) add(registry jobs.Registry, it plan.Item) error {
	if it.Endpoint.CountOf == nil {
		return nil
	}
	count, ok := it.Endpoint.CountOf(it.Task)
	if !ok {
		return nil
	}
	if count.Tail != nil && !p.first(it, count.Tail) {
		return nil
	}
	if count.ByDate {
		count.Params["date"] = p.date.Format(time.DateOnly)
	}
	c, err := p.counterOf(registry, it.Endpoint, count)
	if err != nil {
		return err
	}
	c.lists = append(c.lists, list{it.Task, count})
	if question := c.extract.Name + " " + it.Task.Target; !p.asked[question] {
		p.asked[question] = true
		c.extract.Targets = append(c.extract.Targets, jobs.Target{Target: it.Task.Target, AsGiven: it.Task.TargetAsGiven, Scope: c.extract.Scope, Params: c.extract.Params})
	}
	return nil
}

// first takes up a list's first reply, unless the job wants no more of it.
func (p *probe) first(it plan.Item, tail *pipeline.Tail) bool {
	t := it.Task
	rows := int64(it.Endpoint.PageOf(t.MaxRows, it.PageSize, 0))
	if t.MaxRows > 0 && t.MaxRows <= rows {
		return false
	}
	f := p.firsts[t.Extract]
	if f == nil {
		f = &first{jobs.Extract{Name: run.FirstReplyOf(t.Extract), Endpoint: it.Endpoint, Limit: it.PageSize, MaxRows: rows}, tail}
		p.firsts[t.Extract] = f
	}
	f.extract.Targets = append(f.extract.Targets, jobs.Target{Target: t.Target, AsGiven: t.TargetAsGiven, Scope: t.Scope, Params: t.Params})
	return true
}

// counterOf returns what asks a report, one for each scope.
func (p *probe) counterOf(registry jobs.Registry, of *pipeline.Endpoint, count pipeline.Count) (*counter, error) {
	i := slices.IndexFunc(registry.Endpoints(of.Vendor, of.Surface), func(e *pipeline.Endpoint) bool { return e.Name == count.Endpoint })
	if i < 0 {
		return nil, fmt.Errorf("%s has no report %s that could count %s", of.Vendor, count.Endpoint, of.Name)
	}
	report := registry.Endpoints(of.Vendor, of.Surface)[i]
	scope, _ := count.Params[report.ScopeParam].(string)
	name := strings.Trim(of.Vendor+"-"+count.Endpoint+"-"+scope, "-")
	if c := p.reports[name]; c != nil {
		return c, nil
	}
	params := []byte("{}")
	if count.Params != nil {
		var err error
		if params, err = json.Marshal(count.Params); err != nil {
			return nil, err
		}
	}
	c := &counter{extract: jobs.Extract{Name: name, Endpoint: report, Scope: scope, Params: string(params)}}
	p.reports[name] = c
	return c, nil
}

// job is the run that asks. It has the ceilings of the job that it is for.
func (p *probe) job(of *loadedJob) *loadedJob {
	spec := &jobs.Spec{Job: run.ProbeOf(of.Job), Hash: of.Hash, Path: of.Path, Dir: of.Dir, Vendors: of.Vendors, Budget: of.Budget, ConfirmOver: of.ConfirmOver, RetryFor: of.RetryFor}
	for _, name := range slices.Sorted(maps.Keys(p.reports)) {
		spec.Extracts = append(spec.Extracts, p.reports[name].extract)
	}
	for _, name := range slices.Sorted(maps.Keys(p.firsts)) {
		spec.Extracts = append(spec.Extracts, p.firsts[name].extract)
	}
	return &loadedJob{spec}
}

// count buys what a probe asks, and returns the lengths that it tells, by task.
func (a *app) count(ctx context.Context, p *probe, of *loadedJob, w sinks.Warehouse) (map[string]int64, error) {
	job := p.job(of)
	from := a.buyersOf(job)
	defer from.close()
	ready, err := job.resolve(p.date, from)
	if err != nil {
		return nil, err
	}
	if err := a.pace(ctx, job, ready); err != nil {
		return nil, err
	}
	lake, err := a.openLake(w)
	if err != nil {
		return nil, err
	}
	defer lake.close()
	o := run.Options{Warehouse: w, Books: a.books(w), Lake: lake, NewID: ulid.Make().String(), Now: a.now, Confirm: func(p *plan.Plan) error { return a.quoteProbe(job, p) }}
	result, err := run.Run(ctx, *ready, o)
	if err != nil {
		return nil, err
	}
	if result.Stop != nil {
		fmt.Fprintf(a.stderr, "probe: %v; lists that were not counted are planned as of unknown length\n", result.Stop)
	}
	texts, err := p.texts(ctx, lake, *ready, o)
	if err != nil {
		return nil, err
	}
	return p.lengths(ctx, lake, job.Job, texts)
}

// quoteProbe says what a probe costs before it is bought, and refuses one that the job would have to ask about.
func (a *app) quoteProbe(job *loadedJob, p *plan.Plan) error {
	for _, x := range p.Extracts {
		left := x.Targets - x.Done
		if run.IsFirstReply(pipeline.Task{Extract: x.Extract}) && left > 0 {
			fmt.Fprintf(a.stderr, "probe: %s begins %s, at most %s, behind which a run of the same date goes on\n", x.Endpoint, words.Plural(left, "list"), words.Plural(x.Needed.Units, "unit"))
			continue
		}
		if left == 0 {
			continue
		}
		fmt.Fprintf(a.stderr, "probe: %s counts for %s, %s\n", x.Endpoint, words.Plural(max(x.Inputs, x.Targets), "target"), words.Plural(x.Needed.Units, "unit"))
	}
	if over := job.overThreshold(p); over != "" {
		return fmt.Errorf("the probe is not bought: %s; raise it, or take fewer extracts with --select", over)
	}
	return nil
}

// about identifies a list among those of an extract.
type about struct{ extract, target, scope string }

// texts reads the first replies of lists.
func (p *probe) texts(ctx context.Context, lake *localLake, job run.Job, o run.Options) (map[about][]pipeline.Text, error) {
	texts := map[about][]pipeline.Text{}
	for extract, f := range p.firsts {
		replies, err := run.FirstReplies(ctx, job, o, extract)
		if err != nil {
			return nil, err
		}
		query := fmt.Sprintf(`SELECT target, scope, %s, %s FROM %s ORDER BY target, scope, rank`, f.tail.Domains, f.tail.Pages, replies.Name)
		_, rows, err := lake.Ask(ctx, query, []chain.Relation{replies})
		if err != nil {
			return nil, err
		}
		for _, row := range rows {
			domains, errDomains := number(row[2])
			pages, errPages := number(row[3])
			if err := errors.Join(errDomains, errPages); err != nil {
				return nil, err
			}
			list := about{extract, *row[0], *row[1]}
			texts[list] = append(texts[list], pipeline.Text{Domains: domains, Pages: pages})
		}
	}
	return texts, nil
}

// number reads one of a query's answer, 0 where there is none.
func number(text *string) (int64, error) {
	if text == nil {
		return 0, nil
	}
	return strconv.ParseInt(*text, 10, 64)
}

// lengths reads from the lake what the reports counted. texts are the first replies of lists that nobody counts.
func (p *probe) lengths(ctx context.Context, lake *localLake, job string, texts map[about][]pipeline.Text) (map[string]int64, error) {
	lengths := map[string]int64{}
	for _, c := range p.reports {
		seen, err := c.read(ctx, lake, job, p.date)
		if err != nil {
			return nil, err
		}
		for _, l := range c.lists {
			row, ok := seen[l.task.Target]
			switch tail := l.count.Tail; {
			case !ok:
			case tail != nil:
				all := pipeline.Text{Domains: l.count.Of(row), Pages: tail.PagesSum.Of(row)}
				if first := texts[about{l.task.Extract, l.task.Target, l.task.Scope}]; len(first) > 0 {
					lengths[l.task.ID] = tail.Length(first, all)
				}
			default:
				lengths[l.task.ID] = max(1, l.count.Of(row)) // an empty list costs a request, too
			}
		}
	}
	return lengths, nil
}

// read returns the numbers of a report by target and column.
func (c *counter) read(ctx context.Context, lake *localLake, job string, date time.Time) (map[string]map[string]int64, error) {
	columns := map[string]bool{}
	for _, l := range c.lists {
		for _, name := range l.count.Columns() {
			columns[name] = true
		}
	}
	names := slices.Sorted(maps.Keys(columns))
	names, rows, err := lake.Ask(ctx, fmt.Sprintf(`SELECT target, %s FROM %s WHERE job = '%s' AND run_date = DATE '%s' AND extract = '%s'`,
		strings.Join(names, ", "), c.extract.Endpoint.Table.FullName(), job, date.Format(time.DateOnly), c.extract.Name), nil)
	if err != nil {
		return nil, err
	}
	seen := map[string]map[string]int64{}
	for _, row := range rows {
		numbers := map[string]int64{}
		for i, name := range names[1:] {
			n, parseErr := number(row[i+1])
			err = errors.Join(err, parseErr)
			numbers[name] = n
		}
		seen[*row[0]] = numbers
	}
	return seen, err
}
