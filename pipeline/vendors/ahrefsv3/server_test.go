package ahrefsv3

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// server is a list endpoint of the test's own: it sorts, filters, cuts and charges as the documents say, and where they say
// nothing as the test says. It knows nothing of the client.
type server struct {
	envelope string
	rows     []map[string]any // int64, float64, string, bool, nil; times are text
	units    map[string]int
	// cap cuts replies; with refuse, a larger limit is refused instead. 0: unlimited.
	cap    int
	refuse bool
	// sort orders strings, compare is what gt and lt go by; default bytewise.
	sort, compare func(a, b string) int
	// hidden are parts of a second that the printed time does not show, by row.
	hidden map[string]time.Duration
	// float32s: fractions are stored as such.
	float32s  bool
	nullsLast bool
	// shuffle: rows that order_by leaves equal come in another order each time.
	shuffle *rand.Rand
	silent  bool   // no headers
	churn   func() // called after each reply

	mu       sync.Mutex
	sorted   map[string][]map[string]any
	meter    int // units charged
	requests int
	sent     int // rows
	probes   int // requests for one row
	longest  int // of the URLs
	queries  []url.Values
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests++
	s.longest = max(s.longest, len(r.URL.RawQuery))
	q := r.URL.Query()
	s.queries = append(s.queries, q)
	out, refusal := s.answer(q)
	if refusal != "" {
		w.WriteHeader(400)
		fmt.Fprintf(w, `{"error":%q}`, refusal)
		return
	}
	fields := strings.Split(q.Get("select"), ",")
	row := 0
	named := map[string]bool{}
	for _, f := range fields {
		named[f] = true
	}
	for _, t := range strings.Split(q.Get("order_by"), ",") {
		name, _, _ := strings.Cut(t, ":")
		named[name] = true
	}
	mention(q.Get("where"), named)
	for f := range named {
		row += s.units[f]
	}
	total := max(50, row*len(out))
	s.meter += total
	s.sent += len(out)
	if q.Get("limit") == "1" {
		s.probes++
	}
	if !s.silent {
		w.Header().Set("x-api-rows", strconv.Itoa(len(out)))
		w.Header().Set("x-api-units-cost-row", strconv.Itoa(row))
		w.Header().Set("x-api-units-cost-total", strconv.Itoa(total))
		w.Header().Set("x-api-units-cost-total-actual", strconv.Itoa(total))
		w.Header().Set("x-api-cache", "miss")
	}
	var b strings.Builder
	b.WriteString(`{"` + s.envelope + `": [`)
	for i, row := range out {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString("{")
		for j, f := range fields {
			if j > 0 {
				b.WriteString(", ")
			}
			v, _ := json.Marshal(row[f])
			if x, fraction := row[f].(float64); fraction && x == math.Trunc(x) {
				v = []byte(strconv.FormatFloat(x, 'f', 1, 64))
			}
			fmt.Fprintf(&b, "%q: %s", f, v)
		}
		b.WriteString("}")
	}
	b.WriteString("]}")
	io.WriteString(w, b.String())
	if s.churn != nil {
		s.churn()
		s.sorted = nil
	}
}

func (s *server) answer(q url.Values) (out []map[string]any, refusal string) {
	limit, err := strconv.Atoi(q.Get("limit"))
	if err != nil || limit < 1 {
		return nil, "bad limit"
	}
	if s.cap > 0 && limit > s.cap {
		if s.refuse {
			return nil, fmt.Sprintf("limit: must be at most %d", s.cap)
		}
		limit = s.cap
	}
	pass := func(map[string]any) bool { return true }
	if text := q.Get("where"); text != "" {
		var expr any
		d := json.NewDecoder(strings.NewReader(text))
		d.UseNumber()
		if err := d.Decode(&expr); err != nil {
			return nil, "bad where: " + err.Error()
		}
		f, err := s.compile(expr)
		if err != nil {
			return nil, "bad where: " + err.Error()
		}
		pass = func(row map[string]any) bool { return f(row) == yes }
	}
	all, err := s.inOrder(q.Get("order_by"))
	if err != nil {
		return nil, err.Error()
	}
	for _, row := range all {
		if len(out) == limit {
			break
		}
		if pass(row) {
			out = append(out, row)
		}
	}
	return out, ""
}

