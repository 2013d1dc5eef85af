package run

import (
	"context"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"backhaul/jobs/books"
	"backhaul/jobs/budget"
	"backhaul/jobs/ledger"
	"backhaul/jobs/plan"
	"backhaul/jobs/recovery"
	"backhaul/pipeline"
	"backhaul/pipeline/journal"
	"backhaul/schemas"
	"backhaul/sinks"
)

// metered is a job of one list at a vendor that tells what the account has used.
func metered(m *meter, ceiling ledger.Ceiling, allowance, others pipeline.Units) Job {
	job := m.job("a", 1, ceiling, 2000)
	account := job.Accounts["moz"]
	account.Usage = &quota{m: m, allowance: allowance, others: others}
	job.Accounts["moz"] = account
	return job
}

func TestAStopForWantOfUnitsNamesTheCeilingThatBound(t *testing.T) {
	own := pipeline.Units(300)
	limits := func(run, month pipeline.Units) ledger.Ceiling {
		return ledger.Ceiling{Run: &run, WarehouseMonth: &month}
	}
	for _, c := range []struct {
		ceiling   ledger.Ceiling
		byFlag    bool
		allowance pipeline.Units
		want      plan.Ceiling
		ending    pipeline.Ending
		text      string
	}{
		{limits(5000, 900), false, 10000, plan.OfWarehouse, pipeline.EndBudget, "the month's budget of all jobs (warehouse_month) has 0 units left, the next request may cost 1; a used 139, others with this key used 761"},
		{limits(100, 900), false, 10000, plan.OfRun, pipeline.EndBudget, "the job's budget for one run has 0 units left"},
		{limits(100, 900), true, 10000, plan.OfFlag, pipeline.EndBudget, "--max-units has 0 units left"},
		{limits(5000, 50000), false, 1000, plan.OfQuota, pipeline.EndQuota, "the vendor's own quota for the month has 0 units left"},
		{ledger.Ceiling{}, false, 1000, plan.OfQuota, pipeline.EndQuota, "the vendor's own quota for the month has 0 units left"},
		// Raising the run's budget would not help where the month's is used up as well.
		{limits(139, 900), false, 10000, plan.OfWarehouse, pipeline.EndBudget, "the month's budget of all jobs"},
		// What others use is not the job's own.
		{ledger.Ceiling{Month: &own}, false, 10000, plan.OfMonth, pipeline.EndBudget, "the job's own budget for the month has 0 units left"},
	} {
		m := newMeter(1, 50)
		job := metered(m, c.ceiling, c.allowance, 761)
		account := job.Accounts["moz"]
		account.ByFlag = c.byFlag
		job.Accounts["moz"] = account
		dir := t.TempDir()
		result := mustRun(t, job, dir)
		stops := result.Stops()
		var ceiling *budget.CeilingError
		if len(stops) != 1 || !errors.As(stops[0].Err, &ceiling) || ceiling.Ceiling != c.want || stops[0].Ending != c.ending {
			t.Errorf("%s: stopped by %+v", c.want, stops)
			continue
		}
		for what, text := range map[string]string{"the run": result.Run.Message, "its task": result.Tasks[0].Error} {
			if !strings.Contains(text, c.text) {
				t.Errorf("%s: %s says %q, want %q", c.want, what, text, c.text)
			}
		}
		if result.Tasks[0].Ending != c.ending {
			t.Errorf("%s: the task ended as %s, want %s", c.want, result.Tasks[0].Ending, c.ending)
		}
	}
}

func TestAPlanKnowsWhatTheVendorLastSaidOfOthers(t *testing.T) {
	dir, m := t.TempDir(), newMeter(1, 50)
	job := metered(m, month(900), 10000, 761)
	now := time.Now()
	preview := func() plan.Vendor {
		t.Helper()
		p, err := Preview(context.Background(), job, nil, books.InFiles(sinks.Warehouse{Root: dir}), now)
		if err != nil {
			t.Fatal(err)
		}
		return p.Vendors[0]
	}
	if v := preview(); !v.Uncounted || v.Ceiling != plan.OfWarehouse || *v.Allowed != 900 {
		t.Errorf("before the vendor was asked: %+v", v)
	}
	mustRun(t, job, dir)
	if v := preview(); v.Uncounted || v.Ceiling != plan.OfWarehouse || v.Others != 761 || *v.Allowed != 0 {
		t.Errorf("after 139 units were bought of the 139 that others had left: %+v, %d allowed", v, *v.Allowed)
	}
	more := pipeline.Units(1200)
	job.Accounts["moz"] = budget.Account{Connections: 1, Ceiling: ledger.Ceiling{WarehouseMonth: &more}}
	if v := preview(); *v.Allowed != 300 || v.Expected.Units > 300 {
		t.Errorf("with a month's budget that is 300 higher: %+v, %d allowed", v, *v.Allowed)
	}
	// In the next month nobody has used anything yet, as far as is known.
	now = now.AddDate(0, 1, 3)
	if v := preview(); !v.Uncounted || *v.Allowed != 1200 {
		t.Errorf("in the next month: %+v, %d allowed", v, *v.Allowed)
	}
}

