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
}

func (b beating) Fetch(ctx context.Context, t pipeline.Task, ask pipeline.Ask) (pipeline.Page, error) {
	b.pulse.Touch()
	return b.Source.Fetch(ctx, t, ask)
}
