package mozv2

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"backhaul/pipeline"
	"backhaul/pipeline/emulator"
)

// against is a client before an emulated vendor whose index holds still.
func against(t *testing.T, o emulator.Options) (*Client, *emulator.Server, string) {
	t.Helper()
	o.Day, o.IndexDays = 40, 1000
	s := emulator.New(o)
	srv := httptest.NewServer(s)
	t.Cleanup(srv.Close)
	c, err := New(Config{BaseURL: srv.URL + "/v2", Token: emulator.DefaultToken})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c, s, srv.URL + "/v2/"
}

// bought is a task's pages up to its end, or to so many.
func bought(t *testing.T, s pipeline.Source, task pipeline.Task, limit, most int) (pages []pipeline.Page, units pipeline.Units) {
	t.Helper()
	ask := pipeline.Ask{Limit: limit}
	for len(pages) < most {
		price, err := s.Endpoint().PriceOf(task, ask)
		if err != nil {
			t.Fatal(err)
		}
		page, err := s.Fetch(t.Context(), task, ask)
		if err != nil {
			t.Fatal(s.Endpoint(), err)
		}
		want := limit
		if limit == 0 {
			want = s.Endpoint().PageSize
		}
		if page.Units > price.Worst(want) {
			t.Errorf("%s: a page of %d units, at most %d by its price", s.Endpoint(), page.Units, price.Worst(want))
		}
		pages, units = append(pages, page), units+page.Units
		if page.End {
			break
		}
		ask.Cursor = page.Next
	}
	return pages, units
}

// rowsOf are the rows of the endpoint's table on the pages.
func rowsOf(t *testing.T, s pipeline.Source, pages []pipeline.Page) (rows []map[string]any) {
	t.Helper()
	for _, page := range pages {
		got, rejected, err := decodedTo(t, s, s.Endpoint().Table, page)
		if err != nil || len(rejected) > 0 {
			t.Fatal(s.Endpoint(), rejected, err)
		}
		rows = append(rows, got...)
	}
	return rows
}

// said is what the vendor answers to a request of the test's own making.
func said(t *testing.T, url string, request string) []byte {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(request))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("x-moz-token", emulator.DefaultToken)
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("%s %s: %d %s %v", url, request, resp.StatusCode, body, err)
	}
	return body
}

// listed pages through a list in pages of 13, with another parser.
func listed(t *testing.T, url, request string, most int) (rows []map[string]string) {
	t.Helper()
	token := ""
	for len(rows) < most {
		asking := strings.TrimSuffix(request, "}") + `"limit":13}`
		if token != "" {
			asking = strings.TrimSuffix(asking, "}") + fmt.Sprintf(`,"next_token":%q}`, token)
		}
		body := said(t, url, asking)
		rows = append(rows, generic(t, body)...)
		var reply struct {
			Token string `json:"next_token"`
		}
		if err := json.Unmarshal(body, &reply); err != nil {
			t.Fatal(err)
		}
		if token = reply.Token; token == "" {
			break
		}
	}
	return rows
}

