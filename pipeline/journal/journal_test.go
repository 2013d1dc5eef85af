package journal

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"backhaul/pipeline"
)

var header = Header{RunID: "run-1", Job: "nightly", RunDate: "2026-11-23", Created: time.Date(2026, 11, 23, 2, 0, 0, 0, time.UTC)}

func open(t *testing.T, path string) *Journal {
	t.Helper()
	j, err := Open(context.Background(), path, header)
	if err != nil {
		t.Fatal(err)
	}
	return j
}

func task(id string) pipeline.Task {
	return pipeline.Task{ID: id, Extract: "anchors", Endpoint: "moz/anchor_text", Surface: "v2", Target: id + ".example",
		TargetAsGiven: "https://" + id + ".example/", Scope: "root_domain", Params: `{"scope":"root_domain"}`, MaxRows: 5000, Priority: 3}
}

func page(seq, rows int) pipeline.Page {
	p := pipeline.Page{
		Seq: seq, Request: []byte(`{"target":"a.example"}`), Status: 200, Rows: rows, Units: pipeline.Units(rows),
		FetchedAt: time.Date(2026, 11, 23, 2, 0, seq, 123000, time.UTC),
		Body:      bytes.Repeat(fmt.Appendf(nil, `{"anchor_text":"page %d"},`, seq), rows),
		Next:      pipeline.Cursor(fmt.Sprint("token-", seq)),
	}
	if seq > 0 {
		p.Cursor = pipeline.Cursor(fmt.Sprint("token-", seq-1))
	}
	return p
}

func TestAClosedJournalIsOneFile(t *testing.T) {
	ctx, path := context.Background(), filepath.Join(t.TempDir(), "j.sqlite")
	j := open(t, path)
	if err := errors.Join(j.AddTasks(ctx, []pipeline.Task{task("a")}), j.Append(ctx, "a", page(0, 3)), j.Close()); err != nil {
		t.Fatal(err)
	}
	if left, err := filepath.Glob(path + "*"); err != nil || len(left) != 1 {
		t.Errorf("%v, %v", left, err)
	}
}

func BenchmarkAppend(b *testing.B) {
	ctx := context.Background()
	j, err := Open(ctx, filepath.Join(b.TempDir(), "j.sqlite"), header)
	if err != nil {
		b.Fatal(err)
	}
	defer j.Close()
	if err := j.AddTasks(ctx, []pipeline.Task{task("a")}); err != nil {
		b.Fatal(err)
	}
	var mu sync.Mutex
	seq := 0
	b.SetParallelism(8)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			mu.Lock()
			p := page(seq, 50)
			p.Seq = seq
			seq++
			mu.Unlock()
			if err := j.Append(ctx, "a", p); err != nil {
				b.Error(err)
			}
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "pages/s")
}
