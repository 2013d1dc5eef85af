package run

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"

	"backhaul/jobs/books"
	"backhaul/jobs/chain"
	"backhaul/jobs/ledger"
	"backhaul/jobs/plan"
	"backhaul/pipeline"
	"backhaul/schemas"
	"backhaul/sinks"
)

// asked is a Lake whose queries are the names of extracts, and return how many rows each target of theirs has.
type asked struct {
	nowhere
	files   *[]*targetsSeen
	queries *int
}

// targetsSeen is a staged file that keeps the targets of its rows.
type targetsSeen struct {
	nothing
	at      int
	name    string
	targets map[string]int
}

func newAsked(dir string) asked {
	return asked{nowhere: nowhere{dir}, files: new([]*targetsSeen), queries: new(int)}
}

func (a asked) Create(t *schemas.Table) (sinks.Writer, error) {
	f := &targetsSeen{at: t.Index(schemas.ColTarget), name: strconv.Itoa(len(*a.files)), targets: map[string]int{}}
	*a.files = append(*a.files, f)
	return f, nil
}

func (f *targetsSeen) Write(b arrow.RecordBatch) error {
	if f.at >= 0 {
		for i := range int(b.NumRows()) {
			f.targets[b.Column(f.at).ValueStr(i)]++
		}
	}
	return f.nothing.Write(b)
}

func (f *targetsSeen) Close() (sinks.Staged, error) {
	return sinks.Staged{Path: f.name, Rows: f.rows}, nil
}

func (a asked) Ask(_ context.Context, query string, relations []chain.Relation) ([]string, [][]*string, error) {
	*a.queries++
	var rows [][]*string
	for _, r := range relations {
		if r.Name != query {
			continue
		}
		at, _ := strconv.Atoi(r.Path)
		for _, n := range (*a.files)[at].targets {
			text := strconv.Itoa(n)
			rows = append(rows, []*string{&text})
		}
	}
	return []string{"target"}, rows, nil
}

// after makes a step that buys, for each target of another extract with n rows, a list of n rows.
func (m *meter) after(name string, upstream ...string) chain.Step {
	item := func(t pipeline.Task) plan.Item {
		return plan.Item{Task: t, Endpoint: m.endpoint, PageSize: m.endpoint.PageSize}
	}
	return chain.Step{Extract: name, Endpoint: m.endpoint, After: upstream, Before: upstream, Query: upstream[0], Digest: "1", Item: item,
		Make: func(_ []string, rows [][]*string, _ []pipeline.Task) ([]pipeline.Task, []string, error) {
			var tasks []pipeline.Task
			for _, row := range rows {
				t := pipeline.Task{Extract: name, Endpoint: m.endpoint.String(), Surface: "v2", Target: *row[0], Params: "{}"}
				t.ID = pipeline.TaskID(t)
				if !slices.ContainsFunc(tasks, func(h pipeline.Task) bool { return h.ID == t.ID }) {
					tasks = append(tasks, t)
				}
			}
			return tasks, nil, nil
		}}
}

func runAsked(t *testing.T, job Job, dir string, lake asked, again ...bool) *Result {
	t.Helper()
	o := options(dir)
	o.Lake, o.Again = lake, len(again) > 0
	result, err := Run(context.Background(), job, o)
	if err != nil {
		t.Fatal(err)
	}
	return result
}

// endings are the tasks as extract/target:ending.
func endings(r *Result) string {
	var all []string
	for _, t := range r.Tasks {
		all = append(all, fmt.Sprintf("%s/%s:%s", t.Extract, t.Target, t.Ending))
	}
	slices.Sort(all)
	return strings.Join(all, " ")
}

