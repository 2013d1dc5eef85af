package moz

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestResultsBelongToTheTargetWhosePageTheyAreOf(t *testing.T) {
	for name, tc := range map[string]struct {
		targets, pages string
		want           []int
	}{
		"in order":                        {"moz.com nytimes.com/x", "moz.com/ nytimes.com/x", []int{0, 1}},
		"another spelling":                {"xn--bcher-kva.example/a%C3%BC Moz.com", "bücher.example/aü https://MOZ.com/", []int{0, 1}},
		"www and slash":                   {"moz.com/blog www.a.com b.com/x/", "moz.com/blog/ a.com/ www.b.com/x", []int{0, 1, 2}},
		"reordered":                       {"a.com b.com c.com", "c.com/ a.com/ b.com/", []int{2, 0, 1}},
		"reordered, with www":             {"a.com www.b.com", "b.com/ www.a.com/", []int{1, 0}},
		"two that only www tells apart":   {"moz.com www.moz.com", "www.moz.com/ moz.com/", []int{1, 0}},
		"two that Moz spells alike":       {"moz.com www.moz.com", "moz.com/ moz.com/", []int{0, 1}},
		"two of a slash, spelled alike":   {"a.com/x/ a.com/x", "a.com/x a.com/x", []int{0, 1}},
		"a spelling of its own, in place": {"a.com b.com/index.html c.com", "a.com/ b.com/ c.com/", []int{0, 1, 2}},
		"no page, in place":               {"a.com b.com c.com", "a.com/ - c.com/", []int{0, 1, 2}},
		"query":                           {"a.com/?q=1 a.com/?q=2", "a.com/?q=2 a.com/?q=1", []int{1, 0}},
		"reordered, two spelled alike":    {"a.com/x a.com/x/ b.com", "b.com/ a.com/x a.com/x", []int{2, 1, 0}},
		"nothing":                         {"", "", []int{}},
	} {
		got, err := Assign(strings.Fields(tc.targets), pagesIn(tc.pages))
		if diff := cmp.Diff(tc.want, got); err != nil || diff != "" {
			t.Errorf("%s: %v %s", name, err, diff)
		}
	}
}

func TestResultsThatMayBeAnotherTargetsAreRefused(t *testing.T) {
	for name, tc := range map[string]struct{ targets, pages, says string }{
		"shorter":                       {"a.com b.com", "a.com/", "1 results for 2 targets"},
		"longer":                        {"a.com", "a.com/ b.com/", "2 results for 1 targets"},
		"another site":                  {"a.com b.com", "a.com/ c.com/", `result 1 is about "c.com/", where "b.com" was asked about`},
		"twice":                         {"a.com b.com", "b.com/ b.com/", `result 0 is about "b.com/"`},
		"shifted within a site":         {"a.com/1 a.com/2 a.com/3", "a.com/2 a.com/3 a.com/4", `result 2 is about "a.com/4"`},
		"reordered, and one of its own": {"a.com b.com c.com/index.html", "b.com/ a.com/ c.com/", `result 2 is about "c.com/"`},
		"reordered, and one without":    {"a.com b.com c.com", "b.com/ a.com/ -", `result 2 names no page, and the order does not tell`},
	} {
		got, err := Assign(strings.Fields(tc.targets), pagesIn(tc.pages))
		if err == nil || !strings.Contains(err.Error(), tc.says) {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
}

// pagesIn are the pages that results name; - names none.
func pagesIn(text string) []string {
	pages := strings.Fields(text)
	for i := range pages {
		pages[i] = strings.TrimPrefix(pages[i], "-")
	}
	return pages
}

func FuzzAssign(f *testing.F) {
	f.Add("a.com b.com/x", "b.com/x/ www.a.com/")
	f.Add("a.com b.com", "a.com/ -")
	f.Fuzz(func(t *testing.T, targets, pages string) {
		list := strings.Fields(targets)
		owners, err := Assign(list, pagesIn(pages))
		if err != nil {
			return
		}
		seen := map[int]bool{}
		for _, owner := range owners {
			if owner < 0 || owner >= len(list) || seen[owner] {
				t.Fatalf("%v for %q", owners, targets)
			}
			seen[owner] = true
		}
		if len(seen) != len(list) {
			t.Fatalf("%v for %q", owners, targets)
		}
	})
}
