package ahrefsv3

import (
	"fmt"
	"net/http/httptest"
	"slices"
	"testing"

	"backhaul/pipeline"
	"backhaul/pipeline/emulator"
	"backhaul/pipeline/emulator/ahrefs"
)

// emulate returns a client of an emulator, which was written from the same documents by other hands.
func emulate(t *testing.T, o ahrefs.Options) (*Client, *emulator.Server) {
	t.Helper()
	srv := emulator.New(emulator.Options{Ahrefs: o})
	web := httptest.NewServer(srv)
	t.Cleanup(web.Close)
	c, err := New(Config{BaseURL: web.URL + "/v3", Key: ahrefs.DefaultKey})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c, srv
}

// target has a few thousand of everything.
const target = "acme-outdoor.example"

func emulated(report, params string) pipeline.Task {
	tk := task(report, params)
	tk.Target = target
	return tk
}

func TestTheEmulatorsListsAreReadWhole(t *testing.T) {
	for _, tc := range []struct {
		report, params string
		columns        []string
	}{
		{"anchors", `{"where":{"field":"refdomains","is":["gte",3]}}`, []string{"anchor", "links_to_target", "refdomains"}},
		{"anchors", `{"select":"anchor","where":{"field":"refdomains","is":["gte",3]}}`, []string{"anchor"}},
		{"anchors", `{"select":"anchor","order_by":"top_domain_rating:desc","history":"all_time","where":{"field":"refdomains","is":["gte",3]}}`, []string{"anchor", "top_domain_rating"}},
		{"refdomains", `{"select":"domain","order_by":"domain_rating:desc","where":{"field":"links_to_target","is":["gte",4]}}`, []string{"domain"}},
		{"all_backlinks", `{"select":"url_from","order_by":"last_seen:desc","history":"all_time","where":{"field":"domain_rating_source","is":["gte",45]}}`, []string{"url_from", "url_to", "anchor", "last_seen"}},
		{"pages_by_backlinks", "{}", []string{"url_to", "links_to_target"}},
		{"linkeddomains", "{}", []string{"domain"}},
		{"linked_anchors_external", "{}", []string{"anchor"}},
		{"broken_backlinks", `{"select":"url_from"}`, []string{"url_from", "url_to", "anchor"}},
	} {
		whole, _ := emulate(t, ahrefs.Options{})
		want, err := read(t, whole, emulated(tc.report, tc.params), 1_000_000, tc.columns...)
		if err != nil || want.pages != 1 {
			t.Fatalf("%s: %d pages, %v", tc.report, want.pages, err)
		}
		slices.Sort(want.rows)
		if len(want.rows) < 50 {
			t.Errorf("%s %s: only %d rows", tc.report, tc.params, len(want.rows))
		}
		for name, o := range map[string]ahrefs.Options{
			"100 rows":                  {RowCap: 100},
			"250 rows, or refused":      {RowCap: 250, RefuseCapped: true, ShuffleTies: true},
			"order and filter disagree": {RowCap: 100, Collation: ahrefs.CollateTorn},
			"case does not matter":      {RowCap: 100, Collation: ahrefs.CollateFolded, Ascending: true, RefuseOffset: true},
		} {
			c, srv := emulate(t, o)
			what := fmt.Sprintf("%s %s, %s", tc.report, tc.params, name)
			got, err := read(t, c, emulated(tc.report, tc.params), 1000, tc.columns...)
			if err != nil {
				t.Errorf("%s: %v", what, err)
				continue
			}
			slices.Sort(got.rows)
			if !slices.Equal(want.rows, got.rows) {
				t.Errorf("%s: %d rows, want %d: %s", what, len(got.rows), len(want.rows), firstDifference(want.rows, got.rows))
			}
			if meter := srv.Ahrefs().Meter(); meter.Units != int64(got.units) {
				t.Errorf("%s: %d units, the meter has %d", what, got.units, meter.Units)
			}
			if o.Collation != ahrefs.CollateTorn {
				got.thrifty(t, what)
			}
			t.Logf("%s: %d rows, %d pages", what, len(got.rows), got.pages)
		}
	}
}

func TestTheEmulatorsOtherReportsAreRead(t *testing.T) {
	c, srv := emulate(t, ahrefs.Options{UnitsLimit: 100_000, KeyLimit: 5000})
	var units pipeline.Units
	period := `{"date_from":"2025-10-01","date_to":"2025-12-31","history_grouping":"weekly"}`
	for report, tc := range map[string]struct {
		params string
		rows   int
	}{"domain_rating": {`{"date":"2026-01-01"}`, 1}, "backlinks_stats": {`{"date":"2026-01-01","mode":"domain"}`, 1}, "outlinks_stats": {"{}", 1}, "limits_and_usage": {"{}", 1},
		"refdomains_history": {period, 13}, "domain_rating_history": {period, 13}} {
		s := named(t, c.Sources(), report)
		tk := emulated(report, tc.params)
		price, err := s.Endpoint().PriceOf(tk, pipeline.Ask{})
		if err != nil {
			t.Fatal(err)
		}
		page, err := s.Fetch(t.Context(), tk, pipeline.Ask{})
		if err != nil || !page.End || page.Rows != tc.rows || page.Units > price.Worst(0) {
			t.Fatalf("%s: %d rows, %d units, %v", report, page.Rows, page.Units, err)
		}
		units += page.Units
		for i, row := range rowsOf(t, s, page) {
			if row["extra"] != nil || row["rank"] != int64(i+1) || len(row) < 3 {
				t.Errorf("%s: %v", report, row)
			}
		}
	}
	tk := batchTask(target, "summit-supply.example", "nothing.example")
	s := named(t, c.Sources(), "batch_analysis")
	page, err := s.Fetch(t.Context(), tk, pipeline.Ask{})
	if err != nil || page.Rows != 3 || !page.End {
		t.Fatal(page.Rows, err)
	}
	units += page.Units
	for _, row := range rowsOf(t, s, page) {
		if row["index"] == int64(1) != (row["target"] == "summit-supply.example") {
			t.Errorf("%v", row)
		}
	}
	used, err := c.Usage(t.Context(), page.FetchedAt, page.FetchedAt)
	if meter := srv.Ahrefs().Meter().Units; err != nil || used.Units != units || int64(units) != meter || *used.Remaining != 5000-units || *used.Limit != 5000 {
		t.Errorf("%+v (%v), %d units were charged, the meter has %d", used, err, units, meter)
	}
}
