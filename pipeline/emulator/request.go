package emulator

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"backhaul/pipeline/emulator/graph"
)

// query is a request with all defaults filled in. What an endpoint does not take stays zero.
type query struct {
	Path             string
	Target           string
	Scope            string
	Filter           []string
	Sort             string
	Anchor           *string
	SourceRootDomain string
	SourceScope      string
	LimitedToOne     []string
	Begin, End       string
	Limit            int
	Batch            *batch        `json:",omitempty"`
	Intersect        *intersection `json:",omitempty"`
	Histories        *histories    `json:",omitempty"`
	Sites            []site        `json:",omitempty"`
	token            string        // unexported fields are not part of the key
	start, end       int64
}

// key identifies the request without its next_token.
func (q *query) key() string {
	text, err := json.Marshal(q)
	if err != nil {
		panic(err) // strings and integers always encode
	}
	return string(text)
}

// listKey identifies the list the request pages through.
func (q *query) listKey() string {
	all := *q
	all.Limit = 0
	return all.key()
}

// batch is what an endpoint without pages is asked: several sites, and one more for all of them.
type batch struct {
	Sites       []string
	SourceScope string
}

// site is a target with a scope of its own.
type site struct{ Target, Scope string }

func (s site) find(v *graph.View) graph.Target {
	t, _ := v.Graph().Find(s.Target, scopes[s.Scope])
	return t
}

// find returns the pages of the target. A target the index does not know is one without links (chosen; V2's answer to it is unknown).
func (q *query) find(v *graph.View) graph.Target {
	return site{q.Target, q.Scope}.find(v)
}

var scopes = map[string]graph.Scope{"page": graph.Page, "subdomain": graph.Host, "root_domain": graph.Domain, "subfolder": graph.Folder}

const maxBody = 1 << 20

// parse reads a request, whatever content type it claims: the vendor's own examples send JSON as a form.
func parse(r *http.Request, e endpoint, strict bool) (*query, error) {
	body, err := io.ReadAll(io.LimitReader(r.Body, maxBody+1))
	if err != nil {
		return nil, fmt.Errorf("read body: %w", err)
	}
	if len(body) > maxBody {
		return nil, errors.New("the body is too long")
	}
	f := fields{values: map[string]json.RawMessage{}}
	if err := json.Unmarshal(body, &f.values); err != nil || f.values == nil {
		return nil, errors.New("the body is not a JSON object")
	}
	q := &query{Path: r.URL.Path}
	e.parse(&f, q)
	if f.err == nil && strict && len(f.values) > 0 {
		for name := range f.values {
			f.fail("%s is not a parameter of this endpoint", name)
		}
	}
	return q, f.err
}

// fields takes parameters out of a body, and keeps the first thing found wrong.
type fields struct {
	values map[string]json.RawMessage
	err    error
}

func (f *fields) fail(format string, args ...any) {
	if f.err == nil {
		f.err = fmt.Errorf(format, args...)
	}
}

// take reads a parameter into value and reports whether it was there. A null is of the wrong type (chosen).
func (f *fields) take(name string, value any, kind string) bool {
	raw, ok := f.values[name]
	if !ok {
		return false
	}
	delete(f.values, name)
	if string(raw) == "null" || json.Unmarshal(raw, value) != nil {
		f.fail("%s must be %s", name, kind)
		return false
	}
	return true
}

func (f *fields) text(name string) (value string, ok bool) {
	ok = f.take(name, &value, "a string")
	return value, ok
}

// choice reads one of a few words; the first is the default.
func (f *fields) choice(name string, words ...string) string {
	value, ok := f.text(name)
	if !ok {
		return words[0]
	}
	if !slices.Contains(words, value) {
		f.fail("%s must be one of %s", name, strings.Join(words, ", "))
	}
	return value
}

// target reads the required target.
func (f *fields) target(q *query) { q.Target = f.address("target") }

func (f *fields) address(name string) string {
	value, _ := f.text(name)
	return f.canonical(name, value)
}

// canonical returns host and path of an address. A scheme is accepted and dropped; what is not ASCII is refused (both chosen, the
// documentation shows bare ASCII targets only).
func (f *fields) canonical(name, value string) string {
	if value == "" {
		f.fail("%s is required", name)
		return ""
	}
	if strings.ContainsFunc(value, func(r rune) bool { return r <= ' ' || r > '~' }) {
		f.fail("%s must be ASCII without spaces", name)
	}
	return bare(value)
}

func bare(address string) string {
	if _, rest, ok := strings.Cut(address, "://"); ok {
		address = rest
	}
	host, path, _ := strings.Cut(address, "/")
	return strings.ToLower(host) + "/" + path
}

// addresses reads 1 to 50 of them, the documented size of a batch.
func (f *fields) addresses(name string) []string {
	var given []string
	f.take(name, &given, "an array of strings")
	if len(given) < 1 || len(given) > 50 {
		f.fail("%s must be 1 to 50 addresses", name)
	}
	out := make([]string, len(given))
	for i, value := range given {
		out[i] = f.canonical(name, value)
	}
	return out
}

// paging reads limit, 1 to 50, default 25, and next_token; an empty one asks for the first page (chosen).
func (f *fields) paging(q *query) {
	q.Limit = 25
	if f.take("limit", &q.Limit, "a whole number from 1 to 50") && (q.Limit < 1 || q.Limit > 50) {
		f.fail("limit must be a whole number from 1 to 50")
	}
	q.token, _ = f.text("next_token")
}

// filter reads names joined with "+"; default external. Of several, external must be one (V3's rule, taken for V2).
func (f *fields) filter(names []string) []string {
	value, ok := f.text("filter")
	if !ok {
		return []string{"external"}
	}
	given := strings.Split(value, "+")
	for _, name := range given {
		if !slices.Contains(names, name) {
			f.fail("filter must be made of %s", strings.Join(names, ", "))
		}
	}
	slices.Sort(given)
	given = slices.Compact(given)
	if len(given) > 1 && !slices.Contains(given, "external") {
		f.fail("filter with several names must include external")
	}
	return given
}

func (f *fields) date(name string) string {
	value, ok := f.text(name)
	if !ok {
		return ""
	}
	if _, err := time.Parse(time.DateOnly, value); err != nil {
		f.fail("%s must be a date, YYYY-MM-DD", name)
	}
	return value
}
