package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"backhaul/jobs/report"
)

// Every warehouse of an earlier version is read, gone on with and rebuilt by this one.
func TestWarehousesOfEarlierVersionsAreGoneOnWith(t *testing.T) {
	t.Parallel()
	const home = "../../testdata/warehouses"
	folders, err := filepath.Glob(filepath.Join(home, "*", "ledger.sqlite"))
	if err != nil || len(folders) == 0 {
		t.Fatal(err, folders)
	}
	for _, ledger := range folders {
		t.Run(filepath.Base(filepath.Dir(ledger)), func(t *testing.T) { goOnWith(t, filepath.Dir(ledger), filepath.Join(home, "small.yaml")) })
	}
}

func goOnWith(t *testing.T, old, job string) {
	w := filepath.Join(t.TempDir(), "w")
	if err := os.CopyFS(w, os.DirFS(old)); err != nil {
		t.Fatal(err)
	}
	e := serve(t, emulatorFlags{})
	backhaul(t, exitComplete, "catalog", "--warehouse", w)
	type rows struct{ Date, Rows, Lists int64 }
	const query = `select day(run_date)::bigint as Date, count(*) as Rows, count(distinct target) as Lists from moz.linking_root_domains group by all order by 1`
	before := ask[rows](t, w, query)
	if len(before) == 0 || before[0] != (rows{20, 7, 1}) {
		t.Errorf("it holds %+v", before)
	}
	var runs []report.Status
	if err := json.Unmarshal([]byte(backhaul(t, exitComplete, "status", "--json", "--warehouse", w)), &runs); err != nil {
		t.Fatal(err)
	}
	if len(runs) != 2 || runs[0].State != "incomplete" || runs[1].State != "complete" || runs[1].Spent != 12 || runs[1].Held != 30 {
		t.Errorf("status: %+v", runs)
	}
	if len(runs) == 2 {
		held := runs[0].Spent
		backhaul(t, exitComplete, "run", job, "--date", "2026-11-21", "--warehouse", w)
		if bought := e.server.Meter().Rows; bought != 12-int64(held) {
			t.Errorf("%d rows were bought where %d of 12 were held", bought, held)
		}
	}
	for _, date := range []string{"2026-11-20", "2026-11-21"} {
		backhaul(t, exitComplete, "run", job, "--date", date, "--warehouse", w)
		backhaul(t, exitComplete, "replay", "--job", "small", "--date", date, "--warehouse", w)
	}
	if after := ask[rows](t, w, query); len(after) != 2 || after[0] != before[0] || after[1] != (rows{21, 7, 1}) {
		t.Errorf("it holds %+v after that", after)
	}
	if bought := e.server.Meter().Rows; bought > 12 {
		t.Errorf("%d rows were bought", bought)
	}
	backhaul(t, exitComplete, "doctor", "--warehouse", w)
}
