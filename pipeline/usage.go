package pipeline

import (
	"context"
	"time"
)

// Usage is implemented by clients of vendors that tell what an account has consumed. It is optional.
type Usage interface {
	// Usage asks the vendor's own meter for the units consumed from one time to another, by everybody who uses the
	// account. A zero from is the start of the vendor's current month, a zero to is now; times are cut to whole
	// seconds. It makes exactly one request and neither waits nor retries; an error is an *Error. Safe for
	// concurrent use.
	Usage(ctx context.Context, from, to time.Time) (UsageReport, error)
}

// UsageReport is what a vendor says it has counted.
type UsageReport struct {
	// From and To are the period asked for; zero where the vendor's default was taken.
	From, To time.Time
	// Units is what the account consumed in the period.
	Units Units
	// Limit is what the account, or the key if that is less, may consume in the period, and Remaining what is left of it by
	// the vendor's word. Nil: not stated.
	Limit, Remaining *Units
	// Lag is how late the vendor's count may be.
	Lag time.Duration
	// VendorTime is the Date header of the reply; zero if there was none.
	VendorTime time.Time
	// At is when the reply had arrived, by this machine's clock, UTC.
	At time.Time
}

// IsOfMonth reports whether the count can be that of the month that begins at start: whether the vendor answered within it, by its own
// clock, or by ours where it did not say. Some vendors tell of the month that runs, whatever they are asked for.
func (r UsageReport) IsOfMonth(start, now time.Time) bool {
	if !r.VendorTime.IsZero() {
		now = r.VendorTime
	}
	return !now.Before(start) && now.Before(start.AddDate(0, 1, 0))
}