func TestAnExtractWaitsForOthersAndIsMadeOfTheirRows(t *testing.T) {
	dir := t.TempDir()
	lake := newAsked(dir)
	m := newMeter(1, 50)
	job := m.job("a", 4, ledger.Ceiling{}, 120, 30)
	job.Steps = []chain.Step{m.after("y", "x0"), m.after("z", "y", "x1")}
	result := runAsked(t, job, dir, lake)
	if got, want := endings(result), "x0/120:end of list x1/30:end of list y/120:end of list z/120:end of list"; got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
	if m.billed != 120+30+120+120 || result.Bought.Units != m.billed {
		t.Errorf("%d units billed, %d counted", m.billed, result.Bought.Units)
	}
	if pending := result.Plan.Extracts[2]; pending.Extract != "y" || pending.AtMost != nil || len(pending.After) != 1 {
		t.Errorf("planned as %+v", pending)
	}
	asked := *lake.queries
	again := runAsked(t, job, dir, lake)
	if m.billed != 390 || *lake.queries != asked || again.Run.State != ledger.Complete || endings(again) != endings(result) {
		t.Errorf("the same again: %d units, %d queries, %s, %s", m.billed, *lake.queries-asked, again.Run.State, endings(again))
	}
	next := job
	next.RunDate = job.RunDate.AddDate(0, 0, 1)
	p, err := Preview(context.Background(), next, nil, books.InFiles(sinks.Warehouse{Root: dir}), next.RunDate.AddDate(1, 0, 0))
	if err != nil {
		t.Fatal(err)
	}
	if p.Expected().Units != 390 {
		t.Errorf("the next night is expected to cost %d units, want what this one did", p.Expected().Units)
	}
}

func TestWhatAnExtractWaitsForInVainIsSaidAndBoughtLater(t *testing.T) {
	dir := t.TempDir()
	lake := newAsked(dir)
	m := newMeter(1, 50)
	executions := 0
	for limit := pipeline.Units(70); ; executions++ {
		job := m.job("a", 1, execution(limit), 120)
		job.Steps = []chain.Step{m.after("y", "x0")}
		result := runAsked(t, job, dir, lake)
		if executions == 0 {
			if got, want := endings(result), "x0/120:budget y/:not reached"; got != want || result.Run.State != ledger.Incomplete {
				t.Errorf("%s (%s), want %s", got, result.Run.State, want)
			}
		}
		if len(result.Incomplete()) == 0 {
			if got, want := endings(result), "x0/120:end of list y/120:end of list"; got != want {
				t.Errorf("%s, want %s", got, want)
			}
			break
		}
		if executions > 8 {
			t.Fatal(endings(result))
		}
	}
	if m.billed != 240 || executions < 3 {
		t.Errorf("%d units billed in %d executions", m.billed, executions)
	}
}

func TestWhatFailedAloneHoldsNobodyUpWhoAsksAgainAndIsMadeGood(t *testing.T) {
	dir := t.TempDir()
	lake := newAsked(dir)
	m := newMeter(1, 50)
	broken := true
	m.fault = func() (pipeline.Kind, bool, bool) { return pipeline.Rejected, false, broken && m.asking == "77" }
	job := m.job("a", 1, ledger.Ceiling{}, 40, 77)
	for i := range job.Items {
		job.Items[i].Task.Extract = "x"
		job.Items[i].Task.ID = pipeline.TaskID(job.Items[i].Task)
	}
	job.Steps = []chain.Step{m.after("y", "x")}
	if got, want := endings(runAsked(t, job, dir, lake, true)), "x/40:end of list x/77:fault y/40:end of list"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	broken = false
	if got, want := endings(runAsked(t, job, dir, lake)), "x/40:end of list x/77:end of list y/40:end of list y/77:end of list"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if m.billed != 2*(40+77) {
		t.Errorf("%d units billed, want %d: nothing twice", m.billed, 2*(40+77))
	}
}