func TestARunThatIsNotConfirmedLeavesNothingBehind(t *testing.T) {
	ctx, dir, m := context.Background(), t.TempDir(), newMeter(1, 50)
	job, o := metered(m, execution(100), 10000, 0), options(dir)
	no := errors.New("no")
	o.Confirm = func(*plan.Plan) error { return no }
	refuse := func() {
		t.Helper()
		if result, err := Run(ctx, job, o); !errors.Is(err, no) || !result.Declined {
			t.Fatalf("%+v, %v", result, err)
		}
	}
	runs := func() []ledger.Run {
		t.Helper()
		l, err := ledger.Open(ctx, o.Warehouse.Ledger())
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		all, err := l.Runs(ctx)
		if err != nil {
			t.Fatal(err)
		}
		return all
	}
	refuse()
	if all := runs(); len(all) != 0 {
		t.Errorf("%+v", all)
	}
	if _, err := os.Stat(o.Warehouse.JournalOf(job.Name, "2026-11-23")); !os.IsNotExist(err) {
		t.Errorf("its journal stays: %v", err)
	}
	// What was bought before stays, and so does why it is not complete.
	mustRun(t, job, dir)
	refuse()
	all := runs()
	if len(all) != 1 || all[0].State != ledger.Incomplete || all[0].Message != "not confirmed" {
		t.Errorf("%+v", all)
	}
	if _, spent := accounted(t, dir); spent != 100 || m.billed != 100 {
		t.Errorf("%d spent, %d billed", spent, m.billed)
	}
}

func TestStatusAndSummaryTakeWhatIsMissingFromOnePlan(t *testing.T) {
	ctx, dir, m := context.Background(), t.TempDir(), newMeter(1, 50)
	result := mustRun(t, m.job("a", 1, execution(120), 300, 40), dir)
	if result.Missing.Needed().Units == 0 {
		t.Fatalf("nothing is missing: %+v", result.Missing)
	}
	l, err := ledger.Open(ctx, sinks.Warehouse{Root: dir}.Ledger())
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	tasks, err := l.Tasks(ctx, result.Run.ID)
	if err != nil {
		t.Fatal(err)
	}
	if tasks, _, err = recovery.Recall(ctx, books.InFiles(sinks.Warehouse{Root: dir}), result.Run, tasks); err != nil {
		t.Fatal(err)
	}
	var missing pipeline.Units
	for _, task := range tasks {
		missing += task.Missing()
	}
	if missing != result.Missing.Needed().Units {
		t.Errorf("by the ledger and the journal %d units are missing, by the run %d", missing, result.Missing.Needed().Units)
	}
}

// full is a Lake on a disk without space.
type full struct{ nowhere }

func (full) Publish(context.Context, *schemas.Table, string, time.Time, string) (string, error) {
	return "", errors.New("no space left on device")
}

func TestARunThatFailsTellsWhatItHolds(t *testing.T) {
	dir, m := t.TempDir(), newMeter(1, 50)
	o := options(dir)
	o.Lake = full{}
	result, err := Run(context.Background(), m.job("a", 1, ledger.Ceiling{}, 120), o)
	if err == nil || !result.Failed || result.Run.State != ledger.Incomplete {
		t.Fatalf("%+v, %v", result, err)
	}
	if len(result.Tasks) != 1 || result.Tasks[0].Rows != 120 || result.Bought.Rows != 120 || result.Missing == nil {
		t.Errorf("bought %+v, holds %+v", result.Bought, result.Tasks)
	}
}

