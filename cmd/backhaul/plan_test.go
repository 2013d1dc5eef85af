package main

import (
	"path/filepath"
	"regexp"
	"testing"
)

func TestAPlanFollowsTheSpecAndKnowsWhereListsEnd(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	job := writeFile(t, dir, "job.yaml", `job: order
targets: {a: [tiny-tarps.example]}
extracts:
  - {name: batch, endpoint: moz/url_metrics, targets: [a]}
  - {name: top, endpoint: moz/global_top_pages}
  - {name: few, endpoint: moz/global_top_root_domains, max_rows: 120}
`)
	status, text := said(t, "plan", job, "--warehouse", filepath.Join(dir, "w"))
	const want = `  batch .* 1 input in 1 task, .*\n  top .* expected 500 rows, 10 requests, 500 units.*\n  few .* expected 120 rows, 3 requests, 120 units`
	if status != exitComplete || !regexp.MustCompile(want).MatchString(text) {
		t.Errorf("exit %d, %s", status, text)
	}
}
