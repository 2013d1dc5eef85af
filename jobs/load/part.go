package load

import (
	"context"
	"maps"
	"runtime"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/sourcegraph/conc"

	"backhaul/pipeline"
	"backhaul/schemas"
)

const (
	// partRows is how many rows the lists of a part have together, unless one has more.
	partRows = 2 * batchRows
	// aheadBatches is how many batches of a part wait to be written: with partRows, a part of short lists never waits.
	aheadBatches = partRows / batchRows
	// mostParts bounds how many parts are read at once, and with it the memory that loading takes on large machines.
	mostParts = 4
)

// part is lists that one goroutine reads, one after another, while the rows of the parts before it are written.
type part struct {
	*loader // what comes to light of them
	batches chan arrow.RecordBatch
	err     error // valid once batches is closed
}

// parts cuts tasks, which are sorted, into those of parts. What has the same target and scope stays together.
func (l *loader) parts(tasks []pipeline.Task) (parts [][]pipeline.Task) {
	var rows int64
	for i, t := range tasks {
		if i == 0 || rows >= partRows && !interleaved(tasks[i-1], t) {
			parts, rows = append(parts, nil), 0
		}
		last := len(parts) - 1
		parts[last], rows = append(parts[last], t), rows+l.Places[t.ID].Rows
	}
	return parts
}

// interleaved reports whether the rows of two tasks stand among each other, by their ranks.
func interleaved(a, b pipeline.Task) bool { return a.Target == b.Target && a.Scope == b.Scope }

// together writes the rows of parts one after another. Several are read at once: most of loading is reading JSON.
func (l *loader) together(ctx context.Context, table *schemas.Table, parts [][]pipeline.Task, write func(arrow.RecordBatch) error) (err error) {
	ctx, cancel := context.WithCancel(ctx)
	var readers conc.WaitGroup
	defer readers.Wait()
	defer cancel()
	var under []*part
	for len(parts) > 0 || len(under) > 0 {
		for ; len(parts) > 0 && len(under) < min(runtime.GOMAXPROCS(0), mostParts); parts = parts[1:] {
			p, tasks := &part{loader: l.another(), batches: make(chan arrow.RecordBatch, aheadBatches)}, parts[0]
			readers.Go(func() {
				defer close(p.batches)
				p.err = p.read(ctx, table, tasks)
			})
			under = append(under, p)
		}
		for batch := range under[0].batches {
			if err == nil {
				if err = write(batch); err != nil {
					cancel()
				}
			}
			batch.Release()
		}
		if err == nil {
			err = under[0].err
		}
		if err != nil {
			cancel()
			parts = nil // those under way are waited for, and let go of what they have read
		} else {
			l.take(under[0].Loaded)
		}
		under = under[1:]
	}
	return err
}

// read decodes the lists of tasks, and hands their rows over.
func (p *part) read(ctx context.Context, table *schemas.Table, tasks []pipeline.Task) error {
	b := schemas.NewBuilder(memory.DefaultAllocator, table)
	defer b.Release()
	hand := func(batch arrow.RecordBatch) error {
		batch.Retain()
		select {
		case p.batches <- batch:
			return nil
		case <-ctx.Done():
			batch.Release()
			return ctx.Err()
		}
	}
	for len(tasks) > 0 {
		same := 1
		for same < len(tasks) && interleaved(tasks[0], tasks[same]) {
			same++
		}
		var err error
		if same == 1 {
			_, err = p.list(ctx, tasks[0], 1, b, func() error { return b.Drain(batchRows, hand) })
		} else if err = b.Drain(1, hand); err == nil {
			err = p.merge(ctx, table, tasks[:same], hand)
		}
		if err != nil {
			return err
		}
		tasks = tasks[same:]
	}
	return b.Drain(1, hand)
}

// take adds what has come to light of other tasks.
func (l *Loaded) take(of Loaded) {
	l.keep(of.RejectedRows, of.Rejected)
	for key, m := range of.Misfits {
		at(l.Misfits, key, Misfits{Reason: m.Reason}).Rows += m.Rows
	}
	maps.Copy(l.Rows, of.Rows)
	maps.Copy(l.Waste, of.Waste)
	for key, d := range of.Drift {
		at(l.Drift, key, schemas.Drift{Field: d.Field, Kind: d.Kind, Example: d.Example}).Rows += d.Rows
	}
	for key, a := range of.Answers {
		all := at(l.Answers, key, Answer{Fields: map[string]bool{}})
		all.Rows += a.Rows
		for field := range a.Fields {
			all.Fields[field] = true
		}
	}
}
