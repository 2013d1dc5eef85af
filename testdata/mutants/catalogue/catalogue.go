// Package catalogue reads the mutants of this project: small changes to the program, each of which breaks one promise of
// .github/INVARIANTS.md and must be found by a test.
//
// A mutant is a file GROUP/NAME.patch: lines of a header, then a unified diff against the root of the repository.
//
//	Breaks: what no longer holds, in words
//	Promise: its numbers in INVARIANTS.md, like 2, 3
//	Killed by: ./jobs/ledger TestOne|TestTwo
//
// The last may stand there several times, and behind a test's name the build tags that it is in: TestOne,cluster. In its place may stand
//
//	Equivalent: why nobody can tell the mutant from the program
//
// The package applies patches in memory and runs nothing.
package catalogue

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Mutant is one change.
type Mutant struct {
	Name     string // GROUP/NAME
	Breaks   string
	Promises []int
	Killers  []Killer
	// Equivalent says why nobody can find it. A mutant has either that or killers.
	Equivalent string
	hunks      []hunk
}

// Killer is the tests of a package that find a mutant.
type Killer struct {
	Package string // like ./jobs/ledger
	Tests   []string
	Tags    string // of the build, "" for none
}

// hunk is lines of a file and what becomes of them.
type hunk struct {
	path     string // from the root, with slashes
	line     int    // where they were when the patch was made, from 1
	old, new []string
}

// Load reads all mutants of a directory, by name.
func Load(dir string) (all []Mutant, err error) {
	err = filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(path) != ".patch" {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		m, err := parse(string(text))
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		m.Name = strings.TrimSuffix(filepath.ToSlash(rel), ".patch")
		all = append(all, m)
		return nil
	})
	return all, err
}

func parse(text string) (m Mutant, err error) {
	header, diff, ok := strings.Cut(text, "--- a/")
	if !ok {
		return m, fmt.Errorf("no line --- a/FILE")
	}
	for line := range strings.Lines(header) {
		if err := m.read(strings.TrimSpace(line)); err != nil {
			return m, err
		}
	}
	if (len(m.Killers) > 0) == (m.Equivalent != "") || m.Breaks == "" || len(m.Promises) == 0 {
		return m, fmt.Errorf("want Breaks, Promise, and one of Killed by and Equivalent")
	}
	m.hunks, err = hunksOf("--- a/" + diff)
	return m, err
}

// read takes up a line of the header.
func (m *Mutant) read(line string) error {
	key, value, _ := strings.Cut(line, ": ")
	switch key {
	case "Breaks":
		m.Breaks = value
	case "Promise":
		for _, word := range strings.Split(value, ", ") {
			n, err := strconv.Atoi(word)
			if err != nil {
				return fmt.Errorf("promise: %w", err)
			}
			m.Promises = append(m.Promises, n)
		}
	case "Killed by":
		pkg, tests, ok := strings.Cut(value, " ")
		if !ok || !strings.HasPrefix(pkg, "./") {
			return fmt.Errorf("want Killed by: ./PACKAGE TEST|TEST, got %q", line)
		}
		tests, tags, _ := strings.Cut(tests, ",")
		m.Killers = append(m.Killers, Killer{pkg, strings.Split(tests, "|"), tags})
	case "Equivalent":
		m.Equivalent = value
	default:
		return fmt.Errorf("unknown line %q", line)
	}
	return nil
}

var hunkLine = regexp.MustCompile(`^@@ -(\d+)`)

// hunksOf reads a unified diff.
func hunksOf(diff string) (all []hunk, err error) {
	path := ""
	for line := range strings.Lines(diff) {
		line = strings.TrimSuffix(line, "\n")
		begins := hunkLine.FindStringSubmatch(line)
		switch {
		case strings.HasPrefix(line, "--- a/"):
			path = strings.TrimPrefix(line, "--- a/")
		case strings.HasPrefix(line, "+++ b/"):
		case begins != nil:
			at, _ := strconv.Atoi(begins[1]) // digits
			all = append(all, hunk{path: path, line: at})
		case len(all) == 0 || line == "":
			return nil, fmt.Errorf("%q is no line of a diff", line)
		default:
			if err := all[len(all)-1].add(line); err != nil {
				return nil, err
			}
		}
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("the diff changes nothing")
	}
	return all, nil
}

func (h *hunk) add(line string) error {
	sign, text := line[0], line[1:]
	if sign != ' ' && sign != '-' && sign != '+' {
		return fmt.Errorf("%q is no line of a diff", line)
	}
	if sign != '+' {
		h.old = append(h.old, text)
	}
	if sign != '-' {
		h.new = append(h.new, text)
	}
	return nil
}

// Apply returns the files that the mutant changes, by their paths from the root, with slashes. What has moved to other lines
// since the patch was made is found there; an error means that it is no longer in its file, and the patch is to be made again.
func (m Mutant) Apply(root string) (map[string][]byte, error) {
	files := map[string][]byte{}
	for _, h := range m.hunks {
		text, ok := files[h.path]
		if !ok {
			var err error
			if text, err = os.ReadFile(filepath.Join(root, filepath.FromSlash(h.path))); err != nil {
				return nil, err
			}
		}
		changed, ok := h.apply(strings.Split(string(text), "\n"))
		if !ok {
			return nil, fmt.Errorf("%s: what it changes in %s at line %d is not there any more", m.Name, h.path, h.line)
		}
		files[h.path] = []byte(strings.Join(changed, "\n"))
	}
	return files, nil
}

// apply changes the place nearest to where the lines were.
func (h hunk) apply(lines []string) (changed []string, ok bool) {
	best := -1
	for at := 0; at+len(h.old) <= len(lines); at++ {
		if slices.Equal(lines[at:at+len(h.old)], h.old) && (best < 0 || distance(at, h.line-1) < distance(best, h.line-1)) {
			best = at
		}
	}
	if best < 0 {
		return nil, false
	}
	return slices.Concat(lines[:best], h.new, lines[best+len(h.old):]), true
}

func distance(a, b int) int { return max(a-b, b-a) }

// Table says of every mutant what it breaks and who finds it, in Markdown.
func Table(all []Mutant) string {
	var out strings.Builder
	held := 0
	for _, m := range all {
		if m.Equivalent == "" {
			held++
		}
	}
	fmt.Fprintf(&out, `# Mutants

Changes to the program that break a promise of [INVARIANTS](../../.github/INVARIANTS.md), and the tests that find them: %d are found, and
%d cannot be told from the program. `+"`make mutants`"+` tries them. This page is made of the patches by `+"`go run ./testdata/mutants -table`"+`.

| mutant | breaks | promise | found by |
|---|---|---|---|
`, held, len(all)-held)
	for _, m := range all {
		fmt.Fprintf(&out, "| [%s](%s.patch) | %s | %s | %s |\n", m.Name, m.Name, m.Breaks, numbers(m.Promises), m.foundBy())
	}
	return out.String()
}

func numbers(all []int) string {
	words := make([]string, len(all))
	for i, n := range all {
		words[i] = strconv.Itoa(n)
	}
	return strings.Join(words, ", ")
}

func (m Mutant) foundBy() string {
	if m.Equivalent != "" {
		return "nobody can: " + m.Equivalent
	}
	var words []string
	for _, k := range m.Killers {
		words = append(words, fmt.Sprintf("`%s` %s", strings.TrimPrefix(k.Package, "./"), strings.Join(k.Tests, ", ")))
	}
	return strings.Join(words, "; ")
}
