package main

import (
	"bytes"
	"io"
	"io/fs"
	"slices"
	"strings"
	"testing"

	"backhaul/jobs"
	"backhaul/sinks"
	"backhaul/sinks/duckdb"
)

func TestEveryReadyMadeJobIsValidAndExplained(t *testing.T) {
	t.Parallel()
	names, err := fs.Glob(jobs.Files, "*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if len(names) != len(readyMade) {
		t.Errorf("%d jobs are explained, there are %v", len(readyMade), names)
	}
	var help bytes.Buffer
	if status := Main(t.Context(), inTest(t, &help, io.Discard, "help", "jobs")); status != exitComplete {
		t.Fatalf("status %d", status)
	}
	for _, j := range readyMade {
		spec, found := jobs.LoadFS(jobs.Files, j.name+".yaml", builtIn)
		if jobs.Failed(found) || spec.Job != j.name {
			t.Errorf("%s: %v", j.name, found)
		}
		for _, name := range append([]string{j.name + ".yaml"}, lists[j.name]...) {
			if text := strings.TrimSpace(string(shipped(name))); text == "" || !strings.Contains(help.String(), text) {
				t.Errorf("`help jobs` does not show %s", name)
			}
		}
	}
}

func TestTheFirstQuestionsAreValidBeforeAnythingWasBought(t *testing.T) {
	t.Parallel()
	w := sinks.Warehouse{Root: t.TempDir()}
	l, err := (&app{environment: inTest(t, io.Discard, io.Discard)}).openLake(w)
	if err != nil {
		t.Fatal(err)
	}
	defer l.close()
	if err := l.Catalog(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, j := range readyMade {
		for _, q := range slices.Concat(j.questions, j.later) {
			var out bytes.Buffer
			if err := duckdb.Query(t.Context(), w, q, duckdb.JSON, duckdb.Limits{}, &out); err != nil || out.String() != "[]\n" {
				t.Errorf("%s: %s: %v %s", j.name, q, err, out.String())
			}
		}
	}
}
