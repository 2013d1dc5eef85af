package mozv2

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

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

func reply(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		w.Write([]byte(body))
	}
}

func TestEndpoints(t *testing.T) {
	var names []string
	for i, s := range Offline() {
		names = append(names, s.Endpoint().String())
		if s.Endpoint() != Surface().Endpoints()[i] {
			t.Errorf("%s: two sets of facts", s.Endpoint())
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
