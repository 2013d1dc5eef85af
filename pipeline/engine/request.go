package engine

import (
	"time"

	"backhaul/pipeline"
)

// Request is one request, as an observer is told of it when it is sent and again when it is over.
type Request struct {
	// Seq is which page of its list was asked for, from 0, and Try how often in a row, from 1.
	Seq, Try int
	// Came is when the request was wanted, Sent when the vendor's account allowed it, Ended when its answer was there, or the
	// want of one; zero while it is under way.
	Came, Sent, Ended time.Time
	// Reserved is what it may cost at most.
	Reserved pipeline.Units
	// Units is what it cost, Held what it may have cost without an answer. Both are known when it is over.
	Units, Held pipeline.Units
	// Rows is how many rows it brought, Status the answer's HTTP status, 0 if none arrived.
	Rows, Status int
	// Err says why it brought no page; nil if it did.
	Err *pipeline.Error
}

// tellRequest tells the observer that a request is sent, and returns what tells that it is over.
func (b *buyer) tellRequest(came time.Time, reserved pipeline.Units) (over func(page pipeline.Page, held pipeline.Units, err *pipeline.Error)) {
	b.tries++
	r := Request{Seq: b.Place.Pages, Try: b.tries, Came: came, Sent: time.Now(), Reserved: reserved}
	sent := r
	b.Observe(Event{Task: *b.Task, Request: &sent})
	return func(page pipeline.Page, held pipeline.Units, err *pipeline.Error) {
		r.Ended, r.Held, r.Err = time.Now(), held, err
		if err == nil {
			r.Units, r.Rows, r.Status = page.Units, page.Rows, page.Status
		} else {
			r.Status = err.Status
		}
		b.Observe(Event{Task: *b.Task, Request: &r})
	}
}
