package report

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"backhaul/jobs/account"
	"backhaul/jobs/buy"
	"backhaul/jobs/ledger"
	"backhaul/jobs/plan"
	"backhaul/jobs/run"
	"backhaul/pipeline"
	"backhaul/pipeline/words"
)

func task(target string, ending pipeline.Ending, rows int64) ledger.Task {
	return ledger.Task{Task: pipeline.Task{Extract: "anchors", Endpoint: "moz/anchor_text", Target: target, Scope: "page"},
		Ending: ending, Pages: 1, Rows: rows, Units: pipeline.Units(rows)}
}

func TestASummarySaysWhatFailedAndCountsWhatWasNeverReached(t *testing.T) {
	failed := task("b.example", pipeline.EndFault, 50)
	failed.Error = "rejected: HTTP 400: no"
	r := &run.Result{
		Run:    ledger.Run{ID: "r1", Job: "nightly", RunDate: "2026-11-23", State: ledger.Incomplete},
		Tasks:  []ledger.Task{task("a.example", pipeline.EndOfList, 1234567), failed, task("c.example", pipeline.EndNotReached, 0)},
		Bought: pipeline.Cost{Pages: 3, Rows: 1234617, Units: 1234617},
		Files:  []run.File{{Table: "moz.anchor_text", Path: "x.parquet", Rows: 1234617, Bytes: 3 << 20}},
		Stop:   errors.New("moz: stopped"),
	}
	s := Summarize(r, 3, 90*time.Second)
	var text strings.Builder
	if err := s.Text(&text); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"run r1 of job nightly for 2026-11-23: incomplete in 1m30s", "1,234,617 rows for 1,234,617 units in 3 requests",
		"1 of 3 complete", "incomplete: anchors of b.example (moz/anchor_text, page): fault after 50 rows: rejected: HTTP 400: no",
		"not reached: 1 task", "3.0 MiB",
	} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("no %q in\n%s", want, text.String())
		}
	}
	if strings.Contains(text.String(), "c.example") {
		t.Errorf("the task that was never reached is listed:\n%s", text.String())
	}
}

func TestASummarySaysWhatVendorsHaveCostInTime(t *testing.T) {
	t.Parallel()
	r := &run.Result{Delays: map[string]buy.Delay{
		"moz": {Vendor: "moz", Refused: 95 * time.Second, Silent: time.Minute, PerSecond: 7.5}, "ahrefs": {Vendor: "ahrefs", Refused: 5 * time.Millisecond},
	}}
	s := Summarize(r, 0, time.Second)
	var text strings.Builder
	if err := s.Text(&text); err != nil {
		t.Fatal(err)
	}
	const want = "  delay     moz turned requests away, which cost 1m35s; it was found to take 7.5 a second\n  delay     moz answered no request for 1m\n"
	if !strings.Contains(text.String(), want) || strings.Contains(text.String(), "ahrefs") || len(s.Delays) != 1 {
		t.Errorf("%+v\n%s", s.Delays, text.String())
	}
}

func TestABadNightIsToldInEightLinesThatSuffice(t *testing.T) {
	t.Parallel()
	s := Summary{Job: "nightly", RunDate: "2026-11-23", RunID: "r1", State: string(ledger.Incomplete), Tasks: 9, Rejected: 7, MissingUnknown: 2,
		Missing: &pipeline.Cost{Units: 1050}, Holds: []plan.Hold{{RunID: "r0", Job: "nightly", RunDate: "2026-11-22", Units: 50}}}
	for i := range 6 {
		s.Incomplete = append(s.Incomplete, Task{Extract: "anchors", Ending: "fault", Error: "fault " + words.Count(i) + "\nof two lines"})
	}
	for _, table := range []string{"moz.links", "moz.anchor_text", "moz.url_metrics"} {
		s.Expectations = append(s.Expectations, account.Finding{Check: "rows", Table: table, Breached: true, Held: true})
	}
	var text strings.Builder
	if err := s.Brief(&text); err != nil {
		t.Fatal(err)
	}
	if lines := strings.Count(text.String(), "\n"); lines > 8 { // and what was left out, and what to do
		t.Errorf("%d lines:\n%s", lines, text.String())
	}
	for _, want := range []string{"nightly for 2026-11-23: incomplete, 3 of 9 lists", "fault 0; of two lines", "3 more reasons: see `backhaul status r1`",
		"at least 1,050 units more, with 2 lists of unknown length", "7 rows did not fit", "moz.links", "--accept", "2 more: see ops.expectations", "backhaul reconcile"} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("no %q in\n%s", want, text.String())
		}
	}
}

