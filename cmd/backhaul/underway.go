package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"sync"
	"sync/atomic"

	"backhaul/jobs/recovery"
	"backhaul/pipeline"
	"backhaul/pipeline/words"
)

// underWay counts the requests that vendors have not answered yet.
type underWay struct{ requests atomic.Int64 }

// watch returns sources whose requests are counted.
func (u *underWay) watch(of func(pipeline.Task) (pipeline.Source, error)) func(pipeline.Task) (pipeline.Source, error) {
	return func(t pipeline.Task) (pipeline.Source, error) {
		source, err := of(t)
		if err != nil {
			return nil, err
		}
		return counting{source, u}, nil
	}
}

// counting is a source whose requests are counted.
type counting struct {
	pipeline.Source
	going *underWay
}

func (w counting) Fetch(ctx context.Context, t pipeline.Task, ask pipeline.Ask) (pipeline.Page, error) {
	w.going.requests.Add(1)
	defer w.going.requests.Add(-1)
	return w.Source.Fetch(ctx, t, ask)
}

// stopText says what a run that was told to stop still waits for.
func (u *underWay) stopText() string {
	const again = "a second signal stops at once"
	n := u.requests.Load()
	if n == 0 {
		return "stopping: no request is under way; " + again
	}
	return fmt.Sprintf("stopping: waiting for the replies to %s under way, which are paid for, for %s at most; %s, and leaves open what they cost",
		words.Plural(n, "request"), words.Duration(pipeline.ReplyWait.Seconds()), again)
}

// whenStopped calls f as soon as the program is told to stop. release returns when f is done, or will never be called.
func whenStopped(ctx context.Context, f func()) (release func()) {
	done := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(done)
		f()
	})
	return func() {
		if !stop() {
			<-done
		}
	}
}

// inTurn returns a writer that several goroutines may use. A file is one.
func inTurn(w io.Writer) io.Writer {
	if _, ok := w.(*os.File); ok {
		return w
	}
	return &turns{to: w}
}

type turns struct {
	mu sync.Mutex
	to io.Writer
}

func (t *turns) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.to.Write(p)
}

// waits says whom a run waits for, nil where it does not wait.
func (a *app) waits(f runFlags) func(recovery.Holder) {
	if !f.wait {
		return nil
	}
	return func(h recovery.Holder) {
		who := "another process"
		if text := h.String(); text != "" {
			who = text
		}
		fmt.Fprintf(a.stderr, "waiting: %s is at work on the run\n", who)
	}
}
