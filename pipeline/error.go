package pipeline

import (
	"errors"
	"fmt"
	"time"
)

// Kind says what a failed request asks of its caller. Retries act on the kind alone.
type Kind uint8

// The kinds of failure.
const (
	// Transient: the same request may succeed soon.
	Transient Kind = iota
	// Throttled: the vendor asks everybody to wait; the same request may succeed after Error.After.
	Throttled
	// Exhausted: the vendor's quota is used up. Stop this vendor and keep the place.
	Exhausted
	// Denied: the credentials do not open the door. Stop this vendor.
	Denied
	// Rejected: the vendor refuses this request for good. Fail the task.
	Rejected
	// Stale: the cursor died. Restart the chain.
	Stale
	// Malformed: the response cannot be read. Keep what came, ask once more, then fail the task at its place.
	Malformed
	// Repeating: the list brings what it has brought before. Stop the task, keep its place, and ask again only when told to.
	// No Source returns it: whoever reads the whole list finds it.
	Repeating
)

func (k Kind) String() string {
	switch k {
	case Transient:
		return "transient"
	case Throttled:
		return "throttled"
	case Exhausted:
		return "exhausted"
	case Denied:
		return "denied"
	case Rejected:
		return "rejected"
	case Stale:
		return "stale"
	case Repeating:
		return "repeating"
	default:
		return "malformed"
	}
}

// Error is a request that did not yield a page.
type Error struct {
	Kind Kind
	// Status is the HTTP status, 0 if no response arrived.
	Status int
	// After is how long the vendor asks to wait. Default 0: it did not say.
	After time.Duration
	// MaybeCharged: the request may have been billed although its page did not arrive whole.
	MaybeCharged bool
	// Unreachable: no connection could be made at all.
	Unreachable bool
	// Message is the vendor's own word or the client's finding, shortened and free of secrets.
	Message string
	// Err is the cause, if there is one.
	Err error
}

func (e *Error) Error() string {
	text := e.Message
	if text == "" && e.Err != nil {
		text = e.Err.Error()
	}
	if e.Status != 0 {
		return fmt.Sprintf("%s: HTTP %d: %s", e.Kind, e.Status, text)
	}
	return fmt.Sprintf("%s: %s", e.Kind, text)
}

func (e *Error) Unwrap() error { return e.Err }

// KindOf returns the kind of a Source's error. An error of any other type is Transient.
func KindOf(err error) Kind {
	var e *Error
	if errors.As(err, &e) {
		return e.Kind
	}
	return Transient
}
