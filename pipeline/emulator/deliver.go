package emulator

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"context"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// deliver writes an answer, or what the fault makes of it, and counts it. A page counts as delivered when it was written
// and the client was still there; what is lost in the network after that is not seen.
func (s *Server) deliver(w http.ResponseWriter, r *http.Request, path string, a reply, fault Kind) {
	if fault != "" {
		s.meter.fault(fault)
	}
	switch fault {
	case KindStall:
		pause(r.Context(), s.options.Faults.Stall)
		fallthrough
	case KindCloseBefore, KindCloseAfter:
		s.meter.answered(path, 0, a, false)
		panic(http.ErrAbortHandler)
	}
	body := header(w, r, a)
	if fault == KindBadLength {
		body = body[:len(body)/2]
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	}
	w.WriteHeader(a.status)
	if fault == KindCut {
		_, _ = w.Write(body[:len(body)/2])
		_ = http.NewResponseController(w).Flush()
		s.meter.answered(path, a.status, a, false)
		panic(http.ErrAbortHandler)
	}
	pieces, wait := 1, time.Duration(0)
	if fault == KindSlow {
		pieces = min(len(body), slowPieces)
		wait = s.options.Faults.Slow / slowPieces
	}
	whole := write(w, r.Context(), body, pieces, wait) && fault != KindBadLength
	s.meter.answered(path, a.status, a, whole)
}

// slowPieces is how many pieces a slow answer comes in; short answers come byte by byte. They are as many however well the body was
// compressed, so that the same question takes the same time.
const slowPieces = 100

// write reports whether everything was written while the client was there. It does not look again after the last piece: a client
// that has all it asked for may leave at once.
func write(w http.ResponseWriter, ctx context.Context, body []byte, pieces int, wait time.Duration) bool {
	for i := range pieces {
		if ctx.Err() != nil {
			return false
		}
		if _, err := w.Write(body[len(body)*i/pieces : len(body)*(i+1)/pieces]); err != nil {
			return false
		}
		if i < pieces-1 {
			_ = http.NewResponseController(w).Flush()
			pause(ctx, wait)
		}
	}
	return true
}

// header sets the headers of an answer and returns its body as it goes over the wire.
func header(w http.ResponseWriter, r *http.Request, a reply) []byte {
	h := w.Header()
	h.Set("Content-Type", cmp.Or(a.kind, "application/json"))
	for name, value := range a.header {
		h.Set(name, value)
	}
	if a.html {
		h.Set("Content-Type", "text/html; charset=utf-8")
	}
	if a.allow != "" {
		h.Set("Allow", a.allow)
	}
	if a.retryAfter > 0 {
		h.Set("Retry-After", strconv.Itoa(int((a.retryAfter+time.Second-1)/time.Second)))
	}
	h.Set("Vary", "Accept-Encoding")
	body := a.body
	if len(body) > 256 && acceptsGzip(r.Header.Get("Accept-Encoding")) {
		h.Set("Content-Encoding", "gzip")
		body = compress(body)
	}
	h.Set("Content-Length", strconv.Itoa(len(body)))
	return body
}

func acceptsGzip(accept string) bool {
	for _, part := range strings.Split(accept, ",") {
		name, quality, _ := strings.Cut(strings.TrimSpace(part), ";")
		if name == "gzip" {
			value, err := strconv.ParseFloat(strings.TrimPrefix(strings.TrimSpace(quality), "q="), 64)
			return err != nil || value > 0
		}
	}
	return false
}

var gzips = sync.Pool{New: func() any {
	w, err := gzip.NewWriterLevel(nil, gzip.BestSpeed)
	if err != nil {
		panic(err) // the level is a valid one
	}
	return w
}}

func compress(body []byte) []byte {
	z := gzips.Get().(*gzip.Writer)
	defer gzips.Put(z)
	var out bytes.Buffer
	z.Reset(&out)
	_, _ = z.Write(body) // a bytes.Buffer takes everything
	_ = z.Close()
	return out.Bytes()
}

// pause waits and reports whether the client is still there.
func pause(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return true
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
