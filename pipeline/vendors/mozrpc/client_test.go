package mozrpc

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"backhaul/pipeline"
	"backhaul/pipeline/vendors/internal/moz"
)

func TestNewSaysWhatIsMissing(t *testing.T) {
	for name, tc := range map[string]struct {
		cfg  Config
		says string
	}{
		"nothing":        {Config{}, "wants a token"},
		"plain http":     {Config{Token: token, BaseURL: "http://api.moz.com/jsonrpc"}, "https"},
		"token of lines": {Config{Token: token + "\n"}, "control character"},
	} {
		_, err := New(tc.cfg)
		if err == nil || !strings.Contains(err.Error(), tc.says) || strings.Contains(err.Error(), token) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := New(Config{Token: token}); err != nil {
		t.Error(err)
	}
}

func TestCredentialsAppearInNoError(t *testing.T) {
	quoted := strings.ReplaceAll("token "+token, "/", `\/`)
	replies := map[string]http.HandlerFunc{
		"redirect": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", "/"+token)
			w.WriteHeader(302)
		},
		"html":      reply(200, "<p>"+token),
		"not JSON":  reply(200, token),
		"cut":       reply(200, `{"result":["`+quoted),
		"duplicate": reply(200, `{"result":[],"`+token+`":1,"`+token+`":2}`),
		"no result": reply(200, `{"message":"`+quoted+`"}`),
		"wrong id":  reply(200, `{"id":"`+quoted+`","result":{"anchor_texts":[]}}`),
		"beside":    reply(200, `{"error":{"message":"`+quoted+`"},"result":{"anchor_texts":[{}]}}`),
		"202":       reply(202, `{"message":"`+quoted+`"}`),
		"bad token": reply(200, `{"result":{"anchor_texts":[],"offset":{"token":["`+token+`"]}}}`),
	}
	for _, status := range []int{200, 400, 401, 402, 403, 404, 429, 500, 503} {
		replies[http.StatusText(status)+", error"] = reply(status, `{"error":{"code":-1,"message":"`+quoted+`","data":{"key":"`+quoted+`","explanation":"`+token+`"}}}`)
		replies[http.StatusText(status)+", text"] = reply(status, quoted)
	}
	for name, h := range replies {
		srv := httptest.NewServer(h)
		c := client(t, Config{BaseURL: srv.URL, Token: token})
		p, err := fetch(t, c, "anchor_text", "")
		clean(t, name, err)
		if p.Body != nil {
			_, err = named(t, c.Sources(), "anchor_text").Read(pipeline.Task{Target: "moz.com"}, pipeline.Ask{}, p)
			clean(t, name+", read again", err)
		}
		_, err = c.Usage(t.Context(), time.Time{}, time.Time{})
		clean(t, name+", usage", err)
		srv.Close()
	}
	cfg := Config{Token: token, BaseURL: "https://moz.example"}
	cfg.HTTP.Dial = func(context.Context, string, string) (net.Conn, error) { return nil, errors.New("dial with " + token) }
	_, err := fetch(t, client(t, cfg), "anchor_text", "")
	clean(t, "dial", err)
}

func reply(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}
}

// clean looks through an error and all its causes.
func clean(t *testing.T, name string, err error) {
	t.Helper()
	if err == nil {
		t.Errorf("%s: no error", name)
	}
	for ; err != nil; err = errors.Unwrap(err) {
		if strings.Contains(err.Error(), token) || strings.Contains(err.Error(), strings.ReplaceAll(token, "/", `\/`)) {
			t.Errorf("%s: %s", name, err)
		}
	}
}

// A job moves here by one line if what it says of endpoints is said in the same words.
func TestEndpointsAreThoseOfV2(t *testing.T) {
	var names []string
	for i, s := range Offline() {
		e := s.Endpoint()
		names = append(names, e.Name)
		if e != Surface().Endpoints()[i] || e.Vendor != "moz" || e.Surface != "rpc" || e.Source == "" || e.PageSize < 1 {
			t.Errorf("%+v", e)
		}
		common := moz.Endpoint(e.Name)
		if len(e.Params) != len(common.Params) || e.ScopeParam != common.ScopeParam || e.DefaultScope != common.DefaultScope || e.Asks != common.Asks || e.Table != common.Table {
			t.Errorf("%s differs from what both surfaces have in common", e)
		}
		_, err := s.Fetch(t.Context(), pipeline.Task{Target: "moz.com"}, pipeline.Ask{})
		if pipeline.KindOf(err) != pipeline.Denied {
			t.Errorf("%s: %v", e, err)
		}
	}
	if diff := cmp.Diff(moz.Names(), names); diff != "" {
		t.Error(diff)
	}
	for endpoint, names := range rules {
		for name := range names {
			if named(t, Offline(), endpoint).Endpoint().Param(name) == nil {
				t.Errorf("a rule is about %s of %s, which is no parameter", name, endpoint)
			}
		}
	}
}

func TestPageIsWhatArrived(t *testing.T) {
	body := `{"jsonrpc":"2.0","result":{"anchor_texts":[{"text":"moz","external_root_domains":2026,"external_pages":7162}, {"text":"","external_root_domains":5,"external_pages":9}, 17],"offset":{"token":"EokQ=="}}}`
	c, _ := fake(t, 200, body)
	p, err := fetch(t, c, "anchor_text", "before")
	if err != nil || string(p.Body) != body || p.Status != 200 || p.Cursor != "before" || p.Next != "EokQ==" || p.End || p.Rows != 3 || p.Units != 3 || p.Tail != 0 {
		t.Errorf("%+v, %v", p, err)
	}
	if !p.FetchedAt.Equal(arrival) || p.FetchedAt.Location() != time.UTC {
		t.Error(p.FetchedAt)
	}
}

