package ahrefs

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"

	"backhaul/pipeline/emulator/graph"
)

// v2Path is where the emulator serves API v2, which had a host of its own.
const v2Path = "/ahrefs-v2"

// v2RowsDefault are the rows of the subscription in the documentation's example.
const v2RowsDefault = 500_000

func isV2(p string) bool { return path.Clean(p) == v2Path }

// v2query is a request of v2 understood: a flat query string.
type v2query struct {
	params        url.Values
	from          string
	table         *table
	target, mode  string
	selected      []v2column
	where, having []v2condition
	order         []ordering
	limit, offset int
	shift         int // rows that the list has moved by
	output        string
}

func (q *v2query) key() string { return v2Path + "?" + q.params.Encode() }

// readV2 reads a GET, or the POST of the official client. Errors are 200s, as third parties' fakes have them. The order of the checks is chosen: token, rate,
// shutdown, parameters.
func (s *Server) readV2(r *http.Request) (*Request, *Reply) {
	params := r.URL.Query()
	if r.Method == http.MethodPost {
		raw, err := readBody(r)
		form, bad := url.ParseQuery(string(raw))
		if err != nil || bad != nil {
			return nil, v2Error("json", "the body is not a form")
		}
		for name, values := range form {
			params[name] = append(params[name], values...)
		}
	}
	output := params.Get("output")
	if output == "" {
		output = "json"
	}
	if !same(params.Get("token"), s.options.V2Token) {
		return nil, v2Error(output, "invalid token")
	}
	params.Del("token") // so that a key holds no secret
	if !s.account.admit(s.options.Clock(), s.options.RequestsPerMinute) {
		no := s.refuseV2(http.StatusTooManyRequests) // chosen: the limit of v3
		return nil, &no
	}
	if s.options.V2Sunset {
		return nil, v2Error(output, "API v2 is discontinued; use API v3") // chosen
	}
	q, err := parseV2(params, output)
	if err != nil {
		return nil, v2Error(output, err.Error())
	}
	return &Request{v2: q}, nil
}

// v2Error is a failure: status 200 all the same.
func v2Error(output, text string) *Reply {
	a := Reply{Status: http.StatusOK, path: v2Path, Header: map[string]string{"X-Status": "error", "X-Results-Count": "0"}}
	a.ContentType, a.Body = "application/json", []byte(errorBody(text))
	if output == "xml" {
		var b bytes.Buffer
		b.WriteString(xml.Header + "<AhrefsApiResponse>")
		appendElement(&b, "error", text)
		b.WriteString("</AhrefsApiResponse>\n")
		a.ContentType, a.Body = "application/xml", b.Bytes()
	}
	return &a
}

// refuseV2 is what stands before the API: it answers with statuses (chosen), but for a token that is good no longer.
func (s *Server) refuseV2(status int) Reply {
	if status == http.StatusUnauthorized {
		return *v2Error("json", "invalid token")
	}
	return Reply{Status: status, path: v2Path, ContentType: "application/json", Body: []byte(errorBody(http.StatusText(status)))}
}

func (s *Server) answerV2(q *v2query) Reply {
	now, view := s.options.Clock(), s.view()
	c := &call{server: s, view: view, graph: view.Graph(), q: &query{target: q.target, mode: q.mode, protocol: "both", history: "live", since: sinceEver}}
	rows, stats := c.v2Rows(q)
	price := q.price(len(rows))
	if free(q.target) {
		price = 0
	}
	if n := s.options.V2Rows; n > 0 && s.account.spent(now).rows+price > n {
		return *v2Error(q.output, "not enough rows left") // chosen, as the check of what this answer costs
	}
	s.account.bill(now, 0, price)
	s.meter.answered(v2Path+" "+q.from+" "+q.target, len(rows), 0, price)
	a := Reply{
		Status: http.StatusOK, path: v2Path, key: strconv.Itoa(view.Day()) + " " + q.key(), rows: price,
		Header: map[string]string{"X-Results-Count": strconv.Itoa(len(rows))},
	}
	a.Body, a.ContentType = q.encode(rows, stats)
	return a
}

