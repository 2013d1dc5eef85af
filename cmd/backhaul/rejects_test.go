package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"backhaul/jobs/report"
)

// A night whose rows do not fit is not news: nothing came or went, and the run says so until a replay finds that they fit.
func TestRowsThatDoNotFitAreToldUntilTheyAreMended(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(row int) string{
		"every row":        func(int) string { return "null" },
		"one row in fifty": func(row int) string { return map[bool]string{true: `"many"`, false: "7"}[row == 17] },
	} {
		t.Run(name, func(t *testing.T) { toldUntilMended(t, spoil) })
	}
}

func toldUntilMended(t *testing.T, spoil func(row int) string) {
	var spoilt atomic.Bool
	s := newListServer(t, listSettings{answer: func(w http.ResponseWriter, target, _ string) bool {
		var rows []string
		for i := range listLength(target) {
			pages := "7"
			if spoilt.Load() {
				pages = spoil(i)
			}
			rows = append(rows, fmt.Sprintf(`{"anchor_text":"anchor %d","external_root_domains":3,"external_pages":%s}`, i, pages))
		}
		fmt.Fprintf(w, `{"results":[%s],"next_token":""}`, strings.Join(rows, ","))
		return true
	}})
	setenv(t, "MOZ_TOKEN", "secret-token")
	setenv(t, "BACKHAUL_MOZ_V2_URL", s.URL)
	dir := t.TempDir()
	w := filepath.Join(dir, "w")
	job := writeJob(t, dir, "{requests_per_second: 1000}", []string{listTarget(1, 50)})
	const night = "2026-11-21"
	for _, date := range []string{"2026-11-20", night, "2026-11-22"} {
		spoilt.Store(date == night)
		status := exitComplete
		if date == night {
			status = exitTasksFailed
		}
		for range 2 {
			backhaul(t, status, "run", job, "--date", date, "--warehouse", w)
		}
	}
	if twice := s.boughtTwice(); twice != 2 {
		t.Errorf("%d requests were made again, want one a night", twice)
	}
	type news struct{ Changes, Nights, Rejected, Rows, Lake int64 }
	got := ask[news](t, w, `select (select count(*) from marts.anchor_changes) as Changes, (select count(*) from marts.whole_nights) as Nights,
		sum(rejected_rows)::bigint as Rejected, sum(rows)::bigint as Rows, (select count(*) from moz.anchor_text where run_date = '2026-11-21') as Lake
		from ops.tasks where run_date = '2026-11-21'`)[0]
	if got.Changes != 0 || got.Nights != 2 || got.Rejected == 0 || got.Rejected+got.Rows != 50 || got.Rows != got.Lake {
		t.Errorf("%+v", got)
	}
	type fresh struct{ Night, Rows int64 }
	if f := ask[fresh](t, w, `select day(rows_of)::bigint as Night, rows as Rows from marts.freshness`)[0]; f != (fresh{22, 50}) {
		t.Errorf("fresh: %+v", f)
	}
	var of report.Status
	if err := json.Unmarshal([]byte(backhaul(t, exitComplete, "status", "--json", "measured/"+night, "--warehouse", w)), &of); err != nil {
		t.Fatal(err)
	}
	if of.Rejected != got.Rejected || len(of.Rejections) != 1 || of.Rejections[0].Table != "moz.anchor_text" || of.Rejections[0].Field != "external_pages" {
		t.Errorf("status: %+v", of)
	}
	if text := of.Text(); !strings.Contains(text, "external_pages: want an integer") || !strings.Contains(text, "backhaul replay") {
		t.Errorf("status says %s", text)
	}
	backhaul(t, exitTasksFailed, "replay", "--job", "measured", "--date", night, "--warehouse", w)
}

