package mozv2

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
)

func TestNewSaysWhatIsMissing(t *testing.T) {
	for name, tc := range map[string]struct {
		cfg  Config
		says string
	}{
		"nothing":        {Config{}, "no credentials"},
		"id alone":       {Config{AccessID: "mozscape-1"}, "belong together"},
		"key alone":      {Config{SecretKey: token}, "belong together"},
		"plain http":     {Config{Token: token, BaseURL: "http://lsapi.seomoz.com/v2"}, "https"},
		"token of lines": {Config{Token: token + "\n"}, "control character"},
	} {
		_, err := New(tc.cfg)
		if err == nil || !strings.Contains(err.Error(), tc.says) || strings.Contains(err.Error(), token) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, cfg := range map[string]Config{"token": {Token: token}, "pair": {AccessID: "a", SecretKey: "b"}, "both": {Token: token, AccessID: "a"}} {
		if _, err := New(cfg); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestBothKindsOfCredentials(t *testing.T) {
	var seen got
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen.header = r.Header
		reply(200, `{"results":[]}`)(w, r)
	}))
	defer srv.Close()
	fetch(t, client(t, Config{BaseURL: srv.URL, Token: token, AccessID: "mozscape-1", SecretKey: "key"}), "links")
	if seen.header.Get("x-moz-token") != token || seen.header.Get("Authorization") != "" {
		t.Errorf("token: %v", seen.header)
	}
	fetch(t, client(t, Config{BaseURL: srv.URL, AccessID: "mozscape-1", SecretKey: "key"}), "links")
	if seen.header.Get("Authorization") != "Basic bW96c2NhcGUtMTprZXk=" || seen.header.Get("x-moz-token") != "" {
		t.Errorf("pair: %v", seen.header)
	}
}

func fetch(t *testing.T, c *Client, endpoint string) (pipeline.Page, error) {
	t.Helper()
	return named(t, c.Sources(), endpoint).Fetch(t.Context(), pipeline.Task{Target: "moz.com", Params: "{}"}, pipeline.Ask{})
}

func TestCredentialsAppearInNoError(t *testing.T) {
	echo := "token " + token + " user mozscape-secret key k3y-of/the+test pair mozscape-secret:k3y-of/the+test Basic bW96c2NhcGUtc2VjcmV0OmszeS1vZi90aGUrdGVzdA=="
	quoted := strings.ReplaceAll(echo, "/", `\/`)
	replies := map[string]http.HandlerFunc{
		"redirect": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", "/"+token)
			w.WriteHeader(302)
		},
		"html":          reply(200, "<p>"+echo),
		"not JSON":      reply(200, echo),
		"cut":           reply(200, `{"results":["`+quoted),
		"duplicate":     reply(200, `{"results":[],"`+token+`":1,"`+token+`":2}`),
		"no results":    reply(200, `{"message":"`+quoted+`"}`),
		"list of wrong": reply(200, `{"results":"`+token+`"}`),
		"error":         reply(200, `{"error":"`+quoted+`","results":[],"next_token":""}`),
		"nested error":  reply(200, `{"error":{"message":"`+quoted+`","key":"`+token+`"}}`),
		"odd error":     reply(200, `{"errors":[7,"`+quoted+`"]}`),
		"rows, error":   reply(200, `{"error":"`+quoted+`","results":[{}]}`),
		"202":           reply(202, `{"message":"`+quoted+`"}`),
		"206":           reply(206, quoted),
		"bad token":     reply(200, `{"results":[],"next_token":["`+token+`"]}`),
		"broken off": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "1000")
			w.Write([]byte(echo))
		},
	}
	for _, status := range []int{400, 401, 402, 403, 404, 405, 408, 410, 422, 429, 500, 502, 503, 504} {
		replies[http.StatusText(status)+", JSON"] = reply(status, `{"message":"`+quoted+`"}`)
		replies[http.StatusText(status)+", nested"] = reply(status, `{"error":{"message":"`+quoted+`"}}`)
		replies[http.StatusText(status)+", text"] = reply(status, quoted)
	}
	for name, h := range replies {
		srv := httptest.NewServer(h)
		for _, cfg := range []Config{{Token: token}, {AccessID: "mozscape-secret", SecretKey: "k3y-of/the+test"}} {
			cfg.BaseURL = srv.URL
			c := client(t, cfg)
			page, err := fetch(t, c, "anchor_text")
			clean(t, name, cfg, err)
			if page.Body != nil {
				_, err = named(t, c.Sources(), "anchor_text").Read(pipeline.Task{Target: "moz.com"}, pipeline.Ask{}, page)
				clean(t, name+", read again", cfg, err)
			}
			_, err = c.Usage(t.Context(), time.Time{}, time.Time{})
			clean(t, name+", usage", cfg, err)
			_, err = c.IndexID(t.Context())
			clean(t, name+", index", cfg, err)
		}
		srv.Close()
	}
	cfg := Config{Token: token, BaseURL: "https://" + "moz.example"}
	cfg.HTTP.Dial = func(context.Context, string, string) (net.Conn, error) { return nil, errors.New("dial with " + token) }
	_, err := fetch(t, client(t, cfg), "anchor_text")
	clean(t, "dial", cfg, err)
}

func reply(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		w.Write([]byte(body))
	}
}

// clean looks through an error and all its causes.
func clean(t *testing.T, name string, cfg Config, err error) {
	t.Helper()
	if err == nil {
		t.Errorf("%s: no error", name)
	}
	secrets := []string{token, strings.ReplaceAll(token, "/", `\/`)}
	if cfg.Token == "" {
		secrets = []string{"mozscape-secret", "k3y-of", "bW96c2Nhc"}
	}
	for ; err != nil; err = errors.Unwrap(err) {
		for _, s := range secrets {
			if strings.Contains(err.Error(), s) {
				t.Errorf("%s: %s", name, err)
			}
		}
	}
}

func TestOfflineSourcesKnowTheFactsAndRefuseToBuy(t *testing.T) {
	var names []string
	for i, s := range Offline() {
		names = append(names, s.Endpoint().String())
		if s.Endpoint() != Surface().Endpoints()[i] {
			t.Errorf("%s: two sets of facts", s.Endpoint())
		}
		_, err := s.Fetch(t.Context(), pipeline.Task{Target: "moz.com"}, pipeline.Ask{})
		if pipeline.KindOf(err) != pipeline.Denied {
			t.Errorf("%s: %v", s.Endpoint(), err)
		}
	}
	want := strings.Fields("moz/anchor_text moz/links moz/linking_root_domains moz/link_intersect moz/link_status moz/final_redirect moz/url_metrics moz/top_pages " +
		"moz/global_top_pages moz/global_top_root_domains moz/index_metadata moz/usage_data")
	if diff := cmp.Diff(want, names); diff != "" {
		t.Error(diff)
	}
}

func TestFacts(t *testing.T) {
	for _, e := range Surface().Endpoints() {
		if e.Vendor != "moz" || e.Surface != "v2" || e.Table == nil || e.Table.FullName() != "moz."+e.Name || e.Source == "" {
			t.Errorf("%+v", e)
		}
	}
}
