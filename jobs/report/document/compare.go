package document

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"backhaul/jobs/report"
	"backhaul/pipeline/words"
)

// Compare makes the report of what is different between two runs, of the same job or not: what they did and cost, and what
// came and went from the first to the second in the lists that are whole in both and were asked alike. Errors are those of ask.
func Compare(ctx context.Context, ask Ask, first, second Subject) (*Report, error) {
	b, err := newBuilder(ask, first)
	if err != nil {
		return nil, err
	}
	other, err := newBuilder(ask, second)
	if err != nil {
		return nil, err
	}
	b.report.Title = nameOf(first.Run) + " and " + nameOf(second.Run)
	b.report.Facts = []Fact{{Name: "First run", Value: first.Run.RunID}, {Name: "Second run", Value: second.Run.RunID}}
	b.report.Sections = []Section{{Title: "What they did", Tables: []Table{runsTable(first.Run, second.Run), b.bothExtracts(second.Run)}}}
	b.Run.Tasks = slices.Concat(first.Run.Tasks, second.Run.Tasks)
	names, more := b.names()
	if len(names) > 0 {
		rows, err := b.put(ctx, "compare", "$targets", quoteAll(names), "$first", quote(first.Run.RunID), "$second", quote(second.Run.RunID),
			"$other_job", other.values[1], "$other_date", other.values[3])
		if err != nil {
			return nil, err
		}
		b.report.Sections = append(b.report.Sections, b.differences(names, more, rows))
	}
	b.report.identify()
	return b.report, nil
}

func nameOf(run report.Status) string { return run.Job + ", " + run.RunDate }

// runsTable holds two runs against one another.
func runsTable(first, second report.Status) Table {
	t := Table{Title: "The two runs", Columns: []Column{{"of", Words}, {nameOf(first), Number}, {nameOf(second), Number}, {"difference", Number}}}
	for _, line := range []struct {
		name string
		of   func(report.Status) int64
	}{
		{"lists", func(s report.Status) int64 { return int64(s.TaskCount) }},
		{"lists that are complete", func(s report.Status) int64 { return int64(s.TaskCount - s.IncompleteCount) }},
		{"rows", func(s report.Status) int64 { return s.Rows }},
		{"rows that did not fit", func(s report.Status) int64 { return s.Rejected }},
		{"units spent", func(s report.Status) int64 { return int64(s.Spent) }},
		{"units held", func(s report.Status) int64 { return int64(s.Held) }},
	} {
		t.row(line.name, line.of(first), line.of(second), line.of(second)-line.of(first))
	}
	return t
}

// bothExtracts holds the extracts of two runs against one another.
func (b *builder) bothExtracts(second report.Status) Table {
	t := Table{Title: "Extracts", Columns: []Column{
		{"extract", Words}, {"endpoint", Words}, {"rows, first", Number}, {"rows, second", Number}, {"difference", Number}, {"units, first", Number}, {"units, second", Number},
	}}
	type key struct{ extract, endpoint string }
	type sum struct{ rows, units [2]int64 }
	sums, order := map[key]*sum{}, []key{}
	for side, tasks := range [][]report.TaskStatus{b.Run.Tasks, second.Tasks} {
		for _, task := range tasks {
			k := key{task.Extract, task.Endpoint}
			if sums[k] == nil {
				sums[k], order = new(sum), append(order, k)
			}
			sums[k].rows[side] += task.Rows
			sums[k].units[side] += int64(task.Units)
		}
	}
	for _, k := range order[:min(len(order), b.rows())] {
		x := sums[k]
		t.row(k.extract, k.endpoint, x.rows[0], x.rows[1], x.rows[1]-x.rows[0], x.units[0], x.units[1])
	}
	t.More = int64(len(order) - len(t.Rows))
	return t
}

// differences says of each target what came and went from the first run to the second.
func (b *builder) differences(names []string, more int, rows [][]any) Section {
	lists, headlines := map[string][]Section{}, map[string][]string{}
	for _, group := range grouped(rows, 7) {
		target := text(group[0][0])
		section, change := difference(group)
		lists[target], headlines[target] = append(lists[target], section), append(headlines[target], change)
	}
	s := Section{Title: targetsTitle, Notes: append([]string{"Lists are compared that are whole in both runs and were asked alike."}, leftOut(more)...)}
	for _, name := range names {
		part := Section{Title: name, Headline: strings.Join(headlines[name], "; "), Parts: lists[name]}
		if len(part.Parts) == 0 {
			part.Headline = "It has no list that can be compared."
		}
		s.Parts = append(s.Parts, part)
	}
	return s
}

// difference is what came and went in one list between two nights, and that in a few words. Its rows begin with target, what is
// listed, list, how many there were before and after, and how many were won and lost; then change, item, about and worth.
func difference(rows [][]any) (s Section, change string) {
	what, list, won, lost := text(rows[0][1]), text(rows[0][2]), number(rows[0][5]), number(rows[0][6])
	t := Table{Title: "Won and lost", Columns: columnsOf[what], More: won + lost}
	for _, r := range rows {
		switch {
		case r[7] == nil: // nothing came or went
			continue
		case what == "links":
			t.row(r[7], r[8], r[9], r[10])
		default:
			t.row(r[7], r[8], r[10])
		}
		t.More--
	}
	change = changeText(what, list, won, lost)
	from, to := words.Count(number(rows[0][3])), words.Count(number(rows[0][4]))
	return Section{Title: capital(what) + ": " + list, Headline: fmt.Sprintf("+%s −%s, from %s to %s", words.Count(won), words.Count(lost), from, to), Tables: []Table{t}}, change
}

// changeText says how much came and went: "domains +3 −1 (moz)".
func changeText(what, list string, won, lost int64) string {
	vendor, _, _ := strings.Cut(list, ",")
	return fmt.Sprintf("%s +%s −%s (%s)", what, words.Count(won), words.Count(lost), vendor)
}

// columnsOf are those of what came and went between two runs.
var columnsOf = map[string][]Column{
	"domains":      {{"change", Words}, {"domain", Address}, {"authority", Number}},
	"links":        {{"change", Words}, {"from", Address}, {"to", Address}, {"authority of its domain", Number}},
	"anchor texts": {{"change", Words}, {"text", Quotable}, {"domains", Number}},
}
