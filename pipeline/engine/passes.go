package engine

import (
	"context"

	"backhaul/pipeline"
	"backhaul/pipeline/limit"
)

// passes is the leave to make one request: the vendor's gate's, behind that of the extract's purse where there is one.
type passes []*limit.Pass

// purseError means that the extract's own ceiling leaves no room for the request.
type purseError struct{ err error }

func (e purseError) Error() string { return "the extract's " + e.err.Error() }
func (e purseError) Unwrap() error { return e.err }

// admit waits for both.
func (b *buyer) admit(ctx context.Context, want, least pipeline.Units) (passes, error) {
	var p passes
	if b.Purse != nil {
		own, err := b.Purse.Admit(ctx, want, least)
		if err != nil {
			if ctx.Err() != nil {
				return nil, err
			}
			return nil, purseError{err}
		}
		p, want = append(p, own), own.Units
	}
	pass, err := b.Gate.Admit(ctx, want, least)
	if err != nil {
		p.settle(0)
		return nil, err
	}
	return append(p, pass), nil
}

// units is what the request may cost at most.
func (p passes) units() pipeline.Units { return p[len(p)-1].Units }

func (p passes) settle(actual pipeline.Units) {
	for _, pass := range p {
		pass.Settle(actual)
	}
}

func (p passes) unsettled() {
	for _, pass := range p {
		pass.Unsettled()
	}
}

func (p passes) turnedAway() {
	for _, pass := range p {
		pass.TurnedAway()
	}
}