// inOrder sorts by the terms; rows that are equal in them come as they are stored, which a reader must not rely on.
func (s *server) inOrder(terms string) ([]map[string]any, error) {
	if all, ok := s.sorted[terms]; ok {
		return all, nil
	}
	type key struct {
		name string
		desc bool
	}
	var keys []key
	for _, t := range strings.Split(terms, ",") {
		name, direction, _ := strings.Cut(t, ":")
		if _, ok := s.units[name]; !ok {
			return nil, fmt.Errorf("order_by: column '%s' not found", name)
		}
		keys = append(keys, key{name, direction == "desc"})
	}
	all := slices.Clone(s.rows)
	if s.shuffle != nil {
		s.shuffle.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	}
	type held struct {
		row    map[string]any
		values []any // of the keys
	}
	rows := make([]held, len(all))
	for i, row := range all {
		rows[i] = held{row, make([]any, len(keys))}
		for j, k := range keys {
			rows[i].values[j] = s.stored(row, k.name)
		}
	}
	slices.SortStableFunc(rows, func(a, b held) int {
		for i, k := range keys {
			x, y := a.values[i], b.values[i]
			if x == nil || y == nil {
				if x == nil && y == nil {
					continue
				}
				if (x == nil) == s.nullsLast {
					return 1
				}
				return -1
			}
			c := s.order(x, y, s.sort)
			if k.desc {
				c = -c
			}
			if c != 0 {
				return c
			}
		}
		return 0
	})
	for i, h := range rows {
		all[i] = h.row
	}
	if s.shuffle != nil {
		return all, nil
	}
	if s.sorted == nil {
		s.sorted = map[string][]map[string]any{}
	}
	s.sorted[terms] = all
	return all, nil
}

// stored is a value as the server holds it, which is not always as it prints it.
func (s *server) stored(row map[string]any, name string) any {
	switch v := row[name].(type) {
	case float64:
		if s.float32s {
			return float64(float32(v))
		}
		return v
	case string:
		if isTime(name) {
			t, _ := time.Parse(time.RFC3339, v)
			return t.Add(s.hidden[fmt.Sprint(row["anchor"])])
		}
		return v
	default:
		return v
	}
}

func isTime(name string) bool { return strings.HasPrefix(name, "first_seen") || name == "last_seen" }

func (s *server) order(a, b any, text func(a, b string) int) int {
	switch x := a.(type) {
	case int64:
		return cmp.Compare(x, b.(int64))
	case float64:
		return cmp.Compare(x, b.(float64))
	case time.Time:
		return x.Compare(b.(time.Time))
	case bool:
		n := func(v bool) int {
			if v {
				return 1
			}
			return 0
		}
		return cmp.Compare(n(x), n(b.(bool)))
	case string:
		if text != nil {
			return text(x, b.(string))
		}
		return strings.Compare(x, b.(string))
	}
	panic(fmt.Sprintf("%T", a))
}

// truths: a comparison with null is neither true nor false, as in SQL.
type verdict int

const (
	no verdict = iota
	unknown
	yes
)

type predicate func(row map[string]any) verdict

