package run

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/google/go-cmp/cmp"

	"backhaul/jobs/books"
	"backhaul/jobs/budget"
	"backhaul/jobs/chain"
	"backhaul/jobs/ledger"
	"backhaul/jobs/plan"
	"backhaul/jobs/recovery"
	"backhaul/pipeline"
	"backhaul/pipeline/engine"
	"backhaul/schemas"
	"backhaul/sinks"
)

// nowhere is a Lake that keeps nothing but the files' names.
type nowhere struct{ dir string }

func (nowhere) Create(*schemas.Table) (sinks.Writer, error)         { return &nothing{}, nil }
func (nowhere) Catalog(context.Context) error                       { return nil }
func (nowhere) WholeLists(context.Context, string, time.Time) error { return nil }

func (nowhere) Changes(context.Context, string, time.Time) error { return nil }

func (nowhere) Ask(context.Context, string, []chain.Relation) ([]string, [][]*string, error) {
	return nil, nil, errors.New("nobody to ask")
}

func (n nowhere) path(t *schemas.Table, job string, date time.Time) string {
	return filepath.Join(sinks.Warehouse{Root: n.dir}.Month(t.Schema, t.Name, date), sinks.OfRun(job, date, "").String())
}

func (n nowhere) Publish(_ context.Context, t *schemas.Table, job string, date time.Time, _ string) (string, error) {
	path := n.path(t, job, date)
	return path, errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, nil, 0o644))
}

func (n nowhere) Has(t *schemas.Table, job string, date time.Time) bool {
	_, err := os.Stat(n.path(t, job, date))
	return err == nil
}

type nothing struct{ rows int64 }

func (n *nothing) Write(b arrow.RecordBatch) error { n.rows += b.NumRows(); return nil }
func (n *nothing) Close() (sinks.Staged, error)    { return sinks.Staged{Rows: n.rows}, nil }
func (n *nothing) Abort() error                    { return nil }

// meter is a vendor whose lists are as long as their target's name says, and who bills every row it sends, or loses on the
// way. It implements pipeline.Source.
type meter struct {
	endpoint *pipeline.Endpoint
	price    pipeline.Price
	fault    func() (kind pipeline.Kind, billed, faulty bool)
	extra    pipeline.Units // charged for every page beyond its price

	mu     sync.Mutex
	billed pipeline.Units
	asking string // the target of the request under way
}

func newMeter(price pipeline.Units, size int) *meter {
	return newMeterOf(pipeline.Price{PerRow: price}, size)
}

// newMeterOf bills by any rule.
func newMeterOf(price pipeline.Price, size int) *meter {
	price.MaxRows = size
	rule := func(pipeline.Task, pipeline.Ask) (pipeline.Price, error) { return price, nil }
	return &meter{price: price, endpoint: &pipeline.Endpoint{Vendor: "moz", Surface: "v2", Name: "anchor_text", Table: schemas.Lookup("moz.anchor_text"),
		PageSize: size, Price: rule}}
}

func (m *meter) Endpoint() *pipeline.Endpoint { return m.endpoint }

func (m *meter) Decode(p pipeline.Page, b *schemas.Builder) error {
	from, _ := strconv.Atoi(string(p.Cursor))
	for i := range p.Rows {
		row := b.Row()
		row.SetString(0, strconv.Itoa(from+i))
		row.SetInt(1, 1)
		row.SetInt(2, 1)
		b.Append()
	}
	return nil
}

func (m *meter) Fetch(_ context.Context, t pipeline.Task, ask pipeline.Ask) (pipeline.Page, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.asking = t.Target
	total, _ := strconv.Atoi(t.Target)
	from, _ := strconv.Atoi(string(ask.Cursor))
	rows := min(ask.Limit, total-from)
	units := m.price.Actual(pipeline.Reply{Rows: rows})
	if m.fault != nil {
		if kind, billed, faulty := m.fault(); faulty {
			if billed {
				m.billed += units
			}
			return pipeline.Page{}, &pipeline.Error{Kind: kind, MaybeCharged: kind == pipeline.Transient}
		}
	}
	units += m.extra
	m.billed += units
	return pipeline.Page{Rows: rows, Units: units, Status: 200, FetchedAt: time.Now().UTC(),
		Next: pipeline.Cursor(strconv.Itoa(from + rows)), End: from+rows >= total}, nil
}