func TestFailuresOfOneCauseAreOneLine(t *testing.T) {
	t.Parallel()
	denied := func(target string) ledger.Task {
		one := task(target, pipeline.EndDenied, 0)
		one.Error = "denied: HTTP 401: no"
		return one
	}
	other := task("d.example", pipeline.EndFault, 50)
	other.Error = "rejected: HTTP 400: no"
	partly := task("b.example", pipeline.EndDenied, 50) // which had come further when the vendor was given up
	partly.Error = "moz: denied: HTTP 401: no"
	var text strings.Builder
	s := Summarize(&run.Result{Run: ledger.Run{ID: "r1"}, Tasks: []ledger.Task{denied("a.example"), other, partly, denied("c.example")}}, 0, time.Second)
	if err := s.Text(&text); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"  incomplete: anchors of a.example (moz/anchor_text, page) and 2 more: denied: HTTP 401: no\n",
		"  incomplete: anchors of d.example (moz/anchor_text, page): fault after 50 rows: rejected: HTTP 400: no\n",
		"  each of them: `backhaul status r1`\n",
	} {
		if strings.Count(text.String(), want) != 1 {
			t.Errorf("no %q in\n%s", want, text.String())
		}
	}
	if strings.Contains(text.String(), "b.example") {
		t.Errorf("each is told:\n%s", text.String())
	}
}

func TestASummaryTellsTheVendorsApart(t *testing.T) {
	other := task("b.example", pipeline.EndOfList, 20)
	other.Endpoint = "ahrefs/anchors"
	s := Summarize(&run.Result{Tasks: []ledger.Task{task("a.example", pipeline.EndOfList, 50), other, task("c.example", pipeline.EndOfList, 5)}}, 0, time.Second)
	want := []VendorCost{{"ahrefs", pipeline.Cost{Pages: 1, Rows: 20, Units: 20}}, {"moz", pipeline.Cost{Pages: 2, Rows: 55, Units: 55}}}
	if !slices.Equal(s.Vendors, want) || s.Held != (pipeline.Cost{Pages: 3, Rows: 75, Units: 75}) {
		t.Errorf("%+v, %+v", s.Vendors, s.Held)
	}
}

func TestAFailedBatchIsToldByWhatItIsABatchOf(t *testing.T) {
	inputs := func(names ...string) []pipeline.Input {
		var list []pipeline.Input
		for _, n := range names {
			list = append(list, pipeline.Input{Target: n})
		}
		return list
	}
	sources := []pipeline.Input{{Source: "x.example"}, {Source: "y.example"}}
	for want, about := range map[string]pipeline.Task{
		"authority of a batch of 3 targets from a.example to c.example (moz/url_metrics): fault after 1 row: no": {Inputs: inputs("a.example", "b.example", "c.example")},
		"authority of a.example (moz/url_metrics): fault after 1 row: no":                                        {Inputs: inputs("a.example")},
		"authority of a.example and 2 sources (moz/url_metrics, page): fault after 1 row: no":                    {Target: "a.example", Inputs: sources, Scope: "page"},
		"authority (moz/url_metrics): fault after 1 row: no":                                                     {},
	} {
		about.Extract, about.Endpoint = "authority", "moz/url_metrics"
		got := summarizeTask(&ledger.Task{Task: about, Ending: pipeline.EndFault, Rows: 1, Error: "no"})
		if text := got.name() + ": " + got.outcome(); text != want {
			t.Errorf("%s\nwant %s", text, want)
		}
	}
}

func TestAPlanSaysWhatItDoesNotKnow(t *testing.T) {
	var text strings.Builder
	left := pipeline.Units(10)
	err := PlanText(&text, "nightly", "2026-11-23", &plan.Plan{
		Extracts: []plan.Extract{{Extract: "anchors", Endpoint: "moz/anchor_text", Targets: 2, Unknown: 1, Expected: pipeline.Cost{Pages: 2, Rows: 90, Units: 90}}},
		Vendors:  []plan.Vendor{{Vendor: "moz", Expected: pipeline.Cost{Pages: 2, Rows: 90, Units: 90}, Unknown: 1, Allowed: &left, Scarce: true, Seconds: 1}},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"moz: expected at least 90 rows", "2 targets, expected at least 90 rows, 2 requests, 90 units, 1 of unknown length, worst case unbounded (no max_rows)",
		"the budget leaves 10 units: not enough for all", "will stop this run: it leaves 10 moz units, and all of it is expected to take at least", "1 list never read before"} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("no %q in\n%s", want, text.String())
		}
	}
}

