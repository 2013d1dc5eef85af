package sourcetest

import (
	"encoding/json"
	"errors"
	"math/rand/v2"
	"strings"
	"testing"

	"backhaul/pipeline"
)

// hostile: whatever stands in a reply, nothing panics. What is read can be decoded, each rejected row has its reason, and what is
// refused is a pipeline.Error, with a page only if it is Malformed.
func (r run) hostile(t *testing.T, pages []pipeline.Page) {
	const tries = 60
	wrong := []string{
		strings.Repeat("[", 20_000), strings.Repeat(`{"a":`, 20_000), "1e999999", "-1", "99999999999999999999999999", "0.1e-400", `"\ud800"`, "\xff", "\x00", `"`, `\`,
		"null", "true", "{}", "[]", `[{}]`, `{"a":1,"a":2}`, `""`, `"x":1,"x":1`, ",", "}", "]",
	}
	s, random := r.offline(t), rand.New(rand.NewPCG(1, 2))
	for i := range tries {
		page := kept(pages[i%len(pages)])
		from := random.IntN(len(page.Body))
		to := from + random.IntN(min(12, len(page.Body)-from+1))
		if starts := valueStarts(page.Body); i%2 == 0 && len(starts) > 0 { // in place of a value, so that it is JSON for longer
			from = starts[random.IntN(len(starts))]
			to = from + valueEnd(page.Body[from:])
		}
		page.Body = []byte(string(page.Body[:from]) + wrong[random.IntN(len(wrong))] + string(page.Body[to:]))
		r.survives(t, s, page)
	}
}

func (r run) survives(t *testing.T, s pipeline.Source, received pipeline.Page) {
	t.Helper()
	page, err := s.Read(r.c.Task, pipeline.Ask{Cursor: received.Cursor}, received)
	if err != nil {
		if e := new(pipeline.Error); !errors.As(err, &e) || e.Message == "" || (e.Kind == pipeline.Malformed) != (page.Body != nil) {
			t.Fatalf("%+v, with a page of %d bytes", err, len(page.Body))
		}
		page = received
	}
	for _, table := range s.Endpoint().Tables() {
		_, rejected, cannot := decode(t, s, table, page)
		if err == nil && cannot != nil {
			t.Errorf("%s: it is read, but not decoded: %v", table.FullName(), cannot)
		}
		for _, row := range rejected {
			if row.Reason == "" || !json.Valid(row.JSON) {
				t.Errorf("%s: rejected %q: %s", table.FullName(), row.JSON, row.Reason)
			}
		}
	}
}

// valueStarts are where values of members stand, roughly.
func valueStarts(body []byte) (starts []int) {
	for i, b := range body[:len(body)-1] {
		if b == ':' {
			starts = append(starts, i+1)
		}
	}
	return starts
}

// valueEnd is where a value that is a number, a word or a short text ends.
func valueEnd(rest []byte) int {
	for i, b := range rest {
		if b == ',' || b == '}' || b == ']' {
			return i
		}
	}
	return len(rest)
}
