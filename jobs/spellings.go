package jobs

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"backhaul/pipeline/words"
)

// spellings are those of targets that mean the same as others, by the position of the one that is asked about.
type spellings map[int]*alike

// alike are the first spellings as given, and how many distinct targets followed the first.
type alike struct {
	given []string
	more  int
}

// mostSpellings is how many of them a row keeps: a list of pages may have thousands of one root domain.
const mostSpellings = 10

// add adds a target that means the same as the one at position n. The shortest is the one that is asked about, whatever
// the order, so that a list that is sorted again is the same list.
func (s spellings) add(asked *Target, n int, also Target) {
	of := s[n]
	if of == nil {
		of = &alike{given: []string{asked.AsGiven}}
		s[n] = of
	}
	of.more++
	if len(of.given) < mostSpellings {
		of.given = append(of.given, also.AsGiven)
	}
	if shorter(also.Target, asked.Target) {
		asked.Target = also.Target
	}
}

func shorter(a, b string) bool { return len(a) < len(b) || len(a) == len(b) && a < b }

// text returns the spellings, which have no spaces, one after another.
func (s *alike) text() string {
	text := strings.Join(s.given, " ")
	if left := s.more + 1 - len(s.given); left > 0 {
		text += fmt.Sprintf(" and %d more", left)
	}
	return text
}

// merge gives the targets asked about the spellings of all that mean the same, and says so.
func (r *request) merge(same spellings) {
	if len(same) == 0 {
		return
	}
	more := 0
	for n, of := range same {
		more += of.more
		r.x.Targets[n].AsGiven = of.text()
	}
	r.x.Merged += more
	n := slices.Min(slices.Collect(maps.Keys(same)))
	first := r.x.Targets[n] // as it is asked about: what was given may hold a password
	r.warnf(r.x.Place, "extract %q: %s bought with others that mean the same at their scope: at %s, %s stands for %s",
		r.x.Name, words.Are(more, "target"), first.Scope, first.Target, words.Plural(same[n].more+1, "target"))
}
