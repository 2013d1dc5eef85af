package ahrefsv3

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/google/go-cmp/cmp"

	"backhaul/pipeline"
	"backhaul/pipeline/sourcetest"
	"backhaul/schemas"
)

// bought is what reading a list to its end brought.
type bought struct {
	rows    []string // the columns, joined
	units   pipeline.Units
	pages   int
	overlap int
	total   int
}

// read reads a list as the engine does: page by page, decoding each by itself. columns are what of a row is kept.
func read(t testing.TB, c *Client, task pipeline.Task, want int, columns ...string) (bought, error) {
	t.Helper()
	_, name, _ := strings.Cut(task.Endpoint, "/")
	s := named(t, c.Sources(), name)
	out := bought{}
	b := schemas.NewBuilder(memory.DefaultAllocator, s.Endpoint().Table)
	defer b.Release()
	idle, seen := 0, map[pipeline.Cursor]bool{}
	for cursor := pipeline.Cursor(""); ; {
		ask := pipeline.Ask{Cursor: cursor, Limit: want}
		if task.MaxRows > 0 {
			ask.Limit = int(min(int64(want), task.MaxRows-int64(len(out.rows))))
		}
		price, err := s.Endpoint().PriceOf(task, ask)
		if err != nil {
			t.Fatal(err)
		}
		page, err := s.Fetch(t.Context(), task, ask)
		var e *pipeline.Error
		if errors.As(err, &e) && e.Kind == pipeline.Transient && idle < 5 {
			idle++
			continue
		}
		if err != nil {
			return out, err
		}
		if worst := price.Worst(ask.Limit); page.Units > worst {
			t.Fatalf("page %d cost %d, the worst was to be %d", out.pages, page.Units, worst)
		}
		if at, _ := readPlace(cursor); page.Rows >= at.Again && at.Step != probe && (page.Rows > at.Again || price.MaxRows > 1) {
			if exact := price.Actual(pipeline.Reply{Rows: page.Rows - at.Again}); page.Units != exact {
				t.Fatalf("page %d cost %d, by the price it is %d", out.pages, page.Units, exact)
			}
		}
		if fresh := page.Rows - page.Overlap; fresh > ask.Limit {
			t.Fatalf("page %d has %d new rows, %d were wanted", out.pages, fresh, ask.Limit)
		}
		b.Begin(schemas.Origin{Rank: 1})
		if err := s.Decode(page, b); err != nil {
			t.Fatal(err)
		}
		if n := page.Rows - page.Overlap; b.Len() != n || len(b.Rejected()) > 0 {
			t.Fatalf("page %d: %d rows decoded, %d are new", out.pages, b.Len(), n)
		}
		out.rows = append(out.rows, lines(b, columns)...)
		out.units += page.Units
		out.pages++
		out.overlap += page.Overlap
		out.total += page.Rows
		if page.End || task.MaxRows > 0 && int64(len(out.rows)) >= task.MaxRows {
			return out, nil
		}
		if page.Rows == page.Overlap {
			idle++
		} else {
			idle = 0
		}
		if seen[page.Next] || idle >= 5 {
			t.Fatalf("page %d leads to %s, again", out.pages, page.Next)
		}
		seen[page.Next] = true
		cursor = page.Next
	}
}

var named = sourcetest.Named

func lines(b *schemas.Builder, columns []string) []string {
	batch := b.Batch()
	defer batch.Release()
	out := make([]string, batch.NumRows())
	for i := range out {
		for _, c := range columns {
			out[i] += batch.Column(b.Table().Index(c)).ValueStr(i) + "|"
		}
	}
	return out
}

// texts are the rows of a server in the same form.
func (s *server) texts(columns ...string) []string {
	var out []string
	for _, row := range s.rows {
		line := ""
		for _, c := range columns {
			v := fmt.Sprint(row[c])
			if row[c] == nil {
				v = "(null)"
			}
			line += v + "|"
		}
		out = append(out, line)
	}
	return out
}

// alphabet makes keys that collations disagree about.
var alphabet = []rune("abcXYZ0 -_éÉßüЖжİı€😀\u0000\"\\,+&%")

func word(r *rand.Rand, n int) string {
	out := make([]rune, n)
	for i := range out {
		out[i] = alphabet[r.IntN(len(alphabet))]
	}
	return string(out)
}

