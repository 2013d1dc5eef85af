package moz

import (
	"fmt"
	"strings"
	"sync"
	"testing"
)

// The words of the scripts below: a reply of 50 or 20 rows to a request for 50, at the first or an inner page of a list.
var continuations = map[string]Continuation{
	"on":          {Asked: 50, Rows: 50, Token: "x", Marked: true},
	"marked":      {Inner: true, Asked: 50, Rows: 50, Marked: true},
	"empty":       {Asked: 50, Rows: 0, Marked: true},
	"short":       {Inner: true, Asked: 50, Rows: 20},
	"none":        {Asked: 50, Rows: 0},
	"full":        {Request: []byte("a"), Inner: true, Asked: 50, Rows: 50},
	"full-other":  {Request: []byte("b"), Inner: true, Asked: 50, Rows: 50},
	"full-more":   {Request: []byte("c"), Inner: true, Asked: 50, Rows: 51},
	"full-first":  {Asked: 50, Rows: 50},
	"first-of-30": {Asked: 30, Rows: 30},
}

func TestTheEndOfAListIsLearned(t *testing.T) {
	for script, want := range map[string]string{
		"on marked empty":        "on end end",
		"short":                  "end",
		"none":                   "end",
		"full-first":             "end",
		"first-of-30":            "end",
		"full":                   "doubt",
		"full full":              "doubt end",
		"full-more full-more":    "doubt end",
		"full full-other":        "doubt doubt",
		"full full-other full":   "doubt doubt end",
		"full full full-other":   "doubt end end",
		"short full":             "end end",
		"none full":              "end end",
		"full-first full":        "end doubt",
		"on full":                "on doubt",
		"marked full full":       "end doubt end",
		"marked short":           "end doubt",
		"empty none full-first":  "end doubt end",
		"short full marked full": "end end end doubt",
		"full full marked full":  "doubt end end doubt",
		"short marked short on":  "end end doubt on",
		"full marked short full": "doubt end doubt end",
		"full-first full-first":  "end end",
		"full on full":           "doubt on end",
		"full-other short full":  "doubt end end",
	} {
		var e Endings
		var got []string
		for word := range strings.FieldsSeq(script) {
			end, err := e.Ends(continuations[word])
			switch {
			case err != nil && !end:
				got = append(got, "doubt")
			case end:
				got = append(got, "end")
			default:
				got = append(got, "on")
			}
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s: %s, want %s", script, strings.Join(got, " "), want)
		}
	}
}

func TestEndingsAreLearnedByManyAtOnce(t *testing.T) {
	var e Endings
	var all sync.WaitGroup
	doubts := make([]int, 50)
	for i := range doubts {
		all.Go(func() {
			for range 2 {
				if _, err := e.Ends(Continuation{Request: fmt.Append(nil, i), Inner: true, Asked: 1, Rows: 1}); err != nil {
					doubts[i]++
				}
			}
		})
	}
	all.Wait()
	if end, err := e.Ends(continuations["full-other"]); err != nil || !end {
		t.Errorf("after 50 lists ended without a token: %v, %v", end, err)
	}
	for i, n := range doubts {
		if n > 1 {
			t.Errorf("request %d was doubted %d times", i, n)
		}
	}
}
