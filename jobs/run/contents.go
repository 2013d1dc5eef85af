package run

import (
	"context"
	"errors"
	"io/fs"
	"os"
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
	digests := map[string]sinks.Digester{}
	l := &loader{journal: j, sources: sources, runDate: days(date), create: func(t *schemas.Table) (sinks.Writer, error) {
		digests[t.FullName()] = digest(t)
		return digests[t.FullName()], nil
	}}
	if l.places, err = j.Places(ctx); err != nil {
		return nil, 0, err
	}
	files, err := l.load(ctx, tasks)
	if err != nil {
		return nil, 0, err
	}
	tables = map[string]sinks.Contents{}
	for _, s := range files {
		if c := digests[s.table.FullName()].Contents(); c.Rows > 0 || !s.beside {
			tables[s.table.FullName()] = c
		}
	}
	return tables, l.rejectedRows, nil
}

// Busy reports whether a process is at work on the run whose journal lies at path. It makes no file.
func Busy(path string) (bool, error) {
	if _, err := os.Stat(path + lockSuffix); errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	unlock, err := lock(path)
	if errors.Is(err, ErrBusy) {
		return true, nil
	}
	if err != nil {
		return false, err
	}
	unlock()
	return false, nil
}

// Lock takes a run for this process, or returns ErrBusy.
func Lock(w sinks.Warehouse, job, runDate string) (unlock func(), err error) {
	return lock(JournalPath(w, job, runDate))
}

// Gone reports whether a file of the warehouse is missing or empty.
func Gone(path string) bool { return gone(path) }
