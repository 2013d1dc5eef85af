package document

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"backhaul/jobs/ledger"
	"backhaul/jobs/report"
	"backhaul/pipeline"
	"backhaul/sinks/duckdb"
)

var update = flag.Bool("update", false, "write the golden files anew")

// ofRun is how a run stands: one list whole, one not reached, one cut by a budget, and rows that did not fit.
func ofRun() Subject {
	at := time.Date(2026, 11, 23, 2, 0, 0, 0, time.UTC)
	task := func(extract, endpoint, target, ending, why string, rows int64) report.TaskStatus {
		return report.TaskStatus{Task: report.Task{Extract: extract, Endpoint: endpoint, Target: target, Scope: "root_domain", Ending: ending,
			Pages: int(rows+49) / 50, Rows: rows, Units: pipeline.Units(rows), Error: why}}
	}
	month, run := pipeline.Units(1000), pipeline.Units(400)
	return Subject{
		Run: report.Status{
			RunID: "01RUN", Job: "nightly", RunDate: "2026-11-23", State: "incomplete", Message: "budget: the job's budget for one run has 0 units left",
			Started: at, Ended: at.Add(90 * time.Second), TaskCount: 4, IncompleteCount: 2, Rows: 350, Spent: 350, ToFinish: 120, Rejected: 3,
			Rejections: []pipeline.Rejection{{Table: "moz.anchor_text", Field: "external_pages", Rows: 3, Reason: "want an integer, got <b>many</b>"}},
			Tasks: []report.TaskStatus{
				task("anchors", "moz/anchor_text", "acme.example", "end of list", "", 200),
				task("domains", "moz/linking_root_domains", "acme.example", "end of list", "", 100),
				task("domains", "moz/linking_root_domains", "rival.example", "not reached", "", 0),
				task("links", "moz/links", "rival.example", "budget", "the budget has 0 left", 50),
			},
		},
		Budgets: map[string]ledger.Budget{"moz": {Vendor: "moz", Run: &run, Month: &month, MonthStart: time.Date(2026, 11, 15, 0, 0, 0, 0, time.UTC)}},
		Own:     map[string]Use{"moz": {Spent: 350, Held: 10}},
		Job:     map[string]Use{"moz": {Spent: 500, Held: 10}},
		All:     map[string]Use{"moz": {Spent: 700, Held: 10}},
		Now:     at.Add(time.Hour),
		Rows:    3,
	}
}

// hostile is what an anchor text may be.
var hostile = []string{
	`</script><script>alert(1)</script>`, `"onmouseover="alert(1)`, `'--><img src=x onerror=alert(1)>`, "\u202eevil\u202c", "שלום עולם", "🧗‍♀️ 🏔️", "{{.Title}}", "\u2028line\x00",
	"javascript:alert(1)", strings.Repeat("long ", 100),
}

// answers are what the catalog says, by the file of the question.
func answers() map[string][][]any {
	n := func(v int64) any { return v }
	return map[string][][]any{
		"spend": {
			{"ahrefs", "2026-11-20", n(7), n(7)}, {"moz", "2026-11-16", n(150), n(150)}, {"moz", "2026-11-20", n(0), n(200)}, {"moz", "2026-11-23", n(350), n(350)},
		},
		"nights": {
			{"acme.example", "domains", "moz, domains, root_domain", "2026-11-22", n(2), n(0)},
			{"acme.example", "domains", "moz, domains, root_domain", "2026-11-23", n(5), n(1)},
			{"acme.example", "anchor texts", "moz, anchors, root_domain", "2026-11-22", n(0), n(0)},
		},
		"domains": {
			{"acme.example", "moz, domains, root_domain", n(6), "won", "big.example", n(80), nil, n(3)},
			{"acme.example", "moz, domains, root_domain", n(6), "lost", `x.example/"><script>`, n(40), n(12), n(1)},
			{"acme.example", "moz, domains, root_domain", n(6), "won", "javascript:alert(1)", n(5), n(2), n(1)},
		},
		"ahrefs_changes": {{"acme.example", "domains", "ahrefs, refs, subdomains", n(8), n(9), n(1), n(0), "won", "dr.example", nil, n(55)}},
		"lists":          {{"2026-11-23"}},
		"profile": {
			{"acme.example", "moz, anchors, root_domain", "2026-11-23", false, "branded", n(3), n(30), n(40), 0.75},
			{"acme.example", "moz, anchors, root_domain", "2026-11-23", false, "naked_url", n(1), n(10), n(10), 0.25},
		},
		"authority": {
			{"acme.example", "moz, domains, root_domain", "2026-11-23", n(-1), n(1)},
			{"acme.example", "moz, domains, root_domain", "2026-11-23", n(0), n(12)},
			{"acme.example", "moz, domains, root_domain", "2026-11-23", n(9), n(2)},
		},
		"overlap":       {{"acme.example", "anchor", "site", n(5), n(9), n(2)}, {"acme.example", "domain", "site", n(1), n(7), n(3)}},
		"overlap_items": {{"acme.example", "anchor, site", n(7), "moz", hostile[0], n(2), n(8)}, {"acme.example", "anchor, site", n(7), "ahrefs", hostile[4], nil, n(4)}},
		"verdicts":      {{"live", n(4), "2026-11-23"}, {"lost", n(1), "2026-11-23"}},
		"campaign":      {{n(5), "lost", "spring", "blog.example/a", "acme.example/tents", "2026-11-20", "2026-10-01", "2026-11-23", n(33), "mail@blog.example"}},
		"prospects":     {{n(40), "news.example/list", hostile[1], n(2), "a.example, b.example", n(61), n(44), nil, "2026-11-02", nil}},
		"gap":           {{"acme.example", "gap, page", "2026-10", n(9), n(4), n(1), n(2), n(0), n(10)}, {"acme.example", "gap, page", "2026-11", n(10), n(1), n(2), n(0), n(1), n(8)}},
	}
}

