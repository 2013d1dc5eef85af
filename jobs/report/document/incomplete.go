package document

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"backhaul/jobs/ledger"
	"backhaul/jobs/report"
	"backhaul/pipeline"
	"backhaul/pipeline/words"
)

// incomplete says what the run lacks, and why.
func (b *builder) incomplete(context.Context) ([]Section, error) {
	s := Section{Title: "What is incomplete, and why"}
	if b.Run.IncompleteCount == 0 && b.Run.Rejected == 0 {
		s.Headline = "Nothing: every list holds what was asked for, and every row fits its table."
	}
	if b.Run.Message != "" && b.Run.State != string(ledger.Complete) {
		s.Notes = append(s.Notes, "It stopped: "+b.Run.Message+".")
	}
	if missing := b.Run.IncompleteCount - b.Run.Unpublished; missing > 0 {
		s.Headline = fmt.Sprintf("%s missing something; finishing is expected to cost %s: run the job again with --date %s.",
			words.Are(missing, "list"), report.MoreText(b.Run.ToFinish, b.Run.FinishUnknown), b.Run.RunDate)
		s.Tables = append(s.Tables, b.causes(), b.unfinished())
	}
	if b.Run.Unpublished > 0 {
		s.Notes = append(s.Notes, fmt.Sprintf("%s bought and not known to be published: run the job again with --date %s, which costs nothing.",
			words.Are(b.Run.Unpublished, "list"), b.Run.RunDate))
	}
	if b.Run.Rejected > 0 {
		s.Notes = append(s.Notes, "Rows that do not fit are in ops.rejected_rows; their lists are not compared with other nights.")
		s.Tables = append(s.Tables, b.rejections())
	}
	return []Section{s}, nil
}

// causes groups what is missing by how it ended.
func (b *builder) causes() Table {
	t := Table{Title: "By cause", Columns: []Column{{"cause", Words}, {"lists", Number}, {"extracts", Words}, {"which means", Words}}}
	counts, extracts := map[string]int64{}, map[string][]string{}
	for _, task := range b.Run.Tasks {
		if complete(task) {
			continue
		}
		counts[task.Ending]++
		if !slices.Contains(extracts[task.Ending], task.Extract) {
			extracts[task.Ending] = append(extracts[task.Ending], task.Extract)
		}
	}
	endings := make([]string, 0, len(counts))
	for ending := range counts {
		endings = append(endings, ending)
	}
	slices.SortFunc(endings, func(x, y string) int { return cmp.Or(cmp.Compare(counts[y], counts[x]), cmp.Compare(x, y)) })
	for _, ending := range endings {
		t.row(ending, counts[ending], strings.Join(extracts[ending], ", "), meanings[pipeline.Ending(ending)])
	}
	return t
}

// meanings say what the endings that are not complete come to.
var meanings = map[pipeline.Ending]string{
	pipeline.EndNotReached:  "the run ended before its turn",
	pipeline.EndInterrupted: "it was stopped in the middle; what came is kept",
	pipeline.EndBudget:      "a budget of the job, or of the command line, was used up",
	pipeline.EndQuota:       "the vendor's own quota was used up",
	pipeline.EndDenied:      "the vendor refused the credentials",
	pipeline.EndUnreachable: "the vendor did not answer",
	pipeline.EndStale:       "the vendor's cursor died too often",
	pipeline.EndRepeats:     "the list brought what it had brought before",
	pipeline.EndFault:       "the vendor refused the request, or its reply could not be read",
}

// unfinished lists what is missing: those that ended by themselves before those that never had their turn.
func (b *builder) unfinished() Table {
	t := Table{Title: "Lists that are missing something", Columns: []Column{
		{"extract", Words}, {"about", Quotable}, {"scope", Words}, {"ending", Words}, {"rows", Number}, {"units", Number}, {"why", Quotable},
	}}
	var open []report.TaskStatus
	for _, task := range b.Run.Tasks {
		if !complete(task) {
			open = append(open, task)
		}
	}
	last := func(t report.TaskStatus) int {
		if t.Ending == string(pipeline.EndNotReached) {
			return 1
		}
		return 0
	}
	slices.SortStableFunc(open, func(x, y report.TaskStatus) int { return cmp.Compare(last(x), last(y)) })
	for _, task := range open[:min(len(open), b.rows())] {
		t.row(task.Extract, cmp.Or(task.About, task.Target), task.Scope, task.Ending, task.Rows, int64(task.Units), task.Error)
	}
	t.More = int64(len(open) - len(t.Rows))
	return t
}

// rejections lists what did not fit.
func (b *builder) rejections() Table {
	t := Table{Title: "Rows that did not fit", Columns: []Column{{"table", Words}, {"field", Quotable}, {"rows", Number}, {"reason", Quotable}}}
	for _, r := range b.Run.Rejections[:min(len(b.Run.Rejections), b.rows())] {
		t.row(r.Table, r.Field, r.Rows, r.Reason)
	}
	t.More = int64(len(b.Run.Rejections) - len(t.Rows))
	return t
}
