package mozv2

import (
	"bytes"
	"encoding/json"
	"errors"
	"testing"

	"backhaul/pipeline"
)

func FuzzAnchorText(f *testing.F)           { fuzz(f, "anchor_text") }
func FuzzLinks(f *testing.F)                { fuzz(f, "links") }
func FuzzLinkingRootDomains(f *testing.F)   { fuzz(f, "linking_root_domains") }
func FuzzLinkIntersect(f *testing.F)        { fuzz(f, "link_intersect") }
func FuzzLinkStatus(f *testing.F)           { fuzz(f, "link_status") }
func FuzzFinalRedirect(f *testing.F)        { fuzz(f, "final_redirect") }
func FuzzURLMetrics(f *testing.F)           { fuzz(f, "url_metrics") }
func FuzzTopPages(f *testing.F)             { fuzz(f, "top_pages") }
func FuzzGlobalTopPages(f *testing.F)       { fuzz(f, "global_top_pages") }
func FuzzGlobalTopRootDomains(f *testing.F) { fuzz(f, "global_top_root_domains") }
func FuzzIndexMetadata(f *testing.F)        { fuzz(f, "index_metadata") }
func FuzzUsageData(f *testing.F)            { fuzz(f, "usage_data") }

// tasks ask what requests are.
var tasks = map[string]pipeline.Task{
	"link_intersect": {Params: `{"negative_targets":[{"scope":"root_domain","target":"own.com"}],"positive_targets":[{"scope":"root_domain","target":"a.com"},{"scope":"page","target":"b.com/x"}]}`},
	"link_status":    {Target: "moz.com", Scope: "page", Params: `{"source_scope":"root_domain"}`, Inputs: sourceBatch("a.com", "b.com", "c.com")},
	"url_metrics":    {Inputs: targetBatch("a.com", "b.com/x")},
}

// fuzz: whatever arrives, reading does not panic, and what it accepts decoding reads: each row is loaded or rejected. Side
// tables reject pieces of the reply, as received. What decoding refuses, reading refuses too.
func fuzz(f *testing.F, endpoint string) {
	for _, s := range []string{
		threeAnchors + `,"next_token":"KIkQ=="}`, threeAnchors, `{"results":[]}`, `{"results":[{"anchor_text":"a","anchor_text":"a"}]}`,
		`{"results":[{"anchor_text":"","source":{"page":"a/","spam_score":-1,"new":[1]},"target":{"page":"b/"},"date_first_seen":"2026-02-28"}]}`,
		`{"results":[{"root_domain":"a.com","to_target":{"pages":2.0},"link_propensity":1e-3}],"next_token":null}`, "\xff", ``,
		`{"results":[{"page":"a.com/","matching_target_indexes":[0,1]},{"page":"c.com/","matching_target_indexes":[2]}]}`,
		`{"exists":[true,false,true]}`, `{"error":"invalid token","results":[],"exists":[]}`, `{"error":{"status":429},"results":[{}],"page":""}`, `<html>`,
		`{"exists":[true,false,null],"index_id":"x"}`, `{"exists":[true]}`,
		`{"page":""}`, `{"page":null}`, `{"page":7}`, `{"index_id":"x==","spam_score_update_days":["2026-01-02"]}`, `{"rows_consumed":254}`,
		`{"results":[{"page":"a.com/"},{"page":"b.com/x"}]}`, `{"results":[{"page":"b.com/x/"},{"page":"www.a.com/"}]}`, `{"results":[null,{"page":"b.com/x"}]}`,
		`{"results":[` + withHistories + `,{"page":"b.com/x","daily_history_values":[{"metric_name":"pages_to_page"},7]}]}`,
	} {
		f.Add([]byte(s))
	}
	s := named(f, Offline(), endpoint)
	task, known := tasks[endpoint]
	if !known {
		task.Target = "moz.com"
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		kept := pipeline.Page{Status: 200, Body: body, Request: []byte(requests[endpoint]), FetchedAt: arrival.UTC()}
		page, failed := s.Read(task, pipeline.Ask{}, kept)
		rows, rejected, err := decoded(t, s, body)
		if failed == nil && err != nil {
			t.Fatalf("it is read, but decode says %v", err)
		}
		if failed != nil {
			if e := new(pipeline.Error); !errors.As(failed, &e) || e.Message == "" || !e.MaybeCharged || (e.Kind == pipeline.Malformed) != (page.Status == 200) {
				t.Fatalf("%+v with a page of status %d", failed, page.Status)
			}
			return
		}
		price, err := s.Endpoint().PriceOf(task, pipeline.Ask{})
		if err != nil || page.Units > price.Worst(max(1, page.Rows)) {
			t.Fatalf("%d rows for %d units: %v", page.Rows, page.Units, err)
		}
		if len(rows)+len(rejected) != page.Rows {
			t.Fatalf("%d rows: %d loaded, %d rejected", page.Rows, len(rows), len(rejected))
		}
		for _, also := range s.Endpoint().Also {
			_, more, err := decodedTo(t, s, also, page)
			if err != nil {
				t.Fatalf("%s: %v", also.FullName(), err)
			}
			rejected = append(rejected, more...)
		}
		for _, r := range rejected {
			if r.Reason == "" || !json.Valid(r.JSON) || !bytes.Contains(body, r.JSON) {
				t.Fatalf("rejected %q: %s", r.JSON, r.Reason)
			}
		}
	})
}

// buying is a source that could buy.
func buying(t testing.TB, endpoint string) *source {
	t.Helper()
	online, err := New(Config{Token: token})
	if err != nil {
		t.Fatal(err)
	}
	return named(t, online.Sources(), endpoint).(*source)
}