// saying answers questions by their first lines, which are unique, and all others with no row.
func saying(t *testing.T, known map[string][][]any) Ask {
	t.Helper()
	byTitle := map[string][][]any{}
	for name, rows := range known {
		text, err := questions.ReadFile("sql/" + name + ".sql")
		if err != nil {
			t.Fatal(err)
		}
		title, _, _ := strings.Cut(string(text), "\n")
		byTitle[title] = rows
	}
	return func(_ context.Context, sql string) ([][]any, error) {
		if i := strings.Index(sql, "$"); i >= 0 {
			return nil, fmt.Errorf("a value is missing at %.20s", sql[i:])
		}
		title, _, _ := strings.Cut(sql, "\n")
		return byTitle[title], nil
	}
}

func build(t *testing.T, s Subject, known map[string][][]any) *Report {
	t.Helper()
	r, err := Build(t.Context(), saying(t, known), s)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// differences are what is different between two runs.
var differences = [][]any{
	{"acme.example", "domains", "moz, domains, root_domain", int64(20), int64(21), int64(3), int64(2), "won", "big.example", nil, int64(80)},
	{"acme.example", "domains", "moz, domains, root_domain", int64(20), int64(21), int64(3), int64(2), "lost", "small.example", nil, nil},
	{"acme.example", "links", "moz, links, root_domain", int64(5), int64(6), int64(1), int64(0), "won", "big.example/a", "acme.example/b", int64(80)},
	{"acme.example", "anchor texts", "moz, anchors, root_domain", int64(7), int64(7), int64(0), int64(0), nil, nil, nil, nil},
}

func compare(t *testing.T, first, second Subject, known map[string][][]any) *Report {
	t.Helper()
	r, err := Compare(t.Context(), saying(t, known), first, second)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// golden holds a value against a file of testdata.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s: -want +got (-update writes it anew)\n%s", path, diff)
	}
}

func TestTheReportSaysWhatThereIsToSay(t *testing.T) {
	quiet := ofRun()
	quiet.Run.State, quiet.Run.Message, quiet.Run.IncompleteCount, quiet.Run.Rejected, quiet.Run.Rejections = "complete", "", 0, 0, nil
	quiet.Run.Tasks = quiet.Run.Tasks[:1]
	quiet.Budgets = nil
	for name, c := range map[string]struct {
		subject Subject
		known   map[string][][]any
	}{
		"full":      {ofRun(), answers()},
		"one-night": {quiet, map[string][][]any{"lists": answers()["lists"], "profile": answers()["profile"], "authority": answers()["authority"]}},
		"no-rows":   {quiet, nil},
		"no-run":    {Subject{Now: ofRun().Now}, nil},
		"compared":  {quiet, map[string][][]any{"compare": differences}},
	} {
		t.Run(name, func(t *testing.T) {
			var r *Report
			switch {
			case c.subject.Run.RunID == "":
				r = Nothing(c.subject.Now)
			case c.known["compare"] != nil:
				r = compare(t, ofRun(), c.subject, c.known)
			default:
				r = build(t, c.subject, c.known)
			}
			model, err := json.MarshalIndent(r, "", " ")
			if err != nil {
				t.Fatal(err)
			}
			golden(t, name+".json", append(model, '\n'))
			var text bytes.Buffer
			if err := r.Text(&text); err != nil {
				t.Fatal(err)
			}
			golden(t, name+".txt", text.Bytes())
		})
	}
}

func TestWhatFinishingCostsIsAFloorWhereLengthsAreUnknown(t *testing.T) {
	for unknown, want := range map[int]string{0: "expected to cost 120 units more", 1: "expected to cost at least 120 units more"} {
		s := ofRun()
		s.Run.FinishUnknown = unknown
		var text bytes.Buffer
		if err := build(t, s, nil).Text(&text); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(text.String(), want) {
			t.Errorf("no %q in\n%s", want, text.String())
		}
	}
}

