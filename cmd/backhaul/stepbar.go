package main

import (
	"fmt"
	"sync/atomic"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"

	"backhaul/jobs/run"
)

// doing is what people read of the steps that take long beside buying, and what each counts.
var doing = map[run.StepName]struct{ text, counts string }{
	run.Loading:    {"loading", "replies"},
	run.Publishing: {"publishing", "tables"},
}

// stepBar shows how far such a step has come.
type stepBar struct {
	name     run.StepName
	bar      *mpb.Bar // nil where there is no terminal
	table    atomic.Value
	lastLine time.Time
}

// step takes what the run does next, or how far it has come with it.
func (p *progress) step(s run.Step) {
	if s.Name == run.Planning || s.Name == run.Buying {
		return // extracts have bars of their own, until nothing more is bought
	}
	if p.now == nil || p.now.name != s.Name {
		p.stop()
		p.begin(s.Name)
	}
	if _, shown := doing[s.Name]; shown {
		p.now.at(p, s)
	}
}

// begin shows the next step, on a terminal by bars of its own: those before are done with.
func (p *progress) begin(name run.StepName) {
	p.now = &stepBar{name: name, lastLine: time.Now()}
	p.now.table.Store("")
	d, shown := doing[name]
	if !shown || p.terminal == nil {
		return
	}
	bars := newBars(p.terminal)
	p.now.bar = bars.AddBar(0, mpb.PrependDecorators(decor.Name(d.text, decor.WCSyncSpaceR), decor.CountersNoUnit("%d/%d "+d.counts, decor.WCSyncSpace)),
		mpb.AppendDecorators(decor.Any(func(decor.Statistics) string { return p.now.table.Load().(string) })))
	p.mu.Lock()
	p.bars = bars
	p.mu.Unlock()
}

// at shows how far the step has come.
func (b *stepBar) at(p *progress, s run.Step) {
	if b.bar != nil {
		b.table.Store(s.Table)
		b.bar.SetTotal(s.Of, false)
		b.bar.SetCurrent(s.Done)
		return
	}
	if p.terminal == nil && time.Since(b.lastLine) >= logEvery {
		b.lastLine = time.Now()
		p.log.Info(doing[b.name].text, "table", s.Table, "done", fmt.Sprintf("%d/%d %s", s.Done, s.Of, doing[b.name].counts))
	}
}
