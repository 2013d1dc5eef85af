package ahrefs

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// heavy is a list with the keys that hurt: empty, of many alphabets and cases, each once, with counts that nearly all tie.
func heavy(n int) Anchors {
	words := []string{"", "Acme", "acme", "ACME", "Zelte", "äpfel", "Äpfel", "登山靴", "палатки", "👟 shoes", "\u0001", "a\"b\\c", " ", "tab\tand\nline"}
	rows := make(Anchors, n)
	for i := range rows {
		rows[i] = AnchorRow{Anchor: words[i%len(words)], Links: 1 + number(i%97 == 0), Domains: 1, TopRating: float64(i%3) + 0.5}
		if i >= len(words) {
			rows[i].Anchor += fmt.Sprintf(" %d", i/len(words))
		}
	}
	return rows
}

func serving(rows Anchors, o Options) *Server {
	o.Lists = func(report, _ string) List {
		if report == "anchors" {
			return rows
		}
		return nil
	}
	return serve(o)
}

// walk pages through anchors by their own key, as clients without an offset must.
func walk(t testing.TB, s *Server, limit int) []string {
	t.Helper()
	var all []string
	params := []string{"target=x.example", "select=anchor,links_to_target", "order_by=anchor:asc", fmt.Sprint("limit=", limit)}
	for last := ""; ; {
		request := params
		if all != nil {
			key, err := json.Marshal(last)
			if err != nil {
				t.Fatal(err)
			}
			request = append(slices.Clone(params), fmt.Sprintf(`where={"field":"anchor","is":["gt",%s]}`, key))
		}
		a := get(t, s, "site-explorer/anchors", request...)
		if a.Status != 200 {
			t.Fatalf("%v: %d %s", request, a.Status, a.Body)
		}
		texts := column[string](t, a, "anchor")
		all = append(all, texts...)
		if len(texts) < limit {
			return all
		}
		last = texts[len(texts)-1]
	}
}

func TestAListCanBeCutByItsOwnKey(t *testing.T) {
	rows := heavy(20000)
	got := walk(t, serving(rows, Options{}), 1000)
	if !slices.IsSorted(got) || len(slices.Compact(got)) != len(rows) {
		t.Errorf("%d rows of %d, in order: %v", len(got), len(rows), slices.IsSorted(got))
	}
}

func TestDomainsOfTheWebCanBeCutByTheirName(t *testing.T) {
	s := serve(Options{})
	want := column[string](t, get(t, s, "site-explorer/refdomains", target, "select=domain", "order_by=domain:asc", "limit=100000"), "domain")
	var got []string
	for more := true; more; {
		params := []string{target, "select=domain", "order_by=domain:asc", "limit=100"}
		if len(got) > 0 {
			params = append(params, fmt.Sprintf(`where={"field":"domain","is":["gt",%q]}`, got[len(got)-1]))
		}
		page := column[string](t, get(t, s, "site-explorer/refdomains", params...), "domain")
		got = append(got, page...)
		more = len(page) == 100
	}
	if !slices.Equal(got, want) || len(want) < 1000 {
		t.Errorf("%d domains by pages, %d at once", len(got), len(want))
	}
}

func TestV2PagesAGivenListByOffset(t *testing.T) {
	rows := heavy(5000)
	s := serving(rows, Options{})
	seen := map[any]bool{}
	for offset := 0; offset < 6000; offset += 1000 {
		r := v2(t, s, "from=anchors", "target=x.example", "mode=domain", "select=anchor,backlinks", "order_by=backlinks:desc,anchor:asc", fmt.Sprint("offset=", offset))
		if want := min(1000, max(0, len(rows)-offset)); r.Error != "" || len(r.Anchors) != want {
			t.Fatalf("%s: %d rows at %d, want %d", r.Error, len(r.Anchors), offset, want)
		}
		for _, row := range r.Anchors {
			seen[row["anchor"]] = true
		}
	}
	if len(seen) != len(rows) {
		t.Errorf("%d rows of %d", len(seen), len(rows))
	}
}

// A given list has no links: conditions on them are on invented fields, the same for a list that drifts.
func TestConditionsOnLinksOfAGivenList(t *testing.T) {
	for _, drift := range []float64{0, 0.01} {
		a := get(t, serving(heavy(1000), Options{Drift: drift}), "site-explorer/anchors", "target=x.example", "select=anchor", `where={"or":[{"field":"anchor","is":["eq","Acme"]},{"field":"traffic_page","is":["gt",500]}]}`)
		if n := len(a.rows); a.Status != 200 || n < 200 || n > 800 {
			t.Errorf("drift %v: %d, %d rows", drift, a.Status, n)
		}
	}
}

func TestATornCollationLosesRowsAndAFoldedOneTiesThem(t *testing.T) {
	rows := heavy(2000)
	if got := walk(t, serving(rows, Options{Collation: CollateTorn}), 100); len(got) >= len(rows) {
		t.Errorf("%d rows of %d", len(got), len(rows))
	}
	folded := serving(rows, Options{Collation: CollateFolded})
	a := get(t, folded, "site-explorer/anchors", "target=x.example", "select=anchor", "order_by=anchor:asc", "limit=10000")
	texts := column[string](t, a, "anchor")
	if len(texts) != len(rows) || !slices.IsSortedFunc(texts, func(a, b string) int { return strings.Compare(strings.ToLower(a), strings.ToLower(b)) }) {
		t.Error("order_by heeds case")
	}
	a = get(t, folded, "site-explorer/anchors", "target=x.example", "select=anchor", `where={"field":"anchor","is":["gte","ACME"]}`, "limit=10000")
	if texts := column[string](t, a, "anchor"); !slices.Contains(texts, "acme") || !slices.Contains(texts, "Acme") || slices.Contains(texts, "") {
		t.Error("gte heeds case")
	}
}

