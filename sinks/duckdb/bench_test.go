package duckdb

import (
	"testing"
	"time"
)

// BenchmarkBuild builds the catalog over 30 nights of anchor texts.
func BenchmarkBuild(b *testing.B) {
	w := warehouse(b)
	for n := range 30 {
		anchors(b, w, "nightly", night.Add(time.Duration(n)*24*time.Hour), map[string]int64{"x": 1})
	}
	for b.Loop() {
		mustBuild(b, w)
	}
}

// BenchmarkSelect opens the catalog, asks for one row and closes it.
func BenchmarkSelect(b *testing.B) {
	w := warehouse(b)
	anchors(b, w, "nightly", night, map[string]int64{"x": 1})
	mustBuild(b, w)
	for b.Loop() {
		if _, _, err := Select(b.Context(), w, "FROM moz.anchor_text"); err != nil {
			b.Fatal(err)
		}
	}
}
