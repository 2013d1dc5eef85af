// Package secondopinion validates the emulated replies, and the requests of its own tests, against the vendor's OpenAPI document with a
// validator that shares no code with the emulator. It is a module of its own, so that the validator stays out of the
// binary's module graph:
//
//	cd pipeline/emulator/ahrefs/secondopinion && go test ./...
//
// The document is cut to the reports that are emulated, without its prose: see testdata/vendors.
package secondopinion

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/pb33f/libopenapi"
	validator "github.com/pb33f/libopenapi-validator"
	"github.com/pb33f/libopenapi-validator/config"

	"backhaul/pipeline/emulator"
	"backhaul/pipeline/emulator/ahrefs"
	"backhaul/testdata/vendors"
)

func load(t *testing.T) (validator.Validator, []byte) {
	t.Helper()
	var described any
	vendors.Decode(t, "ahrefs/openapi.json", &described)
	raw, err := json.Marshal(amend(described))
	if err != nil {
		t.Fatal(err)
	}
	doc, err := libopenapi.NewDocument(raw)
	if err != nil {
		t.Fatal(err)
	}
	v, errs := validator.NewValidator(doc, config.WithFormatAssertions())
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	return v, raw
}

// amend adds null to the values of fields that may be null and have a list of values: the document says so of their type, and forgets it in
// the list, so that by its letter a live link would have a lost_reason. And usage_reset_date is a date by the document, a time in every
// recorded reply, and here.
func amend(v any) any {
	switch v := v.(type) {
	case []any:
		for i := range v {
			v[i] = amend(v[i])
		}
	case map[string]any:
		for k := range v {
			v[k] = amend(v[k])
		}
		if reset, ok := v["usage_reset_date"].(map[string]any); ok {
			reset["format"] = "date-time"
		}
		types, _ := v["type"].([]any)
		if values, ok := v["enum"].([]any); ok && slices.Contains(types, any("null")) {
			v["enum"] = append(values, nil)
		}
	}
	return v
}

// fields are all that a list may select, read from the document.
func fields(t *testing.T, raw []byte, path, envelope string) string {
	t.Helper()
	var doc struct {
		Components struct {
			Schemas map[string]struct {
				Properties map[string]struct {
					Items struct{ Properties map[string]any }
				}
			}
		}
	}
	if err := json.Unmarshal(raw, &doc); err != nil {
		t.Fatal(err)
	}
	var names []string
	for name := range doc.Components.Schemas[strings.ReplaceAll(strings.Trim(path, "/"), "/", ".")].Properties[envelope].Items.Properties {
		names = append(names, name)
	}
	if len(names) == 0 {
		t.Fatalf("%s has no fields", path)
	}
	return strings.Join(names, ",")
}

// exchange sends a request to the emulator and returns both with bodies to read again.
func exchange(t *testing.T, s http.Handler, method, target, body string) (*http.Request, *http.Response) {
	t.Helper()
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer "+ahrefs.DefaultKey)
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	r.Body = io.NopCloser(strings.NewReader(body))
	return r, w.Result()
}