func TestAPlanNamesTheCeilingThatBindsAndWhatOthersUsed(t *testing.T) {
	left := pipeline.Units(139)
	for want, v := range map[string]plan.Vendor{
		"moz: the month's budget of all jobs leaves 139 units (nightly used 100, others with this key used 761)": {Ceiling: plan.OfWarehouse, Others: 761, Used: []plan.JobUnits{{Job: "nightly", Units: 100}}},
		"moz: the job's own budget for the month leaves 139 units":                                               {Ceiling: plan.OfMonth, Others: 761},
		"the vendor has not been asked yet what others use of the key":                                           {Ceiling: plan.OfWarehouse, Uncounted: true},
		"moz: the vendor's own quota for the month leaves 139 units":                                             {Ceiling: plan.OfQuota, Others: 761},
		"moz: --max-units leaves 139 units":                                                                      {Ceiling: plan.OfFlag},
		"worst case 0 units; no rate limit":                                                                      {Worst: &pipeline.Cost{}},
		"worst case 0 units; nothing to ask":                                                                     {Worst: &pipeline.Cost{}, PerSecond: 2},
		"expected 5 rows, 1 request, 5 units of the 12 that all of it":                                           {Expected: pipeline.Cost{Pages: 1, Rows: 5, Units: 5}, Needed: pipeline.Cost{Units: 12}},
	} {
		v.Vendor, v.Allowed = "moz", &left
		var text strings.Builder
		if err := PlanText(&text, "nightly", "2026-11-23", &plan.Plan{Vendors: []plan.Vendor{v}}); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(text.String(), want) {
			t.Errorf("no %q in\n%s", want, text.String())
		}
	}
}

func TestAPlanSaysThatAnUnchangedIndexSavesAnExtract(t *testing.T) {
	const want = "nothing if the vendor's index is unchanged"
	x := plan.Extract{Extract: "a", Endpoint: "moz/links", Targets: 1, IfIndexChanged: 1}
	if got := ExtractText(x); !strings.Contains(got, want) {
		t.Error(got)
	}
	if x.After = []string{"b"}; !strings.Contains(ExtractText(x), want) {
		t.Error(ExtractText(x))
	}
	if x.IfIndexChanged = 0; strings.Contains(ExtractText(x), want) {
		t.Error(ExtractText(x))
	}
}

func TestOnlyRequestsThatWereTriedAgainCountAsSuch(t *testing.T) {
	for ending, want := range map[pipeline.Ending]int{
		pipeline.EndOfList: 3, pipeline.EndBudget: 2, pipeline.EndDenied: 2, pipeline.EndFault: 2, pipeline.EndNotReached: 2,
	} {
		failed := task("a.example", ending, 0)
		failed.Attempts = 3
		if s := Summarize(&run.Result{Tasks: []ledger.Task{failed}}, 1, 0); s.Retries != want {
			t.Errorf("%s: %d tried again, want %d", ending, s.Retries, want)
		}
	}
	refused := task("a.example", pipeline.EndDenied, 0)
	refused.Attempts = 1
	if s := Summarize(&run.Result{Tasks: []ledger.Task{refused, refused}}, 1, 0); s.Retries != 0 {
		t.Errorf("%d of 2 refusals were tried again, want none", s.Retries)
	}
}

func TestASummaryOfAFailedRunSaysSoAndNothingThatIsNotKnown(t *testing.T) {
	r := &run.Result{Run: ledger.Run{ID: "r1", State: ledger.Incomplete}, Failed: true, Tasks: []ledger.Task{task("a.example", pipeline.EndInterrupted, 7)}}
	s := Summarize(r, 1, time.Second)
	var text strings.Builder
	if err := s.Text(&text); err != nil {
		t.Fatal(err)
	}
	if s.State != "failed" || s.Missing != nil || !strings.Contains(text.String(), ": failed in 1.0s") || strings.Contains(text.String(), "units more") {
		t.Errorf("%+v\n%s", s, text.String())
	}
}

func TestNumbersAreSpelledForPeople(t *testing.T) {
	for got, want := range map[string]string{
		words.Count(0): "0", words.Count(999): "999", words.Count(1000): "1,000", words.Count(-1234567): "-1,234,567",
		words.Bytes(1023): "1023 B", words.Bytes(1536): "1.5 KiB", words.Duration(2.34): "2.3s", words.Duration(3601): "1h0m1s",
		words.Plural(1, "task"): "1 task", words.Plural(1200, "task"): "1,200 tasks",
	} {
		if got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}
