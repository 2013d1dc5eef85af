package jobs

import (
	"fmt"
	"strings"
)

// maxWord bounds the words that are compared, in bytes: nobody misspells longer ones.
const maxWord = 64

// maxCompared bounds the known words that are looked at.
const maxCompared = 500

// didYouMean returns `; did you mean "x"?` for the known word nearest to word, or "".
func didYouMean(word string, known []string) string {
	if best := nearest(word, known); best != "" {
		return fmt.Sprintf("; did you mean %q?", best)
	}
	return ""
}

// nearest returns the known word that word most probably misspells, or "". Of equally near words it is the
// first.
func nearest(word string, known []string) string {
	known = known[:min(len(known), maxCompared)]
	best, bound := "", max(1, len(word)/3)+1
	for _, k := range known {
		if d := distance(strings.ToLower(word), k); d < bound {
			best, bound = k, d
		}
	}
	if best != "" {
		return best
	}
	for _, k := range known {
		if partly(word, k) {
			return k
		}
	}
	return ""
}

// partly reports whether word is the beginning of a longer name, or with at most one slip its end.
func partly(word, name string) bool {
	for i := range len(name) {
		if name[i] == '_' && (name[:i] == word || len(word) > 3 && distance(word, name[i+1:]) <= 1) {
			return true
		}
	}
	return false
}

// distance is the number of letters inserted, deleted, replaced or swapped with their neighbour that lead from a to
// b (optimal string alignment).
func distance(a, b string) int {
	if len(a) > maxWord || len(b) > maxWord {
		return max(len(a), len(b))
	}
	var before, above []int
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		before, above, row = above, row, make([]int, len(b)+1)
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			row[j+1] = min(row[j]+1, above[j+1]+1, above[j]+cost)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				row[j+1] = min(row[j+1], before[j-1]+1)
			}
		}
	}
	return row[len(b)]
}
