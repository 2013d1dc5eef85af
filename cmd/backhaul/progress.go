package main

import (
	"fmt"
	"io"
	"log/slog"
	"os"
	"sync"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
	"golang.org/x/term"

	"backhaul/jobs/plan"
	"backhaul/pipeline/engine"
	"backhaul/pipeline/words"
)

// progress shows a run under way: on a terminal a bar per extract, and then one for what is loaded and published; elsewhere a log
// line every few seconds.
type progress struct {
	log      *slog.Logger
	terminal *os.File // nil where there is none that can draw
	now      *stepBar // of the step behind buying; nil before

	mu                    sync.Mutex
	extracts              map[string]*extractProgress
	order                 []string
	bars                  *mpb.Progress // nil where there is no terminal
	lastLine, lastWarning time.Time
}

type extractProgress struct {
	bar                *mpb.Bar
	began              time.Time
	targets, done      int
	rows, units, pages int64
	retries            int
	expectedPages      int64
}

// logEvery is how often a run says where it is when nobody watches a bar.
const logEvery = 5 * time.Second

// newProgress shows it on stderr. kind is what the terminal calls itself, if it is one.
func newProgress(stderr io.Writer, kind string) *progress {
	p := &progress{log: slog.New(slog.NewTextHandler(stderr, nil)), extracts: map[string]*extractProgress{}}
	if f, ok := stderr.(*os.File); ok && term.IsTerminal(int(f.Fd())) && kind != "dumb" {
		p.terminal, p.bars = f, newBars(f)
	}
	return p
}

func newBars(f *os.File) *mpb.Progress { return mpb.New(mpb.WithOutput(f), mpb.WithWidth(barWidth)) }

// barWidth is in characters.
const barWidth = 32

// start announces what is to be bought, and add, while it is bought, what there is more of it.
func (p *progress) start(plans *plan.Plan) {
	p.lastLine = time.Now()
	p.add(plans)
}

func (p *progress) add(plans *plan.Plan) {
	for _, x := range plans.Extracts {
		if x.Targets == x.Done || x.After != nil || p.knows(x.Extract) {
			continue
		}
		e := &extractProgress{targets: x.Targets - x.Done, expectedPages: x.Expected.Pages, began: time.Now()}
		if p.bars != nil {
			e.bar = p.bars.AddBar(int64(e.targets),
				mpb.PrependDecorators(decor.Name(x.Extract, decor.WCSyncSpaceR), decor.CountersNoUnit("%d/%d targets", decor.WCSyncSpace)),
				mpb.AppendDecorators(decor.Any(func(decor.Statistics) string { return p.describe(e) }, decor.WCSyncSpaceR)))
		}
		p.mu.Lock() // not while a bar is added, which waits for those that are being drawn
		p.extracts[x.Extract] = e
		p.order = append(p.order, x.Extract)
		p.mu.Unlock()
	}
}

func (p *progress) knows(extract string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.extracts[extract] != nil
}

// describe says how an extract goes: rows, units, rate, time left.
func (p *progress) describe(e *extractProgress) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return e.text(time.Since(e.began))
}

func (e *extractProgress) text(since time.Duration) string {
	rate := float64(e.rows) / max(since.Seconds(), 0.001)
	text := fmt.Sprintf("%s %s %.0f rows/s", words.Plural(e.rows, "row"), words.Plural(e.units, "unit"), rate)
	if left := e.expectedPages - e.pages; e.pages > 0 && left > 0 {
		text += " " + words.Duration(since.Seconds()/float64(e.pages)*float64(left)) + " left"
	}
	if e.retries > 0 {
		text += fmt.Sprintf(" %d tried again", e.retries)
	}
	return text
}

// observe takes one event of the engine.
func (p *progress) observe(ev engine.Event) {
	if o := ev.Outage; o != nil {
		p.away(o)
		return
	}
	if e := p.count(ev); e != nil && ev.Outcome != nil && ev.Outcome.Ending.Complete() && e.bar != nil {
		e.bar.Increment() // outside the lock: the bar takes it to draw itself
	}
}

// away says that a vendor does not answer: the run stands still, so nothing else is to be told.
func (p *progress) away(o *engine.Outage) {
	text := o.Text("in " + words.Duration(o.Wait.Seconds()))
	if p.bars == nil {
		p.log.Warn(text)
		return
	}
	fmt.Fprintln(p.bars, text)
}

// count adds an event to its extract.
func (p *progress) count(ev engine.Event) *extractProgress {
	p.mu.Lock()
	defer p.mu.Unlock()
	e := p.extracts[ev.Task.Extract]
	if e == nil {
		return nil
	}
	switch {
	case ev.Page != nil:
		e.pages++
		e.rows += int64(ev.Page.Rows)
		e.units += int64(ev.Page.Units)
	case ev.Retry != nil:
		e.retries++
		if p.bars == nil && time.Since(p.lastWarning) >= logEvery {
			p.lastWarning = time.Now() // the others are counted in the lines below
			p.log.Warn("try again", "extract", ev.Task.Extract, "target", ev.Task.About(), "wait", ev.Wait.Round(time.Millisecond), "error", ev.Retry)
		}
	case ev.Outcome != nil && ev.Outcome.Ending.Complete():
		e.done++
	}
	if p.bars == nil && time.Since(p.lastLine) >= logEvery {
		p.lastLine = time.Now()
		for _, name := range p.order {
			e := p.extracts[name]
			p.log.Info("buying", "extract", name, "targets", fmt.Sprintf("%d/%d", e.done, e.targets), "progress", e.text(time.Since(e.began)))
		}
	}
	return e
}

// say prints a line, above the bars where there are some.
func (p *progress) say(stderr io.Writer, text string) {
	p.mu.Lock()
	bars := p.bars
	p.mu.Unlock()
	if bars != nil {
		if _, err := fmt.Fprintln(bars, text); err == nil {
			return
		} // they are done, and take no more
	}
	fmt.Fprintln(stderr, text)
}

// stop leaves the bars as they are and lets go of the terminal.
func (p *progress) stop() {
	if p.bars == nil {
		return
	}
	for _, e := range p.extracts {
		e.bar.Abort(false)
	}
	if p.now != nil && p.now.bar != nil {
		p.now.bar.Abort(false)
	}
	p.bars.Wait()
}
