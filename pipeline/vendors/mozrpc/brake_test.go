package mozrpc

import (
	"errors"
	"testing"
	"time"

	"backhaul/pipeline"
)

func TestRefusalsAreHeldBackBeforeMozSlowsTheAccountDown(t *testing.T) {
	now := arrival
	c, seen := fake(t, 404, fail(-32655, 404, "No record", ""))
	c.clock = func() time.Time { return now }
	for range 37 {
		if _, err := fetch(t, c, "links", ""); err != nil {
			t.Fatal(err)
		}
		now = now.Add(time.Second)
	}
	_, err := fetch(t, c, "links", "")
	var e *pipeline.Error
	if !errors.As(err, &e) || e.Kind != pipeline.Throttled || e.After != window-37*time.Second || e.MaybeCharged || seen.requests != 37 {
		t.Fatalf("%v after %d requests", err, seen.requests)
	}
	now = now.Add(e.After - 1)
	if _, err := fetch(t, c, "links", ""); pipeline.KindOf(err) != pipeline.Throttled {
		t.Errorf("%v before the wait is over", err)
	}
	now = now.Add(1)
	for range 2 { // one refusal has left the window, and one takes its place
		_, err = fetch(t, c, "links", "")
	}
	if seen.requests != 38 || pipeline.KindOf(err) != pipeline.Throttled {
		t.Errorf("%d requests, %v", seen.requests, err)
	}
	now = now.Add(window)
	if _, err = fetch(t, c, "links", ""); err != nil || len(c.brake.refusals) != 1 {
		t.Errorf("%v, %d refusals remembered", err, len(c.brake.refusals))
	}
}

func TestOnlyRefusalsCountTowardsThePenalty(t *testing.T) {
	for body, status := range map[string]int{
		result(`{"index_id":"x"}`): 200, fail(-32603, 500, "Internal error", ""): 500, `<html>`: 503,
	} {
		c, seen := fake(t, status, body)
		for range 60 {
			_, _ = c.IndexID(t.Context())
		}
		if seen.requests != 60 {
			t.Errorf("%d: held back after %d requests", status, seen.requests)
		}
	}
	for body, status := range map[string]int{fail(-32652, 400, "x", ""): 200, fail(-32651, 401, "x", ""): 401, ``: 429} {
		c, seen := fake(t, status, body)
		for range 60 {
			_, _ = c.IndexID(t.Context())
		}
		if seen.requests != 37 {
			t.Errorf("%d %s: held back after %d requests", status, body, seen.requests)
		}
	}
}

// However many connections run into refusals at once, Moz's bound is not reached.
func TestRequestsUnderWayDoNotReachThePenalty(t *testing.T) {
	for _, connections := range []int{1, 8, 30, 44} {
		b, refused := newBrake(connections), 0
		for b.hold(arrival) == nil {
			for range connections { // all of them are past the brake before any is answered
				b.note(404, arrival)
				refused++
			}
		}
		if refused >= penaltyAt || refused < b.most {
			t.Errorf("%d connections: %d refusals", connections, refused)
		}
	}
}