func TestListsOfTheEmulatedVendorArriveWholeAtTheirPrice(t *testing.T) {
	c, server, url := against(t, emulator.Options{})
	const meet = `"positive_targets":[{"scope":"root_domain","target":"rivalgear.example"},{"scope":"root_domain","target":"summit-supply.example"}],"source_scope":"root_domain"`
	for _, tc := range []struct {
		endpoint string
		task     pipeline.Task
		request  string // of the test's own listing, its object left open
		least    int
	}{
		{"top_pages", pipeline.Task{Target: "rivalgear.example", Scope: "root_domain", Params: `{"scope":"root_domain","sort":"root_domains_to_page"}`}, `{"target":"rivalgear.example","sort":"root_domains_to_page",}`, 100},
		{"global_top_pages", pipeline.Task{}, `{}`, 500},
		{"global_top_root_domains", pipeline.Task{Params: `{}`}, `{}`, 200},
		{"link_intersect", pipeline.Task{Target: "rivalgear.example+summit-supply.example", Params: `{` + meet + `}`}, `{` + meet + `,}`, 100},
	} {
		s := named(t, c.Sources(), tc.endpoint)
		before := server.Meter().Rows
		pages, units := bought(t, s, tc.task, 0, 20)
		if billed := server.Meter().Rows - before; billed != int64(units) {
			t.Errorf("%s: %d units by the client, %d by the meter", tc.endpoint, units, billed)
		}
		got, want := rowsOf(t, s, pages), listed(t, url+tc.endpoint, tc.request, 1000)
		if len(got) < tc.least || len(got) != len(want) && len(want) < 1000 {
			t.Fatalf("%s: %d rows, %d by another listing", tc.endpoint, len(got), len(want))
		}
		for i := range min(len(got), len(want)) {
			row := texts(s.Endpoint().Table, got[i])
			for _, ours := range []string{"matching_targets", "positive_targets", "negative_targets"} {
				delete(row, ours)
			}
			if diff := cmp.Diff(want[i], row); diff != "" || got[i]["extra"] != nil {
				t.Fatalf("%s: row %d: %s extra %v", tc.endpoint, i, diff, got[i]["extra"])
			}
		}
	}
}

func TestBatchesOfTheEmulatedVendorArriveWholeAtTheirPrice(t *testing.T) {
	c, server, url := against(t, emulator.Options{})
	var pages, names []string
	for _, row := range listed(t, url+"links", `{"target":"rivalgear.example","target_scope":"root_domain","filter":"external+not_deleted",}`, 130) {
		if !slices.Contains(pages, row["source_page"]) {
			pages = append(pages, row["source_page"])
		}
	}
	pages = append(pages, "no-such-page.example/x", "rivalgear.example")
	for _, page := range pages {
		names = append(names, strings.TrimSuffix(page, "/"))
	}

	status := named(t, c.Sources(), "link_status")
	before := server.Meter().Rows
	parts, units := bought(t, status, pipeline.Task{Target: "rivalgear.example", Scope: "root_domain", Inputs: sourceBatch(pages...)}, 0, 9)
	if billed := server.Meter().Rows - before; billed != int64(units) || int(units) != 2*len(pages) {
		t.Errorf("link_status: %d units by the client, %d by the meter, for %d sources", units, billed, len(pages))
	}
	linked := 0
	for i, row := range rowsOf(t, status, parts) {
		want := string(said(t, url+"link_status", fmt.Sprintf(`{"target":"rivalgear.example","target_scope":"root_domain","source_scope":"page","sources":[%q]}`, pages[i])))
		if row["source"] != pages[i] || want != fmt.Sprintf(`{"exists":[%v]}`, row["link_exists"]) {
			t.Errorf("%v, the vendor says %s", row, want)
		}
		if row["link_exists"] == true {
			linked++
		}
	}
	if linked == 0 || linked == len(pages) {
		t.Errorf("%d of %d sources link", linked, len(pages))
	}

	metrics := named(t, c.Sources(), "url_metrics")
	before = server.Meter().Rows
	parts, units = bought(t, metrics, pipeline.Task{Inputs: targetBatch(names...), Params: `{}`}, 0, 9)
	if billed := server.Meter().Rows - before; billed != int64(units) || int(units) != len(names) || len(parts) < 2 {
		t.Errorf("url_metrics: %d units by the client, %d by the meter, for %d targets in %d parts", units, billed, len(names), len(parts))
	}
	rows := rowsOf(t, metrics, parts)
	for i, name := range names {
		want := generic(t, said(t, url+"url_metrics", fmt.Sprintf(`{"targets":[%q]}`, name)))
		if diff := cmp.Diff(want[0], texts(metrics.Endpoint().Table, rows[i])); diff != "" || rows[i]["target"] != name || rows[i]["extra"] != nil {
			t.Errorf("%s: %v, extra %v: %s", name, rows[i]["target"], rows[i]["extra"], diff)
		}
	}
}

