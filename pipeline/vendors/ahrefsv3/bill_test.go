package ahrefsv3

import (
	"encoding/json"
	"net/url"
	"strings"
	"testing"
	"time"

	"backhaul/pipeline"
)

func (r recorded) header(name string) string { return r.Headers[name] }

func (r recorded) price(t *testing.T) (*Report, pipeline.Price) {
	t.Helper()
	u, err := url.Parse(r.URL)
	if err != nil {
		t.Fatal(err)
	}
	for _, report := range reports {
		if "/v3/"+report.Path == u.Path {
			params := map[string]string{}
			for name, values := range u.Query() {
				params[name] = values[0]
			}
			text, err := json.Marshal(params)
			if err != nil {
				t.Fatal(err)
			}
			p, err := report.PriceOf(pipeline.Task{Target: params["target"], Params: string(text)}, pipeline.Ask{})
			if err != nil {
				t.Fatal(err)
			}
			return report, p
		}
	}
	t.Fatalf("no report at %s", u.Path)
	return nil, pipeline.Price{}
}

func TestRecordedAnswersWereChargedByThePrice(t *testing.T) {
	for _, tc := range []struct {
		sample, report string
		want           Bill
		total          pipeline.Units
	}{
		{"limits-and-usage.json", "limits_and_usage", Bill{Rows: 1, Cache: "no_cache"}, 0},
		{"domain-rating.json", "domain_rating", Bill{Rows: 1, Actual: 50, Cache: "no_cache"}, 50},
		{"backlinks-stats.json", "backlinks_stats", Bill{Rows: 1, Cache: "hit"}, 50},
		{"all-backlinks.json", "all_backlinks", Bill{Rows: 10, Actual: 90, Cache: "miss"}, 90},
		{"domain-rating.free.json", "domain_rating", Bill{Rows: 1, Row: 2, Total: 50, Cache: "no_cache"}, 50},
	} {
		t.Run(tc.sample, func(t *testing.T) {
			r := record(t, tc.sample)
			bill, err := ReadBill(r.header)
			if err != nil || bill != tc.want {
				t.Errorf("bill %+v (%v), want %+v", bill, err, tc.want)
			}
			report, p := r.price(t)
			reply := pipeline.Reply{Rows: bill.Rows, Cached: bill.Cache == "hit"}
			if report.Name != tc.report || p.Actual(reply) != bill.Actual || p.Total(reply) != tc.total {
				t.Errorf("%s: actual %d, total %d; want %s, %d, %d", report.Name, p.Actual(reply), p.Total(reply), tc.report, bill.Actual, tc.total)
			}
			if bill.Actual > p.Worst(bill.Rows) {
				t.Errorf("charged %d, the worst case was %d", bill.Actual, p.Worst(bill.Rows))
			}
			if bill.Row > 0 && p.PerRow != bill.Row || bill.Total > 0 && p.Total(reply) != bill.Total {
				t.Errorf("%d a row, %d in all; Ahrefs says %d and %d", p.PerRow, p.Total(reply), bill.Row, bill.Total)
			}
		})
	}
}

// Prices that third parties measured, by notes without a recording: 6 and 2 units a row.
func TestHistoriesCostAsMeasured(t *testing.T) {
	from := time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)
	for _, n := range []int{1, 8, 9, 25, 26, 60} {
		to := from.AddDate(0, n-1, 0)
		for report, row := range map[*Report]int{refdomainsHistory: 6, domainRatingHistory: 2} {
			p, err := report.Price(Request{From: from, To: to})
			if want := pipeline.Units(max(50, row*n)); err != nil || p.Worst(0) != want || p.Actual(pipeline.Reply{Rows: n}) != want {
				t.Errorf("%s of %d months: worst %d (%v), want %d", report.Name, n, p.Worst(0), err, want)
			}
		}
	}
}

func TestBillThatDoesNotSayWhatWasChargedIsRefused(t *testing.T) {
	whole := map[string]string{"x-api-rows": "3", "x-api-units-cost-row": "9", "x-api-units-cost-total": "50", "x-api-units-cost-total-actual": "0", "x-api-cache": "hit"}
	if b, err := ReadBill(recorded{Headers: whole}.header); err != nil || b != (Bill{3, 9, 50, 0, "hit"}) {
		t.Fatalf("%+v (%v)", b, err)
	}
	for _, tc := range []struct{ name, value string }{
		{"x-api-rows", ""}, {"x-api-rows", "-1"}, {"x-api-units-cost-total-actual", ""}, {"x-api-units-cost-total-actual", "1.5"},
		{"x-api-units-cost-total-actual", "99999999999999999999"}, {"x-api-units-cost-row", "x"}, {"x-api-units-cost-total", "-50"},
	} {
		headers := map[string]string{}
		for name, value := range whole {
			headers[name] = value
		}
		headers[tc.name] = tc.value
		if b, err := ReadBill(recorded{Headers: headers}.header); err == nil || b != (Bill{}) || !strings.Contains(err.Error(), tc.name) {
			t.Errorf("%s %q: %+v, %v", tc.name, tc.value, b, err)
		}
	}
}
