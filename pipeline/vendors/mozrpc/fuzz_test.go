package mozrpc

import (
	"bytes"
	"encoding/json"
	"errors"
	"testing"

	"backhaul/pipeline"
)

const fuzzID = "AAAAAAAAAAAAAAAAAAAAAAAAAA" // that of the requests page makes

// asked are requests of every endpoint, and of url_metrics of every phase.
var fuzzed = []struct {
	endpoint string
	task     pipeline.Task
	cursor   pipeline.Cursor
}{
	{"anchor_text", pipeline.Task{Target: "a.com"}, ""},
	{"links", pipeline.Task{Target: "a.com"}, "x"},
	{"linking_root_domains", pipeline.Task{Target: "a.com"}, ""},
	{"linking_root_domains", pipeline.Task{Target: "a.com", Params: `{"sort":"date_lost"}`}, ""},
	{"link_intersect", pipeline.Task{Params: threeTargets}, ""},
	{"link_status", pipeline.Task{Target: "a.com", Inputs: sourcesOf("b.com", "c.com")}, ""},
	{"final_redirect", pipeline.Task{Target: "a.com"}, ""},
	{"url_metrics", pipeline.Task{Inputs: targetsOf("a.com", "b.com/x"), Params: fourSeries}, ""},
	{"url_metrics", pipeline.Task{Inputs: targetsOf("a.com", "b.com/x"), Params: fourSeries}, `{"phase":"histories","at":1}`},
	{"url_metrics", pipeline.Task{Inputs: targetsOf("a.com", "b.com/x"), Params: fourSeries}, `{"phase":"distributions","at":1}`},
	{"top_pages", pipeline.Task{Target: "a.com"}, ""},
	{"global_top_pages", pipeline.Task{}, ""},
	{"global_top_root_domains", pipeline.Task{}, "9"},
	{"index_metadata", pipeline.Task{}, ""},
	{"usage_data", pipeline.Task{}, ""},
}

// Whatever arrives, what fetching accepts decoding reads, for each table of the endpoint; each row is loaded or rejected with
// a reason; nothing costs more than was set aside for it, but for rows that were not asked for.
func FuzzReplies(f *testing.F) {
	for i, body := range []string{
		`{"result":{"anchor_texts":[{"text":"a","external_root_domains":1,"external_pages":2},7],"offset":{"token":"x"}}}`,
		`{"result":{"links":[{"source_site_metrics":{"page":"a/"},"target_site_metrics":{"page":"b/"},"anchor_text":"","date_disappeared":""}],"offset":{"token":null}}}`,
		`{"result":{"linking_domains":[{"site_metrics":{"root_domain":"a.com","page":"a.com/"},"link_propensity":1e-3,"targeted_pages":2.0}]}}`,
		`{"result":{"lost_linking_domains":[{"site_metrics":{"root_domain":"a.com"},"date_lost":"2026-02-28"}]}}`,
		`{"result":{"link_intersects":[{"page":"a/","matching_target_indexes":[0,1]},{"page":"b/","matching_target_indexes":[9]}]}}`,
		`{"result":{"results_by_query":[{"source_site_query":{"query":"https://c.com"},"exists":true}],"errors_by_query":[{"source_site_query":{"original_site_query":{"query":"b.com"}},"error":{"name":"UnhandledError"}}]}}`,
		`{"result":{"destination":null}}`,
		`{"result":{"results_by_site":[{"site_query":{"query":"https://b.com/x"},"site_metrics":{"page":"b.com/x"}}],"errors_by_site":[{"site_query":{"query":"a.com"},"error":{"jsonrpcCode":-32655}}]}}`,
		`{"result":{"site_metrics_histories":{"daily_history_values":[{"metric_name":"page_authority","metric_values":[{"date":"2026-06-01","value":7}]}]}}}`,
		`{"result":{"site_metrics_distributions":{"root_domains_to_page_by_root_domains":[1,2,3,4,5,6,7,8,9,10],"x":null}}}`,
		`{"result":{"top_pages":[{"page":"a/","spam_score":-1,"new":[1]}]}}`,
		`{"result":{"top_pages":[null]},"error":null}`,
		`{"result":{"top_domains":[{"root_domain":"a.com"}]},"id":"` + fuzzID + `"}`,
		`{"result":{"index_id":"x"}}`,
		`{"result":{"quota":{"used":7,"period_start":1785567600,"allotted":3000}}}`,
	} {
		f.Add(byte(i), []byte(body))
	}
	f.Add(byte(0), []byte(`{"error":{"code":-32655,"message":"No record"}}`))
	f.Add(byte(7), []byte(`{"error":{"code":-32655,"message":"No record"}}`))
	f.Add(byte(1), []byte(`{"error":{"code":-32602,"status":500}}`))
	f.Add(byte(2), []byte("\xff"))
	f.Fuzz(func(t *testing.T, which byte, body []byte) {
		of := fuzzed[int(which)%len(fuzzed)]
		s := named(t, Offline(), of.endpoint).(*source)
		q, err := s.question(of.task, pipeline.Ask{Cursor: of.cursor})
		if err != nil {
			t.Fatal(err)
		}
		data, err := json.Marshal(q.data)
		if err != nil {
			t.Fatal(err)
		}
		p := page(t, q.method.Name, string(data), string(of.cursor), string(body))
		p, failed := s.Read(of.task, pipeline.Ask{Cursor: of.cursor}, page(t, q.method.Name, string(data), string(of.cursor), string(body)))
		if failed != nil {
			if e := new(pipeline.Error); !errors.As(failed, &e) || e.Message == "" || (e.Kind == pipeline.Malformed) != (p.Status == 200) {
				t.Fatalf("%+v with a page of status %d", failed, p.Status)
			}
			return
		}
		if asked := pipeline.Units(p.Rows); p.Units > max(q.most.Worst(0), asked*q.charge.PerRow) {
			t.Fatalf("%d rows cost %d, and at most %d were set aside", p.Rows, p.Units, q.most.Worst(0))
		}
		for _, table := range s.endpoint.Tables() {
			rows, rejected, err := decoded(t, s, table, p)
			if err != nil {
				t.Fatalf("fetched, but not decoded: %v", err)
			}
			if list := q.method.count == nil && table == s.endpoint.Table && len(of.task.Inputs) == 0; list && len(rows)+len(rejected) != p.Rows {
				t.Fatalf("%d rows: %d loaded, %d rejected", p.Rows, len(rows), len(rejected))
			}
			for _, r := range rejected {
				if r.Reason == "" || !json.Valid(r.JSON) || !bytes.Contains(body, r.JSON) {
					t.Fatalf("rejected %q: %s", r.JSON, r.Reason)
				}
			}
		}
	})
}
