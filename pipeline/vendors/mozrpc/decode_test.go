package mozrpc

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"backhaul/pipeline"
	"backhaul/schemas"
)

// recordedResults are the vendor's results, with the method they are of and the path of their rows.
var recordedResults = []struct{ file, method, endpoint, rows string }{
	{"anchor-text.list", "data.site.anchor-text.list", "anchor_text", "anchor_texts"},
	{"anchor-text.list.captured", "data.site.anchor-text.list", "anchor_text", "anchor_texts"},
	{"link.list", "data.site.link.list", "links", "links"},
	{"link.filter.anchor.text", "data.site.link.filter.anchor.text", "links", "links"},
	{"link.filter.domain", "data.site.link.filter.domain", "links", "links"},
	{"linking-domain.list", "data.site.linking-domain.list", "linking_root_domains", "linking_domains"},
	{"linking-domain.filter.recently-gained", "data.site.linking-domain.filter.recently-gained", "linking_root_domains", "gained_linking_domains"},
	{"linking-domain.filter.recently-lost", "data.site.linking-domain.filter.recently-lost", "linking_root_domains", "lost_linking_domains"},
}

// v2Names are the columns, by the path joined with _ of the member they are read from. What is not among them is a column
// of its own name; "" means no column.
func v2Name(endpoint, path string) string {
	switch {
	case endpoint == "anchor_text" && path == "text":
		return "anchor_text"
	case endpoint == "links":
		return strings.Replace(path, "_site_metrics_", "_", 1)
	case endpoint == "linking_root_domains" && strings.HasPrefix(path, "targeted_"):
		return "to_target_" + strings.TrimPrefix(path, "targeted_")
	case endpoint == "linking_root_domains" && strings.HasPrefix(path, "site_metrics_"):
		name := strings.TrimPrefix(path, "site_metrics_")
		if slices.Contains([]string{"root_domain", "root_domains_to_root_domain", "domain_authority", "spam_score"}, name) {
			return name
		}
		return ""
	}
	return path
}

func TestRecordedListsDecodeFieldByField(t *testing.T) {
	for _, tc := range recordedResults {
		t.Run(tc.file, func(t *testing.T) {
			body := sample(t, tc.file)
			s := named(t, Offline(), tc.endpoint)
			got, rejected, err := decoded(t, s, s.Endpoint().Table, page(t, tc.method, `{}`, "", result(string(body))))
			if err != nil || len(rejected) > 0 {
				t.Fatal(err, rejected)
			}
			want := generic(t, body, tc.rows)
			if len(want) == 0 || len(got) != len(want) {
				t.Fatalf("%d rows, want %d", len(got), len(want))
			}
			for i := range want {
				row := map[string]string{}
				for path, text := range want[i] {
					if name := v2Name(tc.endpoint, path); name != "" {
						row[name] = text
					}
				}
				if diff := cmp.Diff(row, texts(s.Endpoint().Table, got[i])); diff != "" {
					t.Errorf("row %d: %s", i, diff)
				}
				if got[i]["rank"] != int64(i+1) || got[i]["extra"] != nil {
					t.Errorf("row %d: rank %v, extra %v", i, got[i]["rank"], got[i]["extra"])
				}
			}
			c, _ := fake(t, 200, result(string(body)))
			p, err := fetch(t, c, tc.endpoint, "")
			if tc.method == methodOf(tc.endpoint) && (err != nil || p.Rows != len(want) || p.Units != pipeline.Units(len(want)) || p.End || p.Next == "") {
				t.Errorf("%+v, %v", p, err)
			}
		})
	}
}

// methodOf is what an endpoint asks without parameters.
func methodOf(endpoint string) string {
	for _, r := range reports() {
		if r.endpoint.Name == endpoint {
			q, err := r.question(pipeline.Task{Target: "moz.com"}, pipeline.Ask{})
			if err == nil {
				return q.method.Name
			}
		}
	}
	return ""
}

// generic decodes a result with another parser and no schema: every leaf under its path joined by _, as text.
func generic(t *testing.T, body []byte, list string) (rows []map[string]string) {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	var reply map[string]any
	if err := d.Decode(&reply); err != nil {
		t.Fatal(err)
	}
	for _, element := range reply[list].([]any) {
		row := map[string]string{}
		flatten(row, "", element.(map[string]any))
		rows = append(rows, row)
	}
	return rows
}

func flatten(row map[string]string, prefix string, object map[string]any) {
	dates := []string{"date_first_seen", "date_last_seen", "date_disappeared", "date_gained", "date_lost", "last_crawled"}
	for name, value := range object {
		nested, isObject := value.(map[string]any)
		text := fmt.Sprint(value)
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
		default:
			out[c.Name] = fmt.Sprint(value)
		}
	}
	return out
}