// price holds the costs of the documentation: per request and per row, by table, and 5 each for where, having and, from older copies, offset. Fifths
// of a row round up (chosen).
func (q *v2query) price(rows int) int64 {
	n := int64(q.table.perRequest) + (int64(rows)*int64(q.table.fifthsPerRow)+4)/5
	for _, extra := range []bool{len(q.where) > 0, len(q.having) > 0, q.offset > 0} {
		n += 5 * int64(number(extra && !q.table.single))
	}
	return n
}

// v2Rows computes the rows of a page and what stands beside them.
func (c *call) v2Rows(q *v2query) (rows []row, stats row) {
	if q.table.answer != nil {
		return []row{slices.DeleteFunc(q.table.answer(c), func(v cell) bool {
			return q.table.columns != nil && !slices.ContainsFunc(q.selected, func(col v2column) bool { return col.name == v.name })
		})}, nil
	}
	o := c.listV2(q)
	var order []int32
	for _, i := range o.order {
		if !slices.ContainsFunc(q.having, func(d v2condition) bool { return !d.test(valueV2(o.List, int(i), d.column)) }) {
			order = append(order, i)
		}
	}
	order = order[min(max(0, q.offset+q.shift), len(order)):]
	for _, i := range order[:min(q.limit, len(order))] {
		r := make(row, len(q.selected))
		for j, col := range q.selected {
			r[j] = cell{col.name, valueV2(o.List, int(i), col.name)}
		}
		rows = append(rows, r)
	}
	return rows, q.table.stats(c)
}

// listV2 finds or builds the list of a request, in its order; all its pages share one.
func (c *call) listV2(q *v2query) ordered {
	key := fmt.Sprintf("%d %s %q %s %v %s", c.view.Day(), q.from, q.target, q.mode, q.order, q.params.Get("where"))
	return c.server.lists.Get(key, func() ordered { return c.sortedV2(q) })
}

func (c *call) sortedV2(q *v2query) ordered {
	var l List
	if given := c.server.options.Lists; given != nil {
		l = given(q.from, q.target)
	}
	if l != nil {
		l = v2List{l, (*call).ofGiven, c}
	} else {
		l = q.table.build(c, q)
	}
	out := ordered{List: l}
	counted := q.counted()
	for i := range l.Len() {
		if !slices.ContainsFunc(counted, func(d v2condition) bool { return !d.test(valueV2(l, i, d.column)) }) {
			out.order = append(out.order, int32(i))
		}
	}
	for _, by := range slices.Backward(q.order) {
		slices.SortStableFunc(out.order, func(a, b int32) int {
			x, y := valueV2(l, int(a), by.name), valueV2(l, int(b), by.name)
			if by.down {
				x, y = y, x
			}
			return compare(x, y, false)
		})
	}
	return out
}

// counted are the conditions of where on what is counted: they choose rows, as having does (chosen). The others choose links.
func (q *v2query) counted() []v2condition {
	return slices.DeleteFunc(slices.Clone(q.where), func(d v2condition) bool { return !slices.Contains(q.table.counts, d.column) })
}

// linksV2 keeps the links that where chooses.
func (c *call) linksV2(q *v2query, ids []graph.LinkID) []graph.LinkID {
	tests := slices.DeleteFunc(slices.Clone(q.where), func(d v2condition) bool { return slices.Contains(q.table.counts, d.column) })
	return slices.DeleteFunc(ids, func(id graph.LinkID) bool {
		return slices.ContainsFunc(tests, func(d v2condition) bool { return !d.test(c.linkV2(id, d.column)) })
	})
}

func (q *v2query) encode(rows []row, stats row) ([]byte, string) {
	if q.output == "xml" {
		return q.encodeXML(rows, stats), "application/xml"
	}
	body := encodeJSON(q.table.envelope, rows, q.table.single)
	if stats != nil {
		rest := encodeJSON("stats", []row{stats}, true)
		body = append(append(body[:len(body)-1], ", "...), rest[1:]...)
	}
	return body, "application/json"
}

