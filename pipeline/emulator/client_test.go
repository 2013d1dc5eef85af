package emulator

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

type object = map[string]any

// call makes one request with good credentials, without a network.
func call(t testing.TB, s *Server, path string, body any) (int, []byte) {
	t.Helper()
	w := send(s, path, body, nil)
	return w.Code, w.Body.Bytes()
}

func send(s *Server, path string, body any, header http.Header) *httptest.ResponseRecorder {
	text, ok := body.(string)
	if !ok {
		raw, err := json.Marshal(body)
		if err != nil {
			panic(err)
		}
		text = string(raw)
	}
	r := httptest.NewRequest(http.MethodPost, "/v2/"+path, strings.NewReader(text))
	r.Header.Set("X-Moz-Token", DefaultToken)
	for name, values := range header {
		r.Header[name] = values
	}
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return w
}

// Replies as the documentation has them, written down apart from the server's own types.
type (
	anchorRow struct {
		AnchorText          string `json:"anchor_text"`
		ExternalRootDomains int    `json:"external_root_domains"`
		ExternalPages       int    `json:"external_pages"`
	}
	siteRow struct {
		Page       string  `json:"page"`
		Subdomain  string  `json:"subdomain"`
		RootDomain string  `json:"root_domain"`
		Title      string  `json:"title"`
		PA         int     `json:"page_authority"`
		DA         int     `json:"domain_authority"`
		Spam       int     `json:"spam_score"`
		Propensity float64 `json:"link_propensity"`
		ToPage     int     `json:"root_domains_to_page"`
		ToDomain   int     `json:"root_domains_to_root_domain"`
	}
	linkRow struct {
		Source      siteRow `json:"source"`
		Target      siteRow `json:"target"`
		AnchorText  string  `json:"anchor_text"`
		FirstSeen   string  `json:"date_first_seen"`
		LastSeen    string  `json:"date_last_seen"`
		Disappeared string  `json:"date_disappeared"`
		Nofollow    bool    `json:"nofollow"`
		Redirect    bool    `json:"redirect"`
		Canonical   bool    `json:"rel_canonical"`
		ViaRedirect bool    `json:"via_redirect"`
		ViaCanon    bool    `json:"via_rel_canonical"`
	}
	domainRow struct {
		RootDomain string  `json:"root_domain"`
		ToDomain   int     `json:"root_domains_to_root_domain"`
		DA         int     `json:"domain_authority"`
		Propensity float64 `json:"link_propensity"`
		Spam       int     `json:"spam_score"`
		ToTarget   struct {
			Pages    int `json:"pages"`
			Nofollow int `json:"nofollow_pages"`
			Redirect int `json:"redirect_pages"`
			Deleted  int `json:"deleted_pages"`
		} `json:"to_target"`
		Gained string `json:"date_gained"`
		Lost   string `json:"date_lost"`
	}
)

// pageThrough fetches a whole list in pages of 50.
func pageThrough[T any](t testing.TB, s *Server, path string, body object) []T {
	t.Helper()
	var all []T
	request := object{"limit": 50}
	for k, v := range body {
		request[k] = v
	}
	for {
		status, raw := call(t, s, path, request)
		if status != http.StatusOK {
			t.Fatalf("%s %v: %d %s", path, request, status, raw)
		}
		var page struct {
			Results   []T    `json:"results"`
			NextToken string `json:"next_token"`
		}
		d := json.NewDecoder(bytes.NewReader(raw))
		if err := d.Decode(&page); err != nil {
			t.Fatalf("%s %v: %v", path, request, err)
		}
		all = append(all, page.Results...)
		if page.NextToken == "" {
			return all
		}
		if len(page.Results) != 50 {
			t.Fatalf("%s %v: %d results before the end", path, request, len(page.Results))
		}
		request["next_token"] = page.NextToken
	}
}
