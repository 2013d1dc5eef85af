package jobs

import (
	"fmt"
	"slices"
	"strings"

	"backhaul/pipeline"
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
// are skipped. held are tasks that were made of an earlier answer and have been bought: they stay as they are, and only what
// they do not ask about becomes new tasks. Rows that cannot be asked about are left out and returned as problems; an error
// means that the columns are not the ones wanted. The extract itself stays as it is.
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
	if err := copied.forget(held); err != nil {
		return nil, nil, err
	}
	return append(slices.Clone(held), copied.Tasks()...), l.sorted(x.File), nil
}

// sheetOf shapes an answer as if it had been read from a file.
func (x *Extract) sheetOf(columns []string, rows [][]*string) (*sheet, error) {
	s := &sheet{file: x.File}
	wanted := []string{"target"}
	if x.Inputs != nil {
		wanted = []string{"target", "source"}
	}
	var at []int
	for _, name := range wanted {
		i := slices.IndexFunc(columns, func(c string) bool { return strings.EqualFold(c, name) })
		if i < 0 {
			return nil, fmt.Errorf("%s: sql of extract %s returns no column %s, but %s", x.Place, x.Name, name, join(columns))
		}
		at = append(at, i)
	}
	for _, c := range columns {
		s.header = append(s.header, &node{Place: x.Place, kind: cell, text: strings.ToLower(c)})
	}
	for _, row := range rows {
		if slices.ContainsFunc(at, func(i int) bool { return row[i] == nil || *row[i] == "" }) {
			continue
		}
		cells := make([]node, len(row))
		for i, v := range row {
			cells[i] = node{Place: x.Place, kind: cell}
			if v != nil {
				cells[i].text = *v
			}
		}
		s.rows = append(s.rows, cells)
	}
	return s, nil
}

// table makes a list of targets of a sheet. Columns that are no parameter are the query's own business.
func (r *request) table(s *sheet) *targets {
	t := &targets{}
	at := r.column(s, "target")
	for _, row := range s.rows {
		overrides := slices.DeleteFunc(s.overrides(row, at), func(f field) bool { return r.parameter(f.key) == "" })
		r.addRow(t, row[at].Place, row[at].text, overrides)
	}
	return t
}

// forget leaves out what the tasks held ask about.
func (x *Extract) forget(held []pipeline.Task) error {
	type question struct{ target, source, params string }
	asked := map[question]bool{}
	for _, t := range held {
		inputs, err := t.Inputs()
		if err != nil {
			return err
		}
		if inputs == nil {
			inputs = []pipeline.Input{{}}
		}
		for _, in := range inputs {
			asked[question{t.Target + in.Target, in.Source, t.Params}] = true // one of the two targets is ""
		}
	}
	x.Targets = slices.DeleteFunc(x.Targets, func(t Target) bool { return asked[question{t.Target, "", t.Params}] })
	if x.Inputs != nil {
		x.Inputs.Rows = slices.DeleteFunc(x.Inputs.Rows, func(in Input) bool { return asked[question{in.Target, in.Source, in.Params}] })
	}
	return nil
}