// anchorList makes n anchors with distinct texts; ties says of how many values the numbers are.
func anchorList(r *rand.Rand, n, ties int) *server {
	s := &server{envelope: "anchors", units: prices(anchors)}
	seen := map[string]bool{}
	begin := time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)
	for len(s.rows) < n {
		text := word(r, r.IntN(8))
		if seen[text] {
			text += fmt.Sprint(len(s.rows))
		}
		if seen[text] {
			continue
		}
		seen[text] = true
		s.rows = append(s.rows, map[string]any{
			"anchor": text, "links_to_target": int64(r.IntN(ties)), "refdomains": int64(r.IntN(ties)), "refpages": int64(r.IntN(ties)),
			"dofollow_links": int64(r.IntN(ties)), "lost_links": int64(0), "new_links": int64(0), "is_spam": r.IntN(9) == 0,
			"top_domain_rating": float64(r.IntN(1000)) / 10, "first_seen": begin.Add(time.Duration(r.IntN(ties*3600)) * time.Second).Format(time.RFC3339), "last_seen": nil,
		})
	}
	return s
}

func task(endpoint, params string) pipeline.Task {
	return pipeline.Task{Endpoint: "ahrefs/" + endpoint, Surface: "v3", Target: "example.com", Params: params}
}

// holds fails unless the rows are the server's, each once, and the units its meter's.
func (s *server) holds(t *testing.T, what string, got bought, err error, columns ...string) {
	t.Helper()
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
	want := s.texts(columns...)
	have := slices.Clone(got.rows)
	slices.Sort(want)
	slices.Sort(have)
	if !slices.Equal(want, have) {
		t.Fatalf("%s: %d rows, want %d: %s", what, len(have), len(want), firstDifference(want, have))
	}
	if int(got.units) != s.meter {
		t.Errorf("%s: %d units, the server counted %d", what, got.units, s.meter)
	}
}

func firstDifference(want, have []string) string {
	for i := range min(len(want), len(have)) {
		if want[i] != have[i] {
			return cmp.Diff(want[i], have[i])
		}
	}
	return "one is longer"
}

// thrifty fails if more than 2 % of the rows were bought twice.
func (got bought) thrifty(t *testing.T, what string) {
	t.Helper()
	if got.total > 2000 && got.overlap*50 >= got.total {
		t.Errorf("%s: %d of %d rows were bought twice", what, got.overlap, got.total)
	}
}

func TestAListIsReadWholeWithoutACursor(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, n := range []int{0, 1, 100, 101, 250, 1001, 2300} {
		for _, limit := range []int{0, 100, 250} {
			if n > 2000 && limit != 100 {
				continue
			}
			for _, ties := range []int{1, 3, 1000} {
				for i, params := range []string{"{}", `{"select":"anchor"}`, `{"select":"anchor,links_to_target"}`, `{"select":["anchor","first_seen"],"order_by":["first_seen:desc"]}`} {
					s := anchorList(r, n, ties)
					s.cap, s.silent = limit, i == 2
					what := fmt.Sprintf("%d rows, cap %d, %d values, %s", n, limit, ties, params)
					got, err := read(t, s.serve(t), task("anchors", params), 1000, "anchor")
					s.holds(t, what, got, err, "anchor")
					got.thrifty(t, what)
				}
			}
		}
	}
}

// backlinkList makes links that are equal in many ways: dup says how many are equal in everything but a number.
func backlinkList(r *rand.Rand, n, dup int) *server {
	s := &server{envelope: "backlinks", units: prices(allBacklinks)}
	begin := time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)
	for len(s.rows) < n {
		from, to, anchor := "https://"+word(r, 5), "https://example.com/"+word(r, 1), word(r, r.IntN(3))
		seen := begin.Add(time.Duration(r.IntN(100)) * time.Second).Format(time.RFC3339)
		for range 1 + r.IntN(dup) {
			s.rows = append(s.rows, map[string]any{
				"url_from": from, "url_to": to, "anchor": anchor, "positions": int64(r.IntN(2)), "first_seen_link": seen, "links_external": int64(r.IntN(1000)),
				"page_size": int64(r.IntN(1000)), "alt": nil, "domain_rating_source": float64(r.IntN(1000)) / 10, "is_dofollow": r.IntN(2) == 0, "last_seen": nil,
			})
		}
	}
	for name := range s.units {
		for _, row := range s.rows {
			if _, ok := row[name]; !ok {
				row[name] = int64(0)
			}
		}
	}
	for _, row := range s.rows {
		if r.IntN(2) == 0 {
			row["alt"] = word(r, 2)
		}
	}
	s.rows = s.rows[:n]
	r.Shuffle(n, func(i, j int) { s.rows[i], s.rows[j] = s.rows[j], s.rows[i] })
	return s
}

