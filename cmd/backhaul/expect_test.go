package main

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"backhaul/jobs/report"
)

// expecting is a job of one list with so many rows, and what it expects.
func expecting(t *testing.T, w *ward, rows int, expect string) {
	t.Helper()
	dir := filepath.Dir(w.warehouse)
	writeFile(t, dir, "targets.csv", "target\n"+listTarget(1, rows)+"\n")
	w.job = writeFile(t, dir, "expecting.yaml", "job: measured\nvendors: {moz: {requests_per_second: 100000}}\ntargets: {all: {file: targets.csv}}\n"+
		"extracts: [{name: anchors, endpoint: moz/anchor_text, targets: [all], params: {scope: root_domain}}]\nexpect: ["+expect+"]\n"+
		"notify: [{on: [breach, recovered], webhook: {url_env: HOOK_URL}}]\n")
}

func TestABreachThatHoldsPublishesNothingUntilItIsAccepted(t *testing.T) {
	t.Parallel()
	w := watched(t, listSettings{})
	w.warehouse = filepath.Join(t.TempDir(), "w")
	h := newHook(t)
	expecting(t, w, 70, "{extract: anchors, rows: {min: 100}, on_breach: hold}")
	rows := func() string {
		return backhaul(t, 0, "query", "--warehouse", w.warehouse, "--format", "csv", "select count(*) as n, (select bool_or(held) from ops.expectations) as held from moz.anchor_text")
	}
	for i, step := range []struct {
		flag   string
		exit   int
		told   string
		bought int64
		lake   string
	}{
		{"--yes", exitTasksFailed, "breach", 70, "n,held\n0,true\n"},
		{"--yes", exitTasksFailed, "", 70, "n,held\n0,true\n"},
		{"--accept", exitComplete, "", 70, "n,held\n70,false\n"},
		{"--yes", exitComplete, "", 70, "n,held\n70,false\n"},
	} {
		status, said := w.try("run", w.job, "--date", wardDate, step.flag)
		told, last := h.take()
		if status != step.exit || told != step.told || w.bought() != step.bought {
			t.Errorf("run %d: exit %d, want %d; told %q, want %q; %d rows bought\n%s", i, status, step.exit, told, step.told, w.bought(), said)
		}
		if told != "" && !strings.Contains(last.Text, "rows of anchors: 70, at least 100 are expected") {
			t.Errorf("told %s", last.Text)
		}
		if i < 2 && !strings.Contains(said, "--accept") {
			t.Errorf("run %d does not say how to go on\n%s", i, said)
		}
		if _, status := w.try("status", "measured/"+wardDate); strings.Contains(status, "it is not published until") != (i < 2) {
			t.Errorf("run %d: status says\n%s", i, status)
		}
		if got := rows(); got != step.lake {
			t.Errorf("run %d: the lake says %q, want %q", i, got, step.lake)
		}
	}
}

func TestWhatIsExpectedIsHeldAgainstWhatCame(t *testing.T) {
	t.Parallel()
	w := watched(t, listSettings{})
	w.warehouse = filepath.Join(t.TempDir(), "w")
	h := newHook(t)
	const expect = "{table: moz.anchor_text, rows: {min: 50, max: 200}, change: {max_percent: 50}, rejected_rows: {max: 0}, drift: {max: 0}, units: {max: 150}, freshness: 2d}"
	for i, night := range []struct {
		date     string
		rows     int
		breaches string
		told     string
	}{
		{"2026-11-20", 100, "", ""},
		{"2026-11-21", 100, "", ""},
	} {
		expecting(t, w, night.rows, expect)
		status, said := w.try("run", w.job, "--date", night.date, "--json")
		var s report.Summary
		if err := json.Unmarshal([]byte(said[strings.Index(said, "{"):strings.LastIndex(said, "}")+1]), &s); err != nil || status != exitComplete {
			t.Fatalf("night %d: exit %d: %v\n%s", i, status, err, said)
		}
		found := map[string]int64{}
		for _, f := range s.Expectations {
			if f.Found != nil {
				found[f.Check] = *f.Found
			}
		}
		if found["rows"] != int64(night.rows) || found["units"] != int64(night.rows) || len(s.Breaches()) != 0 || len(s.Expectations) != 6 {
			t.Errorf("night %d: found %v; %+v", i, found, s.Expectations)
		}
		if _, compared := found["change"]; compared != (i > 0) {
			t.Errorf("night %d: found %v", i, found)
		}
		if told, _ := h.take(); told != night.told {
			t.Errorf("night %d: told %q", i, told)
		}
	}
	expecting(t, w, 100, "{extract: anchors, rows: {max: 99}, units: {max: 99}}")
	if status, said := w.try("run", w.job, "--date", "2026-11-22"); status != exitComplete || !strings.Contains(said, "breach    rows of anchors: 100, at most 99 are expected") || !strings.Contains(said, "breach    units of anchors") {
		t.Errorf("exit %d\n%s", status, said)
	}
	if told, last := h.take(); told != "breach" || len(last.Summary.Files) == 0 {
		t.Errorf("told %q", told)
	}
}

func TestAMartIsHeldAgainstWhatIsExpectedOnceTheNightIsPublished(t *testing.T) {
	t.Parallel()
	w := watched(t, listSettings{})
	w.warehouse = filepath.Join(t.TempDir(), "w")
	h := newHook(t)
	for i, night := range []struct {
		date  string
		rows  int
		told  string
		found int64
	}{
		{"2026-11-20", 50, "", 0},
		{"2026-11-21", 100, "breach", 40},
		{"2026-11-22", 40, "recovered", 0},
	} {
		expecting(t, w, night.rows, "{table: marts.anchors_current, where: \"rank > 60 and run_date = (select max(run_date) from moz.anchor_text)\", rows: {max: 0}}")
		status, said := w.try("run", w.job, "--date", night.date)
		if told, last := h.take(); status != exitComplete || told != night.told || told == "breach" && !strings.Contains(last.Text, "rows of marts.anchors_current where rank > 60 and run_date = (select max(run_date) from moz.anchor_text): 40, at most 0 are expected") {
			t.Errorf("night %d: exit %d, told %q of %q\n%s", i, status, told, last.Text, said)
		}
		got := backhaul(t, exitComplete, "query", "--warehouse", w.warehouse, "--format", "csv", "select found, breached from ops.expectations where run_date = '"+night.date+"'")
		if want := fmt.Sprintf("found,breached\n%d,%t\n", night.found, night.found > 0); got != want {
			t.Errorf("night %d: %q, want %q", i, got, want)
		}
	}
	expecting(t, w, 100, "{table: marts.anchor_changes, where: verdict = 'lost', rows: {max: 0}}")
	if status, said := w.try("validate", w.job); status != exitUsage || !strings.Contains(said, "expecting.yaml:5:10: what is expected of marts.anchor_changes: ") || !strings.Contains(said, `"verdict"`) {
		t.Errorf("exit %d\n%s", status, said)
	}
}
