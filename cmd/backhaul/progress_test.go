package main

import (
	"bytes"
	"strings"
	"testing"

	"backhaul/jobs/run"
)

func TestLoadingAndPublishingAreALineEveryFewSecondsWhereNobodyWatches(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	p := newProgress(&out, "xterm")
	for _, name := range []run.StepName{run.Planning, run.Buying, run.Loading, run.Publishing, run.Closing} {
		p.step(run.Step{Name: name, Table: "moz.links", Done: 1, Of: 3})
		if out.Len() > 0 {
			t.Errorf("%s: said at once: %s", name, out.String())
		}
		if p.now == nil {
			continue // it buys
		}
		p.now.lastLine = p.now.lastLine.Add(-logEvery)
		p.step(run.Step{Name: name, Table: "moz.links", Done: 2, Of: 3})
		p.step(run.Step{Name: name, Table: "moz.links", Done: 3, Of: 3})
		want := map[run.StepName]string{run.Loading: `msg=loading table=moz.links done="2/3 replies"`, run.Publishing: `msg=publishing table=moz.links done="2/3 tables"`}[name]
		if got := out.String(); !strings.Contains(got, want) || strings.Count(got, "\n") > 1 || (want == "") != (got == "") {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
		out.Reset()
	}
}
