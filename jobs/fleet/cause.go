//go:build fleet

package fleet

import (
	"errors"

	"backhaul/pipeline"
	"backhaul/pipeline/engine"
	"backhaul/pipeline/limit"
)

// Cause is an error as it travels: its text, and of which kind it was if it was a vendor's.
type Cause struct {
	Text   string
	OfKind bool          `json:",omitempty"`
	Kind   pipeline.Kind `json:",omitempty"`
	Status int           `json:",omitempty"`
	Nobody bool          `json:",omitempty"` // could be connected to
}

func causeOf(err error) *Cause {
	if err == nil {
		return nil
	}
	c := &Cause{Text: err.Error()}
	var e *pipeline.Error
	if errors.As(err, &e) {
		c.OfKind, c.Kind, c.Status, c.Nobody = true, e.Kind, e.Status, e.Unreachable
	}
	return c
}

// err is the error again; nil of none.
func (c *Cause) err() error {
	switch {
	case c == nil:
		return nil
	case !c.OfKind:
		return errors.New(c.Text)
	}
	return &told{c.Text, &pipeline.Error{Kind: c.Kind, Status: c.Status, Unreachable: c.Nobody, Message: c.Text}}
}

// told is an error of another process.
type told struct {
	text string
	of   error
}

func (t *told) Error() string { return t.text }
func (t *told) Unwrap() error { return t.of }

func stopOf(s *engine.StopError) *Stop {
	stop := &Stop{Ending: s.Ending, Cause: *causeOf(s.Err)}
	var short *limit.BudgetError
	if errors.As(s.Err, &short) {
		stop.Short, stop.Want, stop.Left = true, short.Want, short.Left
	}
	return stop
}

// err is the stop of a vendor again.
func (s *Stop) err(vendor string) *engine.StopError {
	if s.Short {
		return &engine.StopError{Vendor: vendor, Ending: s.Ending, Err: &limit.BudgetError{Want: s.Want, Left: s.Left}}
	}
	return &engine.StopError{Vendor: vendor, Ending: s.Ending, Err: s.Cause.err()}
}
