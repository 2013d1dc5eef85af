package load

import (
	"context"
	"time"

	"backhaul/pipeline"
	"backhaul/pipeline/journal"
	"backhaul/schemas"
	"backhaul/sinks"
)

// Contents returns what the run's tables must hold by its journal, by full name, without writing anything, and how many rows
// do not fit theirs. It decodes every page.
func Contents(ctx context.Context, j *journal.Journal, tasks []pipeline.Task, sources func(pipeline.Task) (pipeline.Source, error),
	digest func(*schemas.Table) sinks.Digester) (tables map[string]sinks.Contents, rejected int64, err error) {
	date, err := time.Parse(time.DateOnly, j.Header().RunDate)
	if err != nil {
		return nil, 0, err
	}
	places, err := j.Places(ctx)
	if err != nil {
		return nil, 0, err
	}
	digests := map[string]sinks.Digester{}
	loaded, err := All(ctx, Config{Journal: j, Sources: sources, RunDate: date, Places: places, Create: func(t *schemas.Table) (sinks.Writer, error) {
		digests[t.FullName()] = digest(t)
		return digests[t.FullName()], nil
	}}, tasks)
	if err != nil {
		return nil, 0, err
	}
	tables = map[string]sinks.Contents{}
	for _, s := range loaded.Files {
		if c := digests[s.Table.FullName()].Contents(); c.Rows > 0 || !s.Beside {
			tables[s.Table.FullName()] = c
		}
	}
	return tables, loaded.RejectedRows, nil
}
