//go:build fleet

package fleet

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"go.temporal.io/sdk/temporal"

	"backhaul/jobs/books"
	"backhaul/jobs/buy"
	"backhaul/pipeline"
)

func TestOnlyWhatPassesIsTriedAgain(t *testing.T) {
	for cause, again := range map[error]bool{books.ErrAway: true, context.Canceled: true, books.ErrTaken: false, errors.New("the disk is full"): false} {
		var e *temporal.ApplicationError
		if err := travelling(fmt.Errorf("enter a page: %w", cause)); !errors.As(err, &e) || e.NonRetryable() == again || isOf(err, takenError) != errors.Is(cause, books.ErrTaken) {
			t.Errorf("%v travels as %#v", cause, err)
		}
	}
}

// quiet is a source that is asked for its endpoint alone.
type quiet struct{ pipeline.Source }

func (quiet) Endpoint() *pipeline.Endpoint { return nil }

func TestAnAttemptHasWhatTheOnesBeforeItLeftOfTheCeiling(t *testing.T) {
	b := &Buyers{Sources: func(pipeline.Task) (pipeline.Source, error) { return quiet{}, nil }}
	purse := pipeline.Units(100)
	// The list had cost 30 when the activity was ordered, and has cost 75 by the time of this attempt, 5 of which are not sure.
	order := ListOrder{List: List{Units: 30, Purse: &purse}}
	work, err := b.work(order, &books.List{Place: pipeline.Place{Units: 70, MaybeUnits: 5}})
	if err != nil || *work.MaxUnits != 55 {
		t.Errorf("%d left, %v", *work.MaxUnits, err)
	}
	order.List.Purse = nil
	if work, err = b.work(order, &books.List{}); err != nil || work.MaxUnits != nil {
		t.Errorf("%v left where there is no ceiling, %v", work.MaxUnits, err)
	}
}

func TestThatAnotherProcessHasTheRunIsKnownBehindTheLane(t *testing.T) {
	for _, taken := range []bool{true, false} {
		var all buy.Bought
		if (&Engine{}).add(t.Context(), &all, "moz", Sold{Fault: "lost", Taken: taken}, nil, nil); all.Fault == nil || errors.Is(all.Fault, books.ErrTaken) != taken {
			t.Errorf("taken: %v, told as %v", taken, all.Fault)
		}
	}
}
