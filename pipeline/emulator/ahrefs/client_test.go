package ahrefs

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"

	"backhaul/pipeline/emulator/graph"
)

var web = sync.OnceValue(func() *graph.Graph { return graph.New(0) })

// serve returns a server over day 0 of the web.
func serve(o Options) *Server { return New(func() *graph.View { return web().At(0) }, o) }

// answer is a reply as a client reads it.
type answer struct {
	Reply
	rows []map[string]any
}

// get asks for a report of v3 with good credentials: select=a,b and so on, encoded here.
func get(t testing.TB, s *Server, path string, params ...string) answer {
	t.Helper()
	v := url.Values{}
	for _, p := range params {
		name, value, _ := strings.Cut(p, "=")
		v.Set(name, value) // a later one stands in for an earlier one
	}
	return ask(t, s, httptest.NewRequest(http.MethodGet, "/v3/"+path+"?"+v.Encode(), nil))
}

func post(t testing.TB, s *Server, path, body string) answer {
	t.Helper()
	return ask(t, s, httptest.NewRequest(http.MethodPost, "/v3/"+path, strings.NewReader(body)))
}

func ask(t testing.TB, s *Server, r *http.Request) answer {
	t.Helper()
	if r.Header.Get("Authorization") == "" {
		r.Header.Set("Authorization", "Bearer "+DefaultKey)
	}
	a := answer{Reply: run(s, r)}
	if a.Status != http.StatusOK || a.ContentType != "application/json" {
		return a
	}
	var body map[string]json.RawMessage
	if err := json.Unmarshal(a.Body, &body); err != nil || len(body) != 1 {
		t.Fatalf("%s: %v in %.300s", r.URL, err, a.Body)
	}
	for _, raw := range body {
		if raw[0] == '{' {
			raw = append(append([]byte("["), raw...), ']')
		}
		if err := json.Unmarshal(raw, &a.rows); err != nil {
			t.Fatalf("%s: %v in %.300s", r.URL, err, a.Body)
		}
	}
	return a
}

func run(s *Server, r *http.Request) Reply {
	q, no := s.Read(r)
	a := Reply{}
	if no != nil {
		a = *no
	} else {
		a = s.Answer(q)
	}
	s.Settle(a, a.Status, true)
	return a
}

func (a answer) header(t testing.TB, name string) int {
	t.Helper()
	n, err := strconv.Atoi(a.Header[name])
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return n
}

// column returns a field of all rows.
func column[T any](t testing.TB, a answer, name string) []T {
	t.Helper()
	out := make([]T, len(a.rows))
	for i, r := range a.rows {
		v, ok := r[name].(T)
		if !ok {
			t.Fatalf("row %d: %s is %v", i, name, r[name])
		}
		out[i] = v
	}
	return out
}

func sum(numbers []float64) (n int) {
	for _, v := range numbers {
		n += int(v)
	}
	return n
}

func all(report string) string {
	return "select=" + strings.Join(reports["/v3/site-explorer/"+report].fields, ",")
}
