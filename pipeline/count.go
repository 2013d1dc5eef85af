package pipeline

import (
	"math"
	"slices"
)

// Count says where a list's length can be learnt before it is bought: from a report of the same surface about the same target.
type Count struct {
	// Endpoint is the report's name, and Params what is to be asked with the target, its scope included. ByDate: it is to be asked of a
	// day, by its parameter date.
	Endpoint string
	Params   map[string]any
	ByDate   bool
	// Sum is what the report's columns come to: the length itself, unless Tail is there.
	Sum
	// Tail is for lists of which nobody counts the rows: the length is estimated from the list's first reply. Default nil: Sum is the length.
	Tail *Tail
}

// Sum is columns of a report: what the first come to without the others.
type Sum struct{ Plus, Minus []string }

// Of returns what a row of the report says, by the names of its columns.
func (s Sum) Of(row map[string]int64) (total int64) {
	for _, name := range s.Plus {
		total += row[name]
	}
	for _, name := range s.Minus {
		total -= row[name]
	}
	return max(total, 0)
}

// Columns are those that have to be asked of the report.
func (c Count) Columns() []string {
	names := slices.Concat(c.Plus, c.Minus)
	if c.Tail != nil {
		names = slices.Concat(names, c.Tail.PagesSum.Plus, c.Tail.PagesSum.Minus)
	}
	return names
}

// Tail is how a list of texts goes on behind its first reply. Each row has the domains that use its text, and the list is sorted by
// them, the most first. Together the rows have at least the domains that [Count.Sum] counts, and more where domains use several texts.
type Tail struct {
	// Domains and Pages are the columns of the list.
	Domains, Pages string
	// PagesSum is the pages that all rows together have, of which nearly all use one text. Default: nobody counts them.
	PagesSum Sum
}

// Text is one row of such a list, or what all of them are known to have together.
type Text struct{ Domains, Pages int64 }

// Length estimates how many rows a list has that goes on behind the rows of its first reply. all is what the rows have together.
//
// A row behind the reply has at least one domain, and at most as many as the reply's last. So the estimate is exact where that has one
// and each domain one text; else the domains go down on the way they took in the reply, the last four fifths of it. That is a law of
// their rank, as lists of texts have it.
func (Tail) Length(first []Text, all Text) int64 {
	rows := len(first)
	if rows == 0 {
		return 0
	}
	var held, tail Text
	begin := rows / 5
	for i, t := range first {
		held.Domains, held.Pages = held.Domains+t.Domains, held.Pages+t.Pages
		if i >= begin {
			tail.Domains, tail.Pages = tail.Domains+t.Domains, tail.Pages+t.Pages
		}
	}
	last, at := float64(max(1, first[rows-1].Domains)), float64(rows)
	left := float64(all.Domains - held.Domains)
	if tail.Domains > 0 && tail.Pages > 0 { // a domain that uses several texts has a page for each
		left = max(left, float64(all.Pages-held.Pages)*min(1, float64(tail.Domains)/float64(tail.Pages)))
	}
	slope := 0.0
	if begin > 0 {
		slope = math.Log(float64(max(1, first[begin-1].Domains))/last) / math.Log(at/float64(begin))
	}
	more := 1.0 // the list goes on
	for left > 0 {
		domains := max(1, math.Round(last*math.Pow((at+more)/at, -slope)))
		if domains == 1 || slope == 0 {
			more += math.Ceil(left / domains)
			break
		}
		step := math.Ceil((at + more) / 100) // fine enough, and soon done
		left, more = left-step*domains, more+step
	}
	return int64(at + max(1, more-1))
}
