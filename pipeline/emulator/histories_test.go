package emulator

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"backhaul/pipeline/emulator/graph"
)

// Histories as V3's documentation shows them under each metric's name.
type (
	deltaRows struct {
		Gained, Lost []struct {
			Date  string
			Count int
		}
	}
	valueRows []struct {
		Date  string
		Value int
	}
	arrayRows []struct {
		Date  string
		Value []int
	}
	historyRow struct {
		DailyDeltas   map[string]deltaRows `json:"daily_history_deltas"`
		DailyValues   map[string]valueRows `json:"daily_history_values"`
		MonthlyDeltas map[string]deltaRows `json:"monthly_history_deltas"`
		MonthlyValues map[string]valueRows `json:"monthly_history_values"`
		Distributions map[string][]int     `json:"distributions"`
	}
)

// countMetrics are the documented ones: the counts of the 52 fields that are neither deleted nor outbound, and the authorities.
func countMetrics() (names []string) {
	for _, name := range wire {
		if strings.Contains(name, "_to_") && !strings.Contains(name, "deleted") || strings.HasSuffix(name, "_authority") {
			names = append(names, name)
		}
	}
	return names
}

func TestHistoryValuesAreTheMetricsOfEarlierDays(t *testing.T) {
	const today = 75 // 2026-03-17
	names := countMetrics()
	if len(names) != 29 {
		t.Fatalf("%d metrics: %v", len(names), names)
	}
	s := New(Options{Day: today})
	targets := []string{"www.acme-outdoor.example/", "rivalgear.example", "quietpeak.example", "no-such.example"}
	body := object{"targets": targets, "daily_history_values": names, "monthly_history_values": names}
	rows := decode[struct{ Results []historyRow }](t, s, "url_metrics", body).Results
	for label, back := range map[string]int{"2026-03-17": 0, "2026-03-16": 1, "2026-01-17": 59, "2026-03": 0, "2026-02": 17, "2025-12": 76} {
		s.SetDay(today - back)
		for i, m := range metricsOf(t, s, targets) {
			for _, name := range names {
				values := rows[i].DailyValues[name]
				if len(label) == len("2026-03") {
					values = rows[i].MonthlyValues[name]
				}
				at := slices.IndexFunc(values, func(v struct {
					Date  string
					Value int
				}) bool {
					return v.Date == label
				})
				if at < 0 || float64(values[at].Value) != m[name] {
					t.Fatalf("%s of %s on %s: entry %d of %v, want %v", name, targets[i], label, at, values, m[name])
				}
			}
		}
	}
	for name, values := range map[string]valueRows{"daily": rows[1].DailyValues["pages_to_page"], "monthly": rows[1].MonthlyValues["pages_to_page"]} {
		first, last, n := "2026-01-17", "2026-03-17", 60
		if name == "monthly" {
			first, last, n = "2023-08", "2026-03", 32
		}
		if len(values) != n || values[0].Date != first || values[n-1].Date != last {
			t.Errorf("%s: %d values from %s to %s, want %d from %s to %s", name, len(values), values[0].Date, values[len(values)-1].Date, n, first, last)
		}
	}
}

func TestHistoryDeltasLeadFromOneValueToTheNext(t *testing.T) {
	s := New(Options{Day: 100})
	names := countMetrics()
	body := object{"target": "acme-outdoor.example", "scope": "root_domain", "limit": 2}
	for _, field := range []string{"daily_history_deltas", "daily_history_values", "monthly_history_deltas", "monthly_history_values"} {
		body[field] = names
	}
	moved := 0
	for _, row := range decode[struct{ Results []historyRow }](t, s, "top_pages", body).Results {
		for _, name := range names {
			for _, pair := range []struct {
				deltas deltaRows
				values valueRows
			}{{row.DailyDeltas[name], row.DailyValues[name]}, {row.MonthlyDeltas[name], row.MonthlyValues[name]}} {
				n := len(pair.values)
				if len(pair.deltas.Gained) != n || len(pair.deltas.Lost) != n || n < 32 {
					t.Fatalf("%s: %d gains, %d losses, %d values", name, len(pair.deltas.Gained), len(pair.deltas.Lost), n)
				}
				for i, value := range pair.values {
					gained, lost := pair.deltas.Gained[n-1-i], pair.deltas.Lost[n-1-i]
					if gained.Date != value.Date || lost.Date != value.Date || gained.Count < 0 || lost.Count < 0 {
						t.Fatalf("%s: %v, %v beside %v", name, gained, lost, value)
					}
					if i > 0 && value.Value != pair.values[i-1].Value+gained.Count-lost.Count {
						t.Fatalf("%s on %s: %d after %d, with %d gained and %d lost", name, value.Date, value.Value, pair.values[i-1].Value, gained.Count, lost.Count)
					}
					if gained.Count > 0 && lost.Count > 0 {
						moved++
					}
				}
			}
		}
	}
	if moved == 0 {
		t.Error("nothing was both gained and lost in one step")
	}
}