func (m *meter) Read(_ pipeline.Task, _ pipeline.Ask, p pipeline.Page) (pipeline.Page, error) {
	return p, nil
}

// job asks for lists of the given lengths.
func (m *meter) job(name string, connections int, ceiling ledger.Ceiling, lengths ...int) Job {
	j := Job{Name: name, RunDate: time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC),
		Sources:  func(pipeline.Task) (pipeline.Source, error) { return m, nil },
		Accounts: map[string]budget.Account{"moz": {Connections: connections, Ceiling: ceiling}}}
	for i, n := range lengths {
		t := pipeline.Task{Extract: fmt.Sprint("x", i), Endpoint: "moz/anchor_text", Surface: "v2", Target: strconv.Itoa(n), Params: "{}"}
		t.ID = pipeline.TaskID(t)
		j.Items = append(j.Items, plan.Item{Task: t, Endpoint: m.endpoint, PageSize: m.endpoint.PageSize})
	}
	return j
}

func options(dir string) Options {
	return Options{Warehouse: sinks.Warehouse{Root: dir}, Lake: nowhere{dir}, NewID: fmt.Sprint("run-", rand.Int64()),
		Retry: engine.Retry{Base: time.Microsecond, Most: 10 * time.Microsecond, Attempts: 4}}
}

func mustRun(t *testing.T, job Job, dir string) *Result {
	t.Helper()
	result, err := Run(context.Background(), job, options(dir))
	if err != nil {
		t.Fatal(err)
	}
	return result
}

func month(n pipeline.Units) ledger.Ceiling { return ledger.Ceiling{WarehouseMonth: &n} }
func execution(n pipeline.Units) ledger.Ceiling {
	return ledger.Ceiling{Run: &n}
}

// accounted reads what the ledger says of all runs.
func accounted(t *testing.T, dir string) (granted, spent pipeline.Units) {
	t.Helper()
	l, err := ledger.Open(context.Background(), sinks.Warehouse{Root: dir}.Ledger())
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	spends, err := l.Spends(context.Background(), "")
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range spends {
		granted += s.Granted
		spent += s.Spent
	}
	return granted, spent
}

// anyPrice draws a rule of any vendor's shape.
func anyPrice(r *rand.Rand) pipeline.Price {
	p := pipeline.Price{PerRow: pipeline.Units(1 + r.IntN(5))}
	switch r.IntN(4) {
	case 0: // as Ahrefs v3
		p.Least = pipeline.Units(1 + r.IntN(60))
	case 1: // as Ahrefs v2
		p.PerRequest, p.Every = pipeline.Units(r.IntN(12)), 1+r.IntN(6)
	case 2: // as a call that costs the same whatever comes
		p = pipeline.Price{PerRequest: pipeline.Units(1 + r.IntN(9))}
	}
	return p
}

func TestNoBudgetIsOverrunWhateverHappens(t *testing.T) {
	for seed := range uint64(32) {
		r := rand.New(rand.NewPCG(seed, 9))
		dir := t.TempDir()
		m := newMeterOf(anyPrice(r), 1+r.IntN(50))
		budget := pipeline.Units(r.IntN(4000))
		// Some executions are interrupted in the middle, and all are tried again.
		ctx, interrupt := context.WithCancel(context.Background())
		patience := 1 + r.IntN(60)
		m.fault = func() (pipeline.Kind, bool, bool) { // called under the meter's lock
			if patience--; patience == 0 {
				interrupt()
			}
			kind := []pipeline.Kind{pipeline.Transient, pipeline.Stale, pipeline.Rejected}[r.IntN(3)]
			return kind, kind == pipeline.Transient && r.IntN(2) == 0, r.IntN(10) == 0 // a refusal is not billed
		}
		jobs := []Job{
			m.job("a", 1+r.IntN(8), month(budget), r.IntN(300), r.IntN(300), r.IntN(300)),
			m.job("b", 1+r.IntN(8), month(budget), r.IntN(300), r.IntN(300), r.IntN(300)),
		}
		var wg sync.WaitGroup
		for _, job := range jobs {
			wg.Go(func() {
				for _, ctx := range []context.Context{ctx, context.Background()} {
					if _, err := Run(ctx, job, options(dir)); err != nil && ctx.Err() == nil {
						t.Errorf("seed %d: %v", seed, err)
					}
				}
			})
		}
		wg.Wait()
		interrupt()
		lose(t, dir)
		granted, spent := accounted(t, dir)
		if m.billed > budget || granted > budget {
			t.Errorf("seed %d: the vendor billed %d, the ledger granted %d, of a budget of %d", seed, m.billed, granted, budget)
		}
		if m.billed < spent || m.billed > granted {
			t.Errorf("seed %d: the vendor billed %d, the ledger has %d spent and at most %d charged", seed, m.billed, spent, granted)
		}
	}
}

