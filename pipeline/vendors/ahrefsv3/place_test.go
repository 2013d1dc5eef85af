package ahrefsv3

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"backhaul/pipeline"
)

func TestPlacesOfNumbersAndTimesNeedNoProbe(t *testing.T) {
	s := anchorList(newRand(31), 1500, 1000)
	s.cap = 100
	got, err := read(t, s.serve(t), task("anchors", "{}"), 1000, "anchor")
	s.holds(t, "the default", got, err, "anchor")
	if s.probes > 0 || got.pages != 16 {
		t.Errorf("%d pages, %d of them probes", got.pages, s.probes)
	}
	for _, q := range s.queries {
		if where := q.Get("where"); strings.Contains(where, `"anchor"`) {
			t.Errorf("strings are compared: %s", where)
		}
	}
}

func TestTheEndIsNotAskedForWhereItIsPlain(t *testing.T) {
	for _, tc := range []struct{ rows, cap, pages int }{
		{0, 0, 1}, {37, 0, 1}, {90, 0, 1}, {101, 0, 1}, {999, 0, 1}, // no cap is like that
		{100, 0, 2}, {500, 0, 2}, {512, 0, 2}, // these may be caps
		{100, 100, 2}, {101, 100, 2}, {198, 100, 2}, {199, 100, 3}, {1000, 0, 2},
	} {
		s := anchorList(newRand(32), tc.rows, 1000)
		s.cap = tc.cap
		got, err := read(t, s.serve(t), task("anchors", `{"select":"anchor,links_to_target,first_seen"}`), 1000, "anchor")
		s.holds(t, "", got, err, "anchor")
		if got.pages != tc.pages {
			t.Errorf("%d rows under a cap of %d took %d pages, want %d", tc.rows, tc.cap, got.pages, tc.pages)
		}
	}
}

// lastly makes a list of two pages by time alone, and does something when the first has been sent.
func lastly(t *testing.T, between func(s *server)) (bought, *server, error) {
	t.Helper()
	s := anchorList(newRand(33), 150, 1000)
	s.cap = 100
	first := true
	s.churn = func() {
		if first {
			between(s)
		}
		first = false
	}
	got, err := read(t, s.serve(t), task("anchors", `{"select":"anchor,first_seen","order_by":"first_seen:asc"}`), 1000, "anchor")
	return got, s, err
}

func TestAPlaceWhoseRowIsGoneIsCheckedAtTheEnd(t *testing.T) {
	got, s, err := lastly(t, func(s *server) {
		all := slices.Clone(s.rows)
		slices.SortFunc(all, func(a, b map[string]any) int {
			return strings.Compare(a["first_seen"].(string), b["first_seen"].(string))
		})
		gone := all[99]["anchor"]
		s.rows = slices.DeleteFunc(s.rows, func(row map[string]any) bool { return row["anchor"] == gone })
	})
	if err != nil || len(got.rows) != 150 || s.probes != 1 {
		t.Errorf("%d rows, %d requests for one row, %v", len(got.rows), s.probes, err)
	}
}

// A vendor that rounds what it prints leaves out the rows that are asked for by it.
func TestComparisonsThatLeaveRowsOutAreFound(t *testing.T) {
	_, _, err := lastly(t, func(s *server) {
		s.hidden = map[string]time.Duration{}
		for _, row := range s.rows {
			s.hidden[row["anchor"].(string)] = -time.Second / 2
		}
	})
	if pipeline.KindOf(err) != pipeline.Malformed || !strings.Contains(err.Error(), "did not come") {
		t.Error(err)
	}
}

