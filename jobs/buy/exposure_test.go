package buy

import (
	"context"
	"errors"
	"testing"

	"backhaul/pipeline"
)

// asked is a source whose request costs the rows it asks for.
type asked struct {
	pipeline.Source
	sent *int
}

func (a asked) Endpoint() *pipeline.Endpoint { return list }

func (a asked) Fetch(context.Context, pipeline.Task, pipeline.Ask) (pipeline.Page, error) {
	*a.sent++
	return pipeline.Page{}, nil
}

func TestTheLedgerKnowsWhatIsUnderWayBeforeItIsSent(t *testing.T) {
	t.Parallel()
	var told []pipeline.Units
	var refuse error
	sent := 0
	x := expose([]page{{"a", 3}, {"b", 20}, {"c", 10}}, 2, func(_ context.Context, units pipeline.Units) error {
		told = append(told, units)
		return refuse
	})
	if x.most() != 30 {
		t.Fatalf("two of the lists cost %d", x.most())
	}
	for _, step := range []struct {
		list string
		rows int
		most pipeline.Units
	}{
		{"a", 3, 30}, {"b", 20, 30}, {"a", 10, 30}, // as was known, or no more than it
		{"a", 12, 32},               // in the place of c
		{"c", 11, 32},               // c and b, but a may be under way again
		{"b", 50, 62}, {"b", 1, 62}, // the dearest counts
		{"c", 13, 63},
	} {
		if _, err := (exposed{asked{sent: &sent}, x}).Fetch(t.Context(), pipeline.Task{ID: step.list}, pipeline.Ask{Limit: step.rows}); err != nil || x.most() != step.most {
			t.Errorf("%+v: %d, %v", step, x.most(), err)
		}
	}
	if len(told) != 3 || sent != 8 {
		t.Errorf("the ledger was told %v, and %d requests sent", told, sent)
	}
	refuse = errors.New("the disk is full")
	_, err := exposed{asked{sent: &sent}, x}.Fetch(t.Context(), pipeline.Task{ID: "d"}, pipeline.Ask{Limit: 60})
	var e *pipeline.Error
	if !errors.As(err, &e) || !errors.Is(err, refuse) || e.MaybeCharged || sent != 8 || x.most() != 63 {
		t.Errorf("a request that the ledger could not know of: %v, %d sent, %d", err, sent, x.most())
	}
	if x := expose([]page{{"a", 1}}, 2, nil); x.most() != 1 {
		t.Errorf("the only list costs %d", x.most())
	}
}