// An extract that asks about a list of which rows did not fit waits, and says what for.
func TestAnExtractWaitsForAListOfWhichRowsDidNotFit(t *testing.T) {
	t.Parallel()
	s := newListServer(t, listSettings{answer: func(w http.ResponseWriter, target, _ string) bool {
		if listLength(target) != 2 {
			return false
		}
		fmt.Fprint(w, `{"results":[{"anchor_text":"a","external_root_domains":1,"external_pages":1},{"anchor_text":7}],"next_token":""}`)
		return true
	}})
	setenv(t, "MOZ_TOKEN", "secret-token")
	setenv(t, "BACKHAUL_MOZ_V2_URL", s.URL)
	dir := t.TempDir()
	w := filepath.Join(dir, "w")
	job := writeFile(t, dir, "waits.yaml", fmt.Sprintf(`job: waits
vendors: {moz: {requests_per_second: 1000}}
targets: {all: [%s]}
extracts:
  - {name: first, endpoint: moz/anchor_text, targets: [all]}
  - {name: next, endpoint: moz/anchor_text, after: [first], targets: {sql: "select '%s' as target from first"}}
`, listTarget(1, 2), listTarget(2, 5)))
	type task struct{ Extract, Ending, Error string }
	const tasks = `select extract as Extract, ending as Ending, coalesce(error, '') as Error from ops.tasks where extract = 'next'`
	backhaul(t, exitTasksFailed, "run", job, "--warehouse", w)
	if got := ask[task](t, w, tasks); len(got) != 1 || got[0].Ending != "not reached" || !strings.Contains(got[0].Error, "waits for first, of which 1 row did not fit") {
		t.Errorf("%+v", got)
	}
	if s.bought() != 0 {
		t.Errorf("%d rows were bought", s.bought())
	}
	backhaul(t, exitTasksFailed, "run", job, "--again", "--warehouse", w)
	for range 2 {
		if got := ask[task](t, w, tasks); len(got) != 1 || got[0].Ending != "end of list" || s.bought() != 5 {
			t.Errorf("%+v, with %d rows bought", got, s.bought())
		}
		backhaul(t, exitTasksFailed, "run", job, "--warehouse", w)
	}
}

// What replies have otherwise than the tables expect is told by the run, kept night by night and listed.
func TestDriftIsToldAndListed(t *testing.T) {
	t.Parallel()
	var night atomic.Int32
	s := newListServer(t, listSettings{answer: func(w http.ResponseWriter, _, _ string) bool {
		rest := []string{
			`"domain_authority":5,"spam_score":1`, `"domain_authority":5,"spam_score":1,"shiny":{"deep":1}`, `"domain_authority":"high","shiny":2`,
		}[night.Load()]
		fmt.Fprintf(w, `{"results":[{"root_domain":"a.example",%s},{"root_domain":"b.example",%s}],"next_token":""}`, rest, rest)
		return true
	}})
	setenv(t, "MOZ_TOKEN", "secret-token")
	setenv(t, "BACKHAUL_MOZ_V2_URL", s.URL)
	dir := t.TempDir()
	w := filepath.Join(dir, "w")
	job := writeFile(t, dir, "drifts.yaml", `job: drifts
vendors: {moz: {requests_per_second: 1000}}
targets: {all: [x.example]}
extracts:
  - {name: domains, endpoint: moz/linking_root_domains, targets: [all]}
`)
	var last report.Summary
	for n, date := range []string{"2026-11-20", "2026-11-21", "2026-11-22"} {
		night.Store(int32(n))
		last = report.Summary{}
		if err := json.Unmarshal([]byte(backhaul(t, exitComplete, "run", job, "--json", "--date", date, "--warehouse", w)), &last); err != nil {
			t.Fatal(err)
		}
	}
	var told []string
	for _, d := range last.Drift {
		told = append(told, fmt.Sprintf("%s %s %s %d %s", d.Table, d.Field, d.Kind, d.Rows, d.Example))
	}
	const table = "moz.linking_root_domains "
	want := []string{table + `domain_authority misfit 2 "high"`, table + `shiny new 2 2`, table + `spam_score vanished 2 `}
	if diff := cmp.Diff(want, told); diff != "" {
		t.Error(diff)
	}
	var listed []driftInfo
	if err := json.Unmarshal([]byte(backhaul(t, exitComplete, "tables", "--drift", "--json", "--warehouse", w)), &listed); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]driftInfo{
		{"moz.linking_root_domains", "domain_authority", "misfit", "2026-11-22", "2026-11-22", 2, `"high"`},
		{"moz.linking_root_domains", "shiny", "new", "2026-11-21", "2026-11-22", 4, "2"},
		{"moz.linking_root_domains", "spam_score", "vanished", "2026-11-22", "2026-11-22", 2, ""},
	}, listed); diff != "" {
		t.Error(diff)
	}
	if text := backhaul(t, exitComplete, "tables", "--drift", "--warehouse", w); !strings.Contains(text, "one line in package schemas") || !strings.Contains(text, "backhaul replay") {
		t.Errorf("it says %s", text)
	}
}
