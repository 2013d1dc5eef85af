package buy

import (
	"context"
	"errors"
	"maps"
	"slices"

	"backhaul/pipeline"
	"backhaul/pipeline/engine"
)

// Engine buys the lists of an order: in this process ([Here]), or wherever else. Package buytest is the suite that every engine passes.
type Engine interface {
	// Buy buys what is ordered, each list from its place, and returns how each of them went, vendor by vendor in the order of their names
	// and of the plan's work. The journal has then what was paid for. When ctx ends no new request is made, and replies under way are
	// entered. A vendor that is given up is in Stops; with an error nothing is known of what was bought but what the journal has.
	Buy(ctx context.Context, o Order) (Bought, error)
}

// Here is the engine of this process.
type Here struct{}

// Buy implements Engine.
func (Here) Buy(ctx context.Context, o Order) (Bought, error) {
	buying, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	var lanes []engine.Lane
	for _, vendor := range slices.Sorted(maps.Keys(o.Plan.Work)) {
		lane, err := o.lane(buying, vendor, o.Plan.Work[vendor], stop)
		if err != nil {
			return Bought{}, err
		}
		lanes = append(lanes, lane)
	}
	silences := newOutages(context.WithoutCancel(ctx), o)
	outcomes, err := engine.Run(buying, engine.Config{Lanes: lanes, Journal: o.Journal, Retry: o.Retry, Observe: silences.observe})
	bought := Bought{Outcomes: outcomes, Stops: Stops(err), Err: err, Unspent: map[string]pipeline.Units{}}
	for _, l := range lanes {
		bought.Delays = append(bought.Delays, Delay{Vendor: l.Vendor, Refused: l.Gate.Lost(), Silent: silences.lost[l.Vendor], PerSecond: l.Gate.PerSecond()})
		bought.Unspent[l.Vendor] = l.Gate.Unspent()
	}
	switch cause := context.Cause(buying); {
	case errors.As(err, new(*engine.JournalError)):
		bought.Fault = err
	case errors.As(cause, new(runError)):
		bought.Fault = cause
	}
	return bought, nil
}
