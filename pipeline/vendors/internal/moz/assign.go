package moz

import (
	"fmt"
	"slices"
	"strings"

	"backhaul/schemas/canon"
)

// Assign finds out which of the targets of a batch each result is about, from the page that the result names ("" if it names
// none): owners[i] is the target of result i, and every target has one result. Moz promises the order of the targets; that
// is not taken on trust, since a result under the wrong target is worse than none.
//
// A page is a target's when both have one canonical spelling; failing that, when they differ by a www. or a final slash; and
// failing that, for Moz prints pages in a form of its own, when they are of one host, the result stands in the target's
// place, and so does every other result. Results in another order are put right if each belongs to exactly one target. A
// result without a page has the target of its place under the same condition. All else is an error: a result missing, one
// too many, one of a page nobody asked about.
func Assign(targets, pages []string) (owners []int, err error) {
	if len(pages) != len(targets) {
		return nil, fmt.Errorf("%d results for %d targets: which belongs to which cannot be told", len(pages), len(targets))
	}
	a := assignment{owners: make([]int, len(pages)), taken: make([]bool, len(targets)), moved: false}
	for i := range a.owners {
		a.owners[i] = nobody
	}
	for _, spell := range []func(string) string{exact, loose} {
		if !slices.Contains(a.owners, nobody) {
			return a.owners, nil
		}
		a.by(spelled(targets, spell), spelled(pages, spell))
	}
	for i, page := range pages {
		if a.owners[i] != nobody {
			continue
		}
		switch inPlace := !a.moved && !a.taken[i]; {
		case inPlace && (page == "" || host(page) == host(targets[i])):
			a.give(i, i)
		case page == "":
			return nil, fmt.Errorf("result %d names no page, and the order does not tell whose it is", i)
		default:
			return nil, fmt.Errorf("result %d is about %q, where %q was asked about, and belongs to no other target", i, brief([]byte(page)), targets[i])
		}
	}
	return a.owners, nil
}

const nobody = -1

type assignment struct {
	owners []int  // by result
	taken  []bool // by target
	moved  bool   // some result does not stand in its target's place
}

func (a *assignment) give(result, target int) {
	a.owners[result], a.taken[target] = target, true
	a.moved = a.moved || result != target
}

// by assigns what is still open and spelled alike: first in its place, then where it can be only one.
func (a *assignment) by(targets, pages []string) {
	for i := range pages {
		if a.owners[i] == nobody && !a.taken[i] && pages[i] != "" && pages[i] == targets[i] {
			a.give(i, i)
		}
	}
	wanted, found := map[string][]int{}, map[string][]int{}
	for i := range pages {
		if !a.taken[i] {
			wanted[targets[i]] = append(wanted[targets[i]], i)
		}
		if a.owners[i] == nobody && pages[i] != "" {
			found[pages[i]] = append(found[pages[i]], i)
		}
	}
	for page, results := range found {
		if of := wanted[page]; len(results) == 1 && len(of) == 1 {
			a.give(results[0], of[0])
		}
	}
}

func spelled(list []string, spell func(string) string) []string {
	out := make([]string, len(list))
	for i, s := range list {
		if s != "" {
			out[i] = spell(s)
		}
	}
	return out
}

// exact is the one spelling of a page: moz.com for moz.com/.
func exact(page string) string {
	canonical, err := canon.Target(page)
	if err != nil {
		return strings.ToLower(page)
	}
	return canonical
}

func loose(page string) string {
	return strings.TrimSuffix(strings.TrimPrefix(exact(page), "www."), "/")
}

func host(page string) string {
	h, _, _ := strings.Cut(loose(page), "/")
	return h
}
