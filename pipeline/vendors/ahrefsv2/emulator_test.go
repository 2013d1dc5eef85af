package ahrefsv2

import (
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"backhaul/pipeline"
	"backhaul/pipeline/emulator"
	"backhaul/pipeline/emulator/ahrefs"
	"backhaul/schemas"
)

// emulated returns a client of an emulator, which shares nothing with this package.
func emulated(t *testing.T, o ahrefs.Options) (*Client, *emulator.Server) {
	t.Helper()
	s := emulator.New(emulator.Options{Ahrefs: o})
	srv := httptest.NewServer(s)
	t.Cleanup(srv.Close)
	c, err := New(Config{BaseURL: srv.URL + "/ahrefs-v2", Token: ahrefs.DefaultV2Token})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c, s
}

// readToEnd reads a list to its end and returns its rows, and what they cost.
func readToEnd(t *testing.T, s pipeline.Source, task pipeline.Task, limit int) (all []row, units pipeline.Units) {
	t.Helper()
	ask := pipeline.Ask{Limit: limit}
	for {
		price, err := s.Endpoint().PriceOf(task, ask)
		if err != nil {
			t.Fatal(err)
		}
		page, err := s.Fetch(t.Context(), task, ask)
		if err != nil {
			t.Fatalf("%s %s at %q: %v", s.Endpoint(), task.Params, ask.Cursor, err)
		}
		got, rejected, err := decoded(t, s, s.Endpoint().Table, page)
		if err != nil || len(rejected) > 0 || len(got) != page.Rows {
			t.Fatalf("%s: %d rows of %d, rejected %v, %v", s.Endpoint(), len(got), page.Rows, rejected, err)
		}
		if page.Units > price.Worst(limit) {
			t.Errorf("%s: %d units, at most %d said", s.Endpoint(), page.Units, price.Worst(limit))
		}
		all, units = append(all, got...), units+page.Units
		if page.End {
			return all, units
		}
		ask.Cursor = page.Next
	}
}

func TestWhatTheClientCountsIsWhatTheServerBills(t *testing.T) {
	for endpoint, all := range map[string][]string{
		"anchors": {`{"mode":"subdomains"}`, `{"mode":"domain","where":"links_to_target>2","having":"refdomains>1"}`, `{"order_by":["links_to_target:desc","anchor"]}`,
			`{"select":"anchor,links_to_target,last_visited"}`, `{"where":"substring(anchor,\"a\"),first_seen>\"2020-01-01\""}`, `{"mode":"exact"}`},
		"refdomains":         {`{"mode":"subdomains"}`, `{"having":"domain_rating>20","order_by":["domain_rating:desc"]}`, `{"select":"domain,first_seen"}`},
		"all_backlinks":      {`{"mode":"subdomains"}`, `{"aggregation":"1_per_domain"}`, `{"where":"is_nofollow=false","select":"url_from,url_to,anchor"}`},
		"backlinks_stats":    {`{"from":"metrics"}`, `{}`},
		"broken_backlinks":   {`{"mode":"subdomains"}`},
		"linkeddomains":      {`{"mode":"subdomains"}`, `{"having":"links_from_target>1"}`},
		"pages_by_backlinks": {`{"mode":"subdomains"}`, `{"from":"pages"}`, `{"where":"links_to_target>2","order_by":["links_to_target:desc","url_to"]}`},
		"domain_rating":      {`{}`},
	} {
		for _, params := range all {
			c, server := emulated(t, ahrefs.Options{})
			s := named(t, c.Sources(), endpoint)
			task := pipeline.Task{Target: "summit-supply.example", Params: params}
			small, units := readToEnd(t, s, task, 300)
			m := server.Ahrefs().Meter()
			if int64(units) != m.V2Rows || m.DuplicatePages != 0 || m.WastePages != 0 || int64(len(small)) != m.Rows {
				t.Errorf("%s %s: %d rows for %d, the server has %d for %d, %d pages twice", endpoint, params, len(small), units, m.Rows, m.V2Rows, m.DuplicatePages)
			}
			if large, _ := readToEnd(t, s, task, 0); len(large) != len(small) || len(small) == 0 && params != `{"mode":"exact"}` {
				t.Errorf("%s %s: %d rows by 300, %d by 1000", endpoint, params, len(small), len(large))
			} else {
				for i := range large {
					for column, want := range large[i] {
						if small[i][column] != want {
							t.Fatalf("%s %s: row %d: %v by 300, %v by 1000", endpoint, params, i, small[i], large[i])
						}
					}
				}
			}
		}
	}
}

