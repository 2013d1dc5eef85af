// Package document makes one HTML file about a run and what changed: what ran, what it cost and out of which budget, what is
// incomplete and why, and for each target what came and went. [Build] asks the catalog and the ledger and returns the
// [Report], a value that knows no HTML; [Report.HTML], [Report.Text] and [Report.Mail] spell it.
//
// The file stands alone: style, scripts and data are in it, and it asks no network for anything; the only addresses in it are
// links that somebody may click. What vendors and users wrote is text everywhere, never markup or script: html/template
// escapes it, charts get theirs as JSON, and the file's own content security policy allows no script but the program's,
// each by its hash.
//
// The package knows no DuckDB: its questions are files in sql/, which the caller puts. Every answer is bounded: tables hold
// the first rows, and say how many more there are.
package document

import "strconv"

// Report is what the file says, in its order.
type Report struct {
	Title    string
	Facts    []Fact
	Sections []Section
	// Footer says when and from what the file was made.
	Footer string
}

// Fact is one line of the head.
type Fact struct {
	Name, Value string
	// Tone is good, bad, or "" for neither.
	Tone string
}

// Section is a part of the report, with parts of its own.
type Section struct {
	ID, Title string
	// Headline is what it comes to, in one line; Notes explain.
	Headline string
	Notes    []string
	Charts   []Chart
	Tables   []Table
	Parts    []Section
}

// Shape is how a chart is drawn.
type Shape string

// The shapes of charts. Of bars the series stand on one another; what is below zero hangs.
const (
	Bars Shape = "bars"
	Line Shape = "line"
)

// Chart is a picture of some series over the same labels.
type Chart struct {
	ID     string   `json:"id"`
	Title  string   `json:"title"`
	Shape  Shape    `json:"shape"`
	Labels []string `json:"labels"`
	Series []Series `json:"series"`
}

// Series is one of a chart's; a nil value is not drawn.
type Series struct {
	Name   string   `json:"name"`
	Values []*int64 `json:"values"`
}

// Table is some rows of a list that may have more.
type Table struct {
	Title   string
	Columns []Column
	Rows    [][]Cell
	// More is how many rows are left out.
	More int64
}

// Column is one of a table.
type Column struct {
	Name string
	Kind Kind
}

// Kind is what the values of a column are.
type Kind uint8

// The kinds of columns.
const (
	Words    Kind = iota
	Number        // int64, spelt with commas
	Share         // float64 of 0 to 1, spelt as percent
	Address       // a page or host, linked to
	Day           // YYYY-MM-DD
	Quotable      // text from outside, which may be in any script and direction
)

// Cell is a value of a table: its text, what it is sorted by if not by that, and what it links to.
type Cell struct {
	Text string
	Sort string `json:",omitempty"`
	Link string `json:",omitempty"`
}

// IsNumber tells whether values of the kind stand to the right.
func (k Kind) IsNumber() bool { return k == Number || k == Share }

// IsDay tells whether values of the kind are dates.
func (k Kind) IsDay() bool { return k == Day }

// IsForeign tells whether values of the kind are somebody else's words.
func (k Kind) IsForeign() bool { return k == Address || k == Quotable }

// charts yields every chart of the report.
func (r *Report) charts() []Chart { return chartsOf(r.Sections) }

func chartsOf(sections []Section) (all []Chart) {
	for _, s := range sections {
		all = append(append(all, s.Charts...), chartsOf(s.Parts)...)
	}
	return all
}

// identify gives sections and charts ids that are unique in the file.
func (r *Report) identify() { identifyAll(r.Sections, "s") }

func identifyAll(sections []Section, prefix string) {
	for i := range sections {
		s := &sections[i]
		s.ID = prefix + strconv.Itoa(i+1)
		for j := range s.Charts {
			s.Charts[j].ID = s.ID + "-chart" + strconv.Itoa(j+1)
		}
		identifyAll(s.Parts, s.ID+"-")
	}
}
