package moz

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/google/go-cmp/cmp"

	"backhaul/pipeline/vendors/internal/rows"
	"backhaul/schemas"
	"backhaul/testdata/vendors"
)

// loaded is the rows a load brings to a table, a line each: the own columns and extra, nulls as -, and what was rejected.
func loaded(t testing.TB, table string, load func(*schemas.Builder)) (lines, rejected []string) {
	t.Helper()
	mem := memory.NewCheckedAllocator(memory.DefaultAllocator)
	defer mem.AssertSize(t, 0)
	target := schemas.Lookup(table)
	b := schemas.NewBuilder(mem, target)
	defer b.Release()
	b.Begin(schemas.Origin{Rank: 1})
	load(b)
	batch := b.Batch()
	defer batch.Release()
	for i := range int(batch.NumRows()) {
		var cells []string
		for j, c := range target.Columns() {
			if j >= len(target.Own) && c.Name != schemas.ColExtra {
				continue
			}
			cell := "-"
			if column := batch.Column(j); column.IsValid(i) {
				cell = column.ValueStr(i)
			}
			cells = append(cells, cell)
		}
		lines = append(lines, strings.Join(cells, " "))
	}
	for _, r := range b.Rejected() {
		if !json.Valid(r.JSON) {
			t.Errorf("rejected %s", r.JSON)
		}
		rejected = append(rejected, fmt.Sprintf("%d: %s: %s", r.Row, r.Reason, r.JSON))
	}
	return lines, rejected
}

func histories(t testing.TB, object string) (lines, rejected []string) {
	t.Helper()
	return loaded(t, "moz.url_metrics_history", func(b *schemas.Builder) { LoadHistories(b, 3, "a.com/", []byte(object)) })
}

func TestHistoriesAreReadAsMapsAndAsLists(t *testing.T) {
	want := []string{
		"a.com/ daily_deltas pages_to_page 2026-06-30 - - 5 - -",
		"a.com/ daily_deltas pages_to_page 2026-06-29 - - 0 2 -",
		"a.com/ daily_deltas pages_to_page 2026-06-28 - - - 1 -",
		"a.com/ daily_values page_authority 2026-06-29 - 49 - - -",
		`a.com/ daily_values page_authority 2026-06-30 - 18753876101 - - {"note":"x"}`,
		"a.com/ daily_values domain_authority 2026-06-30 - 7 - - -",
		"a.com/ monthly_values domain_authority 2026-05-01 - 60 - - -",
		"a.com/ monthly_values domain_authority 2026-06-01 - - - - -",
	}
	for name, object := range map[string]string{
		"maps": `{"page":"a.com/",
			"monthly_history_values":{"domain_authority":[{"date":"2026-05","value":60},{"date":"2026-06-30","value":null}]},
			"daily_history_values":{"page_authority":[{"date":"2026-06-29","value":49},{"date":"2026-06-30","value":18753876101,"note":"x"}],"domain_authority":[{"date":"2026-06-30","count":7}]},
			"daily_history_deltas":{"pages_to_page":{"gained":[{"date":"2026-06-30","count":5},{"date":"2026-06-29","count":0}],"lost":[{"date":"2026-06-29","count":2},{"date":"2026-06-28","count":1}]}},
			"monthly_history_deltas":null}`,
		"lists": `{
			"daily_history_deltas":[{"metric_name":"pages_to_page","metric_deltas":{"gained":[{"date":"2026-06-30","count":5},{"date":"2026-06-29","count":0}],"lost":[{"date":"2026-06-29","count":2},{"date":"2026-06-28","count":1}]}}],
			"daily_history_values":[{"metric_name":"page_authority","metric_values":[{"date":"2026-06-29","value":49},{"date":"2026-06-30","value":18753876101,"note":"x"}]},{"metric_name":"domain_authority","metric_values":[{"date":"2026-06-30","value":7}]}],
			"monthly_history_values":[{"metric_name":"domain_authority","metric_values":[{"date":"2026-05","value":60},{"date":"2026-06","value":null}]}]}`,
	} {
		got, rejected := histories(t, object)
		if diff := cmp.Diff(want, got); diff != "" || len(rejected) > 0 {
			t.Errorf("%s: %s, rejected %v", name, diff, rejected)
		}
	}
}

func TestADistributionsHistoryIsARowABucket(t *testing.T) {
	got, rejected := histories(t, `{"monthly_history_values":{"pages_to_root_domain_by_spam_score":[{"date":"2026-05","value":[11,0,3]}]}}`)
	want := []string{
		"a.com/ monthly_values pages_to_root_domain_by_spam_score 2026-05-01 0 11 - - -",
		"a.com/ monthly_values pages_to_root_domain_by_spam_score 2026-05-01 1 0 - - -",
		"a.com/ monthly_values pages_to_root_domain_by_spam_score 2026-05-01 2 3 - - -",
	}
	if diff := cmp.Diff(want, got); diff != "" || len(rejected) > 0 {
		t.Error(diff, rejected)
	}
}

