//go:build !fleet

package main

import (
	"bytes"
	"strings"
	"testing"
)

func TestABuildWithoutTemporalSaysWhichHasIt(t *testing.T) {
	job := writeFile(t, t.TempDir(), "job.yaml", fleetLess)
	for _, args := range [][]string{{"worker"}, {"schedule", job}, {"run", job, "--engine", "temporal"}, {"replay", "nightly/2026-11-23", "--engine", "temporal"}} {
		var out bytes.Buffer
		if status := Main(t.Context(), inTest(t, &out, &out, args...)); status != exitUsage || !strings.Contains(out.String(), "backhaul-fleet") {
			t.Errorf("%v: exit %d: %s", args, status, &out)
		}
	}
}

func TestAnEngineThatThereIsNotIsAMistake(t *testing.T) {
	job := writeFile(t, t.TempDir(), "job.yaml", fleetLess)
	var out bytes.Buffer
	if status := Main(t.Context(), inTest(t, &out, &out, "run", job, "--engine", "steam")); status != exitUsage || !strings.Contains(out.String(), `got "steam"`) {
		t.Errorf("exit %d: %s", status, &out)
	}
}

const fleetLess = `job: nightly
targets: {all: [summit-supply.example]}
extracts:
  - {name: anchors, endpoint: moz/anchor_text, targets: [all], params: {scope: root_domain}}
`
