//go:build fleet

package fleet

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"

	"backhaul/pipeline"
)

// vendor is an account whose lists end as a test says.
type vendor struct {
	end func(o ListOrder) (Outcome, error)

	mu         sync.Mutex
	begun      []string
	busy, most int
}

func (v *vendor) buy(_ context.Context, o ListOrder) (Outcome, error) {
	v.mu.Lock()
	v.begun = append(v.begun, o.List.Task)
	v.busy++
	v.most = max(v.most, v.busy)
	v.mu.Unlock()
	time.Sleep(5 * time.Millisecond) // in which others begin
	defer func() {
		v.mu.Lock()
		v.busy--
		v.mu.Unlock()
	}()
	if v.end != nil {
		return v.end(o)
	}
	return whole(o), nil
}

func whole(o ListOrder) Outcome {
	return Outcome{Task: o.List.Task, Ending: pipeline.EndOfList, Pages: 1, Rows: 4, Spent: 4}
}

func laneOf(n int) Lane {
	l := Lane{Terms: Terms{Vendor: "moz", Queue: "q/moz x", Connections: 3, Of: n}}
	for i := range n {
		l.Lists = append(l.Lists, List{Task: fmt.Sprintf("list-%02d", i), PageSize: 50})
	}
	return l
}

// environment is Temporal's own for workflows under virtual time.
func environment() *testsuite.TestWorkflowEnvironment {
	var suite testsuite.WorkflowTestSuite
	suite.SetLogger(silent{})
	return suite.NewTestWorkflowEnvironment()
}

// sell has a workflow buy a lane from a vendor.
func sell(t *testing.T, v *vendor, l Lane, prepare func(*testsuite.TestWorkflowEnvironment)) (sold Sold, progress Progress) {
	t.Helper()
	env := environment()
	env.RegisterWorkflow(lists)
	env.RegisterActivityWithOptions(v.buy, activity.RegisterOptions{Name: listActivity})
	if prepare != nil {
		prepare(env)
	}
	env.ExecuteWorkflow(lists, l)
	if err := env.GetWorkflowError(); err != nil {
		t.Fatal(err)
	}
	answer, err := env.QueryWorkflow(progressQuery)
	if err := errors.Join(err, env.GetWorkflowResult(&sold)); err != nil {
		t.Fatal(err)
	}
	if err := answer.Get(&progress); err != nil {
		t.Fatal(err)
	}
	return sold, progress
}

func TestAsManyListsAreUnderWayAsThereAreConnections(t *testing.T) {
	v := &vendor{}
	sold, progress := sell(t, v, laneOf(20), nil)
	if len(sold.Outcomes) != 20 || sold.Stop != nil || sold.Fault != "" || v.most != 3 {
		t.Errorf("%d outcomes with %d at once, %+v, %q", len(sold.Outcomes), v.most, sold.Stop, sold.Fault)
	}
	if want := (Progress{Lists: 20, Of: 20, Pages: 20, Rows: 80, Units: 80}); progress != want {
		t.Errorf("%+v", progress)
	}
	for n, task := range v.begun { // in their order, but for those that are under way at a time
		if last := fmt.Sprintf("list-%02d", n+2); task > last {
			t.Errorf("%s began ahead of one before %s: %v", task, last, v.begun)
		}
	}
}

func TestAVendorThatIsGivenUpIsAskedForNothingMore(t *testing.T) {
	v := &vendor{end: func(o ListOrder) (Outcome, error) {
		return Outcome{Task: o.List.Task, Ending: pipeline.EndDenied, Stop: &Stop{Ending: pipeline.EndDenied, Cause: Cause{Text: "401"}}}, nil
	}}
	sold, _ := sell(t, v, laneOf(20), nil)
	if sold.Stop == nil || sold.Stop.Ending != pipeline.EndDenied || sold.Stop.Cause.Text != "401" || len(v.begun) > 5 {
		t.Errorf("%+v after %d lists", sold.Stop, len(v.begun))
	}
}

func TestTenListsInARowWithoutAnAnswerGiveTheVendorUp(t *testing.T) {
	silence := &Cause{Text: "no answer", OfKind: true, Kind: pipeline.Transient}
	for name, answered := range map[string]bool{"none": false, "one of ten": true} {
		t.Run(name, func(t *testing.T) {
			l := laneOf(30)
			l.Connections = 1
			v := &vendor{end: func(o ListOrder) (Outcome, error) {
				if answered && strings.HasSuffix(o.List.Task, "5") {
					return whole(o), nil
				}
				return Outcome{Task: o.List.Task, Ending: pipeline.EndFault, Cause: silence}, nil
			}}
			sold, _ := sell(t, v, l, nil)
			if given := sold.Stop != nil && sold.Stop.Ending == pipeline.EndUnreachable; given == answered || !given && len(v.begun) != 30 || given && len(v.begun) != mostUnanswered {
				t.Errorf("%+v after %d lists", sold.Stop, len(v.begun))
			}
		})
	}
}