func TestTiesKeepTheirOrderUnlessShuffled(t *testing.T) {
	rows := heavy(500)
	first := func(s *Server, limit int) []string {
		return column[string](t, get(t, s, "site-explorer/anchors", "target=x.example", "select=anchor", "order_by=links_to_target:desc", fmt.Sprint("limit=", limit)), "anchor")
	}
	s := serving(rows, Options{})
	if a, b := first(s, 100), first(s, 200); !slices.Equal(a, b[:100]) {
		t.Error("ties move from request to request")
	}
	s = serving(rows, Options{ShuffleTies: true})
	a, b := first(s, 100), first(s, 200)
	if slices.Equal(a, b[:100]) || !slices.Equal(a, first(s, 100)) {
		t.Error("ties do not move, or move by more than the request")
	}
	if n := len(slices.Compact(slices.Sorted(slices.Values(b)))); n != 200 {
		t.Errorf("%d different rows", n)
	}
}

func TestOrderByTakesSeveralFieldsAndDirections(t *testing.T) {
	rows := Anchors{{Anchor: "b", Links: 1, LastSeen: "2020-01-01T00:00:00Z"}, {Anchor: "a", Links: 1}, {Anchor: "c", Links: 2, LastSeen: "2021-01-01T00:00:00Z"}}
	for _, test := range []struct {
		order     string
		ascending bool
		want      string
	}{
		{"", false, "bac"}, {"anchor", false, "cba"}, {"anchor", true, "abc"}, {"anchor:asc", false, "abc"}, {"anchor:desc", true, "cba"},
		{"links_to_target:asc,anchor:desc", false, "bac"}, {"links_to_target:desc,anchor:asc", false, "cab"}, {"links_to_target:asc,anchor:asc", false, "abc"},
		{"last_seen:asc", false, "bca"}, {"last_seen:desc", false, "cba"},
	} {
		a := get(t, serving(rows, Options{Ascending: test.ascending}), "site-explorer/anchors", "target=x.example", "select=anchor", "order_by="+test.order)
		if got := strings.Join(column[string](t, a, "anchor"), ""); got != test.want {
			t.Errorf("%s, ascending %v: %s, want %s", test.order, test.ascending, got, test.want)
		}
	}
}

func TestDriftChangesSomeRowsFromRequestToRequest(t *testing.T) {
	rows := heavy(1000)
	s := serving(rows, Options{Drift: 0.1})
	counts := func(limit string) map[string]float64 {
		out := map[string]float64{}
		for _, r := range get(t, s, "site-explorer/anchors", "target=x.example", "select=anchor,links_to_target", "limit="+limit).rows {
			out[r["anchor"].(string)] = r["links_to_target"].(float64)
		}
		return out
	}
	a, b := counts("5000"), counts("5001")
	missing, changed := len(rows)-len(a), 0
	for text, n := range a {
		if m, ok := b[text]; ok && m != n {
			changed++
		}
	}
	if missing < 10 || missing > 100 || changed < 50 || changed > 300 {
		t.Errorf("%d of %d rows are missing, %d changed", missing, len(rows), changed)
	}
	if again := counts("5000"); len(again) != len(a) {
		t.Error("the same request has another answer")
	}
}

func TestCapsAndOffsets(t *testing.T) {
	rows := heavy(3000)
	for _, test := range []struct {
		o      Options
		params string
		status int
		rows   int
	}{
		{Options{}, "", 200, 1000}, {Options{}, "limit=2500", 200, 2500}, {Options{}, "offset=5", 200, 1000}, {Options{RefuseOffset: true}, "offset=5", 400, 0},
		{Options{RowCap: 250}, "", 200, 250}, {Options{RowCap: 250}, "limit=500", 200, 250}, {Options{RowCap: 250}, "limit=20", 200, 20},
		{Options{RowCap: 250, RefuseCapped: true}, "limit=251", 400, 0}, {Options{RowCap: 250, RefuseCapped: true}, "limit=250", 200, 250},
		{Options{RowCap: 250, RefuseCapped: true}, "", 200, 250},
	} {
		params := []string{"target=x.example", "select=anchor"}
		if test.params != "" {
			params = append(params, test.params)
		}
		a := get(t, serving(rows, test.o), "site-explorer/anchors", params...)
		if a.Status != test.status || len(a.rows) != test.rows {
			t.Errorf("%+v %s: %d, %d rows", test.o, test.params, a.Status, len(a.rows))
		}
	}
}

func BenchmarkPagesOfAHundredThousandRows(b *testing.B) {
	s := serving(heavy(100_000), Options{})
	params := []string{"target=x.example", "select=anchor,links_to_target", "order_by=anchor:asc", `where={"field":"anchor","is":["gt","m"]}`}
	get(b, s, "site-explorer/anchors", params...)
	b.ResetTimer()
	for b.Loop() {
		get(b, s, "site-explorer/anchors", params...)
	}
}
