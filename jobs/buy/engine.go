package buy

import (
	"context"
	"errors"
	"maps"
	"slices"

	"backhaul/jobs/plan"
	"backhaul/pipeline"
	"backhaul/pipeline/engine"
)

// Engine buys the lists of an order: in this process ([Here]), or wherever else. Package buytest is the suite that every engine passes.
type Engine interface {
	// Buy buys what is ordered, each list from its place, and returns how each of them went, vendor by vendor in the order of their names
	// and of the work, that of More behind it. The journal has then what was paid for. When ctx ends no new request is made, and replies
	// under way are entered. A vendor that is given up is in Stops; with an error nothing is known of what was bought but what the
	// journal has.
	Buy(ctx context.Context, o Order) (Bought, error)
}

// Here is the engine of this process.
type Here struct{}

// Buy implements Engine.
func (Here) Buy(ctx context.Context, o Order) (Bought, error) {
	buying, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	m := &market{Order: o, stop: stop, sellers: map[string]*seller{}}
	lanes, err := m.lanes(buying, o.Work)
	if err != nil {
		return Bought{}, err
	}
	silences := newOutages(context.WithoutCancel(ctx), o)
	config := engine.Config{Lanes: lanes, Journal: o.Journal, Retry: o.Retry, Observe: silences.observe}
	if o.More != nil {
		config.More = m.more
	}
	outcomes, err := engine.Run(buying, config)
	bought := Bought{Outcomes: outcomes, Stops: Stops(err), Err: err, Unspent: map[string]pipeline.Units{}}
	for _, vendor := range slices.Sorted(maps.Keys(m.sellers)) {
		gate := m.sellers[vendor].gate
		bought.Delays = append(bought.Delays, Delay{Vendor: vendor, Refused: gate.Lost(), Silent: silences.lost[vendor], PerSecond: gate.PerSecond()})
		bought.Unspent[vendor] = gate.Unspent()
	}
	switch cause := context.Cause(buying); {
	case errors.As(err, new(*engine.JournalError)):
		bought.Fault = err
	case errors.As(cause, new(runError)):
		bought.Fault = cause
	}
	return bought, m.err
}

// market is an order under way: the vendors that are bought from, which may become more.
type market struct {
	Order
	stop    context.CancelCauseFunc
	sellers map[string]*seller
	err     error // why there is no more
}

// lanes returns the work as lanes.
func (m *market) lanes(ctx context.Context, all map[string][]plan.Work) (lanes []engine.Lane, err error) {
	for _, vendor := range slices.Sorted(maps.Keys(all)) {
		work := all[vendor]
		if m.sellers[vendor] == nil {
			if m.sellers[vendor], err = m.open(ctx, vendor, work); err != nil {
				return nil, err
			}
		}
		lane, err := m.lane(m.sellers[vendor], work)
		if err != nil {
			return nil, err
		}
		lanes = append(lanes, lane)
	}
	return lanes, nil
}

// more asks for more.
func (m *market) more(ctx context.Context, over engine.Over) (lanes []engine.Lane) {
	if m.err != nil {
		return nil
	}
	var work map[string][]plan.Work
	if work, m.err = m.More(ctx, over); m.err == nil {
		lanes, m.err = m.lanes(ctx, work)
	}
	return lanes
}

// InRounds buys an order for an engine that asks for no more while it buys: what waits is bought in the next round.
func InRounds(ctx context.Context, o Order, buy func(context.Context, Order) (Bought, error)) (all Bought, err error) {
	for begun := false; !begun || len(o.Work) > 0; begun = true {
		bought, err := buy(ctx, o)
		if err != nil {
			return all, err
		}
		all.add(bought)
		o.Work = map[string][]plan.Work{}
		if o.More == nil || all.Fault != nil {
			continue
		}
		for _, over := range overOf(bought.Outcomes) {
			if ctx.Err() != nil {
				break
			}
			over.Stops = all.Stops
			more, err := o.More(ctx, over)
			if err != nil {
				return all, err
			}
			for vendor, work := range more {
				o.Work[vendor] = append(o.Work[vendor], work...)
			}
		}
	}
	return all, nil
}

// overOf are the extracts of outcomes, in the order in which they come.
func overOf(outcomes []engine.Outcome) (all []engine.Over) {
	for _, o := range outcomes {
		i := slices.IndexFunc(all, func(over engine.Over) bool { return over.Extract == o.Task.Extract })
		if i < 0 {
			i, all = len(all), append(all, engine.Over{Extract: o.Task.Extract})
		}
		all[i].Outcomes = append(all[i].Outcomes, o)
	}
	return all
}

// add adds what another round has brought.
func (b *Bought) add(round Bought) {
	b.Outcomes, b.Stops = append(b.Outcomes, round.Outcomes...), append(b.Stops, round.Stops...)
	b.Err, b.Fault = errors.Join(b.Err, round.Err), errors.Join(b.Fault, round.Fault)
	for _, d := range round.Delays {
		i := slices.IndexFunc(b.Delays, func(other Delay) bool { return other.Vendor == d.Vendor })
		if i < 0 {
			b.Delays = append(b.Delays, d)
			continue
		}
		b.Delays[i].Refused, b.Delays[i].Silent, b.Delays[i].PerSecond = b.Delays[i].Refused+d.Refused, b.Delays[i].Silent+d.Silent, d.PerSecond
	}
	if b.Unspent == nil {
		b.Unspent = map[string]pipeline.Units{}
	}
	for vendor, units := range round.Unspent {
		b.Unspent[vendor] += units
	}
}
