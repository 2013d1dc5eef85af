package jobs

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode"
)

// Place is a position in a file. Line and Column count from 1, columns in characters; an unreadable file is
// reported at 1:1.
type Place struct {
	File   string `json:"file"`
	Line   int    `json:"line"`
	Column int    `json:"column"`
}

// String returns file:line:column.
func (p Place) String() string { return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Column) }

// Problem is one thing that is wrong with a spec, or with a file it names.
type Problem struct {
	Place
	// Text says what is wrong and what to do.
	Text string `json:"text"`
	// Warning: the spec can run as it is.
	Warning bool `json:"warning"`
}

// String returns file:line:column: text.
func (p Problem) String() string {
	if p.Warning {
		return fmt.Sprintf("%s: warning: %s", p.Place, p.Text)
	}
	return fmt.Sprintf("%s: %s", p.Place, p.Text)
}

// Failed reports whether any of the problems is more than a warning.
func Failed(problems []Problem) bool {
	return slices.ContainsFunc(problems, func(p Problem) bool { return !p.Warning })
}

// problems collects problems; the same one is kept once.
type problems struct {
	seen map[Problem]bool
	list []Problem
}

func (p *problems) errorf(at Place, format string, args ...any) {
	p.add(Problem{Place: at, Text: fmt.Sprintf(format, args...)})
}

func (p *problems) warnf(at Place, format string, args ...any) {
	p.add(Problem{Place: at, Text: fmt.Sprintf(format, args...), Warning: true})
}

func (p *problems) add(problem Problem) {
	problem.Text = strings.Map(printable, problem.Text)
	if p.seen == nil {
		p.seen = map[Problem]bool{}
	}
	if !p.seen[problem] {
		p.seen[problem] = true
		p.list = append(p.list, problem)
	}
}

// printable keeps a message on one line and off the terminal's controls, whatever it quotes.
func printable(r rune) rune {
	if unicode.IsControl(r) {
		return ' '
	}
	return r
}

// sorted returns the problems by place: those of the spec first, then those of the other files by name.
func (p *problems) sorted(spec string) []Problem {
	slices.SortStableFunc(p.list, func(a, b Problem) int {
		return cmp.Or(
			cmp.Compare(rank(a.File == spec), rank(b.File == spec)),
			cmp.Compare(a.File, b.File),
			cmp.Compare(a.Line, b.Line),
			cmp.Compare(a.Column, b.Column),
			cmp.Compare(a.Text, b.Text),
		)
	})
	return p.list
}

func rank(first bool) int {
	if first {
		return 0
	}
	return 1
}
