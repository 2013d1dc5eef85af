package ahrefsv2

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"backhaul/pipeline"
)

// mostRows is the most a job may ask for at a time. Ahrefs takes 5,000,000, but a reply has to fit into mostBytes, and one
// that does not would be paid for and lost: this leaves 2 kB a row, where recorded links have one.
const (
	mostRows  = 100_000
	mostBytes = 200 << 20
)

// query returns the request without credentials, its parameters sorted by name. The cursor is the offset: v2 has nothing
// else to page by. Source: Ahrefs API v2 documentation; the PHP and the Node client for offset.
func (r *report) query(t pipeline.Task, ask pipeline.Ask) (query string, limit int, offset int64, err error) {
	if t.Target == "" {
		return "", 0, 0, fmt.Errorf("%s: the task has no target", r.endpoint)
	}
	a, err := r.read(t)
	if err == nil {
		offset, err = offsetOf(ask.Cursor)
	}
	if err != nil {
		return "", 0, 0, fmt.Errorf("%s: %w", r.endpoint, err)
	}
	v := url.Values{"from": {a.table.Name}, "target": {t.Target}, "mode": {a.mode}, "output": {"json"}}
	if limit = r.limit(ask.Limit); !r.one {
		v.Set("limit", strconv.Itoa(limit))
	}
	if offset > 0 {
		v.Set("offset", strconv.FormatInt(offset, 10))
	}
	for name, text := range map[string]string{"select": a.selected, "where": a.where, "having": a.having, "order_by": a.ordered} {
		if text != "" {
			v.Set(name, text)
		}
	}
	// A plus for a space is a form's way; not every gateway knows it.
	return strings.ReplaceAll(v.Encode(), "+", "%20"), limit, offset, nil
}

func (r *report) limit(wanted int) int {
	if wanted <= 0 {
		return r.endpoint.PageSize
	}
	return min(wanted, r.endpoint.MaxLimit)
}

func offsetOf(c pipeline.Cursor) (int64, error) {
	if c == "" {
		return 0, nil
	}
	offset, err := strconv.ParseInt(string(c), 10, 64)
	if err != nil || offset < 0 {
		return 0, fmt.Errorf("cursor %q is not a number of rows to skip", c)
	}
	return offset, nil
}

// price prices a request: see [Table.Price]. It is what [pipeline.Endpoint].Price wants.
func (r *report) price(t pipeline.Task, ask pipeline.Ask) (pipeline.Price, error) {
	a, err := r.read(t)
	var offset int64
	if err == nil {
		offset, err = offsetOf(ask.Cursor)
	}
	if err != nil {
		return pipeline.Price{}, fmt.Errorf("price %s: %w", r.endpoint, err)
	}
	p := a.table.Price(Request{Target: t.Target, Where: a.where, Having: a.having, Offset: offset})
	p.MaxRows = r.endpoint.MaxLimit
	return p, nil
}