func TestACursorOfAnotherOrderIsStale(t *testing.T) {
	s := anchorList(newRand(34), 300, 3)
	s.cap = 100
	c := s.serve(t)
	source := named(t, c.Sources(), "anchors")
	page, err := source.Fetch(t.Context(), task("anchors", "{}"), pipeline.Ask{})
	if err != nil {
		t.Fatal(err)
	}
	other := task("anchors", `{"order_by":"refpages:asc"}`)
	if _, err := source.Fetch(t.Context(), other, pipeline.Ask{Cursor: page.Next}); pipeline.KindOf(err) != pipeline.Stale {
		t.Error(err)
	}
	if _, err := source.Endpoint().PriceOf(other, pipeline.Ask{Cursor: page.Next}); err != nil {
		t.Errorf("its price is asked for before it is refused: %v", err)
	}
}

func TestAFinerOrderCostsWhatItAdds(t *testing.T) {
	q, err := anchors.ask(task("anchors", `{"select":"anchor"}`))
	if err != nil {
		t.Fatal(err)
	}
	v := visit{question: q, place: place{Step: probe, Order: q.order.terms()}}
	p := v.deepen([]value{{Raw: []byte(`"x"`)}}, nil, false, hashes{1})
	rule, err := q.price(q.at(p, 1000, 0))
	if err != nil || rule.PerRow != pipeline.Units(1+len(p.Added)) || len(p.Added) < 5 {
		t.Errorf("%+v, %v added (%v)", rule, p.Added, err)
	}
	if diff := cmp.Diff(p.Added, addedBy(p)); diff != "" {
		t.Error(diff)
	}
}

// addedBy are the fields of the finer order: none of them is selected where only the anchor is.
func addedBy(p place) []string {
	var out []string
	for _, term := range p.Finer {
		name, _, _ := strings.Cut(term, ":")
		out = append(out, name)
	}
	return out
}

func TestConditionsSpellTheGrammar(t *testing.T) {
	o := anchors.parseOrder([]string{"is_spam:desc", "refpages:asc", "top_domain_rating:desc", "first_seen:desc", "last_seen:asc", "anchor:asc"})
	raw := func(texts ...string) (out []value) {
		for _, text := range texts {
			out = append(out, value{Raw: []byte(text)})
		}
		return out
	}
	for _, tc := range []struct {
		got  condition
		want string
	}{
		{o[:1].from(raw("true"), false), ""},
		{o[:1].from(raw("true"), true), `{"field":"is_spam","is":["eq",0]}`},
		{o[:1].from(raw("false"), true), "false"},
		{o[:2].from(raw("true", "7"), false), `{"or":[{"field":"is_spam","is":["eq",0]},{"field":"refpages","is":["gte",7]}]}`},
		{o[2:3].from(raw("91.0"), false), `{"field":"top_domain_rating","is":["lte",91.005]}`},
		{o[3:4].from(raw(`"2026-01-02T03:04:59Z"`), false), `{"field":"first_seen","is":["lt","2026-01-02T03:05:00Z"]}`},
		{o[3:4].from(raw(`"2026-01-02T03:04:59Z"`), true), `{"field":"first_seen","is":["lt","2026-01-02T03:04:59Z"]}`},
		{o[4:5].from(raw(`"2026-01-02T03:04:59Z"`), false), `{"or":[{"field":"last_seen","is":["gte","2026-01-02T03:04:59Z"]},{"field":"last_seen","is":"is_null"}]}`},
		{o[4:].from(raw(`null`, `"é\""`), false), `{"and":[{"field":"last_seen","is":"is_null"},{"field":"anchor","is":["gte","é\""]}]}`},
		{o[4:5].from([]value{{Raw: []byte("null"), First: true}}, true), `{"not":{"field":"last_seen","is":"is_null"}}`},
		{not(o[1:2].from(raw("7"), false)), `{"not":{"field":"refpages","is":["gte",7]}}`},
		{o[1:3].at(raw("7", "0.5")), `{"and":[{"field":"refpages","is":["eq",7]},{"field":"top_domain_rating","is":["lte",0.505]},{"field":"top_domain_rating","is":["gte",0.495]}]}`},
	} {
		got, err := text(tc.got)
		if err != nil || got != tc.want {
			t.Errorf("%s (%v), want %s", got, err, tc.want)
		}
	}
}
