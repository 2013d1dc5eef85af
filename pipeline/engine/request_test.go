package engine

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"backhaul/pipeline"
	"backhaul/pipeline/limit"
)

func TestEveryRequestIsToldWhenItIsSentAndWhenItIsOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		broken := &pipeline.Error{Kind: pipeline.Transient, Status: 502, MaybeCharged: true}
		v := &vendor{latency: 200 * time.Millisecond, fault: func(n int, _ pipeline.Task, _ pipeline.Ask) (*pipeline.Page, error) {
			if n == 2 {
				return nil, broken
			}
			return nil, nil
		}}
		c := config(&memory{}, 1, works(v, 120), limit.Config{PerSecond: 0.01})
		var told []Request
		c.Observe = func(ev Event) {
			if ev.Request != nil {
				told = append(told, *ev.Request)
			}
		}
		if _, err := Run(context.Background(), c); err != nil {
			t.Fatal(err)
		}
		want := []Request{
			{Seq: 0, Try: 1, Reserved: 50}, {Seq: 0, Try: 1, Reserved: 50, Units: 50, Rows: 50, Status: 200},
			{Seq: 1, Try: 1, Reserved: 50}, {Seq: 1, Try: 1, Reserved: 50, Held: 50, Status: 502, Err: broken},
			{Seq: 1, Try: 2, Reserved: 50}, {Seq: 1, Try: 2, Reserved: 50, Units: 50, Rows: 50, Status: 200},
			{Seq: 2, Try: 1, Reserved: 50}, {Seq: 2, Try: 1, Reserved: 50, Units: 20, Rows: 20, Status: 200},
		}
		if diff := cmp.Diff(want, told, cmpopts.IgnoreFields(Request{}, "Came", "Sent", "Ended"), cmpopts.EquateErrors()); diff != "" {
			t.Fatal(diff)
		}
		for i := 0; i < len(told); i += 2 {
			sent, over := told[i], told[i+1]
			if !sent.Ended.IsZero() || over.Ended.Sub(over.Sent) != v.latency || !sent.Sent.Equal(over.Sent) {
				t.Errorf("request %d: %+v, then %+v", i/2, sent, over)
			}
			if waited := over.Sent.Sub(over.Came); (waited > 90*time.Second) != (i > 0) {
				t.Errorf("request %d waited %v at 100 s a request", i/2, waited)
			}
		}
	})
}
