package jobs

import (
	"fmt"
	"iter"
	"slices"
	"strings"

	"backhaul/pipeline"
	"backhaul/pipeline/words"
)

// Query returns the SQL that provides the extract's targets or inputs, "" if the spec lists them.
func (x *Extract) Query() string {
	if x.Inputs != nil && x.Inputs.SQL != "" {
		return x.Inputs.SQL
	}
	return x.SQL
}

// Resolve makes the extract's tasks of what its query returned: a column target, for inputs also one source, and others
// that bear the names of parameters, which override the extract's for their row. nil stands for null; rows without a target
// are skipped. Rows that cannot be asked about are left out and returned as problems; an error means that the columns are
// not the ones wanted, or that there are rows and none of them can be asked about. held are tasks of the extract that have been bought: see Beside. The extract itself stays as it is.
func (x *Extract) Resolve(columns []string, rows [][]*string, held []pipeline.Task) ([]pipeline.Task, []Problem, error) {
	s, err := x.sheetOf(columns, rows)
	if err != nil {
		return nil, nil, err
	}
	l := &loader{}
	copied := *x
	copied.Targets, copied.Merged = nil, 0
	r := newRequest(l, &copied)
	if x.Inputs != nil {
		copied.Inputs = &Inputs{}
		r.pairs(s)
	} else {
		r.expand([]*targets{r.table(s)})
	}
	problems := l.sorted(x.File)
	if err := copied.unusable(len(rows), problems); err != nil {
		return nil, nil, err
	}
	return copied.Beside(held), problems, nil
}

// unusable returns an error if none of so many rows of an answer can be asked about: a run must not be complete without a
// question. An answer without rows is one, too: there may be nothing to ask about today.
func (x *Extract) unusable(rows int, problems []Problem) error {
	if rows == 0 || len(x.Targets) > 0 || x.Inputs != nil && len(x.Inputs.Compared) > 0 {
		return nil
	}
	text := fmt.Sprintf("%s: sql of extract %s returned %s, and none can be asked about", x.QueryPlace, x.Name, words.Plural(rows, "row"))
	if len(problems) == 0 {
		return fmt.Errorf("%s: %s is empty in all of them", text, strings.Join(x.wanted(), " or "))
	}
	var reasons []string
	for _, p := range problems[:min(len(problems), mostReasons)] {
		reasons = append(reasons, p.Text)
	}
	if more := len(problems) - len(reasons); more > 0 {
		reasons = append(reasons, fmt.Sprintf("and %d more", more))
	}
	return fmt.Errorf("%s: %s", text, strings.Join(reasons, "; "))
}

// mostReasons is how many of the rows left out an error speaks of.
const mostReasons = 3

// Beside returns the extract's tasks as Tasks does, but for what the tasks held ask about, which have been bought: those
// among them that still ask about anything wanted stay as they are, however batches would be cut today, and only the rest
// becomes new tasks.
func (x *Extract) Beside(held []pipeline.Task) []pipeline.Task {
	if len(held) == 0 {
		return slices.Collect(x.Tasks())
	}
	wanted := map[question]bool{}
	for q := range x.questions() {
		wanted[q] = true
	}
	asked := map[question]bool{}
	var tasks []pipeline.Task
	for _, t := range held {
		about := questions(t)
		if !slices.ContainsFunc(about, func(q question) bool { return wanted[q] }) {
			continue
		}
		tasks = append(tasks, t)
		for _, q := range about {
			asked[q] = true
		}
	}
	return slices.AppendSeq(tasks, x.without(func(q question) bool { return asked[q] }).Tasks())
}

// questions are those about the extract's targets, or about its pairs.
func (x *Extract) questions() iter.Seq[question] {
	return func(yield func(question) bool) {
		for _, t := range x.Targets {
			if !yield(t.question()) {
				return
			}
		}
		if x.Inputs == nil {
			return
		}
		for _, c := range x.Inputs.Compared {
			for _, in := range c.Sources {
				if !yield(c.question(in)) {
					return
				}
			}
		}
	}
}

// without returns the extract without what it asks that is to be left out.
func (x *Extract) without(leaveOut func(question) bool) *Extract {
	rest := *x
	rest.Targets = slices.DeleteFunc(slices.Clone(x.Targets), func(t Target) bool { return leaveOut(t.question()) })
	if x.Inputs == nil {
		return &rest
	}
	rest.Inputs = &Inputs{SQL: x.Inputs.SQL}
	for _, c := range x.Inputs.Compared {
		c.Sources = slices.DeleteFunc(slices.Clone(c.Sources), func(in pipeline.Input) bool {
			return leaveOut(c.question(in))
		})
		if len(c.Sources) > 0 {
			rest.Inputs.Compared = append(rest.Inputs.Compared, c)
		}
	}
	return &rest
}

// questions are those of a task.
func questions(t pipeline.Task) []question {
	inputs := t.Inputs
	if inputs == nil {
		inputs = []pipeline.Input{{}}
	}
	about := make([]question, len(inputs))
	for i, in := range inputs {
		about[i] = question{t.Target + in.Target, in.Source, t.Params} // one of the two targets is ""
	}
	return about
}

// wanted are the columns that the extract's query must return.
func (x *Extract) wanted() []string {
	if x.Inputs != nil {
		return []string{"target", "source"}
	}
	return []string{"target"}
}

// Answers returns an error if the columns of the extract's query are not the ones wanted.
func (x *Extract) Answers(columns []string) error {
	for _, name := range x.wanted() {
		if !slices.ContainsFunc(columns, func(c string) bool { return strings.EqualFold(c, name) }) {
			return fmt.Errorf("sql of extract %s returns no column %s, but %s", x.Name, name, join(shortened(columns)))
		}
	}
	return nil
}

// sheetOf shapes an answer as if it had been read from a file.
func (x *Extract) sheetOf(columns []string, rows [][]*string) (*sheet, error) {
	s := &sheet{file: x.File}
	if err := x.Answers(columns); err != nil {
		return nil, fmt.Errorf("%s: %w", x.QueryPlace, err)
	}
	var at []int
	for _, name := range x.wanted() {
		at = append(at, slices.IndexFunc(columns, func(c string) bool { return strings.EqualFold(c, name) }))
	}
	for _, c := range columns {
		s.header = append(s.header, &node{Place: x.Place, kind: cell, text: strings.ToLower(c)})
	}
	for _, row := range rows {
		if slices.ContainsFunc(at, func(i int) bool { return row[i] == nil || *row[i] == "" }) {
			continue
		}
		for _, v := range row {
			e := entry{line: int32(x.Line), column: int32(x.Column)}
			if v != nil {
				e.text = *v
			}
			s.cells = append(s.cells, e)
		}
	}
	return s, nil
}

// table makes a list of targets of a sheet. Columns that are not parameters are the query's own business.
func (r *request) table(s *sheet) *targets {
	t := &targets{}
	at := r.column(s, "target")
	r.loader.rows(t, listed{s, at, s.columnsBut(at, func(name string) bool { return r.parameter(name) != "" })}, s.rows())
	return t
}
