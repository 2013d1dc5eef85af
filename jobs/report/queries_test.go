package report

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"backhaul/jobs/ledger"
	"backhaul/jobs/run"
	"backhaul/pipeline"
)

func TestASummarySuggestsOnlyWhatHasRowsThatNight(t *testing.T) {
	const table, tasks = "moz.anchor_text", "select extract, target, ending, rows, units from ops.tasks where run_date = '2026-11-23' order by rows desc"
	cut := "select target, anchor_text, external_root_domains from moz.anchor_text where run_date = '2026-11-23' order by external_root_domains desc limit 20"
	whole := "from marts.anchors_current where target = 'b.example' limit 20"
	lists := []*ledger.Task{new(task("a.example", pipeline.EndOfList, 0)), new(task("a.example/$(x)", pipeline.EndOfList, 3)), new(task("b.example", pipeline.EndOfList, 3))}
	result := func(rows int64, lists ...*ledger.Task) *run.Result {
		return &run.Result{Run: ledger.Run{RunDate: "2026-11-23", State: ledger.Complete}, Whole: lists,
			Files: []run.File{{Table: table, Rows: rows}, {Table: "moz.url_metrics", Rows: 9}}}
	}
	rejects, failing := result(6, lists...), result(6, lists...)
	rejects.Rejections, failing.Failed = []pipeline.Rejection{{Table: table, Rows: 1}}, true
	for name, want := range map[string]struct {
		result  *run.Result
		queries []string
	}{
		"whole lists":         {result(6, lists...), []string{whole, tasks}},
		"no plain target":     {result(6, lists[:2]...), []string{cut, tasks}},
		"all lists cut":       {result(6), []string{cut, tasks}},
		"index unchanged":     {result(0), []string{tasks}},
		"rejected rows":       {rejects, []string{cut, tasks}},
		"stopped by an error": {failing, nil},
	} {
		if diff := cmp.Diff(want.queries, Summarize(want.result, 0, 0).Queries()); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}
