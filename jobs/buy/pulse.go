package buy

import (
	"context"

	"backhaul/jobs/recovery"
	"backhaul/pipeline"
)

// beating is a source whose requests are signs of life.
type beating struct {
	pipeline.Source
	pulse *recovery.Pulse
	stop  context.CancelCauseFunc
}

func (b beating) Fetch(ctx context.Context, t pipeline.Task, ask pipeline.Ask) (pipeline.Page, error) {
	if err := b.pulse.Touch(ctx); err != nil {
		b.stop(runError{err})
		return pipeline.Page{}, &pipeline.Error{Kind: pipeline.Transient, Err: err} // nothing was sent
	}
	return b.Source.Fetch(ctx, t, ask)
}
