package pipeline

import (
	"fmt"
	"math"
	"testing"
)

// shape is a list of texts: its domains, most first, how many pages each has, and how many texts a domain uses.
type shape struct {
	name    string
	domains []int64
	pages   float64
	texts   float64
	// nobody counts the pages
	uncounted bool
}

// zipf is a list in which the text of rank r has most/r^slope domains, and at least one.
func zipf(most, slope float64, rows int) []int64 {
	domains := make([]int64, rows)
	for i := range domains {
		domains[i] = int64(max(1, math.Round(most*math.Pow(float64(i+1), -slope))))
	}
	return domains
}

func flat(domains int64, rows int) []int64 { return zipf(float64(domains), 0, rows) }

// mostDomains is more than link to any site.
const mostDomains = 50_000_000

func TestTheLengthOfAListIsEstimatedWithinTwoFromItsFirstReply(t *testing.T) {
	t.Parallel()
	var shapes []shape
	for _, rows := range []int{51, 60, 200, 1000, 12000, 300000} {
		for _, slope := range []float64{0.3, 0.6, 0.8, 1, 1.2, 1.5, 2} {
			for _, least := range []float64{0.1, 1, 3} { // what the law would give the last row, which has one domain at least
				domains := zipf(least*math.Pow(float64(rows), slope), slope, rows)
				if domains[0] > mostDomains {
					continue
				}
				for _, texts := range []float64{1, 1.6} {
					shapes = append(shapes, shape{fmt.Sprintf("%d rows, slope %.1f down to %.1f, %.1f texts a domain", rows, slope, least, texts), domains, 1.3, texts, false})
				}
				shapes = append(shapes, shape{fmt.Sprintf("%d rows, slope %.1f down to %.1f, no pages", rows, slope, least), domains, 1, 1, true})
			}
		}
		for _, n := range []int64{1, 2, 7} {
			shapes = append(shapes, shape{fmt.Sprintf("%d rows, %d domains each", rows, n), flat(n, rows), 1, 1, false},
				shape{fmt.Sprintf("%d rows, %d domains each, 1.6 texts a domain", rows, n), flat(n, rows), 2, 1.6, false})
		}
		shapes = append(shapes, shape{fmt.Sprintf("%d rows, one of which nearly everybody uses", rows), append([]int64{40000}, flat(1, rows-1)...), 1.1, 1, false},
			shape{fmt.Sprintf("%d rows, one of which nearly everybody uses, and some many", rows), append([]int64{40000}, zipf(300, 1, rows-1)...), 1.1, 1, false})
	}
	for _, s := range shapes {
		var first []Text
		var all Text
		for i, d := range s.domains {
			row := Text{d, int64(math.Round(float64(d) * s.pages))}
			if s.uncounted {
				row.Pages = 0
			}
			all.Domains, all.Pages = all.Domains+row.Domains, all.Pages+row.Pages
			if i < 50 {
				first = append(first, row)
			}
		}
		all.Domains = int64(float64(all.Domains) / s.texts)
		got := Tail{}.Length(first, all)
		if off := float64(got) / float64(len(s.domains)); off > 2 || off < 0.5 {
			t.Errorf("%s: %d, %.2f times as many", s.name, got, off)
		}
	}
}
