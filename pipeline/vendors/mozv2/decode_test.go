package mozv2

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"

	"backhaul/pipeline"
	"backhaul/schemas"
	"backhaul/testdata/vendors"
)

// recorded is a recorded reply as a page, with the request that was sent for it.
func recorded(t *testing.T, file, endpoint string) pipeline.Page {
	t.Helper()
	var sent map[string]json.RawMessage
	if err := json.Unmarshal(vendors.Read(t, "moz/v2_requests.json"), &sent); err != nil || sent[endpoint] == nil {
		t.Fatalf("no request for %s: %v", endpoint, err)
	}
	return pipeline.Page{Body: vendors.Read(t, "moz/"+file), Request: sent[endpoint], FetchedAt: arrival.UTC()}
}

func TestRecordedRepliesDecodeFieldByField(t *testing.T) {
	for file, endpoint := range map[string]string{
		"v2_anchor_text.json":             "anchor_text",
		"v2_anchor_text.one.json":         "anchor_text",
		"v2_links.json":                   "links",
		"v2_linking_root_domains.json":    "linking_root_domains",
		"v2_url_metrics.json":             "url_metrics",
		"v2_url_metrics.march.json":       "url_metrics",
		"v2_top_pages.json":               "top_pages",
		"v2_global_top_pages.json":        "global_top_pages",
		"v2_global_top_root_domains.json": "global_top_root_domains",
	} {
		t.Run(file, func(t *testing.T) {
			page := recorded(t, file, endpoint)
			s := named(t, Offline(), endpoint)
			got, rejected, err := decodedTo(t, s, s.Endpoint().Table, page)
			if err != nil || len(rejected) > 0 {
				t.Fatal(err, rejected)
			}
			want := generic(t, page.Body)
			if len(want) == 0 || len(got) != len(want) {
				t.Fatalf("%d rows, want %d", len(got), len(want))
			}
			for i := range want {
				if diff := cmp.Diff(want[i], texts(s.Endpoint().Table, got[i])); diff != "" {
					t.Errorf("row %d: %s", i, diff)
				}
				rank, target := int64(i+1), any("moz.com")
				switch s.Endpoint().Asks {
				case pipeline.AboutTargets:
					rank, target = 1, []any{"moz.com", "nytimes.com"}[i]
				case pipeline.AboutNothing:
					target = nil
				}
				if got[i]["rank"] != rank || got[i]["target"] != target || got[i]["extra"] != nil {
					t.Errorf("row %d: rank %v, target %v, extra %v", i, got[i]["rank"], got[i]["target"], got[i]["extra"])
				}
			}
			for _, also := range s.Endpoint().Also {
				if rows, rejected, err := decodedTo(t, s, also, page); err != nil || len(rows)+len(rejected) > 0 {
					t.Errorf("%s: %v %v %v, but nothing was asked for", also.FullName(), rows, rejected, err)
				}
			}
		})
	}
}