func TestHistoriesOfTheEmulatedVendorArriveWholeAtTheirPrice(t *testing.T) {
	c, server, _ := against(t, emulator.Options{})
	const params = `{"daily_history_deltas":["root_domains_to_root_domain"],"daily_history_values":["page_authority"],"distributions":true,` +
		`"monthly_history_deltas":["pages_to_root_domain"],"monthly_history_values":["domain_authority","pages_to_root_domain_by_spam_score"]}`
	s := named(t, c.Sources(), "url_metrics")
	pages, units := bought(t, s, pipeline.Task{Inputs: targetBatch("rivalgear.example", "summit-supply.example"), Params: params}, 0, 1)
	if billed := server.Meter().Rows; billed != int64(units) || units != 2*7 {
		t.Errorf("%d units by the client, %d by the meter", units, billed)
	}
	var reply struct {
		Results []struct {
			Distributions map[string][]int64
			DailyValues   map[string][]struct {
				Date  string
				Value int64
			} `json:"daily_history_values"`
			MonthlyValues map[string][]struct {
				Date  string
				Value any
			} `json:"monthly_history_values"`
			DailyDeltas   map[string]map[string][]counted `json:"daily_history_deltas"`
			MonthlyDeltas map[string]map[string][]counted `json:"monthly_history_deltas"`
		}
	}
	if err := json.Unmarshal(pages[0].Body, &reply); err != nil {
		t.Fatal(err)
	}
	want := map[string]int{}
	for i, result := range reply.Results {
		target := []string{"rivalgear.example", "summit-supply.example"}[i]
		for name, numbers := range result.Distributions {
			for bucket, n := range numbers {
				want[fmt.Sprint(target, " ", name, " ", bucket, " ", n)]++
			}
		}
		for name, points := range result.DailyValues {
			for _, p := range points {
				want[fmt.Sprint(target, " daily_values ", name, " ", p.Date, " ", p.Value)]++
			}
		}
		for name, points := range result.MonthlyValues {
			for _, p := range points {
				if list, ok := p.Value.([]any); ok {
					for bucket, n := range list {
						want[fmt.Sprint(target, " monthly_values ", name, " ", p.Date, "-01 ", bucket, " ", n)]++
					}
					continue
				}
				want[fmt.Sprint(target, " monthly_values ", name, " ", p.Date, "-01 ", p.Value)]++
			}
		}
		deltas(want, target+" daily_deltas ", "", result.DailyDeltas)
		deltas(want, target+" monthly_deltas ", "-01", result.MonthlyDeltas)
	}
	got := map[string]int{}
	for _, table := range s.Endpoint().Also {
		rows, rejected, err := decodedTo(t, s, table, pages[0])
		if err != nil || len(rejected) > 0 {
			t.Fatal(rejected, err)
		}
		for _, row := range rows {
			line := []any{row["target"]}
			for _, column := range []string{"series", "metric", "date", "bucket", "value"} {
				if row[column] != nil {
					line = append(line, row[column])
				}
			}
			text := strings.TrimSuffix(fmt.Sprintln(line...), "\n")
			if row["value"] != nil {
				got[text]++
			}
			for _, side := range []string{"gained", "lost"} {
				if row[side] != nil {
					got[fmt.Sprint(text, " ", side, " ", row[side])]++
				}
			}
		}
	}
	if diff := cmp.Diff(want, got); diff != "" || len(got) < 300 {
		t.Errorf("%d facts: %s", len(got), diff)
	}
	main := rowsOf(t, s, pages)
	if len(main) != 2 || main[0]["extra"] != nil || main[1]["extra"] != nil {
		t.Errorf("%v", slices.Collect(maps.Keys(main[0])))
	}
}

type counted struct {
	Date  string
	Count int64
}