func TestClausesChooseRowsOfTheServer(t *testing.T) {
	c, _ := emulated(t, ahrefs.Options{})
	s := named(t, c.Sources(), "anchors")
	task := pipeline.Task{Target: "summit-supply.example", Params: `{"having":"links_to_target>=5,refdomains<>1","order_by":["links_to_target:desc"]}`}
	all, _ := readToEnd(t, s, task, 0)
	last := int64(1 << 62)
	for _, r := range all {
		links := r["links_to_target"].(int64)
		if links < 5 || links > last || r["refdomains"].(int64) == 1 || r["last_visited"] == nil {
			t.Fatalf("%v", r)
		}
		last = links
	}
	if len(all) < 10 {
		t.Errorf("only %d rows", len(all))
	}
}

func TestTotalsOfTheServerStandInTheirTable(t *testing.T) {
	c, _ := emulated(t, ahrefs.Options{})
	s := named(t, c.Sources(), "anchors")
	page, err := s.Fetch(t.Context(), pipeline.Task{Target: "summit-supply.example"}, pipeline.Ask{})
	if err != nil {
		t.Fatal(err)
	}
	got, rejected, err := decoded(t, s, schemas.Lookup("ahrefs.anchors_stats"), page)
	if err != nil || len(rejected) > 0 || len(got) != 1 || got[0]["links_to_target"].(int64) == 0 || got[0]["extra"] != nil {
		t.Errorf("%v, rejected %v, %v", got, rejected, err)
	}
}

func TestRefusalsOfTheServer(t *testing.T) {
	task := pipeline.Task{Target: "summit-supply.example"}
	for name, tc := range map[string]struct {
		options ahrefs.Options
		kind    pipeline.Kind
	}{
		"another token":  {ahrefs.Options{V2Token: "other"}, pipeline.Denied},
		"shut down":      {ahrefs.Options{V2Sunset: true}, pipeline.Denied},
		"no rows":        {ahrefs.Options{V2Rows: 10}, pipeline.Exhausted},
		"another minute": {ahrefs.Options{RequestsPerMinute: 1}, pipeline.Throttled},
	} {
		c, server := emulated(t, tc.options)
		s := named(t, c.Sources(), "anchors")
		var err error
		for range 2 {
			_, err = s.Fetch(t.Context(), task, pipeline.Ask{})
		}
		if err == nil || pipeline.KindOf(err) != tc.kind || strings.Contains(err.Error(), ahrefs.DefaultV2Token) {
			t.Errorf("%s: %v, want %s", name, err, tc.kind)
		}
		if m := server.Ahrefs().Meter(); name != "another minute" && m.V2Rows != 0 {
			t.Errorf("%s: %d rows billed", name, m.V2Rows)
		}
	}
	c, _ := emulated(t, ahrefs.Options{V2Rows: 1000})
	before, err := c.Usage(t.Context(), time.Time{}, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	page, err := named(t, c.Sources(), "anchors").Fetch(t.Context(), task, pipeline.Ask{Limit: 100})
	if err != nil {
		t.Fatal(err)
	}
	after, err := c.Usage(t.Context(), time.Time{}, time.Time{})
	if err != nil || after.Units-before.Units != page.Units || *after.Limit != 1000 || *before.Remaining-*after.Remaining != page.Units {
		t.Errorf("usage %+v, then %+v, for a page of %d, %v", before, after, page.Units, err)
	}
}
