package jobs

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// str returns a string's text.
func (l *loader) str(n *node, what string) (string, bool) {
	switch n.kind {
	case text, cell:
		return n.text, true
	case integer, float, boolean:
		l.errorf(n.Place, "%s must be a string: write it in quotes, %q", what, shorten(n.text))
	default:
		l.errorf(n.Place, "%s must be a string, not %s", what, n.kind)
	}
	return "", false
}

// wholeNumber is the one spelling of integers: YAML's octal, hexadecimal and sexagesimal ones surprise people.
var wholeNumber = regexp.MustCompile(`^-?(0|[1-9][0-9]*)$`)

// integer returns a whole number from least to most.
func (l *loader) integer(n *node, what string, least, most int64) (int64, bool) {
	if n.kind != integer && n.kind != cell && n.kind != float && n.kind != text {
		l.errorf(n.Place, "%s must be %s, not %s", what, interval(least, most), n.kind)
		return 0, false
	}
	digits := n.text
	v, err := strconv.ParseInt(digits, 10, 64)
	if n.kind == text && wholeNumber.MatchString(digits) && len(digits) < 19 {
		l.errorf(n.Place, "%s must be a number: write %s without quotes", what, digits)
		return 0, false
	}
	if err != nil || !wholeNumber.MatchString(digits) || v < least || v > most {
		l.errorf(n.Place, "%s is %q; it must be %s in plain digits", what, shorten(digits), interval(least, most))
		return 0, false
	}
	return v, true
}

func interval(least, most int64) string {
	if least == math.MinInt64 {
		return "a whole number"
	}
	if most >= maxUnits {
		return fmt.Sprintf("a whole number of at least %d", least)
	}
	return fmt.Sprintf("a whole number from %d to %d", least, most)
}

// rate returns a number above 0 and up to most.
func (l *loader) rate(n *node, what string, most float64) (float64, bool) {
	v, err := strconv.ParseFloat(n.text, 64)
	if n.kind != integer && n.kind != float && n.kind != cell || err != nil || math.IsNaN(v) || v <= 0 || v > most {
		l.errorf(n.Place, "%s must be a number above 0, at most %.0f", what, most)
		return 0, false
	}
	return v, true
}

// word returns one of the words.
func (l *loader) word(n *node, what string, words []string) (string, bool) {
	s, ok := l.str(n, what)
	if !ok {
		return "", false
	}
	if !slices.Contains(words, s) {
		l.errorf(n.Place, "%s is %q%s it must be one of: %s", what, shorten(s), or(didYouMean(s, words), ";"), join(words))
		return "", false
	}
	return s, true
}

var (
	duration     = regexp.MustCompile(`^([0-9]+[wdhms])+$`)
	durationPart = regexp.MustCompile(`[0-9]+[wdhms]`)
	unitLength   = map[byte]time.Duration{'w': 7 * 24 * time.Hour, 'd': 24 * time.Hour, 'h': time.Hour, 'm': time.Minute, 's': time.Second}
)

// maxDuration bounds durations; it also keeps their sums from overflowing.
const maxDuration = 10 * 366 * 24 * time.Hour

// period returns a duration above 0, like 7d, 12h or 1d12h.
func (l *loader) period(n *node, what string) time.Duration {
	if n == nil {
		return 0
	}
	sum, ok := n.duration()
	if !ok || sum <= 0 {
		l.errorf(n.Place, "%s must be a duration like 7d, 12h or 1d12h (units w d h m s), at most ten years", what)
		return 0
	}
	return sum
}

// patience returns a duration that may be 0, and the usual one where the spec has none.
func (l *loader) patience(n *node, what string, usual time.Duration) time.Duration {
	if n == nil {
		return usual
	}
	sum, ok := n.duration()
	if !ok {
		l.errorf(n.Place, "%s must be a duration like 30m, 2h or 0s (units w d h m s), at most ten years", what)
	}
	return sum
}

// duration is what a node says in units of time, at most maxDuration.
func (n *node) duration() (sum time.Duration, ok bool) {
	if (n.kind == text || n.kind == cell) && duration.MatchString(n.text) {
		for _, part := range durationPart.FindAllString(n.text, -1) {
			count, err := strconv.ParseInt(part[:len(part)-1], 10, 32)
			unit := unitLength[part[len(part)-1]]
			if err != nil || count > int64(maxDuration/unit) || sum > maxDuration {
				return 0, false
			}
			sum += time.Duration(count) * unit
		}
		return sum, sum <= maxDuration
	}
	return 0, false
}

// strs returns the items of a list of strings, or the one string that stands for a list of one.
func (l *loader) strs(n *node, what string) []*node {
	items := []*node{n}
	if n.kind == list {
		items = n.items
	}
	return slices.DeleteFunc(slices.Clone(items), func(item *node) bool {
		_, ok := l.str(item, what)
		return !ok
	})
}

func contains(words []string, word string) bool { return slices.Contains(words, word) }

// maxListed bounds the names a message lists.
const maxListed = 60

func join(words []string) string {
	switch {
	case len(words) == 0:
		return "nothing"
	case len(words) > maxListed:
		return fmt.Sprintf("%s, … (%d in all)", strings.Join(words[:maxListed], ", "), len(words))
	}
	return strings.Join(words, ", ")
}

func or(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}