func deltas(into map[string]int, prefix, day string, series map[string]map[string][]counted) {
	for name, sides := range series {
		for side, points := range sides {
			for _, p := range points {
				into[fmt.Sprint(prefix, name, " ", p.Date, day, " ", side, " ", p.Count)]++
			}
		}
	}
}

func TestSingleRepliesOfTheEmulatedVendor(t *testing.T) {
	c, server, url := against(t, emulator.Options{})
	redirects := 0
	final := named(t, c.Sources(), "final_redirect")
	for _, page := range listed(t, url+"links", `{"target":"rivalgear.example","target_scope":"root_domain","filter":"external+redirect",}`, 40) {
		target := page["source_page"]
		before := server.Meter().Rows
		pages, units := bought(t, final, pipeline.Task{Target: target}, 0, 1)
		if billed := server.Meter().Rows - before; billed != int64(units) {
			t.Errorf("final_redirect: %d units by the client, %d by the meter", units, billed)
		}
		row := rowsOf(t, final, pages)[0]
		want := string(said(t, url+"final_redirect", fmt.Sprintf(`{"page":%q}`, target)))
		if row["final_page"] != nil {
			redirects++
		} else {
			row["final_page"] = ""
		}
		if want != fmt.Sprintf(`{"page":%q}`, row["final_page"]) {
			t.Errorf("%s: %v, the vendor says %s", target, row["final_page"], want)
		}
	}
	if redirects == 0 {
		t.Error("no page redirects")
	}
	before := server.Meter().Rows
	index := named(t, c.Sources(), "index_metadata")
	pages, units := bought(t, index, pipeline.Task{}, 0, 1)
	id, err := c.IndexID(t.Context())
	if row := rowsOf(t, index, pages)[0]; err != nil || row["index_id"] != id || units != 0 || len(row["spam_score_update_days"].(json.RawMessage)) < 20 {
		t.Errorf("%v, %s, %v", row, id, err)
	}
	usage := named(t, c.Sources(), "usage_data")
	pages, units = bought(t, usage, pipeline.Task{}, 0, 1)
	if row := rowsOf(t, usage, pages)[0]; row["rows_consumed"] != server.Meter().Rows || units != 0 || before != server.Meter().Rows {
		t.Errorf("%v, %d by the meter", row, server.Meter().Rows)
	}
}

func TestBatchesAnsweredOutOfStepAreHealedOrRefused(t *testing.T) {
	task := pipeline.Task{Target: "rivalgear.example", Scope: "root_domain", Inputs: targetBatch("rivalgear.example", "summit-supply.example", "no-such-page.example/x")}
	asked := pipeline.Task{Target: "rivalgear.example", Scope: "root_domain", Inputs: sourceBatch("rivalgear.example", "summit-supply.example")}
	inStep, _, _ := against(t, emulator.Options{})
	source := named(t, inStep.Sources(), "url_metrics")
	pages, _ := bought(t, source, task, 0, 1)
	want := rowsOf(t, source, pages)

	outOfStep, _, _ := against(t, emulator.Options{Faults: emulator.Faults{Reorder: 1}})
	source = named(t, outOfStep.Sources(), "url_metrics")
	reordered, _ := bought(t, source, task, 0, 1)
	if string(reordered[0].Body) == string(pages[0].Body) {
		t.Fatal("nothing is reordered")
	}
	if diff := cmp.Diff(want, rowsOf(t, source, reordered)); diff != "" {
		t.Error(diff)
	}
	for name, faults := range map[string]emulator.Faults{"short": {Short: 1}, "long": {Long: 1}} {
		c, _, _ := against(t, emulator.Options{Faults: faults})
		for endpoint, task := range map[string]pipeline.Task{"url_metrics": task, "link_status": asked} {
			page, err := named(t, c.Sources(), endpoint).Fetch(t.Context(), task, pipeline.Ask{})
			if pipeline.KindOf(err) != pipeline.Malformed || len(page.Body) == 0 {
				t.Errorf("%s %s: %v", name, endpoint, err)
			}
		}
	}
}
