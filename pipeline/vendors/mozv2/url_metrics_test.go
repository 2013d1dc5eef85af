package mozv2

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"backhaul/pipeline"
)

// withHistories is a result with histories and distributions in each of the shapes they may have.
const withHistories = `{"page":"a.com/","page_authority":50,"new":1,
	"daily_history_values":{"page_authority":[{"date":"2026-06-29","value":49},{"date":"2026-06-30","value":50,"note":"x"}],"pages_to_root_domain_by_spam_score":[{"date":"2026-06-30","value":[1,2,3,4,5,6,7,8,9,10]}]},
	"monthly_history_values":[{"metric_name":"domain_authority","metric_values":[{"date":"2026-05","value":60},{"date":"2026-06-30","value":null}]}],
	"daily_history_deltas":[{"metric_name":"pages_to_page","metric_deltas":{"gained":[{"date":"2026-06-30","count":5},{"date":"2026-06-29","count":0}],"lost":[{"date":"2026-06-29","count":2},{"date":"2026-06-28","count":1}]}}],
	"monthly_history_deltas":{"root_domains_to_page":{"gained":[{"date":"2026-06","count":7}],"lost":[]}},
	"distributions":{"root_domains_to_page_by_root_domains":[20,53,39,35,21,5,8,6,1,0],"new_series":[1,2]},
	"root_domains_to_page_by_spam_score":[1,0,0,0,0,0,0,0,0,9]}`

func TestHistoriesAndDistributionsGoToTablesOfTheirOwn(t *testing.T) {
	s := named(t, Offline(), "url_metrics")
	page := pipeline.Page{Request: []byte(requests["url_metrics"]), Body: []byte(`{"results":[` + withHistories + `,{"page":"b.com/x","monthly_history_deltas":{"pages_to_page":{"gained":[{"date":"2026-06","count":3}],"lost":[]}}}]}`)}
	counts := map[string]map[string]int{}
	for _, table := range s.Endpoint().Tables() {
		rows, rejected, err := decodedTo(t, s, table, page)
		if err != nil || len(rejected) > 0 {
			t.Fatal(table.FullName(), rejected, err)
		}
		counts[table.Name] = map[string]int{}
		ranks := map[any]int64{}
		for _, row := range rows {
			ranks[row["target"]]++
			if row["rank"] != ranks[row["target"]] {
				t.Errorf("%s: rank %v of %v, want %d", table.Name, row["rank"], row["target"], ranks[row["target"]])
			}
			counts[table.Name][fmt.Sprintf("%v %v %v", row["target"], row["page"], row["series"])]++
			if want := map[bool]any{true: `{"new":1}`}[table == s.Endpoint().Table && row["target"] == "a.com"]; table == s.Endpoint().Table && row["extra"] != want {
				t.Errorf("extra %v, want %v", row["extra"], want)
			}
		}
	}
	want := map[string]map[string]int{
		"url_metrics":              {"a.com a.com/ <nil>": 1, "b.com/x b.com/x <nil>": 1},
		"url_metrics_history":      {"a.com a.com/ daily_deltas": 3, "a.com a.com/ daily_values": 12, "a.com a.com/ monthly_deltas": 1, "a.com a.com/ monthly_values": 2, "b.com/x b.com/x monthly_deltas": 1},
		"url_metrics_distribution": {"a.com a.com/ root_domains_to_page_by_root_domains": 10, "a.com a.com/ new_series": 2, "a.com a.com/ root_domains_to_page_by_spam_score": 10},
	}
	if diff := cmp.Diff(want, counts); diff != "" {
		t.Error(diff)
	}
}

func TestTopPagesFillTheSameHistories(t *testing.T) {
	s := named(t, Offline(), "top_pages")
	page := pipeline.Page{Body: []byte(`{"results":[` + strings.ReplaceAll(withHistories, "a.com/", "moz.com/learn") + `,{"no page":1,"daily_history_values":{"a":7}}],"next_token":""}`)}
	rows, rejected, err := decodedTo(t, s, s.Endpoint().Also[0], page)
	if err != nil || len(rejected) > 0 || len(rows) != 18 {
		t.Fatal(len(rows), rejected, err)
	}
	for i, row := range rows {
		if row["page"] != "moz.com/learn" || row["target"] != "moz.com" || row["scope"] != "page" || row["rank"] != int64(i+1) {
			t.Errorf("%v", row)
		}
	}
	rows, rejected, err = decodedTo(t, s, s.Endpoint().Table, page)
	if err != nil || len(rows) != 1 || len(rejected) != 1 || rows[0]["extra"] != `{"distributions":{"new_series":[1,2],"root_domains_to_page_by_root_domains":[20,53,39,35,21,5,8,6,1,0]},"new":1,"root_domains_to_page_by_spam_score":[1,0,0,0,0,0,0,0,0,9]}` {
		t.Errorf("%v %v %v", rows, rejected, err)
	}
}

func TestAHistoryThatCannotBeReadIsRejectedAndCostsNoMetrics(t *testing.T) {
	s := named(t, Offline(), "url_metrics")
	page := pipeline.Page{Request: []byte(`{"targets":["a.com"]}`), Body: []byte(`{"results":[{"page":"a.com/","daily_history_values":"soon"}]}`)}
	if rows, rejected, err := decodedTo(t, s, s.Endpoint().Table, page); err != nil || len(rows) != 1 || len(rejected) > 0 {
		t.Errorf("%v %v %v", rows, rejected, err)
	}
	rows, rejected, err := decodedTo(t, s, s.Endpoint().Also[0], page)
	if err != nil || len(rows) > 0 || len(rejected) != 1 || rejected[0].Table != "moz.url_metrics_history" || rejected[0].Origin.Target != "a.com" ||
		rejected[0].Reason != `daily_history_values: want the histories of metrics, got "soon"` {
		t.Errorf("%v %+v %v", rows, rejected, err)
	}
}