func TestAnExecutionThatDoesNothingMovesNoTimes(t *testing.T) {
	dir, m := t.TempDir(), newMeter(1, 50)
	job, o := m.job("a", 1, ledger.Ceiling{}, 120), options(dir)
	if err := os.WriteFile(o.Warehouse.Catalog(), nil, 0o644); err != nil { // without it the run would publish again
		t.Fatal(err)
	}
	begin := time.Now().UTC().Truncate(time.Second)
	o.Now = func() time.Time { return begin }
	first, err := Run(context.Background(), job, o)
	if err != nil {
		t.Fatal(err)
	}
	o.Now = func() time.Time { return begin.Add(time.Hour) }
	if _, err := Run(context.Background(), job, o); err != nil {
		t.Fatal(err)
	}
	l, err := ledger.Open(context.Background(), o.Warehouse.Ledger())
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	r, err := l.Get(context.Background(), first.Run.ID)
	if err != nil || !r.Started.Equal(begin) || !r.Ended.Equal(begin) {
		t.Errorf("started %s, ended %s, want %s; %v", r.Started, r.Ended, begin, err)
	}
}

func TestADeadRunIsRecalledFromItsJournal(t *testing.T) {
	ctx, dir, m := context.Background(), t.TempDir(), newMeter(1, 50)
	result := mustRun(t, m.job("a", 1, execution(100), 300), dir)
	w := sinks.Warehouse{Root: dir}
	l, err := ledger.Open(ctx, w.Ledger())
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	recall := func() (ledger.Task, bool) {
		t.Helper()
		r, err := l.Get(ctx, result.Run.ID)
		if err != nil {
			t.Fatal(err)
		}
		tasks := []ledger.Task{{Task: result.Tasks[0].Task}} // what the ledger has does not count
		tasks, died, err := recovery.Recall(ctx, books.InFiles(w), r, tasks)
		if err != nil {
			t.Fatal(err)
		}
		return tasks[0], died
	}
	if _, died := recall(); died {
		t.Error("a run that stopped by itself is taken for dead")
	}
	if _, err := l.Begin(ctx, "a", "2026-11-23", "", result.Run.ID, time.Now()); err != nil {
		t.Fatal(err)
	}
	if task, died := recall(); !died || task.Ending != pipeline.EndBudget {
		t.Errorf("what was entered of it is forgotten: died: %v, %+v", died, task)
	}
	j, err := journal.Open(ctx, w.JournalOf("a", "2026-11-23"), journal.Header{Job: "a", RunDate: "2026-11-23"})
	if err != nil {
		t.Fatal(err)
	}
	task := []pipeline.Task{result.Tasks[0].Task} // left out and asked for again, it stands nowhere: nobody has entered how it went
	if err := errors.Join(j.Intend(ctx, nil), j.Intend(ctx, task), j.Close()); err != nil {
		t.Fatal(err)
	}
	if task, died := recall(); !died || task.Rows != 100 || task.Ending != pipeline.EndInterrupted {
		t.Errorf("died: %v, %+v", died, task)
	}
	unlock, err := books.InFiles(w).Of("a", "2026-11-23").Lock(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer unlock()
	if task, died := recall(); died || task.Rows != 100 || task.Ending != "" {
		t.Errorf("with a process at work on it: died: %v, %+v", died, task)
	}
}

func TestAListThatAnInterruptedRunDidNotReachTellsOfNothingThatStoppedItBefore(t *testing.T) {
	dir, m := t.TempDir(), newMeter(1, 50)
	errorOf := func(r *Result) (ending pipeline.Ending, text string) {
		t.Helper()
		i := slices.IndexFunc(r.Tasks, func(task ledger.Task) bool { return task.Pages == 0 })
		if i < 0 {
			t.Fatalf("all lists were reached: %+v", r.Tasks)
		}
		return r.Tasks[i].Ending, r.Tasks[i].Error
	}
	if ending, text := errorOf(mustRun(t, m.job("a", 1, execution(50), 120, 30), dir)); ending != pipeline.EndNotReached || text == "" {
		t.Errorf("a list that the budget did not reach: %s, %q", ending, text)
	}
	ctx, cancel := context.WithCancel(t.Context())
	o := options(dir)
	o.Confirm = func(*plan.Plan) error { cancel(); return nil }
	r, err := Run(ctx, m.job("a", 1, ledger.Ceiling{}, 120, 30), o)
	if err != nil || !r.Interrupted {
		t.Fatalf("%+v, %v", r, err)
	}
	if ending, text := errorOf(r); ending != "" || text != "" {
		t.Errorf("the run was interrupted since: %s, %q", ending, text)
	}
}
