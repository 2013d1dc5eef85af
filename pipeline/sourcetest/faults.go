package sourcetest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"backhaul/pipeline"
)

// cancelled: who gives up before a request makes none; who gives up during one may have been charged.
func (r run) cancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	s, v := r.serve(t, http.HandlerFunc(func(_ http.ResponseWriter, req *http.Request) {
		_, _ = io.Copy(io.Discard, req.Body) // or the server does not notice that nobody is there any more
		cancel()
		<-req.Context().Done()
	}))
	_, err := r.first(ctx, s)
	e := r.fails(t, "during", err, pipeline.Transient)
	if !errors.Is(err, context.Canceled) || !e.MaybeCharged || e.Unreachable {
		t.Errorf("during: %+v", e)
	}
	before, _ := v.seen()
	_, err = r.first(ctx, s)
	e = r.fails(t, "before", err, pipeline.Transient)
	if after, _ := v.seen(); !errors.Is(err, context.Canceled) || after != before || e.MaybeCharged {
		t.Errorf("before: %d requests, %+v", after-before, e)
	}
}

// fails: what is not a page is a pipeline.Error of a kind, with a text.
func (r run) fails(t *testing.T, what string, err error, want pipeline.Kind) *pipeline.Error {
	t.Helper()
	e := new(pipeline.Error)
	if !errors.As(err, &e) || e.Kind != want || e.Message == "" {
		t.Errorf("%s: %v, want %s", what, err, want)
	}
	return e
}

// broken: a reply that does not arrive whole may have been charged, and may be whole the next time. No page is made of it.
func (r run) broken(t *testing.T, whole pipeline.Page) {
	body := string(whole.Body)
	for name, h := range map[string]http.Handler{
		"no reply": http.HandlerFunc(hangingUp), "broken off": breaking(body), "nothing": breaking(""),
		"one byte": reply(200, body[:1]), "half": reply(200, body[:len(body)/2]), "all but one": reply(200, body[:len(strings.TrimSpace(body))-1]),
	} {
		s, v := r.serve(t, h)
		page, err := r.first(t.Context(), s)
		if e := r.fails(t, name, err, pipeline.Transient); !e.MaybeCharged || e.Unreachable || page.Body != nil {
			t.Errorf("%s: %+v, kept %d bytes", name, e, len(page.Body))
		}
		if requests, _ := v.seen(); requests != 1 {
			t.Errorf("%s: %d requests", name, requests)
		}
	}
}

// unreadable: what arrived whole and cannot be read is kept, and is as unreadable from what is kept of it.
func (r run) unreadable(t *testing.T, whole pipeline.Page) {
	deep := `"x":` + strings.Repeat("[", 10_000) + strings.Repeat("]", 10_000)
	bodies := map[string]string{
		"nothing": "", "blank": "\n", "HTML": "<html><p>maintenance", "a text": "upstream error", "a list": "[]", "a value": "7", "null": "null",
		"something behind": string(whole.Body) + "{}", "a name twice": r.with(t, whole, `"x":1,"x":2`), "another encoding": r.with(t, whole, "\"x\":\"\xff\""),
		"too deep": r.with(t, whole, deep), "an object of nothing": "{}",
	}
	for name, body := range bodies {
		page, err := r.kept(t, name, 200, body, body, Server{})
		if _, _, cannot := decode(t, r.offline(t), r.offline(t).Endpoint().Table, page); cannot == nil && err != nil {
			t.Errorf("%s: is decoded, though %v", name, err)
		}
	}
	for _, status := range []int{201, 202, 203, 206} {
		r.kept(t, http.StatusText(status), status, string(whole.Body), string(whole.Body), Server{})
	}
	body := r.with(t, whole, `"x":"`+strings.Repeat("x", 2000)+`"`)
	r.kept(t, "too large", 200, body, body[:1000], Server{MaxBody: 1000})
}

// kept fetches a reply that is Malformed and returns the page.
func (r run) kept(t *testing.T, name string, status int, body, want string, server Server) (pipeline.Page, error) {
	t.Helper()
	client, v := r.client(t, reply(status, body), server)
	page, err := r.first(t.Context(), r.source(t, client.Sources))
	if e := r.fails(t, name, err, pipeline.Malformed); !e.MaybeCharged || e.Status != status {
		t.Errorf("%s: %+v", name, e)
	}
	if string(page.Body) != want || page.Status != status || len(page.Request) == 0 || page.Cursor != "" || !page.FetchedAt.Equal(arrival) || page.FetchedAt.Location() != time.UTC {
		t.Errorf("%s: the page is lost: status %d, request %q, %d bytes of %d, at %v", name, page.Status, page.Request, len(page.Body), len(want), page.FetchedAt)
	}
	if requests, _ := v.seen(); requests != 1 {
		t.Errorf("%s: %d requests", name, requests)
	}
	again, cannot := r.source(t, client.Sources).Read(r.c.Task, pipeline.Ask{}, kept(page))
	if string(again.Body) != want || fmt.Sprint(cannot) != fmt.Sprint(err) {
		t.Errorf("%s: %v, read again: %v", name, err, cannot)
	}
	return page, err
}

// refused: a status says what to do, at once, whatever the vendor says of waiting. What is refused is not a page.
func (r run) refused(t *testing.T, pages []pipeline.Page) {
	const hour = 3600
	kinds := map[int]pipeline.Kind{400: pipeline.Rejected, 401: pipeline.Denied, 403: pipeline.Denied, 404: pipeline.Rejected, 429: pipeline.Throttled,
		500: pipeline.Transient, 502: pipeline.Transient, 503: pipeline.Throttled, 504: pipeline.Transient}
	for status, kind := range kinds {
		var header []string
		if kind == pipeline.Throttled {
			header = []string{"Retry-After", fmt.Sprint(hour)}
		}
		s, v := r.serve(t, reply(status, "", header...))
		page, err := r.first(t.Context(), s)
		e := r.fails(t, http.StatusText(status), err, kind)
		if e.Status != status || page.Body != nil || kind == pipeline.Throttled && e.After != hour*time.Second {
			t.Errorf("%d: %+v, after %s, kept %d bytes", status, e, e.After, len(page.Body))
		}
		if requests, _ := v.seen(); requests != 1 {
			t.Errorf("%d: %d requests", status, requests)
		}
	}
	if s, _ := r.serve(t, reply(503, "")); true {
		_, err := r.first(t.Context(), s)
		r.fails(t, "503 without a time", err, pipeline.Transient)
	}
	if next := pages[0].Next; !pages[0].End && r.cfg.Gone != pipeline.Transient && !r.c.Stages && len(r.c.Task.Inputs) == 0 {
		s, _ := r.serve(t, reply(410, ""))
		_, err := s.Fetch(t.Context(), r.c.Task, pipeline.Ask{Cursor: next, Limit: r.c.Limit})
		r.fails(t, "410", err, r.cfg.Gone)
	}
}
