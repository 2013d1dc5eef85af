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

func named(t testing.TB, all []pipeline.Source, name string) pipeline.Source {
	t.Helper()
	for _, s := range all {
		if s.Endpoint().Name == name {
			return s
		}
	}
	t.Fatalf("no source %s", name)
	return nil
}

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

// stored are the rows of a server in the same form.
func (s *server) stored2(columns ...string) []string {
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
	want := s.stored2(columns...)
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
	for _, n := range []int{0, 1, 99, 100, 101, 250, 999, 1000, 1001, 3000, 7300} {
		for _, limit := range []int{0, 100, 250, 1000} {
			for _, ties := range []int{1, 3, 1000} {
				for _, params := range []string{"{}", `{"select":"anchor"}`, `{"select":"anchor,links_to_target"}`, `{"select":["anchor","first_seen"],"order_by":["first_seen:desc"]}`} {
					s := anchorList(r, n, ties)
					s.cap = limit
					what := fmt.Sprintf("%d rows, cap %d, %d values, %s", n, limit, ties, params)
					got, err := read(t, s.serve(t), task("anchors", params), 1000, "anchor")
					s.holds(t, what, got, err, "anchor")
					got.thrifty(t, what)
				}
			}
		}
	}
}
