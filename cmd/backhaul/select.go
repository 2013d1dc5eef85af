package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"backhaul/jobs/chain"
	"backhaul/jobs/plan"
	"backhaul/jobs/run"
	"backhaul/pipeline/words"
)

// selection is which extracts of a job are meant.
type selection struct{ only, but []string }

// add gives a command the flags.
func (s *selection) add(cmd *cobra.Command) {
	cmd.Flags().StringArrayVar(&s.only, "select", nil, "buy this extract and no other; may be repeated")
	cmd.Flags().StringArrayVar(&s.but, "exclude", nil, "leave this extract out; may be repeated")
}

// holds reports whether an extract is meant.
func (s *selection) holds(extract string) bool {
	return (len(s.only) == 0 || slices.Contains(s.only, extract)) && !slices.Contains(s.but, extract)
}

// check refuses names that the job does not have, and a selection of nothing.
func (s *selection) check(job *loadedJob) error {
	var names []string
	left := 0
	for i := range job.Extracts {
		name := job.Extracts[i].Name
		if names = append(names, name); s.holds(name) {
			left++
		}
	}
	for _, name := range slices.Concat(s.only, s.but) {
		if !slices.Contains(names, name) {
			return usage("job %s has no extract %q%s it has: %s", job.Job, name, nearest(names, name), strings.Join(names, ", "))
		}
	}
	if left == 0 {
		return usage("--select and --exclude leave no extract of job %s", job.Job)
	}
	return nil
}

// of returns the part of an outline that is meant.
func (s *selection) of(outline run.Job) run.Job {
	outline.Steps = slices.DeleteFunc(slices.Clone(outline.Steps), func(step chain.Step) bool { return !s.holds(step.Extract) })
	return outline
}

// items yields the tasks that are meant.
func (s *selection) items(job *loadedJob) func(yield func(plan.Item) bool) {
	return func(yield func(plan.Item) bool) {
		for it := range job.items() {
			if s.holds(it.Task.Extract) && !yield(it) {
				return
			}
		}
	}
}

// unselectedText says what a run lacks because it was not selected; "" if nothing.
func unselectedText(r *run.Result) string {
	var names []string
	left := r.Unselected()
	for _, t := range left {
		if !slices.Contains(names, t.Extract) {
			names = append(names, t.Extract)
		}
	}
	if len(left) == 0 {
		return ""
	}
	return fmt.Sprintf("not selected: %s, %s that the run lacks; without --select and --exclude it buys them", strings.Join(names, ", "), words.Plural(len(left), "task"))
}
