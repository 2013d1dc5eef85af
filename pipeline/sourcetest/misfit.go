package sourcetest

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/go-json-experiment/json/jsontext"

	"backhaul/pipeline"
	"backhaul/schemas"
)

// odd is a value that no column takes.
const odd = `{"odd":1}`

// misfit: whichever value of a reply is another than its column takes, no row is lost and nothing of it is dropped. The value
// is kept beside the row where the row does not need it, else the row is rejected.
func (r run) misfit(t *testing.T, page pipeline.Page) {
	s := r.offline(t)
	before := r.tables(t, s, page)
	const tries = 40
	kept, starts, random := 0, valueStarts(page.Body), rand.New(rand.NewPCG(1, 2))
	for range tries {
		start := starts[random.IntN(len(starts))]
		value, err := jsontext.NewDecoder(bytes.NewReader(page.Body[start:])).ReadValue()
		if err != nil {
			continue // a colon within a text
		}
		changed := pipeline.Page{Cursor: page.Cursor, Request: page.Request, Status: page.Status, FetchedAt: page.FetchedAt,
			Body: bytes.Join([][]byte{page.Body[:start], bytes.Replace(page.Body[start:], value, []byte(odd), 1)}, nil)}
		read, err := s.Read(r.c.Task, pipeline.Ask{Cursor: page.Cursor}, changed)
		if err != nil {
			continue // without that value the reply as a whole cannot be read
		}
		what := fmt.Sprintf("%s in place of %.80s behind %s", odd, value, page.Body[max(0, start-30):start])
		for name, after := range r.tables(t, s, read) {
			kept += after.compare(t, what, before[name], name == s.Endpoint().Table.FullName() && !r.c.Stages)
		}
	}
	if r.hasOptional(s.Endpoint(), page) && kept == 0 {
		t.Errorf("no value of %s was kept beside its row", s.Endpoint())
	}
}

// decodedTable is what a page has of one table.
type decodedTable struct {
	rows     []string
	rejected []schemas.Rejection
	drift    []schemas.Drift
}

func (r run) tables(t *testing.T, s pipeline.Source, page pipeline.Page) map[string]decodedTable {
	t.Helper()
	all := map[string]decodedTable{}
	for _, table := range s.Endpoint().Tables() {
		var d decodedTable
		var err error
		if d.rows, d.rejected, d.drift, err = decodeAll(memory.DefaultAllocator, s, table, page); err != nil {
			t.Errorf("%s: it is read, but not decoded: %v", table.FullName(), err)
		}
		all[table.FullName()] = d
	}
	return all
}

// compare returns how many values were kept beside their rows. main is the endpoint's own table: it has a row for each the
// reply has.
func (d decodedTable) compare(t *testing.T, what string, before decodedTable, main bool) (kept int) {
	t.Helper()
	if main && len(d.rows)+len(d.rejected) != len(before.rows) {
		t.Errorf("%s: %d rows and %d rejected of %d", what, len(d.rows), len(d.rejected), len(before.rows))
	}
	for _, rejection := range d.rejected {
		if main && !bytes.Contains(rejection.JSON, []byte(odd)) {
			t.Errorf("%s: rejected as %s", what, rejection.JSON)
		}
	}
	for _, one := range d.drift {
		if one.Kind == schemas.Misfit {
			kept++
		}
	}
	changed := !slices.Equal(d.rows, before.rows)
	if main && len(d.rejected) == 0 && changed && !strings.Contains(strings.Join(d.rows, "\n"), odd) {
		t.Errorf("%s: it is nowhere in %q", what, d.rows)
	}
	return kept
}

// hasOptional reports whether the reply has a member for a column of the endpoint's table that a row does not need.
func (r run) hasOptional(e *pipeline.Endpoint, page pipeline.Page) bool {
	for i, c := range e.Table.Own {
		if !e.Table.Requires(i) && c.Format != schemas.FormatJSON && bytes.Contains(page.Body, []byte(`"`+c.Name+`"`)) {
			return true
		}
	}
	return false
}
