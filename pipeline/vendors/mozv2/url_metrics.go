package mozv2

import (
	"fmt"

	"backhaul/pipeline"
	"backhaul/pipeline/vendors/internal/moz"
	"backhaul/pipeline/vendors/internal/rows"
	"backhaul/schemas"
)

// urlMetrics: one result per target, in their order, the histories and distributions asked for among its members.
func urlMetrics() *report {
	r := batch("url_metrics", "results")
	r.shape = rows.MustCompile(r.endpoint.Table, besideMetrics(append([]string{"distributions"}, moz.Distributions...)...)...)
	r.fits = func(p pipeline.Page, reply rows.Reply) error {
		_, err := byTarget(p, reply)
		return err
	}
	r.load = func(p pipeline.Page, reply rows.Reply, b *schemas.Builder) error {
		results, err := byTarget(p, reply)
		if err != nil {
			return err
		}
		for _, one := range results {
			b.About(one.target, "") // how the spec spelled it is not in the request
			r.result(one, b)
		}
		return nil
	}
	return r
}

// topPages: histories are members of the results, as those of url_metrics are.
func topPages() *report {
	r := list("top_pages", besideMetrics()...)
	r.load = func(_ pipeline.Page, reply rows.Reply, b *schemas.Builder) error {
		for i, raw := range reply.Rows() {
			r.result(result{place: i, raw: raw, page: rows.Text(raw, "page")}, b)
		}
		return nil
	}
	return r
}

// besideMetrics are the members of a result that other tables have: these, and its histories.
func besideMetrics(names ...string) (rules []rows.Rule) {
	for _, series := range moz.Series {
		names = append(names, moz.SeriesParam(series))
	}
	for _, name := range names {
		rules = append(rules, rows.Rule{Path: name})
	}
	return rules
}

// result is one object of metrics as it stands in a reply.
type result struct {
	place  int // in the reply, from 0
	raw    []byte
	page   string // "" if it names none
	target string // of a batch
}

// result appends what the builder's table has of it. One without a page is rejected whole, so no other table has it.
func (r *report) result(one result, b *schemas.Builder) {
	switch table := b.Table(); {
	case table == r.endpoint.Table:
		if b.Full() {
			return
		}
		row := b.Row()
		if err := r.shape.Decode(one.raw, row); err != nil {
			b.Reject(one.place, one.raw, err)
			return
		}
		b.Append()
	case one.page == "":
	case table.Name == "url_metrics_history":
		moz.LoadHistories(b, one.place, one.page, one.raw)
	default:
		moz.LoadDistributionsAmong(b, one.place, one.page, one.raw)
	}
}

// byTarget returns the results in the order of the targets asked about.
func byTarget(p pipeline.Page, reply rows.Reply) ([]result, error) {
	request, err := asked[struct {
		Targets []string `json:"targets"`
	}](p)
	if err != nil {
		return nil, err
	}
	results, pages := make([]result, 0, reply.Count), make([]string, 0, reply.Count)
	for i, raw := range reply.Rows() {
		one := result{place: i, raw: raw, page: rows.Text(raw, "page")}
		results, pages = append(results, one), append(pages, one.page)
	}
	owners, err := moz.Assign(request.Targets, pages)
	if err != nil {
		return nil, fmt.Errorf("results: %w", err)
	}
	ordered := make([]result, len(results))
	for i, owner := range owners {
		results[i].target = request.Targets[owner]
		ordered[owner] = results[i]
	}
	return ordered, nil
}
