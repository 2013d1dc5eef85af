package mozv2

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow/memory"

	"backhaul/pipeline"
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

func named(t testing.TB, all []pipeline.Source, name string) pipeline.Source {
	t.Helper()
	for _, s := range all {
		if s.Endpoint().Name == name {
			return s
		}
	}
	t.Fatalf("no endpoint %s", name)
	return nil
}

// decoded is a page's rows by column, nulls left out, and what was rejected.
func decoded(t testing.TB, s pipeline.Source, body []byte) (rows []map[string]any, rejected []schemas.Rejection, err error) {
	t.Helper()
	mem := memory.NewCheckedAllocator(memory.DefaultAllocator)
	defer mem.AssertSize(t, 0)
	b := schemas.NewBuilder(mem, s.Endpoint().Table)
	defer b.Release()
	b.Begin(schemas.Origin{Rank: 1, Target: "moz.com", TargetAsGiven: "moz.com", Scope: "page", Surface: surface})
	err = s.Decode(pipeline.Page{Body: body}, b)
	batch := b.Batch()
	defer batch.Release()
	for i := range int(batch.NumRows()) {
		row := map[string]any{}
		for j, c := range s.Endpoint().Table.Columns() {
			if column := batch.Column(j); column.IsValid(i) {
				row[c.Name] = column.GetOneForMarshal(i)
			}
		}
		rows = append(rows, row)
	}
	return rows, b.Rejected(), err
}