func TestWithoutFaultsTheLedgerEqualsTheVendorsMeter(t *testing.T) {
	dir := t.TempDir()
	m := newMeter(3, 50)
	mustRun(t, m.job("a", 4, ledger.Ceiling{}, 0, 120, 333), dir)
	mustRun(t, m.job("b", 4, ledger.Ceiling{}, 77), dir)
	granted, spent := accounted(t, dir)
	if want := pipeline.Units(3 * 530); m.billed != want || spent != want || granted != want {
		t.Errorf("the vendor billed %d, the ledger has %d spent and %d granted, want %d each", m.billed, spent, granted, want)
	}
}

func TestWhatAVendorChargesBeyondItsPriceIsEnteredAndSaid(t *testing.T) {
	dir := t.TempDir()
	m := newMeter(1, 50)
	m.extra = 7
	budget := pipeline.Units(100)
	result := mustRun(t, m.job("a", 1, ledger.Ceiling{WarehouseMonth: &budget}, 500), dir)
	granted, spent := accounted(t, dir)
	if m.billed <= budget || spent != m.billed || granted != m.billed {
		t.Errorf("%d billed, %d spent and %d granted with a budget of %d", m.billed, spent, granted, budget)
	}
	if over := result.Over["moz"]; over != 14 || !strings.Contains(result.Run.Message, "moz charged 14 units more than its requests could cost") {
		t.Errorf("%d over, %q", over, result.Run.Message)
	}
}

func TestARunStoppedByItsBudgetSpendsInTotalWhatOneWithoutSpends(t *testing.T) {
	dir := t.TempDir()
	m := newMeter(1, 50)
	lengths := []int{10, 260, 75, 500}
	for executions := 1; ; executions++ {
		result := mustRun(t, m.job("a", 2, execution(170), lengths...), dir)
		if len(result.Incomplete()) == 0 {
			break
		}
		if result.Bought.Units > 170 || executions > 5 {
			t.Fatalf("execution %d bought for %d units", executions, result.Bought.Units)
		}
	}
	if m.billed != 845 {
		t.Errorf("the vendor billed %d, want 845", m.billed)
	}
}

func TestAShortBudgetFinishesTheCheapTargets(t *testing.T) {
	dir := t.TempDir()
	m := newMeter(1, 50)
	// The first night teaches the lengths.
	mustRun(t, m.job("a", 2, ledger.Ceiling{}, 400, 30, 200, 60), dir)
	job := m.job("a", 1, execution(290), 400, 30, 200, 60)
	job.RunDate = job.RunDate.AddDate(0, 0, 1)
	result := mustRun(t, job, dir)
	if open := result.Incomplete(); len(open) != 1 || open[0].Target != "400" {
		t.Errorf("left open: %+v", open)
	}
	if !result.Plan.Vendors[0].Scarce {
		t.Error("the plan does not say that the budget is short")
	}
	// Priority goes first even so.
	job = m.job("b", 1, execution(410), 400, 30, 200, 60)
	job.Items[0].Task.Priority = 5
	result = mustRun(t, job, dir)
	for _, task := range result.Tasks {
		if task.Target == "400" && !task.Ending.Complete() {
			t.Errorf("the task with priority ended with %s", task.Ending)
		}
	}
}

