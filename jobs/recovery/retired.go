package recovery

import (
	"context"
	"errors"

	"backhaul/jobs/ledger"
	"backhaul/pipeline"
)

// ErrRetired means that a run's journal was removed by retention: nothing is damaged, and nothing can be rebuilt.
var ErrRetired = errors.New("the journal was retired")

// PlacesOf is how far the ledger says the tasks of a run have come.
func PlacesOf(ctx context.Context, l *ledger.Ledger, runID string) (map[string]pipeline.Place, error) {
	tasks, err := l.Tasks(ctx, runID)
	if err != nil {
		return nil, err
	}
	places := map[string]pipeline.Place{}
	for _, t := range tasks {
		held := t.Rows
		if t.Ending == pipeline.EndMaxRows {
			held = max(held, t.MaxRows)
		}
		places[t.ID] = pipeline.Place{
			Pages: t.Pages, Rows: t.Rows, ChainRows: held, Waste: t.Waste, Units: t.Units, MaybeUnits: t.MaybeUnits,
			Attempts: t.Attempts, ReusedFrom: t.ReusedFrom, End: t.Ending == pipeline.EndOfList,
		}
	}
	return places, nil
}