// own are the columns of rows that a test names.
func own(rows []map[string]any, columns ...string) (out []string) {
	for _, row := range rows {
		var cells []string
		for _, c := range columns {
			switch value := row[c].(type) {
			case nil:
				cells = append(cells, "-")
			case json.RawMessage:
				cells = append(cells, string(value))
			default:
				cells = append(cells, fmt.Sprint(value))
			}
		}
		out = append(out, strings.Join(cells, " "))
	}
	return out
}

func same(t *testing.T, got []string, want ...string) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestRecordedIntersectNamesTheTargets(t *testing.T) {
	s := named(t, Offline(), "link_intersect")
	asked := `{"is_linking_to":[{"query":"latimes.com","scope":"domain"},{"query":"blog.nytimes.com","scope":"subdomain"}],"not_linking_to":[{"query":"moz.com","scope":"domain"}],"offset":{"token":null,"limit":1}}`
	p := page(t, "data.site.link.intersect.fetch", asked, "", result(string(sample(t, "link.intersect.fetch"))))
	rows, rejected, err := decoded(t, s, s.Endpoint().Table, p)
	if err != nil || len(rejected) > 0 || rows[0]["extra"] != nil {
		t.Fatal(err, rejected, rows)
	}
	same(t, own(rows, "page", "title", "domain_authority", "spam_score", "matching_target_indexes", "matching_targets", "positive_targets", "negative_targets"),
		`www.google.com/amp/www.latimes.com/local/lanow/la-me-ln-aliso-viejo-shooting-20171012-story,amp.html  100 8 [0] ["latimes.com"] ["latimes.com","blog.nytimes.com"] ["moz.com"]`)
}

func TestAPlaceOutsideThePositiveTargetsIsRejected(t *testing.T) {
	s := named(t, Offline(), "link_intersect")
	p := page(t, "data.site.link.intersect.fetch", `{"is_linking_to":[{"query":"a.com","scope":"domain"}]}`, "",
		result(`{"link_intersects":[{"page":"x/","matching_target_indexes":[1]},{"page":"y/","matching_target_indexes":[0],"matching_source_pages":[{"page":"y/z","page_authority":3}]},{"page":"z/"}]}`))
	rows, rejected, err := decoded(t, s, s.Endpoint().Table, p)
	if err != nil || len(rejected) != 1 || rejected[0].Row != 0 || !strings.Contains(rejected[0].Reason, "matching_target_indexes") {
		t.Fatal(err, rejected)
	}
	same(t, own(rows, "page", "rank", "matching_targets", "negative_targets", "extra"),
		`y/ 1 ["a.com"] [] {"matching_source_pages":[{"page":"y/z","page_authority":3}]}`, `z/ 2 - [] -`)
}

func TestRecordedRedirectQuotaAndIndexDecode(t *testing.T) {
	redirect := named(t, Offline(), "final_redirect")
	rows, rejected, err := decoded(t, redirect, redirect.Endpoint().Table, page(t, "data.site.redirect.fetch", `{}`, "", result(string(sample(t, "redirect.fetch")))))
	if err != nil || len(rejected) > 0 {
		t.Fatal(err, rejected)
	}
	same(t, own(rows, "final_page", "extra"), "moz.com/blog -")

	index := named(t, Offline(), "index_metadata")
	rows, rejected, err = decoded(t, index, index.Endpoint().Table, page(t, "metadata.index.fetch", `{}`, "", result(string(sample(t, "metadata.index.fetch")))))
	if err != nil || len(rejected) > 0 {
		t.Fatal(err, rejected)
	}
	same(t, own(rows, "index_id", "spam_score_update_days", "extra"), "tD4grH2TmrmTfXW65xr+tg== - -")

	usage := named(t, Offline(), "usage_data")
	rows, rejected, err = decoded(t, usage, usage.Endpoint().Table, page(t, "quota.lookup", `{}`, "", result(string(sample(t, "quota.lookup")))))
	if err != nil || len(rejected) > 0 {
		t.Fatal(err, rejected)
	}
	same(t, own(rows, "rows_consumed", "period_start", "period_end", "extra"), "77 2026-08-01T07:00:00 2026-08-20T01:00:00 "+
		`{"account_id":10000001,"allotted":3000,"overage":false,"path":"api.limits.data.rows","period_reset":1788246000,"report":"day","reset":"month"}`)
}

func TestNoDestinationIsNull(t *testing.T) {
	s := named(t, Offline(), "final_redirect")
	for _, destination := range []string{`null`, `""`} {
		rows, rejected, err := decoded(t, s, s.Endpoint().Table, page(t, "data.site.redirect.fetch", `{}`, "", result(`{"destination":`+destination+`}`)))
		if err != nil || len(rejected) > 0 || len(rows) != 1 || rows[0]["final_page"] != nil {
			t.Error(destination, rows, rejected, err)
		}
	}
}

