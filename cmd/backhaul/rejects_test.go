package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"backhaul/jobs/report"
)

// A night whose rows do not fit is no news: nothing came or went, and the run says so until a replay finds that they fit.
func TestRowsThatDoNotFitAreToldUntilTheyAreMended(t *testing.T) {
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
	t.Setenv("MOZ_TOKEN", "secret-token")
	t.Setenv("BACKHAUL_MOZ_V2_URL", s.URL)
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