func TestAListThatFindsNoUnitsLeftIsTriedAgainAlone(t *testing.T) {
	short := func(o ListOrder) Outcome {
		return Outcome{Task: o.List.Task, Ending: pipeline.EndBudget, Spent: 3, Stop: &Stop{Ending: pipeline.EndBudget, Short: true, Want: 4, Left: 1}}
	}
	var again []ListOrder
	v := &vendor{}
	v.end = func(o ListOrder) (Outcome, error) {
		switch {
		case o.List.Task == "list-01" && o.List.Again == 0:
			return short(o), nil
		case o.List.Again > 0:
			v.mu.Lock()
			defer v.mu.Unlock()
			if again = append(again, o); v.busy > 1 {
				t.Errorf("%d lists are under way beside it", v.busy-1)
			}
		case o.List.Task >= "list-06":
			return short(o), nil
		}
		return whole(o), nil
	}
	sold, _ := sell(t, v, laneOf(9), nil)
	if len(again) != 1 || again[0].List.Task != "list-01" || again[0].List.Units != 3 {
		t.Errorf("tried again were %+v", again)
	}
	if sold.Stop == nil || !sold.Stop.Short || sold.Stop.Want != 4 || len(v.begun) > 8 {
		t.Errorf("%+v after %v", sold.Stop, v.begun)
	}
}

func TestAnExtractsOwnCeilingIsSpentByOneListAtATime(t *testing.T) {
	most := pipeline.Units(10)
	l := laneOf(8)
	for i := range 4 {
		l.Lists[2*i].Extract, l.Lists[2*i].Purse = "own", &most
	}
	var left []pipeline.Units
	v := &vendor{}
	v.end = func(o ListOrder) (Outcome, error) {
		if o.List.Purse != nil {
			v.mu.Lock()
			left = append(left, *o.List.Purse)
			v.mu.Unlock()
		}
		return whole(o), nil
	}
	sold, _ := sell(t, v, l, nil)
	if !slices.Equal(left, []pipeline.Units{10, 6, 2, 0}) || sold.Purses["own"] != 0 || len(sold.Outcomes) != 8 {
		t.Errorf("left were %v, and %v of %d lists", left, sold.Purses, len(sold.Outcomes))
	}
}

func TestAFaultOfTheProgramsSideEndsTheLane(t *testing.T) {
	for kind, taken := range map[string]bool{faultError: false, takenError: true} {
		v := &vendor{end: func(o ListOrder) (Outcome, error) {
			return Outcome{}, temporal.NewNonRetryableApplicationError("the disk is full", kind, nil)
		}}
		sold, _ := sell(t, v, laneOf(20), nil)
		if sold.Fault != "the disk is full" || sold.Taken != taken || len(v.begun) > 5 {
			t.Errorf("%+v after %d lists", sold, len(v.begun))
		}
	}
}

func TestADatabaseThatIsAwayIsWaitedFor(t *testing.T) {
	tries := 0
	v := &vendor{}
	v.end = func(o ListOrder) (Outcome, error) {
		v.mu.Lock()
		defer v.mu.Unlock()
		if tries++; tries < 9 {
			return Outcome{}, temporal.NewApplicationError("the database does not answer", "Away")
		}
		return whole(o), nil
	}
	if sold, _ := sell(t, v, laneOf(1), nil); tries != 9 || len(sold.Outcomes) != 1 {
		t.Errorf("%d tries, %+v", tries, sold)
	}
}

func TestALaneThatIsCancelledBeginsNoListMore(t *testing.T) {
	v := &vendor{}
	sold, _ := sell(t, v, laneOf(20), func(env *testsuite.TestWorkflowEnvironment) {
		v.end = func(o ListOrder) (Outcome, error) {
			if o.List.Task == "list-04" {
				env.CancelWorkflow()
			}
			return whole(o), nil
		}
	})
	if len(v.begun) >= 20 || len(sold.Outcomes) == 0 || sold.Fault != "" {
		t.Errorf("%d lists begun, %d outcomes, %q", len(v.begun), len(sold.Outcomes), sold.Fault)
	}
}