func TestGlobalDomainsHaveV2sColumns(t *testing.T) {
	metrics := sampleMetrics(t)
	s := named(t, Offline(), "global_top_root_domains")
	rows, rejected, err := decoded(t, s, s.Endpoint().Table, page(t, "data.global.top-domain.list", `{}`, "", result(`{"top_domains":[`+metrics+`]}`)))
	if err != nil || len(rejected) > 0 {
		t.Fatal(err, rejected)
	}
	same(t, own(rows, "root_domain", "root_domains_to_root_domain", "domain_authority", "link_propensity", "spam_score", "to_target_pages", "extra"),
		"www.google.com 14626290 100 0.01273761503 9 - -")
}

// sampleMetrics is an object of 52 metrics.
func sampleMetrics(t testing.TB) string {
	var reply struct {
		Domains []struct {
			Metrics json.RawMessage `json:"site_metrics"`
		} `json:"linking_domains"`
	}
	if err := json.Unmarshal(sample(t, "linking-domain.list"), &reply); err != nil {
		t.Fatal(err)
	}
	return string(reply.Domains[0].Metrics)
}

func TestMetricsObjectsAreTheTablesOfPages(t *testing.T) {
	object := sampleMetrics(t)
	for endpoint, tc := range map[string]struct{ method, member string }{
		"top_pages":        {"data.site.top-page.list", "top_pages"},
		"global_top_pages": {"data.global.top-page.list", "top_pages"},
	} {
		s := named(t, Offline(), endpoint)
		rows, rejected, err := decoded(t, s, s.Endpoint().Table, page(t, tc.method, `{}`, "", result(`{"`+tc.member+`":[`+object+`]}`)))
		if err != nil || len(rejected) > 0 || rows[0]["extra"] != nil {
			t.Fatal(err, rejected)
		}
		want := generic(t, []byte(`{"l":[`+object+`]}`), "l")
		if diff := cmp.Diff(want[0], texts(s.Endpoint().Table, rows[0])); diff != "" {
			t.Errorf("%s: %s", endpoint, diff)
		}
	}
}

func TestRowsThatDoNotFitAreKeptWithTheirReason(t *testing.T) {
	s := named(t, Offline(), "linking_root_domains")
	rows, rejected, err := decoded(t, s, s.Endpoint().Table, page(t, "data.site.linking-domain.list", `{}`, "", result(`{"linking_domains":[
		{"site_metrics":{"root_domain":"a.com"},"targeted_pages":1}, {"site_metrics":{"domain_authority":1}}, {"site_metrics":{"root_domain":"b.com"},"targeted_pages":"many"}, null,
		{"site_metrics":{"root_domain":"c.com","brand_authority":7,"page":"c.com/"},"targeted_pages":2,"date_lost":"2026-02-28","new":true}]}`)))
	if err != nil {
		t.Fatal(err)
	}
	same(t, own(rows, "root_domain", "rank", "to_target_pages", "date_lost", "extra"), "a.com 1 1 - -", `b.com 2 - - {"targeted_pages":"many"}`, `c.com 3 2 2026-02-28 {"new":true,"site_metrics":{"brand_authority":7}}`)
	var reasons []string
	for _, r := range rejected {
		reasons = append(reasons, fmt.Sprintf("%d: %s", r.Row, r.Reason))
	}
	same(t, reasons, "1: site_metrics.root_domain: missing", "3: want an object, got null")
}

func TestPagesOfAnotherEndpointAreRefused(t *testing.T) {
	s := named(t, Offline(), "anchor_text")
	body := result(`{"anchor_texts":[]}`)
	for name, p := range map[string]pipeline.Page{
		"request":        {Body: []byte(body), Request: []byte(`{`)},
		"method":         page(t, "data.site.brand.fetch", `{}`, "", body),
		"error":          page(t, "data.site.anchor-text.list", `{}`, "", fail(-32652, 400, "no", "")),
		"strict":         page(t, "data.site.anchor-text.list", `{}`, "", `{"result":{"anchor_texts":[],"anchor_texts":[]}}`),
		"another result": page(t, "data.site.anchor-text.list", `{}`, "", result(`{"links":[]}`)),
	} {
		if rows, _, err := decoded(t, s, s.Endpoint().Table, p); err == nil || len(rows) > 0 {
			t.Errorf("%s: %v, %v", name, rows, err)
		}
	}
	other := named(t, Offline(), "links").Endpoint().Table
	if _, _, err := decoded(t, s, other, page(t, "data.site.anchor-text.list", `{}`, "", body)); err == nil {
		t.Error("anchor texts went to the table of links")
	}
}