func TestRepliesAreWhatTheDocumentSays(t *testing.T) {
	v, raw := load(t)
	s := emulator.New(emulator.Options{})
	lists := map[string]string{
		"/site-explorer/anchors": "anchors", "/site-explorer/all-backlinks": "backlinks", "/site-explorer/broken-backlinks": "backlinks",
		"/site-explorer/refdomains": "refdomains", "/site-explorer/linkeddomains": "linkeddomains",
		"/site-explorer/linked-anchors-external": "linkedanchors", "/site-explorer/pages-by-backlinks": "pages",
	}
	var requests []string
	for path, envelope := range lists {
		q := url.Values{"target": {"acme-outdoor.example"}, "limit": {"300"}, "select": {fields(t, raw, path, envelope)}}
		requests = append(requests, path+"?"+q.Encode())
	}
	for _, target := range []string{"acme-outdoor.example", "nowhere.example"} {
		requests = append(requests,
			"/site-explorer/domain-rating?date=2026-01-01&target="+target, "/site-explorer/backlinks-stats?date=2026-01-01&mode=domain&target="+target,
			"/site-explorer/outlinks-stats?target="+target, "/site-explorer/refdomains-history?date_from=2025-01-01&target="+target,
			"/site-explorer/domain-rating-history?date_from=2025-12-01&history_grouping=daily&target="+target, "/subscription-info/limits-and-usage")
	}
	for _, request := range requests {
		r, w := exchange(t, s, http.MethodGet, "https://api.ahrefs.com/v3"+request, "")
		valid(t, v, r, w, 200)
	}
	for _, request := range []string{"/site-explorer/anchors?target=a.example&select=nothing", "/site-explorer/domain-rating?target=a.example&date=2026-01-01x"} {
		_, w := exchange(t, s, http.MethodGet, "https://api.ahrefs.com/v3"+request, "")
		r := httptest.NewRequest(http.MethodGet, "https://api.ahrefs.com/v3"+request, nil)
		if ok, errs := v.ValidateHttpResponse(r, w); !ok || w.StatusCode != 400 {
			t.Errorf("%s: %d %v", request, w.StatusCode, errs)
		}
	}
	all := strings.ReplaceAll(fields(t, raw, "/batch-analysis/batch-analysis", "targets"), ",", `","`)
	r, w := exchange(t, s, http.MethodPost, "https://api.ahrefs.com/v3/batch-analysis/batch-analysis", `{"select":["`+all+`"],"targets":[
		{"url":"acme-outdoor.example","mode":"subdomains","protocol":"both"},{"url":"nowhere.example","mode":"exact","protocol":"http"}]}`)
	valid(t, v, r, w, 200)
}

func valid(t *testing.T, v validator.Validator, r *http.Request, w *http.Response, status int) {
	t.Helper()
	if w.StatusCode != status {
		t.Fatalf("%s: %d", r.URL.Path, w.StatusCode)
	}
	ok, errs := v.ValidateHttpRequestResponse(r, w)
	if ok {
		return
	}
	for _, e := range errs {
		t.Errorf("%s: %s", r.URL.Path, e.Message)
		for _, why := range e.SchemaValidationErrors[:min(3, len(e.SchemaValidationErrors))] {
			t.Errorf("  %s: %s", why.FieldPath, why.Reason)
		}
	}
}

// A validator that finds nothing wrong with anything would prove nothing.
func TestRepliesThatAreWrongAreFoundOut(t *testing.T) {
	v, _ := load(t)
	s := emulator.New(emulator.Options{})
	for _, edit := range [][2]string{
		{`"refpages": `, `"refpages": "x`}, {`"last_seen": null`, `"last_seen": 5`}, {`"anchor": "`, `"anchor": null, "x": "`}, {`Z"`, `"`}, {`{"anchors": [`, `{"anchors": 5, "x": [`},
	} {
		r, w := exchange(t, s, http.MethodGet, "https://api.ahrefs.com/v3/site-explorer/anchors?target=rivalgear.example&limit=5&select=anchor,refpages,last_seen,first_seen", "")
		body, err := io.ReadAll(w.Body)
		if err != nil {
			t.Fatal(err)
		}
		wrong := strings.Replace(string(body), edit[0], edit[1], 1)
		if edit[1] == `"refpages": "x` {
			wrong = strings.Replace(string(body), `"refpages": `, `"refpages": 0.5, "y": `, 1)
		}
		if wrong == string(body) {
			t.Fatalf("%s is not in %s", edit[0], body)
		}
		w.Body = io.NopCloser(bytes.NewReader([]byte(wrong)))
		if ok, _ := v.ValidateHttpRequestResponse(r, w); ok {
			t.Errorf("nobody minds %s", wrong)
		}
	}
}