func TestRowsThatTheKeyDoesNotTellApartAreAllRead(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for _, dup := range []int{1, 4, 40, 300} {
		for _, params := range []string{
			`{"select":["url_from","url_to","anchor","first_seen_link","positions"],"aggregation":"all"}`,
			`{"select":["url_from"],"aggregation":"all"}`,
			`{"select":["url_from","links_external"],"order_by":["domain_rating_source:desc"]}`,
			`{"select":["url_from","links_external"],"order_by":["is_dofollow:desc","alt:asc"]}`,
			`{"select":["url_from","links_external"],"order_by":["alt:desc","url_to:desc"]}`,
		} {
			for _, last := range []bool{false, true} {
				s := backlinkList(r, 900, dup)
				s.cap, s.nullsLast = 100, last
				if last {
					s.shuffle = r
				}
				what := fmt.Sprintf("%d equal, nulls last %v, %s", dup, last, params)
				got, err := read(t, s.serve(t), task("all_backlinks", params), 1000, "url_from", "url_to", "anchor")
				s.holds(t, what, got, err, "url_from", "url_to", "anchor")
				if s.longest > 8000 {
					t.Errorf("%s: a URL of %d bytes", what, s.longest)
				}
			}
		}
	}
}

func TestCollationsMayDisagree(t *testing.T) {
	folded := func(a, b string) int { return strings.Compare(strings.ToLower(a), strings.ToLower(b)) }
	foldedThenExact := func(a, b string) int {
		if c := folded(a, b); c != 0 {
			return c
		}
		return strings.Compare(a, b)
	}
	backwards := func(a, b string) int { return strings.Compare(b, a) }
	byLength := func(a, b string) int {
		if len(a) != len(b) {
			return len(a) - len(b)
		}
		return strings.Compare(a, b)
	}
	queries := []string{`{"select":"anchor"}`, `{"select":"anchor,links_to_target"}`, `{"select":"anchor,refpages","order_by":"top_domain_rating:desc"}`, "{}"}
	r := rand.New(rand.NewPCG(5, 6))
	collations := []struct {
		name  string
		order func(a, b string) int
	}{{"bytes", strings.Compare}, {"folded", folded}, {"folded, then exact", foldedThenExact}, {"backwards", backwards}, {"by length", byLength}}
	for _, sort := range collations {
		for _, compare := range collations {
			for _, params := range queries {
				s := anchorList(r, 900, 3)
				s.cap, s.sort, s.compare = 100, sort.order, compare.order
				what := fmt.Sprintf("sorted %s, compared %s, %s", sort.name, compare.name, params)
				got, err := read(t, s.serve(t), task("anchors", params), 1000, "anchor")
				s.holds(t, what, got, err, "anchor")
			}
		}
	}
}

func TestAHundredThousandRows(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	for _, tc := range []struct {
		rows, cap, want int
		params          string
	}{{100_000, 0, maxLimit, `{"select":"anchor,links_to_target,first_seen"}`}, {12_000, 1000, 1000, `{"select":"anchor"}`}, {4000, 100, 1000, "{}"}} {
		s := anchorList(r, tc.rows, 40)
		s.cap = tc.cap
		got, err := read(t, s.serve(t), task("anchors", tc.params), tc.want, "anchor")
		s.holds(t, tc.params, got, err, "anchor")
		got.thrifty(t, tc.params)
	}
}

func TestStoredValuesMayBeFinerThanPrintedOnes(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 10))
	for _, params := range []string{
		"{}", `{"select":"anchor,first_seen","order_by":"first_seen:desc"}`, `{"select":"anchor,first_seen","order_by":"first_seen:asc,refpages:desc"}`,
		`{"select":"anchor","order_by":"top_domain_rating:desc,first_seen:desc"}`, `{"select":"anchor","order_by":"top_domain_rating:asc,links_to_target:desc"}`,
	} {
		for _, ties := range []int{1, 20} {
			s := anchorList(r, 900, ties)
			s.cap, s.float32s, s.hidden = 100, true, map[string]time.Duration{}
			for i, row := range s.rows {
				s.hidden[row["anchor"].(string)] = time.Duration(r.IntN(1000)) * time.Millisecond
				row["first_seen"] = time.Unix(int64(1.6e9)+int64(r.IntN(60*ties)), 0).UTC().Format(time.RFC3339)
				row["top_domain_rating"] = float64(i%(7*ties)) / 10
			}
			got, err := read(t, s.serve(t), task("anchors", params), 1000, "anchor")
			s.holds(t, params, got, err, "anchor")
		}
	}
}