func TestDailyDeltasCountTheLinksThatCameAndWent(t *testing.T) {
	const today = 150
	s := New(Options{Day: today})
	home := "rivalgear.example/"
	row := decode[struct{ Results []historyRow }](t, s, "url_metrics", object{"targets": []string{home}, "daily_history_deltas": []string{"external_pages_to_page"}}).Results[0]
	deltas := row.DailyDeltas["external_pages_to_page"]
	sources := func(day int) map[string]siteRow {
		s.SetDay(day)
		return liveSources(t, s, at(home, "page"))
	}
	after := sources(today)
	moved := 0
	for back := range 3 {
		before := sources(today - back - 1)
		gained, lost := 0, 0
		for name := range after {
			if _, ok := before[name]; !ok {
				gained++
			}
		}
		for name := range before {
			if _, ok := after[name]; !ok {
				lost++
			}
		}
		if g, l := deltas.Gained[back], deltas.Lost[back]; g.Count != gained || l.Count != lost || g.Date != graph.Date(today-back) {
			t.Errorf("%+v %+v, but links gained %d and lost %d", g, l, gained, lost)
		}
		after = before
		moved += gained + lost
	}
	if moved == 0 {
		t.Error("nothing was gained or lost in three days")
	}
}

func TestDistributionsDivideTheMetrics(t *testing.T) {
	s := New(Options{Day: 20})
	targets := []string{"www.acme-outdoor.example/", "rivalgear.example", "tiny-tarps.example", "no-such.example"}
	rows := decode[struct{ Results []historyRow }](t, s, "url_metrics", object{"targets": targets, "distributions": true}).Results
	for i, m := range metricsOf(t, s, targets) {
		if len(rows[i].Distributions) != 13 {
			t.Fatalf("%d distributions", len(rows[i].Distributions))
		}
		for name, drawers := range rows[i].Distributions {
			of, by, _ := strings.Cut(name, "_by_")
			sum := 0
			for _, n := range drawers {
				sum += n
			}
			// Domains without a spam score are in no drawer.
			if whole := int(m[of].(float64)); len(drawers) != 10 || sum > whole || sum < whole && by != "spam_score" || sum == 0 && whole > 0 {
				t.Errorf("%s: %s has %v, together %d of %d", targets[i], name, drawers, sum, whole)
			}
		}
	}
	for name, property := range map[string]func(domainRow) int{
		"root_domains_to_root_domain_by_root_domains":     func(d domainRow) int { return len(strings.TrimLeft(fmt.Sprint(d.ToDomain), "0")) },
		"root_domains_to_root_domain_by_domain_authority": func(d domainRow) int { return (d.DA - 1) / 10 },
		"root_domains_to_root_domain_by_spam_score":       func(d domainRow) int { return (d.Spam+9)/10 - 1 },
	} {
		want := make([]int, 10)
		for _, d := range pageThrough[domainRow](t, s, "linking_root_domains", object{"target": "rivalgear.example", "target_scope": "root_domain"}) {
			if d.ToTarget.Pages > 0 && d.Spam*d.DA > 0 || d.ToTarget.Pages > 0 && !strings.HasSuffix(name, "spam_score") {
				want[property(d)]++
			}
		}
		if diff := cmp.Diff(want, rows[1].Distributions[name]); diff != "" {
			t.Errorf("%s (-linking_root_domains +distribution):\n%s", name, diff)
		}
	}
}

func TestADistributionOfTodayIsTheEndOfItsHistory(t *testing.T) {
	s := New(Options{Day: 20})
	name := "nofollow_pages_to_root_domain_by_spam_score"
	body := object{"targets": []string{"rivalgear.example"}, "distributions": true, "monthly_history_values": []string{name}}
	row := decode[struct {
		Results []struct {
			Distributions map[string][]int
			Values        map[string]arrayRows `json:"monthly_history_values"`
		}
	}](t, s, "url_metrics", body).Results[0]
	values := row.Values[name]
	if diff := cmp.Diff(row.Distributions[name], values[len(values)-1].Value); diff != "" {
		t.Error(diff)
	}
	if cmp.Equal(values[0].Value, values[31].Value) {
		t.Errorf("nothing has moved in 32 months: %v", values[0].Value)
	}
}

func TestMetricsKeepTheirOrderUnderModifiers(t *testing.T) {
	s := New(Options{})
	plain := send(s, "url_metrics", object{"targets": []string{"rivalgear.example"}}, nil).Body.String()
	full := send(s, "url_metrics", object{"targets": []string{"rivalgear.example"}, "distributions": true, "daily_history_values": []string{"page_authority"}}, nil).Body.String()
	head := strings.TrimSuffix(plain, "}]}")
	if !strings.HasPrefix(full, head+`, "daily_history_values":{"page_authority":[{"date":"2025-11-03", "value":`) || !strings.HasSuffix(full, "]}}]}") {
		t.Errorf("%.3000s", full)
	}
}