func (s *server) compile(expr any) (predicate, error) {
	m, ok := expr.(map[string]any)
	if !ok {
		return nil, fmt.Errorf("%v is no filter", expr)
	}
	if list, ok := m["and"].([]any); ok {
		return s.several(list, func(a, b verdict) verdict { return min(a, b) })
	}
	if list, ok := m["or"].([]any); ok {
		return s.several(list, func(a, b verdict) verdict { return max(a, b) })
	}
	if inner, ok := m["not"]; ok {
		f, err := s.compile(inner)
		return func(row map[string]any) verdict { return yes - f(row) }, err
	}
	name, _ := m["field"].(string)
	if _, ok := s.units[name]; !ok {
		return nil, fmt.Errorf("column '%s' not found", name)
	}
	if m["is"] == "is_null" {
		return func(row map[string]any) verdict {
			if row[name] == nil {
				return yes
			}
			return no
		}, nil
	}
	c, ok := m["is"].([]any)
	if !ok || len(c) != 2 {
		return nil, fmt.Errorf("%v is no condition", m["is"])
	}
	return s.comparing(name, c[0].(string), c[1])
}

func (s *server) several(list []any, combine func(a, b verdict) verdict) (predicate, error) {
	if len(list) == 0 {
		return nil, fmt.Errorf("an empty list")
	}
	var all []predicate
	for _, expr := range list {
		f, err := s.compile(expr)
		if err != nil {
			return nil, err
		}
		all = append(all, f)
	}
	return func(row map[string]any) verdict {
		v := all[0](row)
		for _, f := range all[1:] {
			v = combine(v, f(row))
		}
		return v
	}, nil
}

func (s *server) comparing(name, operator string, operand any) (predicate, error) {
	literal, err := s.literal(name, operand)
	if err != nil {
		return nil, err
	}
	holds, ok := map[string]func(c int) bool{
		"eq": func(c int) bool { return c == 0 }, "gt": func(c int) bool { return c > 0 }, "gte": func(c int) bool { return c >= 0 },
		"lt": func(c int) bool { return c < 0 }, "lte": func(c int) bool { return c <= 0 },
	}[operator]
	if !ok {
		return nil, fmt.Errorf("operator %s is unknown", operator)
	}
	return func(row map[string]any) verdict {
		v := s.stored(row, name)
		switch {
		case v == nil:
			return unknown
		case holds(s.order(v, literal, s.compare)):
			return yes
		}
		return no
	}, nil
}

// literal reads an operand in the type of the field.
func (s *server) literal(name string, v any) (any, error) {
	var sample any
	for _, row := range s.rows {
		if sample = row[name]; sample != nil {
			break
		}
	}
	n, isNumber := v.(json.Number)
	text, isText := v.(string)
	switch sample.(type) {
	case int64:
		if i, err := n.Int64(); isNumber && err == nil {
			return i, nil
		}
	case float64:
		if f, err := n.Float64(); isNumber && err == nil {
			return f, nil
		}
	case bool:
		return n == "1", nil
	default:
		if isText && isTime(name) {
			return time.Parse(time.RFC3339, text)
		}
		if isText {
			return text, nil
		}
	}
	return nil, fmt.Errorf("%v does not fit %s", v, name)
}

// mention adds the fields that a filter names.
func mention(where string, named map[string]bool) {
	var walk func(any)
	walk = func(v any) {
		switch v := v.(type) {
		case map[string]any:
			if name, ok := v["field"].(string); ok {
				named[name] = true
			}
			for _, inner := range v {
				walk(inner)
			}
		case []any:
			for _, inner := range v {
				walk(inner)
			}
		}
	}
	var expr any
	_ = json.Unmarshal([]byte(where), &expr)
	walk(expr)
}

// serve starts the server and returns a client of it.
func (s *server) serve(t testing.TB) *Client {
	t.Helper()
	web := httptest.NewServer(s)
	t.Cleanup(web.Close)
	c, err := New(Config{BaseURL: web.URL + "/v3", Key: "s3cret-key"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// prices are Ahrefs', of one report.
func prices(r *Report) map[string]int {
	out := map[string]int{}
	for _, f := range slices.Concat(r.Fields, r.Filters) {
		out[f.Name] = int(f.Units)
	}
	return out
}