// encodeXML names elements as the documentation's example does: the envelope, and its singular for each row.
func (q *v2query) encodeXML(rows []row, stats row) []byte {
	var b bytes.Buffer
	b.WriteString(xml.Header + "<AhrefsApiResponse>\n")
	elements := func(r row) {
		for _, c := range r {
			appendElement(&b, c.name, c.value)
		}
	}
	fmt.Fprintf(&b, "<%s>", q.table.envelope)
	for _, r := range rows {
		if q.table.single {
			elements(r)
			continue
		}
		item := strings.TrimSuffix(q.table.envelope, "s")
		fmt.Fprintf(&b, "<%s>", item)
		elements(r)
		fmt.Fprintf(&b, "</%s>\n", item)
	}
	fmt.Fprintf(&b, "</%s>\n", q.table.envelope)
	if stats != nil {
		b.WriteString("<stats>")
		elements(stats)
		b.WriteString("</stats>\n")
	}
	b.WriteString("</AhrefsApiResponse>\n")
	return b.Bytes()
}

// parseV2 reads the parameters; unknown ones are ignored (chosen).
func parseV2(params url.Values, output string) (*v2query, error) {
	q := &v2query{params: params, output: output, from: params.Get("from"), target: params.Get("target"), mode: params.Get("mode"), limit: 1000}
	if output != "json" && output != "xml" {
		return nil, fmt.Errorf("output: %s is not emulated", strconv.Quote(output))
	}
	q.table = tables[q.from]
	if q.table == nil {
		return nil, fmt.Errorf("from: table '%s' not found", q.from)
	}
	if q.from == "subscription_info" {
		return q, nil
	}
	if q.target == "" {
		return nil, errors.New("target is required")
	}
	if !slices.Contains([]string{"exact", "domain", "subdomains", "prefix"}, q.mode) {
		return nil, errors.New("mode must be exact, domain, subdomains or prefix")
	}
	return q, errors.Join(q.readSelect(), q.readOrder(), q.readRange(), q.readConditions())
}

func (q *v2query) readSelect() error {
	text := q.params.Get("select")
	if text == "" || text == "*" {
		q.selected = slices.DeleteFunc(slices.Clone(q.table.columns), func(c v2column) bool { return c.filterOnly })
		return nil
	}
	for _, name := range strings.Split(text, ",") {
		col, ok := q.table.column(strings.TrimSpace(name))
		if !ok || col.filterOnly {
			return fmt.Errorf("select: column '%s' not found", name)
		}
		if !slices.Contains(q.selected, col) {
			q.selected = append(q.selected, col)
		}
	}
	return nil
}

func (q *v2query) readOrder() error {
	text := q.params.Get("order_by")
	if text == "" {
		return nil
	}
	for _, part := range strings.Split(text, ",") {
		name, direction, given := strings.Cut(strings.TrimSpace(part), ":")
		if col, ok := q.table.column(name); !ok || col.filterOnly {
			return fmt.Errorf("order_by: column '%s' not found", name)
		}
		if given && direction != "asc" && direction != "desc" {
			return fmt.Errorf("order_by: bad direction '%s'", direction)
		}
		q.order = append(q.order, ordering{name, direction == "desc"})
	}
	return nil
}

// v2Limit is the most rows of one request (help center).
const v2Limit = 5_000_000

func (q *v2query) readRange() error {
	for name, at := range map[string]*int{"limit": &q.limit, "offset": &q.offset} {
		if !q.params.Has(name) {
			continue
		}
		n, err := strconv.Atoi(q.params.Get(name))
		if err != nil || n < 0 || n > v2Limit {
			return fmt.Errorf("%s: want a whole number up to %d", name, v2Limit)
		}
		*at = n
	}
	return nil
}
