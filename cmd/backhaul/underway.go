package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"sync"
	"sync/atomic"

	"backhaul/jobs/books"
	"backhaul/pipeline"
	"backhaul/pipeline/words"
)

// underWay counts the requests that vendors have not answered yet, and those that found nobody where the vendor should be.
type underWay struct {
	requests atomic.Int64
	lists    int // of the job, as far as they are known
	mu       sync.Mutex
	found    map[string]bool // vendors that have answered anything else than 404
	missed   map[string]int  // by vendor: requests answered by 404 before that
}

func newUnderWay(lists int) *underWay {
	return &underWay{lists: lists, found: map[string]bool{}, missed: map[string]int{}}
}

// mostMissed is after how many requests that found nothing the address is taken to be wrong, and not the lists.
const mostMissed = 3

// errWrongPlace is what is said then.
var errWrongPlace = errors.New("every answer was 404, so the vendor's API is not at this address")

// wrongPlace turns the refusal of a list into that of the vendor, where the vendor has not been heard of yet: an address without
// its path answers 404 to every list, and each would look like a fault of its own.
func (u *underWay) wrongPlace(vendor string, err error) error {
	var e *pipeline.Error
	missing := errors.As(err, &e) && e.Kind == pipeline.Rejected && e.Status == http.StatusNotFound
	u.mu.Lock()
	defer u.mu.Unlock()
	if !missing {
		u.found[vendor] = u.found[vendor] || err == nil || e != nil && e.Status != 0
		return err
	}
	u.missed[vendor]++
	if u.found[vendor] || u.missed[vendor] < min(mostMissed, u.lists) {
		return err
	}
	return &pipeline.Error{Kind: pipeline.Denied, Status: e.Status, Message: errWrongPlace.Error(), Err: errors.Join(errWrongPlace, err)}
}

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
	page, err := w.Source.Fetch(ctx, t, ask)
	return page, w.going.wrongPlace(t.Vendor(), err)
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
func (a *app) waits(f runFlags) func(books.Holder) {
	if !f.wait {
		return nil
	}
	return func(h books.Holder) {
		who := "another process"
		if text := h.String(); text != "" {
			who = text
		}
		fmt.Fprintf(a.stderr, "waiting: %s is at work on the run\n", who)
	}
}