func TestRecordedRepliesThatAreNoListsOfObjects(t *testing.T) {
	for endpoint, want := range map[string][]map[string]string{
		"final_redirect": {{"final_page": "moz.com/blog"}},
		"index_metadata": {{"index_id": "NE+lX5bFh06baS9ojUwVbw==", "spam_score_update_days": `["2019-02-08","2020-03-28","2020-08-03","2020-11-13","2021-02-24","2021-05-19","2021-08-16","2021-11-02","2022-02-01","2022-05-10","2022-11-16"]`}},
		"link_intersect": {{"page": "www.google.com/amp/www.latimes.com/local/lanow/la-me-ln-aliso-viejo-shooting-20171012-story,amp.html", "title": "", "domain_authority": "100", "spam_score": "14",
			"matching_target_indexes": "[0]", "matching_targets": `["latimes.com"]`, "positive_targets": `["latimes.com","blog.nytimes.com"]`, "negative_targets": `["moz.com"]`}},
		"link_status": {
			{"source": "twitter.com", "source_scope": "root_domain", "target_scope": "page", "link_exists": "false"},
			{"source": "linkedin.com", "source_scope": "root_domain", "target_scope": "page", "link_exists": "false"}},
		"usage_data": {{"rows_consumed": "254", "period_start": "2026-07-01T00:00:00", "period_end": "2026-07-01T01:00:00"}},
	} {
		t.Run(endpoint, func(t *testing.T) {
			s := named(t, Offline(), endpoint)
			got, rejected, err := decodedTo(t, s, s.Endpoint().Table, recorded(t, "v2_"+endpoint+".json", endpoint))
			if err != nil || len(rejected) > 0 {
				t.Fatal(err, rejected)
			}
			var rows []map[string]string
			for i, row := range got {
				rows = append(rows, texts(s.Endpoint().Table, row))
				if row["rank"] != int64(i+1) || row["extra"] != nil {
					t.Errorf("row %d: rank %v, extra %v", i, row["rank"], row["extra"])
				}
			}
			if diff := cmp.Diff(want, rows); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// generic decodes a reply with another parser and no schema: every leaf under its path joined by _, as text.
func generic(t *testing.T, body []byte) (rows []map[string]string) {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	var reply struct{ Results []map[string]any }
	if err := d.Decode(&reply); err != nil {
		t.Fatal(err)
	}
	for _, result := range reply.Results {
		row := map[string]string{}
		flatten(row, "", result)
		rows = append(rows, row)
	}
	return rows
}

func flatten(row map[string]string, prefix string, object map[string]any) {
	dates := []string{"date_first_seen", "date_last_seen", "date_disappeared", "date_gained", "date_lost", "last_crawled"}
	for name, value := range object {
		nested, isObject := value.(map[string]any)
		text := fmt.Sprint(value)
		if f, err := strconv.ParseFloat(text, 64); err == nil {
			text = strconv.FormatFloat(f, 'f', -1, 64) // exponents or not
		}
		if list, ok := value.([]any); ok {
			raw, _ := json.Marshal(list)
			text = string(raw)
		}
		switch {
		case isObject:
			flatten(row, prefix+name+"_", nested)
		case name == "spam_score" && text == "-1", name == "http_code" && text == "0", slices.Contains(dates, name) && text == "":
		default:
			row[prefix+name] = text
		}
	}
}

// texts are the table's own columns in the spelling of the reply.
func texts(table *schemas.Table, row map[string]any) map[string]string {
	out := map[string]string{}
	for _, c := range table.Own {
		switch value := row[c.Name].(type) {
		case nil:
		case float64:
			out[c.Name] = strconv.FormatFloat(value, 'f', -1, 64)
		case json.RawMessage:
			out[c.Name] = string(value)
		default:
			out[c.Name] = fmt.Sprint(value)
		}
	}
	return out
}

func TestNoValueBecomesNullAndEmptyTextStays(t *testing.T) {
	s := named(t, Offline(), "links")
	rows, rejected, err := decoded(t, s, []byte(`{"results":[{"anchor_text":"","date_first_seen":"2020-06-29","date_disappeared":"","nofollow":false,
		"source":{"page":"a.com/","http_code":0,"spam_score":-1,"last_crawled":"","title":"","pages_to_subdomain":18753876101,"link_propensity":730.3268433},
		"target":{"page":"b.com/","http_code":5,"spam_score":1}}]}`))
	if err != nil || len(rejected) > 0 || len(rows) != 1 {
		t.Fatal(rows, rejected, err)
	}
	want := map[string]string{"anchor_text": "", "date_first_seen": "2020-06-29", "nofollow": "false", "source_page": "a.com/", "source_title": "",
		"source_pages_to_subdomain": "18753876101", "source_link_propensity": "730.3268433", "target_page": "b.com/", "target_http_code": "5", "target_spam_score": "1"}
	if diff := cmp.Diff(want, texts(s.Endpoint().Table, rows[0])); diff != "" {
		t.Error(diff)
	}
}

func TestRowsThatDoNotFitAreKeptWithTheirReason(t *testing.T) {
	rows, rejected, err := decoded(t, named(t, Offline(), "linking_root_domains"), []byte(`{"results":[
		{"root_domain":"a.com","to_target":{"pages":1}}, {"domain_authority":1}, {"root_domain":"b.com","to_target":{"pages":"many"}}, null,
		{"root_domain":"c.com","to_target":{"pages":2,"new":true},"brand_authority":7,"date_lost":"2026-02-28"}]}`))
	if err != nil || len(rows) != 3 || rows[1]["extra"] != `{"to_target":{"pages":"many"}}` || rows[1]["to_target_pages"] != nil ||
		rows[2]["rank"] != int64(3) || rows[2]["date_lost"] != "2026-02-28" || rows[2]["extra"] != `{"brand_authority":7,"to_target":{"new":true}}` {
		t.Fatal(rows, err)
	}
	var reasons []string
	for _, r := range rejected {
		reasons = append(reasons, fmt.Sprintf("%d %s: %s", r.Row, r.JSON, r.Reason))
	}
	want := []string{`1 {"domain_authority":1}: root_domain: missing`, `3 null: want an object, got null`}
	if diff := cmp.Diff(want, reasons); diff != "" {
		t.Error(diff)
	}
}