func TestALimitThatIsRefusedIsLowered(t *testing.T) {
	for _, most := range []int{100, 250, 500} {
		s := anchorList(rand.New(rand.NewPCG(11, 12)), 1200, 3)
		s.cap, s.refuse = most, true
		got, err := read(t, s.serve(t), task("anchors", "{}"), 1000, "anchor")
		s.holds(t, fmt.Sprint("at most ", most), got, err, "anchor")
	}
}

func TestALimitThatNothingLowersIsRejected(t *testing.T) {
	s := anchorList(rand.New(rand.NewPCG(11, 12)), 200, 3)
	s.cap, s.refuse = 7, true
	_, err := read(t, s.serve(t), task("anchors", "{}"), 1000, "anchor")
	if pipeline.KindOf(err) != pipeline.Rejected {
		t.Error(err)
	}
}

func TestMaxRowsGivesTheFirstRowsInTheOrderAskedFor(t *testing.T) {
	r := rand.New(rand.NewPCG(13, 14))
	for _, most := range []int64{1, 2, 99, 100, 101, 350, 899} {
		for _, order := range []string{"links_to_target:desc", "refpages:asc,links_to_target:desc", "first_seen:desc", "top_domain_rating:desc", "anchor:asc", "links_to_target:desc,anchor:desc", "is_spam:desc,refpages:asc"} {
			s := anchorList(r, 900, 30)
			s.cap = 100
			t1 := task("anchors", fmt.Sprintf(`{"select":["anchor"],"order_by":%q}`, order))
			t1.MaxRows = most
			var columns []string
			for _, term := range strings.Split(order, ",") {
				name, _, _ := strings.Cut(term, ":")
				columns = append(columns, name)
			}
			columns = slices.DeleteFunc(columns, func(c string) bool { return c == "first_seen" || c == "top_domain_rating" })
			got, err := read(t, s.serve(t), t1, 1000, columns...)
			if err != nil || int64(len(got.rows)) != most {
				t.Fatalf("%s: %d rows of %d, %v", order, len(got.rows), most, err)
			}
			want, _ := s.inOrder(order)
			first := &server{rows: want[:most]}
			if diff := cmp.Diff(first.texts(columns...), got.rows); diff != "" {
				t.Errorf("%s: %s", order, diff)
			}
			if pages, units := anchors.worst(t1, "", most); int64(s.requests) > pages || pipeline.Units(s.meter) > units {
				t.Errorf("%s: %d rows took %d requests and %d units, at worst %d and %d were expected", order, most, s.requests, s.meter, pages, units)
			}
		}
	}
}

