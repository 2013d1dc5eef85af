package mozv2

import (
	"strings"
	"testing"
	"time"

	"backhaul/pipeline"
)

func TestRepliesThatAreOneObjectEndWithThemselves(t *testing.T) {
	for _, tc := range []struct {
		endpoint, body string
		units          pipeline.Units
	}{
		{"final_redirect", `{"page":"moz.com/blog"}`, 1}, {"final_redirect", `{"page":""}`, 1},
		{"index_metadata", `{"index_id":"x=="}`, 0}, {"usage_data", `{"rows_consumed":254}`, 0},
	} {
		c, _ := fake(t, 200, tc.body)
		page, err := named(t, c.Sources(), tc.endpoint).Fetch(t.Context(), pipeline.Task{Target: "moz.com"}, pipeline.Ask{})
		if err != nil || page.Rows != 1 || !page.End || page.Next != "" || page.Units != tc.units {
			t.Errorf("%s: %+v, %v", tc.body, page, err)
		}
	}
}

func TestAReplyWithoutItsMemberIsNotTheEndpoints(t *testing.T) {
	for endpoint, missing := range map[string]string{"final_redirect": "page", "index_metadata": "index_id", "usage_data": "rows_consumed"} {
		c, _ := fake(t, 200, `{"detail":"something is wrong"}`)
		_, err := named(t, c.Sources(), endpoint).Fetch(t.Context(), pipeline.Task{Target: "moz.com"}, pipeline.Ask{})
		if pipeline.KindOf(err) != pipeline.Malformed || !strings.Contains(err.Error(), missing+": missing") || !strings.Contains(err.Error(), "something is wrong") {
			t.Errorf("%s: %v", endpoint, err)
		}
	}
}

func TestNoRedirectIsNull(t *testing.T) {
	for body, want := range map[string]any{`{"page":""}`: nil, `{"page":null}`: nil, `{"page":"moz.com/blog","status":301}`: "moz.com/blog"} {
		rows, rejected, err := decoded(t, named(t, Offline(), "final_redirect"), []byte(body))
		if err != nil || len(rejected) > 0 || len(rows) != 1 || rows[0]["final_page"] != want || rows[0]["target"] != "moz.com" {
			t.Errorf("%s: %v %v %v", body, rows, rejected, err)
		}
		if want != nil && rows[0]["extra"] != `{"status":301}` {
			t.Errorf("extra %v", rows[0]["extra"])
		}
	}
}

func TestUsageIsOfThePeriodAskedForOrOfTheMonth(t *testing.T) {
	s := named(t, Offline(), "usage_data")
	at := time.Date(2026, 11, 24, 1, 2, 3, 4000, time.UTC)
	for request, want := range map[string][2]string{
		`{}`:                                   {"2026-11-01T00:00:00", "2026-11-24T01:02:03.000004"},
		`{"start":"1795000000"}`:               {"2026-11-18T11:06:40", "2026-11-24T01:02:03.000004"},
		`{"end":"1795000000"}`:                 {"2026-11-01T00:00:00", "2026-11-18T11:06:40"},
		`{"end":"1635466367","start":"18374"}`: {"1970-01-01T05:06:14", "2021-10-29T00:12:47"},
	} {
		rows, rejected, err := decodedTo(t, s, s.Endpoint().Table, pipeline.Page{Request: []byte(request), Body: []byte(`{"rows_consumed":7}`), FetchedAt: at})
		if err != nil || len(rejected) > 0 || len(rows) != 1 {
			t.Fatal(rows, rejected, err)
		}
		if got := [2]string{rows[0]["period_start"].(string), rows[0]["period_end"].(string)}; got != want || rows[0]["rows_consumed"] != int64(7) {
			t.Errorf("%s: %v, want %v", request, rows[0], want)
		}
	}
}

func TestSingleRepliesThatDoNotFitAreRejectedRows(t *testing.T) {
	for endpoint, body := range map[string]string{"final_redirect": `{"page":7}`, "index_metadata": `{"index_id":null}`, "usage_data": `{"rows_consumed":"many"}`} {
		rows, rejected, err := decoded(t, named(t, Offline(), endpoint), []byte(body))
		if err != nil || len(rows) > 0 || len(rejected) != 1 || string(rejected[0].JSON) != body {
			t.Errorf("%s: %v %v %v", endpoint, rows, rejected, err)
		}
	}
}