func TestAnExtractWaitsUntilTheListsItAsksAboutAreWhole(t *testing.T) {
	dir := t.TempDir()
	lake := newAsked(dir)
	m := newMeter(1, 50)
	broken := true
	m.fault = func() (pipeline.Kind, bool, bool) { return pipeline.Rejected, false, broken && m.asking == "77" }
	job := m.job("a", 1, ledger.Ceiling{}, 40, 77)
	for i := range job.Items {
		job.Items[i].Task.Extract = "x"
		job.Items[i].Task.ID = pipeline.TaskID(job.Items[i].Task)
	}
	job.Steps = []chain.Step{m.after("y", "x"), m.after("z", "y")}
	result := runAsked(t, job, dir, lake)
	if got, want := endings(result), "x/40:end of list x/77:fault y/:not reached z/:not reached"; got != want || m.billed != 40 {
		t.Errorf("%s for %d units, want %s for 40", got, m.billed, want)
	}
	if notes := strings.Join(result.Notes, "; "); !strings.Contains(notes, "extract y waits for x, of whose 2 lists 1 did not complete") {
		t.Errorf("it says %q", notes)
	}
	broken = false
	if got, want := endings(runAsked(t, job, dir, lake)), "x/40:end of list x/77:end of list y/40:end of list y/77:end of list z/40:end of list z/77:end of list"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func TestChainsBuyNothingTwiceHoweverOftenTheyAreInterrupted(t *testing.T) {
	for seed := range uint64(12) {
		r := rand.New(rand.NewPCG(seed, 3))
		dir := t.TempDir()
		lake := newAsked(dir)
		m := newMeter(1, 10)
		for executions := 0; ; executions++ {
			job := m.job("a", 1+r.IntN(4), ledger.Ceiling{}, 35, 81, 12)
			job.Steps = []chain.Step{m.after("y", "x1", "x0"), m.after("z", "y"), m.after("w", "x2")}
			ctx, interrupt := context.WithCancel(context.Background())
			patience := 1 + r.IntN(12)
			m.fault = func() (pipeline.Kind, bool, bool) {
				if patience--; patience == 0 {
					interrupt()
				}
				return 0, false, false
			}
			o := options(dir)
			o.Lake = lake
			result, err := Run(ctx, job, o)
			interrupt()
			lose(t, dir)
			if err == nil && result.Run.State == ledger.Complete {
				if got, want := endings(result), "w/12:end of list x0/35:end of list x1/81:end of list x2/12:end of list y/81:end of list z/81:end of list"; got != want {
					t.Errorf("seed %d: %s", seed, got)
				}
				break
			}
			if executions > 100 {
				t.Fatalf("seed %d: %v, %s", seed, err, endings(result))
			}
		}
		if want := pipeline.Units(35 + 81 + 12 + 81 + 81 + 12); m.billed != want {
			t.Errorf("seed %d: %d units billed, want %d", seed, m.billed, want)
		}
	}
}

func TestAQueryThatFailsHoldsUpOnlyThoseThatWaitForIt(t *testing.T) {
	dir := t.TempDir()
	lake := newAsked(dir)
	m := newMeter(1, 50)
	job := m.job("a", 1, ledger.Ceiling{}, 40)
	wrong := m.after("y", "x0")
	wrong.Make = func([]string, [][]*string, []pipeline.Task) ([]pipeline.Task, []string, error) {
		return nil, nil, errors.New("no column target")
	}
	job.Steps = []chain.Step{wrong, m.after("z", "y"), m.after("w", "x0")}
	o := options(dir)
	o.Lake = lake
	result, err := Run(context.Background(), job, o)
	if err == nil || !strings.Contains(err.Error(), "extract y: no column target") {
		t.Fatalf("%v", err)
	}
	if got, want := endings(result), "w/40:end of list x0/40:end of list y/:not reached z/:not reached"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if len(result.Files) != 1 || result.Run.State != ledger.Incomplete {
		t.Errorf("%d tables published, the run is %s", len(result.Files), result.Run.State)
	}
	for _, task := range result.Tasks {
		if task.Extract == "y" && !strings.Contains(task.Error, "no column target") {
			t.Errorf("y says %q", task.Error)
		}
	}
	job.Steps[0] = m.after("y", "x0")
	if got, want := endings(runAsked(t, job, dir, lake)), "w/40:end of list x0/40:end of list y/40:end of list z/40:end of list"; got != want {
		t.Errorf("mended: %s, want %s", got, want)
	}
	if m.billed != 160 {
		t.Errorf("%d units billed, want 160", m.billed)
	}
}

func TestWhatALaterAnswerLeftOutStaysOut(t *testing.T) {
	dir := t.TempDir()
	lake := newAsked(dir)
	m := newMeter(1, 50)
	x := m.job("a", 1, ledger.Ceiling{}, 40, 77)
	for i := range x.Items {
		x.Items[i].Task.Extract = "x"
		x.Items[i].Task.ID = pipeline.TaskID(x.Items[i].Task)
	}
	// The first answer is made while 77 is broken, and asks about a list that cannot be bought; the second does not.
	broken := true
	m.fault = func() (pipeline.Kind, bool, bool) {
		return pipeline.Rejected, false, broken && (m.asking == "77" || m.asking == "5")
	}
	y := m.after("y", "x")
	make := y.Make
	y.Make = func(columns []string, rows [][]*string, held []pipeline.Task) ([]pipeline.Task, []string, error) {
		if broken {
			five := "5"
			rows = append(rows, []*string{&five})
		}
		return make(columns, rows, held)
	}
	x.Steps = []chain.Step{y}
	if got, want := endings(runAsked(t, x, dir, lake, true)), "x/40:end of list x/77:fault y/40:end of list y/5:fault"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	broken = false
	want := "x/40:end of list x/77:end of list y/40:end of list y/77:end of list"
	for range 2 {
		if got := endings(runAsked(t, x, dir, lake)); got != want {
			t.Errorf("%s, want %s", got, want)
		}
		if m.billed != 2*(40+77) {
			t.Errorf("%d units billed, want %d", m.billed, 2*(40+77))
		}
	}
}

func TestAnAnswerIsAskedForAnewWhenWhatItWasMadeOfChanges(t *testing.T) {
	dir := t.TempDir()
	lake := newAsked(dir)
	m := newMeter(1, 50)
	for _, tc := range []struct {
		lengths []int
		want    string
		billed  pipeline.Units
	}{
		{[]int{40}, "x/40:end of list y/40:end of list", 80},
		{[]int{40, 77}, "x/40:end of list x/77:end of list y/40:end of list y/77:end of list", 80 + 2*77},
		{[]int{77}, "x/77:end of list y/77:end of list", 80 + 2*77},
	} {
		job := m.job("a", 2, ledger.Ceiling{}, tc.lengths...)
		for i := range job.Items {
			job.Items[i].Task.Extract = "x"
			job.Items[i].Task.ID = pipeline.TaskID(job.Items[i].Task)
		}
		job.Steps = []chain.Step{m.after("y", "x")}
		result := runAsked(t, job, dir, lake)
		if got := endings(result); got != tc.want || m.billed != tc.billed || result.Run.State != ledger.Complete {
			t.Errorf("%s with %d units (%s), want %s with %d", got, m.billed, result.Run.State, tc.want, tc.billed)
		}
	}
}

func TestEverythingIsPricedAndConfirmedBeforeItIsBought(t *testing.T) {
	dir := t.TempDir()
	lake := newAsked(dir)
	m := newMeter(1, 50)
	job := m.job("a", 1, ledger.Ceiling{}, 40)
	job.Items[0].Task.MaxRows = 40
	listed := m.after("y", "x0")
	listed.Query = ""
	listed.Make = func([]string, [][]*string, []pipeline.Task) ([]pipeline.Task, []string, error) {
		task := pipeline.Task{Extract: "y", Endpoint: m.endpoint.String(), Surface: "v2", Target: "90", Params: "{}", MaxRows: 90}
		task.ID = pipeline.TaskID(task)
		return []pipeline.Task{task}, nil, nil
	}
	job.Steps = []chain.Step{listed}
	o := options(dir)
	o.Lake = lake
	var planned []*pipeline.Cost
	o.Confirm = func(p *plan.Plan) error { planned = append(planned, p.Vendors[0].Worst); return nil }
	if _, err := Run(context.Background(), job, o); err != nil {
		t.Fatal(err)
	}
	if len(planned) != 1 || planned[0] == nil || planned[0].Units != 130 || m.billed != 130 {
		t.Errorf("%d units billed, confirmed %v", m.billed, planned)
	}
	// A step that is new to a complete run is confirmed as well, in whatever round it comes.
	job.Steps = append(job.Steps, m.after("z", "y"))
	if _, err := Run(context.Background(), job, o); err != nil {
		t.Fatal(err)
	}
	if len(planned) != 2 || m.billed != 220 {
		t.Errorf("%d units billed, confirmed %v", m.billed, planned)
	}
}

func TestABrokenQueryInACompleteRunIsSaid(t *testing.T) {
	dir := t.TempDir()
	lake := newAsked(dir)
	m := newMeter(1, 50)
	job := m.job("a", 1, ledger.Ceiling{}, 40)
	job.Steps = []chain.Step{m.after("y", "x0")}
	runAsked(t, job, dir, lake)
	wrong := m.after("y", "x0")
	wrong.Digest, wrong.Make = "2", func([]string, [][]*string, []pipeline.Task) ([]pipeline.Task, []string, error) {
		return nil, nil, errors.New("no column target")
	}
	job.Steps = []chain.Step{wrong}
	o := options(dir)
	o.Lake = lake
	result, err := Run(context.Background(), job, o)
	if err == nil || result.Run.State != ledger.Incomplete || m.billed != 80 {
		t.Errorf("%v, %s, %d units", err, result.Run.State, m.billed)
	}
}