func TestFirstPagesTellWhatTheyAreSortedBy(t *testing.T) {
	for endpoint, list := range map[string]string{
		"anchor_text":          `"anchor_texts":[{"text":"a","external_root_domains":90},{"text":"b","external_root_domains":42}]`,
		"links":                `"links":[{"source_site_metrics":{"page_authority":42,"domain_authority":99}}]`,
		"linking_root_domains": `"linking_domains":[{"site_metrics":{"domain_authority":42}}]`,
	} {
		c, _ := fake(t, 200, result(`{`+list+`,"offset":{"token":"x"}}`))
		if p, err := fetch(t, c, endpoint, ""); err != nil || p.Tail != 42 {
			t.Errorf("%s: %v, %v", endpoint, p.Tail, err)
		}
	}
}

func TestListEndsWhereTheTokenIsAbsentNullOrEmpty(t *testing.T) {
	for rest, end := range map[string]bool{``: true, `,"offset":null`: true, `,"offset":{}`: true, `,"offset":{"token":null}`: true,
		`,"offset":{"token":""}`: true, `,"offset":{"provided_token":"y","token":"x"}`: false} {
		c, _ := fake(t, 200, result(`{"links":[]`+rest+`}`))
		p, err := fetch(t, c, "links", "")
		if err != nil || p.End != end || end && p.Next != "" {
			t.Errorf("%s: %+v, %v", rest, p, err)
		}
	}
}

func TestGlobalListsEndAfter500RowsOrAPageThatIsNotWhole(t *testing.T) {
	for cursor, tc := range map[string]struct {
		rows int
		next pipeline.Cursor
		end  bool
	}{
		"": {50, "1", false}, "8": {50, "9", false}, "9": {50, "10", true}, "3": {49, "4", true}, "4": {0, "5", true},
	} {
		list := strings.TrimSuffix(strings.Repeat(`{"page":"a/"},`, tc.rows), ",")
		c, _ := fake(t, 200, result(`{"top_pages":[`+list+`]}`))
		p, err := fetch(t, c, "global_top_pages", cursor)
		if err != nil || p.Next != tc.next || p.End != tc.end || p.Units != 0 {
			t.Errorf("page %q: %+v, %v", cursor, p, err)
		}
	}
}

func TestMalformedPagesAreHandedOverWithTheError(t *testing.T) {
	for name, body := range map[string]string{
		"duplicate":       `{"result":{"anchor_texts":[{"text":"a","text":"b"}]}}`,
		"invalid UTF-8":   "{\"result\":{\"anchor_texts\":[{\"text\":\"\xff\"}]}}",
		"trailing":        `{"result":{"anchor_texts":[]}}{}`,
		"neither":         `{"jsonrpc":"2.0"}`,
		"null error":      `{"error":null,"message":"something is wrong"}`,
		"another's":       `{"id":"AAAAAAAAAAAAAAAAAAAAAAAAAA","result":{"anchor_texts":[]}}`,
		"another result":  `{"result":{"links":[]}}`,
		"token":           `{"result":{"anchor_texts":[],"offset":{"token":1}}}`,
		"text":            `upstream error`,
		"list of objects": `[{"result":{"anchor_texts":[]}}]`,
		"HTML":            `<html>maintenance`,
		"empty":           ``,
		"an empty error":  `{"error":{}}`,
		"rows, error":     `{"result":{"anchor_texts":[{}],"offset":{"token":null}},"error":{"code":-32602,"status":400,"message":"bad"}}`,
	} {
		c, _ := fake(t, 200, body)
		p, err := fetch(t, c, "anchor_text", "")
		var e *pipeline.Error
		if !errors.As(err, &e) || e.Kind != pipeline.Malformed || !e.MaybeCharged || e.Status != 200 {
			t.Errorf("%s: %v", name, err)
		}
		if !strings.HasPrefix(body, string(p.Body)) || len(p.Body) < len(body) || len(p.Request) == 0 || p.Status != 200 || p.FetchedAt.IsZero() {
			t.Errorf("%s: the page is lost: %d bytes", name, len(p.Body))
		}
	}
	for endpoint, body := range map[string]string{"final_redirect": `{"site_query":{}}`, "index_metadata": `{}`, "usage_data": `{"quota":{"path":"x"}}`, "link_intersect": `{}`} {
		c, _ := fake(t, 200, result(body))
		task := pipeline.Task{Target: "a.com"}
		if endpoint == "link_intersect" {
			task.Params = oneTarget
		}
		_, err := named(t, c.Sources(), endpoint).Fetch(t.Context(), task, pipeline.Ask{})
		if pipeline.KindOf(err) != pipeline.Malformed || err == nil {
			t.Errorf("%s: %v", endpoint, err)
		}
	}
}

func TestPageCutOnTheWayIsAskedForAgain(t *testing.T) {
	whole := `{"id":"x","result":{"anchor_texts":[{"text":"a"}]}}`
	for _, n := range []int{1, 20, len(whole) - 1} {
		c, _ := fake(t, 200, whole[:n])
		_, err := fetch(t, c, "anchor_text", "")
		var e *pipeline.Error
		if !errors.As(err, &e) || e.Kind != pipeline.Transient || !e.MaybeCharged {
			t.Errorf("%d bytes: %v", n, err)
		}
	}
}

func TestFetchHonoursCancellation(t *testing.T) {
	c, seen := fake(t, 200, result(`{"links":[]}`))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := named(t, c.Sources(), "links").Fetch(ctx, pipeline.Task{Target: "moz.com"}, pipeline.Ask{})
	if !errors.Is(err, context.Canceled) || seen.requests > 0 {
		t.Errorf("%v, %d requests", err, seen.requests)
	}
}
