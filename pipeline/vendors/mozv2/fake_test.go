package mozv2

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"backhaul/pipeline"
	"backhaul/pipeline/sourcetest"
	"backhaul/schemas"
)

const token = "tok3n-of/the+test=="

var arrival = time.Date(2026, 7, 1, 3, 0, 0, 0, time.FixedZone("", 7200))

// got is what a fake server saw of the last request.
type got struct {
	path   string
	header http.Header
	body   string
}

// fake answers every request with the same reply.
func fake(t *testing.T, status int, reply string, header ...string) (*Client, *got) {
	t.Helper()
	seen := &got{}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		*seen = got{r.Method + " " + r.URL.Path, r.Header, string(body)}
		for i := 0; i < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.WriteHeader(status)
		io.WriteString(w, reply)
	}))
	t.Cleanup(srv.Close)
	return client(t, Config{BaseURL: srv.URL + "/v2/", Token: token}), seen
}

func client(t *testing.T, cfg Config) *Client {
	t.Helper()
	cfg.HTTP.Clock = func() time.Time { return arrival }
	c, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

var named = sourcetest.Named

// requests are what the replies of tests answer, where decoding looks back at it. Those of lists about a target do not matter.
var requests = map[string]string{
	"link_intersect": `{"limit":50,"negative_targets":[{"scope":"root_domain","target":"own.com"}],"positive_targets":[{"scope":"root_domain","target":"a.com"},{"scope":"page","target":"b.com/x"}],"source_scope":"page"}`,
	"link_status":    `{"source_scope":"root_domain","sources":["a.com","b.com","c.com"],"target":"moz.com","target_scope":"page"}`,
	"url_metrics":    `{"targets":["a.com","b.com/x"]}`,
	"usage_data":     `{}`,
}

// decoded is the rows by column, nulls left out, that a reply brings to the endpoint's table, and what was rejected.
func decoded(t testing.TB, s pipeline.Source, body []byte) (rows []map[string]any, rejected []schemas.Rejection, err error) {
	t.Helper()
	return decodedTo(t, s, s.Endpoint().Table, pipeline.Page{Body: body, Request: []byte(requests[s.Endpoint().Name]), FetchedAt: arrival.UTC()})
}

// decodedTo is decoded for one of the tables that a page fills.
func decodedTo(t testing.TB, s pipeline.Source, table *schemas.Table, page pipeline.Page) (rows []map[string]any, rejected []schemas.Rejection, err error) {
	t.Helper()
	from := schemas.Origin{Rank: 1, Target: "moz.com", TargetAsGiven: "moz.com", Scope: "page", Surface: surface}
	if asks := s.Endpoint().Asks; asks == pipeline.AboutTargets || asks == pipeline.AboutNothing {
		from.Target, from.TargetAsGiven = "", ""
	}
	return sourcetest.Rows(t, s, table, from, page)
}
