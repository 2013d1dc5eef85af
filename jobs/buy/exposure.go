package buy

import (
	"cmp"
	"context"
	"slices"
	"sync"

	"backhaul/pipeline"
)

// exposure is what the requests under way at a vendor can cost together at most. If the process dies that may have been charged
// without a trace, so the ledger knows it before they are sent. A page can be dearer than the one its list began with: one that goes
// on by more fields, or one of a list that is started over with max_rows nearly reached.
type exposure struct {
	requests int                                                      // at once, each for another list
	tell     func(ctx context.Context, together pipeline.Units) error // has the ledger know more

	mu      sync.Mutex
	dearest []page         // so many lists, the dearest page of each so far
	known   pipeline.Units // to the ledger
}

// page is what one of a list can cost at most.
type page struct {
	taskID string
	units  pipeline.Units
}

// expose begins with one page of each list.
func expose(pages []page, requests int, tell func(context.Context, pipeline.Units) error) *exposure {
	slices.SortFunc(pages, func(a, b page) int { return cmp.Compare(b.units, a.units) })
	x := &exposure{requests: requests, tell: tell, dearest: slices.Clone(pages[:min(len(pages), requests)])}
	x.known = together(x.dearest)
	return x
}

func together(pages []page) (units pipeline.Units) {
	for _, p := range pages {
		units += p.units
	}
	return units
}

// most is what the ledger is to know with every grant.
func (x *exposure) most() pipeline.Units {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.known
}

// raise has the ledger know of a request that makes more possible.
func (x *exposure) raise(ctx context.Context, p page) error {
	x.mu.Lock()
	defer x.mu.Unlock()
	with := x.with(p)
	if units := together(with); units > x.known {
		if err := x.tell(ctx, units); err != nil {
			return err
		}
		x.known = units
	}
	x.dearest = with
	return nil
}

// with are the dearest lists once a page of one can cost so much.
func (x *exposure) with(p page) []page {
	at := slices.IndexFunc(x.dearest, func(d page) bool { return d.taskID == p.taskID })
	if at < 0 {
		if len(x.dearest) < x.requests {
			return append(x.dearest, p)
		}
		for i, d := range x.dearest {
			if at < 0 || d.units < x.dearest[at].units {
				at = i
			}
		}
	}
	if p.units <= x.dearest[at].units {
		return x.dearest
	}
	with := slices.Clone(x.dearest)
	with[at] = p
	return with
}

// exposed is a source whose requests the ledger knows the worst of.
type exposed struct {
	pipeline.Source
	*exposure
}

func (e exposed) Fetch(ctx context.Context, t pipeline.Task, ask pipeline.Ask) (pipeline.Page, error) {
	price, err := e.Endpoint().PriceOf(t, ask)
	if err == nil {
		err = e.raise(ctx, page{t.ID, price.Worst(ask.Limit)})
	}
	if err != nil {
		return pipeline.Page{}, &pipeline.Error{Kind: pipeline.Transient, Err: err} // nothing was sent
	}
	return e.Source.Fetch(ctx, t, ask)
}
