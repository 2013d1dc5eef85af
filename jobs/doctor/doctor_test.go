package doctor

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"backhaul/jobs/books"
	"backhaul/jobs/ledger"
	"backhaul/jobs/recovery"
	"backhaul/schemas"
	"backhaul/sinks"
)

func TestTheWorstFindingDecides(t *testing.T) {
	ok, warn, bad, damage := Finding{Level: OK}, Finding{Level: Warn, Damage: true}, Finding{Level: Bad}, Finding{Level: Bad, Damage: true}
	for _, c := range []struct {
		findings []Finding
		worst    Level
		damage   bool
	}{
		{nil, OK, false}, {[]Finding{ok, ok}, OK, false}, {[]Finding{ok, warn, ok}, Warn, false},
		{[]Finding{bad, warn, ok}, Bad, false}, {[]Finding{damage, ok}, Bad, true}, {[]Finding{ok, bad, damage}, Bad, true},
	} {
		if worst, damage := Worst(c.findings); worst != c.worst || damage != c.damage {
			t.Errorf("%+v: %s, %v", c.findings, worst, damage)
		}
	}
}

// told returns a finding whose cure tells that it was carried out.
func told(told *[]string, order int, key string, drops bool, err error) Finding {
	return Finding{Level: Bad, cure: &cure{order: order, key: key, drops: drops, do: func(context.Context, *surgery) (string, error) {
		*told = append(*told, key)
		return "mended " + key, err
	}}}
}

func TestCuresAreCarriedOutOnceInTheirOrder(t *testing.T) {
	var done []string
	findings := []Finding{
		told(&done, orderCatalog, "catalog", false, nil), told(&done, orderReplay, "tables", false, nil), {Level: Bad},
		told(&done, orderCatalog, "catalog", false, nil), told(&done, orderJournal, "journal", true, nil), told(&done, orderRebuild, "entry", false, errors.New("no")),
	}
	said := Repair(context.Background(), Options{}, findings, false, nil)
	if fmt.Sprint(done) != "[entry tables catalog]" {
		t.Errorf("carried out: %v", done)
	}
	if len(said) != 3 || said[0].Level != Bad || said[1].Level != OK {
		t.Errorf("a cure that failed must be told, and must not stop the others: %+v", said)
	}
	done = nil
	Repair(context.Background(), Options{}, findings, true, nil)
	if fmt.Sprint(done) != "[journal entry tables catalog]" {
		t.Errorf("pages are dropped when it is asked for: %v", done)
	}
}

func TestADamagedLedgerIsRebuiltBeforeAnythingElseIsBelieved(t *testing.T) {
	var done []string
	findings := []Finding{told(&done, orderReplay, "tables", false, nil), told(&done, orderLedger, "ledger", false, nil), told(&done, orderJournal, "journal", true, nil)}
	Repair(context.Background(), Options{}, findings, true, nil)
	if fmt.Sprint(done) != "[ledger]" {
		t.Errorf("carried out: %v", done)
	}
	if !Curable(findings, false) || Curable([]Finding{{Level: Bad}}, true) || Curable(findings[2:], false) {
		t.Error("what can be cured is misjudged")
	}
}

func TestOnlyDamageIsCalledDamage(t *testing.T) {
	e := &examination{}
	e.failed("x", "", nil, fmt.Errorf("read: %w", recovery.ErrDamaged))
	e.failed("x", "", nil, errors.New("permission denied"))
	if !e.findings[0].Damage || e.findings[1].Damage || e.findings[1].Level != Bad {
		t.Errorf("%+v", e.findings)
	}
}

// exchanged is a lake in which one file takes the place of another between the finding of the first and its reading, so often.
type exchanged struct {
	Lake
	times int
}

func (l *exchanged) Find(t *schemas.Table, _ string, _ time.Time) (Found, error) {
	if t.FullName() != "moz.links" {
		return Found{}, nil
	}
	return Found{Own: []string{fmt.Sprint("links ", l.times)}}, nil
}

func (l *exchanged) Read(string, *schemas.Table) (sinks.Contents, error) {
	if l.times--; l.times >= 0 {
		return sinks.Contents{}, fs.ErrNotExist
	}
	return sinks.Contents{Rows: 3}, nil
}

func TestWhatLooksDamagedIsLookedAtAgain(t *testing.T) {
	w := sinks.Warehouse{Root: t.TempDir()}
	l, err := books.InFiles(w).OpenLedger(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	begun, err := l.Begin(t.Context(), "nightly", "2026-11-23", "spec", "01", time.Now())
	if err != nil {
		t.Fatal(err)
	}
	older := begun
	older.State = ledger.Incomplete
	for _, c := range []struct {
		what  string
		run   ledger.Run
		times int
		found int
		rows  int64
	}{
		{"a file that was replaced", begun, 1, 0, 3},
		{"a file that is missing", begun, 2, 1, 0},
		{"a run that was carried out meanwhile", older, 2, 0, 0},
	} {
		e := &examination{Options: Options{Warehouse: w, Books: books.InFiles(w), Lake: &exchanged{times: c.times}}, ledger: l,
			rows: map[string]int64{}, unread: map[string]bool{}}
		r := &record{job: "nightly", date: "2026-11-23", book: e.Books.Of("nightly", "2026-11-23"), run: c.run}
		e.tablesOf(t.Context(), r, map[string]bool{})
		if len(e.findings) != c.found || e.rows["moz.links"] != c.rows {
			t.Errorf("%s: %+v, %d rows", c.what, e.findings, e.rows["moz.links"])
		}
	}
}

func TestRowsAreNotHeldAgainstFilesThatHaveMoved(t *testing.T) {
	w := sinks.Warehouse{Root: t.TempDir()}
	month := w.Month("moz", "links", time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC))
	if err := os.MkdirAll(month, 0o755); err != nil {
		t.Fatal(err)
	}
	e := &examination{Options: Options{Warehouse: w}, rows: map[string]int64{"moz.links": 6}, runs: []*record{{}}}
	e.counted = e.names()
	for i, what := range []string{"as they were", "merged meanwhile"} {
		e.findings = nil
		e.view(View{Name: "moz.links", Rows: 3}, e.moved())
		if len(e.findings) != 1-i {
			t.Errorf("%s: %+v", what, e.findings)
		}
		if err := os.WriteFile(filepath.Join(month, "2026-11.0123456789abcdef.parquet"), nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}
