package ahrefsv2

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"

	"backhaul/pipeline"
	"backhaul/pipeline/sourcetest"
	"backhaul/schemas"
)

const token = "tok3n-of/the+test=="

var arrival = time.Date(2026, 7, 1, 3, 0, 0, 0, time.FixedZone("", 7200))

// serve answers requests by a function of their query, which is checked for the token and then freed of it.
func serve(t *testing.T, answer func(w http.ResponseWriter, q url.Values)) *Client {
	t.Helper()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		q, err := url.ParseQuery(r.URL.RawQuery)
		if err != nil || r.Method != "GET" || r.URL.Path != "/" || q.Get("token") != token || len(q["token"]) != 1 {
			t.Errorf("%s %s: %v", r.Method, r.URL, err)
		}
		q.Del("token")
		answer(w, q)
	}))
	t.Cleanup(srv.Close)
	c, err := New(Config{BaseURL: srv.URL, Token: token, HTTP: HTTP{Clock: func() time.Time { return arrival }}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// reply answers with status 200, as v2 always does.
func reply(body string, header ...string) func(http.ResponseWriter, url.Values) {
	return func(w http.ResponseWriter, _ url.Values) {
		for i := 0; i < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		io.WriteString(w, body)
	}
}

var named = sourcetest.Named

type row = map[string]any

// decoded is a page's rows by column, without the common ones that are the same for all and without nulls.
func decoded(t testing.TB, s pipeline.Source, table *schemas.Table, page pipeline.Page) (rows []row, rejected []schemas.Rejection, err error) {
	t.Helper()
	return sourcetest.Rows(t, s, table, schemas.Origin{Rank: 1}, page, schemas.ColExtra)
}