func TestAListThatChangesLosesNothingThatStays(t *testing.T) {
	r := rand.New(rand.NewPCG(15, 16))
	faults := 0
	for i := range 60 {
		params := []string{"{}", `{"select":"anchor"}`, `{"select":"anchor,links_to_target"}`, `{"select":"anchor,first_seen,refdomains"}`}[i%4]
		s := anchorList(r, 700, 5)
		s.cap = 100
		stays := map[string]bool{}
		for _, line := range s.texts("anchor") {
			stays[line] = true
		}
		s.churn = func() {
			for range 5 {
				at := r.IntN(len(s.rows))
				delete(stays, fmt.Sprint(s.rows[at]["anchor"])+"|")
				s.rows = slices.Delete(s.rows, at, at+1)
			}
			s.rows = append(s.rows, anchorList(r, 5, 5).rows...)
		}
		got, err := read(t, s.serve(t), task("anchors", params), 1000, "anchor")
		var e *pipeline.Error
		if errors.As(err, &e) && e.Kind == pipeline.Malformed {
			faults++
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		for _, line := range got.rows {
			delete(stays, line)
		}
		if len(stays) > 0 {
			t.Errorf("%s: %d rows that were there throughout are missing", params, len(stays))
		}
	}
	if faults > 3 {
		t.Errorf("%d of 60 lists failed", faults)
	}
}

func TestAFilterOfTheJobHoldsOnEveryPage(t *testing.T) {
	s := anchorList(rand.New(rand.NewPCG(17, 18)), 900, 4)
	s.cap = 100
	params := `{"select":"anchor,refpages","where":{"or":[{"field":"links_to_target","is":["gte",2]},{"field":"refdomains","is":["eq",0]}]}}`
	client := s.serve(t)
	got, err := read(t, client, task("anchors", params), 1000, "anchor")
	s.rows = slices.DeleteFunc(s.rows, func(row map[string]any) bool {
		return row["links_to_target"].(int64) < 2 && row["refdomains"].(int64) != 0
	})
	s.holds(t, params, got, err, "anchor")
}

func TestRowsThatNothingTellsApartAreAFault(t *testing.T) {
	s := backlinkList(rand.New(rand.NewPCG(19, 20)), 50, 1)
	for range 300 {
		s.rows = append(s.rows, s.rows[0])
	}
	s.cap = 100
	_, err := read(t, s.serve(t), task("all_backlinks", `{"select":"url_from"}`), 1000, "url_from")
	if pipeline.KindOf(err) != pipeline.Malformed || !strings.Contains(err.Error(), "told apart") {
		t.Error(err)
	}
}

func TestAVendorThatDoesNotSortIsAFault(t *testing.T) {
	s := anchorList(rand.New(rand.NewPCG(21, 22)), 300, 50)
	s.cap = 100
	web := s.serve(t)
	all := slices.Clone(s.rows)
	s.sorted = map[string][]map[string]any{}
	s.sorted["refdomains:desc,links_to_target:desc,refpages:desc,first_seen:asc,anchor:asc"] = all
	_, err := read(t, web, task("anchors", "{}"), 1000, "anchor")
	if pipeline.KindOf(err) != pipeline.Malformed || !strings.Contains(err.Error(), "order asked for") {
		t.Error(err)
	}
}

func TestListsOfAllKindsAreReadWhole(t *testing.T) {
	folded := func(a, b string) int { return strings.Compare(strings.ToLower(a), strings.ToLower(b)) }
	backwards := func(a, b string) int { return strings.Compare(b, a) }
	collations := []func(a, b string) int{strings.Compare, backwards}
	for seed := range uint64(60) {
		r := rand.New(rand.NewPCG(seed, 1))
		fields := []string{"url_from:asc", "url_to:desc", "anchor:desc", "positions:desc", "positions:asc", "first_seen_link:desc", "links_external:asc", "alt:asc", "alt:desc", "is_dofollow:desc", "is_dofollow:asc", "domain_rating_source:desc", "last_seen:desc", "page_size:desc"}
		var order []string
		for range r.IntN(4) {
			f := fields[r.IntN(len(fields))]
			order = append(order, fmt.Sprintf("%q", f))
		}
		sel := []string{`"url_from"`}
		for _, f := range []string{"positions", "first_seen_link", "links_external", "page_size", "alt"} {
			if r.IntN(3) == 0 {
				sel = append(sel, fmt.Sprintf("%q", f))
			}
		}
		params := fmt.Sprintf(`{"select":[%s],"order_by":[%s],"aggregation":"all"}`, strings.Join(sel, ","), strings.Join(order, ","))
		s := backlinkList(r, r.IntN(1200), []int{1, 1, 3, 20, 150}[r.IntN(5)])
		for _, row := range s.rows {
			if r.IntN(3) == 0 {
				row["last_seen"] = time.Unix(1.6e9+int64(r.IntN(100)), 0).UTC().Format(time.RFC3339)
			}
		}
		s.cap = []int{0, 100, 250, 130}[r.IntN(4)]
		s.refuse = s.cap != 130 && r.IntN(4) == 0
		s.nullsLast = r.IntN(2) == 0
		s.sort, s.compare = collations[r.IntN(2)], collations[r.IntN(2)]
		switch r.IntN(3) {
		case 0:
			s.sort, s.compare, s.shuffle = folded, folded, r // both, as nearly equal strings must not be parted: see doc.go
		case 1:
			s.compare, s.shuffle = s.sort, r
		}
		s.silent = r.IntN(5) == 0
		s.float32s = r.IntN(2) == 0
		what := fmt.Sprintf("seed %d: %d rows, cap %d, %s", seed, len(s.rows), s.cap, params)
		got, err := read(t, s.serve(t), task("all_backlinks", params), []int{1000, 100, 37}[r.IntN(3)], "url_from", "url_to", "anchor")
		if err != nil && strings.Contains(err.Error(), "told apart") {
			continue // a clear fault is all that can be had then
		}
		s.holds(t, what, got, err, "url_from", "url_to", "anchor")
	}
}