func TestAnExtractsOwnCeilingStopsThatExtractAlone(t *testing.T) {
	dir := t.TempDir()
	m := newMeter(1, 50)
	job := m.job("a", 3, ledger.Ceiling{}, 400, 30, 200)
	most := pipeline.Units(130)
	job.Items[0].MaxUnits = &most
	result := mustRun(t, job, dir)
	if open := result.Incomplete(); len(open) != 1 || open[0].Target != "400" || open[0].Rows != 130 || open[0].Ending != pipeline.EndBudget {
		t.Errorf("left open: %+v", open)
	}
	if m.billed != 360 || len(result.Stops()) != 0 {
		t.Errorf("%d units billed, stopped by %v", m.billed, result.Stops())
	}
}

func TestAnotherProcessAtWorkIsTold(t *testing.T) {
	dir := t.TempDir()
	m := newMeter(1, 50)
	unlock, err := books.InFiles(sinks.Warehouse{Root: dir}).Of("a", "2026-11-23").Lock(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer unlock()
	if _, err := Run(context.Background(), m.job("a", 1, ledger.Ceiling{}, 10), options(dir)); !errors.Is(err, books.ErrBusy) {
		t.Errorf("ran with %v", err)
	}
}

func TestAJournalThatIsGoneIsDamageAndNotAFreshStart(t *testing.T) {
	dir := t.TempDir()
	m := newMeter(1, 50)
	job := m.job("a", 1, ledger.Ceiling{}, 10)
	mustRun(t, job, dir)
	if err := os.Remove(sinks.Warehouse{Root: dir}.JournalOf("a", "2026-11-23")); err != nil {
		t.Fatal(err)
	}
	if _, err := Run(context.Background(), job, options(dir)); !errors.Is(err, recovery.ErrDamaged) || m.billed != 10 {
		t.Errorf("ran with %v, %d units billed", err, m.billed)
	}
}

func TestARaisedBoundContinuesTheList(t *testing.T) {
	dir := t.TempDir()
	m := newMeter(1, 50)
	for _, most := range []int64{60, 130, 0} {
		job := m.job("a", 1, ledger.Ceiling{}, 200)
		job.Items[0].Task.MaxRows = most
		if result := mustRun(t, job, dir); len(result.Incomplete()) != 0 {
			t.Errorf("max_rows %d: %+v", most, result.Incomplete())
		}
	}
	if m.billed != 200 {
		t.Errorf("the vendor billed %d, want 200", m.billed)
	}
}

// quota is a vendor's own account. It implements pipeline.Usage.
type quota struct {
	m         *meter
	allowance pipeline.Units
	others    pipeline.Units // what other users of the key consume
}

func (q *quota) Usage(context.Context, time.Time, time.Time) (pipeline.UsageReport, error) {
	q.m.mu.Lock()
	defer q.m.mu.Unlock()
	used := q.m.billed + q.others
	left := q.allowance - used
	return pipeline.UsageReport{Units: used, Limit: &q.allowance, Remaining: &left}, nil
}

func TestAListThatIsAskedForAgainIsPublishedAgainAndCostsNothing(t *testing.T) {
	t.Parallel()
	dir, m := t.TempDir(), newMeter(1, 50)
	if err := os.WriteFile(options(dir).Warehouse.Catalog(), nil, 0o644); err != nil { // without it every run would publish again
		t.Fatal(err)
	}
	for i, lengths := range [][]int{{120}, {30}, {120}, {120}} {
		r := mustRun(t, m.job("a", 1, ledger.Ceiling{}, lengths...), dir)
		if published := len(r.Files) > 0; r.Run.State != ledger.Complete || published == (i == 3) || published && r.Files[0].Rows != int64(lengths[0]) {
			t.Errorf("execution %d, of %d rows: %s, %+v", i, lengths, r.Run.State, r.Files)
		}
	}
	if m.billed != 150 {
		t.Errorf("%d units were billed, want 150", m.billed)
	}
}

func TestWhatTheVendorHasLeftCapsTheBudget(t *testing.T) {
	for _, allowed := range []ledger.Ceiling{{}, month(5000), execution(400), month(120)} {
		dir := t.TempDir()
		m := newMeter(1, 50)
		most := pipeline.Units(230)
		if allowed.WarehouseMonth != nil {
			most = min(most, max(0, *allowed.WarehouseMonth-770))
		}
		job := m.job("a", 3, allowed, 90, 400, 200)
		account := job.Accounts["moz"]
		account.Usage = &quota{m: m, allowance: 1000, others: 770}
		job.Accounts["moz"] = account
		result := mustRun(t, job, dir)
		if m.billed != most || len(result.Incomplete()) == 0 {
			t.Errorf("%+v: %d units billed of %d the vendor had left; %+v", allowed, m.billed, most, result.Incomplete())
		}
		if left := result.Plan.Vendors[0].Allowed; left == nil || *left != most {
			t.Errorf("%+v: planned with %v", allowed, left)
		}
		// The next execution asks again.
		account.Usage = &quota{m: m, allowance: 2000, others: 770}
		job.Accounts["moz"] = account
		mustRun(t, job, dir)
		want := pipeline.Units(690)
		switch {
		case allowed.WarehouseMonth != nil && *allowed.WarehouseMonth == 120:
			want = 0 // others have consumed more than the job allows for all
		case allowed.Run != nil:
			want = 230 + 400
		}
		if m.billed != want {
			t.Errorf("%+v: %d units billed in the end, want %d", allowed, m.billed, want)
		}
	}
}

func TestARunTellsItsStepsInTheirOrder(t *testing.T) {
	t.Parallel()
	var told []Step
	o := options(t.TempDir())
	o.Step = func(s Step) { told = append(told, s) }
	if _, err := Run(t.Context(), newMeter(1, 50).job("steps", 1, ledger.Ceiling{}, 120), o); err != nil {
		t.Fatal(err)
	}
	const table = "moz.anchor_text"
	want := []Step{{Name: Planning}, {Name: Buying}, {Name: Loading}, {Loading, table, 1, 3}, {Loading, table, 2, 3}, {Loading, table, 3, 3},
		{Publishing, table, 0, 1}, {Publishing, "", 1, 1}, {Name: Closing}}
	if diff := cmp.Diff(want, told); diff != "" {
		t.Error(diff)
	}
}

// TestWhatIsReleasedIsNotSpentBesideTheCeilingOfARun: an execution that finds units of the one before held, and released by the vendor's
// count before it buys, has its own ceiling and not those units as well.
func TestWhatIsReleasedIsNotSpentBesideTheCeilingOfARun(t *testing.T) {
	dir, m := t.TempDir(), newMeter(1, 50)
	now := time.Now()
	o := options(dir)
	o.Now = func() time.Time { return now }
	requests := 0
	m.fault = func() (pipeline.Kind, bool, bool) { requests++; return pipeline.Transient, false, requests == 2 }
	job := m.job("a", 1, execution(100), 500)
	if _, err := Run(t.Context(), job, o); err != nil || m.billed != 50 {
		t.Fatalf("%v, %d units billed: want 50, and 50 held", err, m.billed)
	}
	account := job.Accounts["moz"]
	account.Usage = &quota{m: m, allowance: 10_000}
	job.Accounts["moz"] = account
	now = now.Add(time.Hour)
	result, err := Run(t.Context(), job, o)
	if err != nil || len(result.Settled) != 1 || result.Bought.Units != 100 {
		t.Errorf("%v, bought for %d units with a ceiling of 100: %+v", err, result.Bought.Units, result.Settled)
	}
}

// TestARunThatIsStoppedBehindItsLastPageIsNotComplete: nothing of it is published yet.
func TestARunThatIsStoppedBehindItsLastPageIsNotComplete(t *testing.T) {
	dir, m := t.TempDir(), newMeter(1, 50)
	ctx, stop := context.WithCancel(t.Context())
	m.fault = func() (pipeline.Kind, bool, bool) { stop(); return 0, false, false }
	result, err := Run(ctx, m.job("a", 1, ledger.Ceiling{}, 40), options(dir))
	if err != nil || !result.Interrupted || len(result.Incomplete()) != 0 || len(result.Files) != 0 || result.Run.State != ledger.Incomplete {
		t.Errorf("%v, %+v", err, result)
	}
	again := mustRun(t, m.job("a", 1, ledger.Ceiling{}, 40), dir)
	if again.Run.State != ledger.Complete || len(again.Files) != 1 || m.billed != 40 {
		t.Errorf("%d units billed, %+v", m.billed, again)
	}
}
