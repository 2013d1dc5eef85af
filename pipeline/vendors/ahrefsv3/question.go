package ahrefsv3

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"backhaul/pipeline"
)

const (
	// pageSize is what is asked for at a time: what Ahrefs takes for `limit` where it is not sent. Plans may cap it: see
	// place.end.
	pageSize = DefaultRows
	// maxLimit keeps a reply below what one exchange accepts: a whole row of all_backlinks is about 3 kB.
	maxLimit = 10_000
)

// question is what a task asks of a list, apart from where it goes on.
type question struct {
	report *Report
	target string
	given  map[string]string // protocol, mode, history, aggregation
	sel    []string
	where  any
	order  order
}

// ask reads a task's parameters. Lists only.
func (r *Report) ask(t pipeline.Task) (*question, error) {
	request, err := ParseRequest(t.Target, t.Params)
	if err != nil {
		return nil, err
	}
	q := &question{report: r, target: t.Target, given: map[string]string{}, where: request.Where}
	if q.given, err = r.words(t); err != nil {
		return nil, err
	}
	chosen := request.Select
	if chosen == nil {
		chosen = r.defaultSelect(q.given["aggregation"] == "all")
	}
	if chosen, err = r.SelectFields(chosen); err != nil {
		return nil, err
	}
	if _, err = r.OrderFields(request.OrderBy); err != nil {
		return nil, err
	}
	q.order = r.total(request.OrderBy, chosen)
	q.sel = slices.Clone(chosen)
	for _, t := range q.order {
		if !slices.Contains(q.sel, t.Name) {
			q.sel = append(q.sel, t.Name)
		}
	}
	if request.Where != nil {
		_, err = r.WhereFields(request.Where)
	}
	return q, err
}

// defaultSelect is what costs 1 unit a row, and how many domains link. With aggregation all, link_group_count is refused.
// Source of the latter: Ahrefs OpenAPI 3.0.0, link_group_count.
func (r *Report) defaultSelect(ungrouped bool) []string {
	var out []string
	for _, f := range r.Fields {
		if f.Name == "link_group_count" && ungrouped {
			continue
		}
		if f.Units == 1 || f.Name == "refdomains" || f.Name == "refdomains_target" {
			out = append(out, f.Name)
		}
	}
	return out
}

// words returns the parameters that are single words, with the defaults that are always sent.
func (r *Report) words(t pipeline.Task) (map[string]string, error) {
	out := map[string]string{}
	var given map[string]jsontext.Value
	if t.Params != "" {
		if err := json.Unmarshal([]byte(t.Params), &given); err != nil {
			return nil, fmt.Errorf("read the parameters: %w", err)
		}
	}
	for _, p := range r.params() {
		switch p.Type {
		case pipeline.ParamEnum, pipeline.ParamString, pipeline.ParamDate:
		default:
			continue
		}
		var s string
		if v, ok := given[p.Name]; ok {
			if err := json.Unmarshal(v, &s); err != nil {
				return nil, fmt.Errorf("%s must be a text", p.Name)
			}
		}
		if s != "" {
			out[p.Name] = s
		}
	}
	if r.scoped() && out["mode"] == "" {
		out["mode"] = defaultMode
		if t.Scope != "" {
			out["mode"] = t.Scope
		}
	}
	if r.historic() && out["history"] == "" {
		out["history"] = "live"
	}
	return out, nil
}

// request is what goes over the wire at a place.
type request struct {
	sel   []string
	order order
	where condition // the place's, without the job's
	limit int
	again int // rows held already that come with it
}

// at makes the request for up to want rows that are not held yet. most is the largest limit Ahrefs is known to take, 0 if
// none is known.
func (q *question) at(p place, want, most int) request {
	x := request{sel: q.sel, order: q.order, again: p.Again}
	safe := q.order.safe()
	switch p.Step {
	case walk:
		if len(p.At) > 0 {
			x.where = q.order.from(p.At, false)
		}
	case past:
		x.where = q.order[:safe].from(p.At, true)
	case check:
		x.where, x.limit, x.again = q.order.at(p.At), 1, 1
	case probe:
		x.where = allOf(q.order.at(p.At[:safe]), q.behind(p.Back), not(q.order.from(p.At, false)))
		x.order, x.limit, x.again = q.order.reversed(), 1, 1
	case deep:
		x.order = q.report.parseOrder(p.Finer)
		x.sel = slices.Concat(q.sel, p.Added)
		x.where = allOf(q.order.at(p.At), q.behind(p.Back), x.order.behind(p.Deep))
	}
	if x.limit == 0 {
		x.limit = q.limit(p, want, most)
	}
	return x
}

func (q *question) behind(at []value) condition { return q.order.behind(at) }

// behind lets everything pass where there is no place.
func (o order) behind(at []value) condition {
	if len(at) == 0 {
		return true
	}
	return o.from(at, false)
}

// limit adds to what is wanted the rows that will come again. It stays within what was asked before, as more than the
// plan's cap may be refused.
func (q *question) limit(p place, want, most int) int {
	if want <= 0 {
		want = pageSize
	}
	n := min(want+p.Again, max(p.Asked, want))
	if p.Cap > 0 {
		n = min(n, p.Cap)
	}
	if most > 0 {
		n = min(n, most)
	}
	if free(q.target) {
		n = min(n, freeRows)
	}
	return n
}

// price is the rule by which the request is charged: the rows that come again are certain, as far as they are known.
func (q *question) price(x request) (pipeline.Price, error) {
	rule, err := q.report.Price(Request{Target: q.target, Select: x.sel, Where: q.where, OrderBy: x.order.terms()})
	if err != nil {
		return rule, err
	}
	rule.PerRequest = rule.PerRow * pipeline.Units(x.again)
	rule.MaxRows = max(1, x.limit-x.again)
	if x.limit == x.again {
		rule.PerRequest -= rule.PerRow
	}
	return rule, nil
}

// query returns the request as the part of the URL below the base. Lists are one value each, joined by commas.
func (q *question) query(x request) (string, error) {
	if q.target == "" {
		return "", errors.New("the task has no target")
	}
	where, err := q.filter(x.where)
	if err != nil {
		return "", err
	}
	v := url.Values{}
	for name, word := range q.given {
		v.Set(name, word)
	}
	v.Set("target", q.target)
	v.Set("select", strings.Join(x.sel, ","))
	v.Set("order_by", strings.Join(x.order.terms(), ","))
	v.Set("limit", strconv.Itoa(x.limit))
	v.Set("output", "json")
	if where != "" {
		v.Set("where", where)
	}
	return q.report.Path + "?" + encoded(v), nil
}

// encoded spells a space as %20: that servers read + as a space is a habit of forms.
func encoded(v url.Values) string { return strings.ReplaceAll(v.Encode(), "+", "%20") }

func (q *question) filter(c condition) (string, error) {
	if q.where != nil {
		c = allOf(q.where, c)
	}
	out, err := text(c)
	if err != nil {
		return "", fmt.Errorf("make the filter: %w", err)
	}
	return out, nil
}