func TestWhatOfAHistoryCannotBeReadIsRejectedPieceByPiece(t *testing.T) {
	got, rejected := histories(t, `{
		"daily_history_deltas":{"a":[1],"b":{"won":3},"c":{"gained":[{"date":"2026-06-30","count":1},{"date":"2026-06-30","count":2}],"lost":[{"date":"2026-06-30","count":null}]},"d":null,"e":{"gained":7}},
		"daily_history_values":{"f":[{"date":"2026-06","value":1},{"date":"2026-02-30","value":1},{"date":"2026-06-30","value":"many"},{"date":"2026-06-30"},5,{"date":"2026-06-30","value":8}],"g":"x"},
		"monthly_history_deltas":true,
		"monthly_history_values":[{"metric_name":"h"},{"metric_values":[]},9,{"metric_name":"i","metric_values":[{"date":"2026-06","value":[1,"x"]}]}]}`)
	want := []string{"a.com/ daily_deltas c 2026-06-30 - - 1 - -", "a.com/ daily_values f 2026-06-30 - 8 - - -"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	wantRejected := []string{
		`3: daily_history_deltas: a: want {gained, lost}, got [1]: [1]`,
		`3: daily_history_deltas: b: want {gained, lost}, got {"won":3}: {"won":3}`,
		`3: daily_history_deltas: c: gained: date: 2026-06-30 a second time: {"date":"2026-06-30","count":2}`,
		`3: daily_history_deltas: c: lost: count: no number: {"date":"2026-06-30","count":null}`,
		`3: daily_history_deltas: e: gained: want a list of dates with numbers, got 7: {"gained":7}`,
		`3: daily_history_values: f: date: want a date, got "2026-06": {"date":"2026-06","value":1}`,
		`3: daily_history_values: f: date: want a date, got "2026-02-30": {"date":"2026-02-30","value":1}`,
		`3: daily_history_values: f: value: want an integer, got "many": {"date":"2026-06-30","value":"many"}`,
		`3: daily_history_values: f: value: missing: {"date":"2026-06-30"}`,
		`3: daily_history_values: f: date: want a date, got "": 5`,
		`3: daily_history_values: g: want a list of dates with numbers, got "x": "x"`,
		`3: monthly_history_deltas: want the histories of metrics, got true: true`,
		`3: monthly_history_values: want metric_name with metric_values or metric_deltas: {"metric_name":"h"}`,
		`3: monthly_history_values: want metric_name with metric_values or metric_deltas: {"metric_values":[]}`,
		`3: monthly_history_values: want metric_name with metric_values or metric_deltas: 9`,
		`3: monthly_history_values: i: value: want integers, got [1,"x"]: {"date":"2026-06","value":[1,"x"]}`,
	}
	if diff := cmp.Diff(wantRejected, rejected); diff != "" {
		t.Error(diff)
	}
}

func TestTheHistoriesThatMozPrintsAreRead(t *testing.T) {
	var replies []struct {
		Histories json.RawMessage `json:"site_metrics_histories"`
	}
	vendors.Decode(t, "moz/rpc_site.metrics.histories.fetch.json", &replies)
	var got []string
	for _, r := range replies {
		lines, rejected := histories(t, string(r.Histories))
		if len(rejected) > 0 {
			t.Error(rejected)
		}
		got = append(got, lines...)
	}
	want := []string{
		"a.com/ monthly_values external_pages_to_subdomain 2024-04-01 - 68470586 - - -",
		"a.com/ monthly_values external_pages_to_subdomain 2024-05-01 - 68157308 - - -",
		"a.com/ monthly_values external_pages_to_subdomain 2024-06-01 - 68017964 - - -",
		"a.com/ monthly_values nofollow_pages_to_subdomain 2024-04-01 - 14002752 - - -",
		"a.com/ monthly_values nofollow_pages_to_subdomain 2024-05-01 - 13648645 - - -",
		"a.com/ monthly_values nofollow_pages_to_subdomain 2024-06-01 - 13511416 - - -",
		"a.com/ monthly_deltas external_pages_to_subdomain 2024-06-01 - - 164072 303416 -",
		"a.com/ monthly_deltas external_pages_to_subdomain 2024-05-01 - - 555174 868452 -",
		"a.com/ monthly_deltas external_pages_to_subdomain 2024-04-01 - - 2164846 1050554 -",
		"a.com/ monthly_deltas nofollow_pages_to_subdomain 2024-06-01 - - 31105 168334 -",
		"a.com/ monthly_deltas nofollow_pages_to_subdomain 2024-05-01 - - 93768 447875 -",
		"a.com/ monthly_deltas nofollow_pages_to_subdomain 2024-04-01 - - 80665 789012 -",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// FuzzHistories: whatever a checked object holds, it is read without loss of sense: rejected pieces are JSON as received.
func FuzzHistories(f *testing.F) {
	for _, s := range []string{
		`{"daily_history_values":{"a":[{"date":"2026-06-29","value":49}],"b":[{"date":"2026-06-30","value":[1,2]}]}}`,
		`{"monthly_history_deltas":[{"metric_name":"a","metric_deltas":{"gained":[{"date":"2026-06","count":1,"x":1}],"lost":[{"date":"2026-06","count":2,"x":2}]}}],"distributions":{"x":[1]}}`,
		`{"daily_history_deltas":{"a":{"gained":null,"lost":[[]]}},"monthly_history_values":[null,{"metric_name":7}],"root_domains_to_page_by_spam_score":[1.5]}`,
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, object string) {
		if _, err := rows.Scan([]byte(object), rows.Layout{One: true}); err != nil {
			return // never gets here
		}
		for table, load := range map[string]func(*schemas.Builder, int, string, []byte){"moz.url_metrics_history": LoadHistories, "moz.url_metrics_distribution": LoadDistributionsAmong} {
			loaded(t, table, func(b *schemas.Builder) {
				load(b, 0, "a.com/", []byte(object))
				for _, r := range b.Rejected() {
					if r.Reason == "" || !json.Valid(r.JSON) || !strings.Contains(object, string(r.JSON)) {
						t.Errorf("rejected %q: %s", r.JSON, r.Reason)
					}
				}
			})
		}
	})
}
