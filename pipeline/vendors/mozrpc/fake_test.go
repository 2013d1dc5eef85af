package mozrpc

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"backhaul/pipeline"
	"backhaul/pipeline/sourcetest"
	"backhaul/schemas"
	"backhaul/testdata/vendors"
)

const token = "tok3n-of/the+test=="

var arrival = time.Date(2026, 8, 20, 3, 0, 0, 0, time.FixedZone("", 7200))

// got is what a fake server saw of the last request.
type got struct {
	requests int
	path     string
	header   http.Header
	id       string
	method   string
	data     string
}

// fake answers every request with the same reply. In it, REQUEST-ID stands for the request's.
func fake(t testing.TB, status int, reply string, header ...string) (*Client, *got) {
	t.Helper()
	return server(t, func(*got) (int, string) { return status, reply }, header...)
}

// server answers every request with what answer returns for it.
func server(t testing.TB, answer func(*got) (int, string), header ...string) (*Client, *got) {
	t.Helper()
	seen := &got{}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var e struct {
			JSONRPC, ID, Method string
			Params              struct{ Data json.RawMessage }
		}
		body, _ := io.ReadAll(r.Body)
		if err := json.Unmarshal(body, &e); err != nil || e.JSONRPC != "2.0" {
			t.Errorf("not JSON-RPC 2.0: %s", body)
		}
		*seen = got{seen.requests + 1, r.Method + " " + r.URL.Path, r.Header, e.ID, e.Method, string(e.Params.Data)}
		status, reply := answer(seen)
		for i := 0; i < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, strings.Replace(reply, "REQUEST-ID", e.ID, 1))
	}))
	t.Cleanup(srv.Close)
	return client(t, Config{BaseURL: srv.URL + "/jsonrpc", Token: token}), seen
}

func client(t testing.TB, cfg Config) *Client {
	t.Helper()
	if cfg.HTTP.Clock == nil {
		cfg.HTTP.Clock = func() time.Time { return arrival }
	}
	c, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// result is a reply that holds a result.
func result(text string) string { return `{"id":"REQUEST-ID","jsonrpc":"2.0","result":` + text + `}` }

var named = sourcetest.Named

// page is a page as the journal has it.
func page(t testing.TB, method, asked, at, body string) pipeline.Page {
	t.Helper()
	return pipeline.Page{Cursor: pipeline.Cursor(at), Status: 200, Body: []byte(body), FetchedAt: arrival,
		Request: []byte(`{"jsonrpc":"2.0","id":"AAAAAAAAAAAAAAAAAAAAAAAAAA","method":"` + method + `","params":{"data":` + asked + `}}`)}
}

// decoded is what a page brings for a table: rows by column, nulls left out, and what was rejected.
func decoded(t testing.TB, s pipeline.Source, table *schemas.Table, p pipeline.Page) (rows []map[string]any, rejected []schemas.Rejection, err error) {
	t.Helper()
	from := schemas.Origin{Rank: 1, Target: "moz.com", TargetAsGiven: "moz.com", Scope: "page", Surface: surface, FetchedAt: p.FetchedAt}
	return sourcetest.Rows(t, s, table, from, p)
}

// sample is a recorded result of the vendor.
func sample(t testing.TB, method string) []byte {
	t.Helper()
	return vendors.Read(t, "moz/rpc_"+method+".json")
}
