package run

import (
	"context"
	"errors"
	"testing"

	"backhaul/jobs/ledger"
	"backhaul/pipeline"
)

// TestWhatIsDoneMeanwhileBeginsWithTheBuyingAndItsErrorIsTheRuns: what was bought is published all the same.
func TestWhatIsDoneMeanwhileBeginsWithTheBuyingAndItsErrorIsTheRuns(t *testing.T) {
	t.Parallel()
	m, failed := newMeter(1, 50), errors.New("no room")
	begun := make(chan struct{})
	m.fault = func() (pipeline.Kind, bool, bool) { <-begun; return 0, false, false } // no reply without it
	o := options(t.TempDir())
	o.Meanwhile = func(context.Context) error { close(begun); return failed }
	result, err := Run(t.Context(), m.job("a", 1, ledger.Ceiling{}, 120), o)
	if !errors.Is(err, failed) || result.Run.State != ledger.Complete || len(result.Files) != 1 || m.billed != 120 {
		t.Errorf("%v, %d units billed, %+v", err, m.billed, result)
	}
}

// TestARunThatIsStoppedDoesNotTellWhatWasLeftUndoneMeanwhile: nothing is wrong, and whoever goes on does it.
func TestARunThatIsStoppedDoesNotTellWhatWasLeftUndoneMeanwhile(t *testing.T) {
	t.Parallel()
	m := newMeter(1, 50)
	ctx, stop := context.WithCancel(t.Context())
	m.fault = func() (pipeline.Kind, bool, bool) { stop(); return 0, false, false }
	o := options(t.TempDir())
	o.Meanwhile = func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }
	if result, err := Run(ctx, m.job("a", 1, ledger.Ceiling{}, 120), o); err != nil || !result.Interrupted {
		t.Errorf("%v, %+v", err, result)
	}
}