func TestLinesOfTheTextAreThoseOfTheReportAlone(t *testing.T) {
	s := ofRun()
	s.Run.Tasks[3].Error = "first\nState: complete"
	var text bytes.Buffer
	if err := build(t, s, nil).Text(&text); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(text.String(), "\nState: complete") {
		t.Error(text.String())
	}
}

func TestTargetsAreBoundedAndTheRestIsCounted(t *testing.T) {
	s := ofRun()
	for i := range 100 {
		s.Run.Tasks = append(s.Run.Tasks, report.TaskStatus{Task: report.Task{Extract: "domains", Endpoint: "moz/linking_root_domains", Target: fmt.Sprintf("t%03d.example", i), Rows: int64(i)}})
	}
	r := build(t, s, nil)
	var targets *Section
	for i := range r.Sections {
		if r.Sections[i].Title == "Targets" {
			targets = &r.Sections[i]
		}
	}
	if targets == nil || len(targets.Parts) != mostTargets || targets.Parts[0].Title != "acme.example" || targets.Parts[1].Title != "t099.example" {
		t.Fatalf("%+v", targets)
	}
	if last := targets.Notes[len(targets.Notes)-1]; !strings.Contains(last, "62 more") {
		t.Error(last)
	}
}

func TestATargetIsAValueOfSQLWhateverItSays(t *testing.T) {
	s := ofRun()
	s.Run.Tasks[0].Target = `it's $date'); drop`
	var asked []string
	_, err := Build(t.Context(), func(_ context.Context, sql string) ([][]any, error) {
		asked = append(asked, sql)
		return nil, nil
	}, s)
	if all := strings.Join(asked, "\n"); err != nil || !strings.Contains(all, `'it''s $date''); drop'`) {
		t.Errorf("%v\n%s", err, all)
	}
}

func TestTheCatalogUnderstandsEveryQuestion(t *testing.T) {
	stage, err := duckdb.Rehearse(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer stage.Close()
	names, err := fs.Glob(questions, "sql/*.sql")
	if err != nil || len(names) == 0 {
		t.Fatal(names, err)
	}
	values := strings.NewReplacer("$job", "'nightly'", "$date", "DATE '2026-11-23'", "$from", "DATE '2026-10-25'", "$rows", "25", "$targets", "'a.example', 'b''c'",
		"$nights", "'2026-11-23'", "$begin", "DATE '2026-11-01'", "$end", "DATE '2026-11-30'", "$first", "'01A'", "$second", "'01B'",
		"$other_job", "'weekly'", "$other_date", "DATE '2026-11-24'")
	for _, name := range names {
		text, err := questions.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if columns, err := stage.Columns(t.Context(), values.Replace(string(text)), nil); err != nil || len(columns) == 0 {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestWhatWasUsedOfTheMonthIsThatOfTheRunsAccount(t *testing.T) {
	l, err := ledger.Open(t.Context(), filepath.Join(t.TempDir(), "ledger.sqlite"))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	at := time.Date(2026, 11, 20, 2, 0, 0, 0, time.UTC)
	for i, run := range []struct{ job, date, month string }{
		{"nightly", "2026-11-19", "2026-11"}, {"nightly", "2026-11-20", "2026-11"}, {"campaign", "2026-11-20", "2026-11"}, {"nightly", "2026-10-20", "2026-10"},
	} {
		id := fmt.Sprint("run", i)
		if _, err := l.Begin(t.Context(), run.job, run.date, "hash", id, at); err != nil {
			t.Fatal(err)
		}
		if err := l.Settle(t.Context(), id, "moz", run.month, pipeline.Bill{Spent: 100, Maybe: 5, SpentAt: at, HeldAt: at}); err != nil {
			t.Fatal(err)
		}
	}
	most := pipeline.Units(900)
	budget := ledger.Budget{Vendor: "moz", Month: &most, MonthStart: time.Date(2026, 11, 15, 0, 0, 0, 0, time.UTC)}
	if err := l.SetBudgets(t.Context(), "run1", []ledger.Budget{budget}); err != nil {
		t.Fatal(err)
	}
	s, err := Gather(t.Context(), l, report.Status{RunID: "run1", Job: "nightly", RunDate: "2026-11-20", Started: at}, at)
	if err != nil {
		t.Fatal(err)
	}
	want := Subject{Run: s.Run, Now: at, Budgets: map[string]ledger.Budget{"moz": budget},
		Own: map[string]Use{"moz": {100, 5, 0}}, Job: map[string]Use{"moz": {200, 10, 0}}, All: map[string]Use{"moz": {300, 15, 0}}}
	if diff := cmp.Diff(want, s); diff != "" {
		t.Error(diff)
	}
}
