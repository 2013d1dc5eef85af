package mozrpc

import (
	"fmt"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"backhaul/pipeline"
	"backhaul/pipeline/vendors/internal/moz"
	"backhaul/pipeline/vendors/internal/rows"
	"backhaul/schemas"
)

// What V2 tells of a batch of targets at once takes many calls here: one for the metrics of all of them, then one for the
// histories of each, and one for the distributions of each. See stage for how a task finds its way.

var metricsBatch = batch{results: "result.results_by_site", errors: "result.errors_by_site", echo: "site_query"}

// askURLMetrics makes the call that is due.
func askURLMetrics(t pipeline.Task, p params, ask pipeline.Ask) (question, error) {
	s, err := readStage(ask.Cursor, len(t.Inputs))
	if err != nil {
		return question{}, err
	}
	inputs := s.inputs(t.Inputs)
	if s.Phase == phaseMetrics {
		return askMetrics(inputs, p, s, ask.Limit)
	}
	about, err := siteOf(inputs[s.At].Target, "page") // as V2 takes the targets of url_metrics
	if err != nil {
		return question{}, err
	}
	q := askAbout("data.site.metrics.distributions.fetch", data{SiteQuery: about})
	if s.Phase == phaseHistories {
		q = askAbout("data.site.metrics.histories.fetch", data{SiteQuery: about,
			DailyDeltas: p.DailyDeltas, DailyValues: p.DailyValues, MonthlyDeltas: p.MonthlyDeltas, MonthlyValues: p.MonthlyValues})
		// Fewer series than the task wants cannot be asked for.
		q.most = pipeline.Price{PerRequest: pipeline.Units(p.series()), MaxRows: 1}
	}
	q.next = func(record) (place, error) {
		s.At++
		return s.place(p, len(inputs)), nil
	}
	return q, nil
}

func askMetrics(inputs []pipeline.Input, p params, s stage, limit int) (question, error) {
	size := pageSize
	if limit > 0 {
		size = min(limit, size)
	}
	to := min(s.At+size, len(inputs))
	var d data
	for _, input := range inputs[s.At:to] {
		about, err := siteOf(input.Target, "page")
		if err != nil {
			return question{}, err
		}
		d.SiteQueries = append(d.SiteQueries, *about)
	}
	q := askAbout("data.site.metrics.fetch.multiple", d)
	q.most = pipeline.Price{PerRow: 1, MaxRows: min(pageSize, len(inputs)-s.At)}
	q.next = func(r record) (place, error) {
		if err := s.learn(r); err != nil {
			return place{}, err
		}
		s.At = to
		return s.place(p, len(inputs)), nil
	}
	return q, nil
}

// estimateURLMetrics: what is left of the calls of a task, and what they cost at most.
func estimateURLMetrics(t pipeline.Task, at pipeline.Cursor) (pages int64, units pipeline.Units, ok bool) {
	p, err := parse(t.Params)
	if err != nil {
		return 0, 0, false
	}
	s, err := readStage(at, len(t.Inputs))
	if err != nil {
		return 0, 0, false
	}
	pages, units = s.cost(p, len(s.inputs(t.Inputs)))
	if n := len(s.Again); n > 0 {
		more, dearer := stage{Phase: phaseMetrics}.cost(p, n)
		pages, units = pages+more, units+dearer
	}
	return pages, units, true
}

// metrics is a batch of sites with their 52 metrics each.
func metrics() *method {
	shape := rows.MustCompile(lookup("url_metrics"))
	return &method{
		Name: "data.site.metrics.fetch.multiple", charge: perResult, layout: rows.Layout{List: metricsBatch.results},
		load: map[string]loader{"url_metrics": func(r record, b *schemas.Builder) error {
			targets := queries(r.asked.SiteQueries)
			outcomes, err := metricsBatch.outcomes(r, targets)
			if err != nil {
				return err
			}
			for i, o := range outcomes {
				b.About(targets[i], "")
				if o.pending(r) || o.rejected(i, b) {
					continue
				}
				if err := shape.Decode(o.metrics(), b.Row()); err != nil {
					b.Reject(i, o.raw, err)
					continue
				}
				b.Append()
			}
			return nil
		}},
	}
}

// metrics is the object of metrics of a result.
func (o outcome) metrics() jsontext.Value {
	var result struct {
		Metrics jsontext.Value `json:"site_metrics"`
	}
	if json.Unmarshal(o.raw, &result) != nil || result.Metrics == nil {
		return jsontext.Value("null")
	}
	return result.Metrics
}

// histories are those of one site. What is charged, and counted as a row, is a series.
func histories() *method {
	const path = "result.site_metrics_histories"
	m := one("data.site.metrics.histories.fetch", perSeries, path, "")
	m.count = func(r record) (n int) {
		for _, series := range moz.Series {
			n += entries(r.Member(path + "." + moz.SeriesParam(series)))
		}
		return n
	}
	m.load = map[string]loader{"url_metrics_history": func(r record, b *schemas.Builder) error {
		return r.each(b, moz.LoadHistories)
	}}
	return m
}

// entries is how many elements a list, or members an object, has.
func entries(raw []byte) int {
	var list []jsontext.Value
	if json.Unmarshal(raw, &list) == nil {
		return len(list)
	}
	var members map[string]jsontext.Value
	_ = json.Unmarshal(raw, &members)
	return len(members)
}

// distributions are those of one site.
func distributions() *method {
	m := one("data.site.metrics.distributions.fetch", perCall, "result.site_metrics_distributions", "")
	m.load = map[string]loader{"url_metrics_distribution": func(r record, b *schemas.Builder) error {
		return r.each(b, moz.LoadDistributions)
	}}
	return m
}

// each loads what a record has of its one site into a side table, whose rows name the page.
func (r record) each(b *schemas.Builder, load func(b *schemas.Builder, place int, page string, object []byte)) error {
	if r.asked.SiteQuery == nil {
		return fmt.Errorf("the request names no site")
	}
	s, err := readStage(r.at, 0)
	if err != nil {
		return err
	}
	target := r.asked.SiteQuery.Query
	b.About(target, "")
	for i, object := range r.Rows() {
		load(b, i, s.page(target), object)
	}
	return nil
}
