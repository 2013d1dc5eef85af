package recovery

import (
	"context"
	"errors"
	"fmt"
	"time"

	"backhaul/jobs/ledger"
	"backhaul/schemas"
	"backhaul/sinks"
)

// Months are the months of tables in the lake.
type Months interface {
	// Months returns those that a table has files of.
	Months(t *schemas.Table) ([]time.Time, error)
	// Expire removes a table's month in one step, and returns the bytes of its files. With dry nothing changes.
	Expire(ctx context.Context, t *schemas.Table, month time.Time, dry bool) (bytes int64, err error)
}

// Expired is one month of a table that retention has removed.
type Expired struct {
	Table string `json:"table"`
	Month string `json:"month"`
	Bytes int64  `json:"bytes"`
	// Kept says why it stays; "" if it was removed, or would be.
	Kept string `json:"kept,omitempty"`
}

// Expire removes the months of a table that ended before a time, merged or not. Nothing else of their runs changes: their
// pages and their account stay. A month that a run in progress publishes to stays, with the reason.
func Expire(ctx context.Context, w sinks.Warehouse, l *ledger.Ledger, lake Months, t *schemas.Table, before, now time.Time, dry bool) ([]Expired, error) {
	months, err := lake.Months(t)
	if err != nil {
		return nil, err
	}
	runs, err := l.Runs(ctx)
	if err != nil {
		return nil, err
	}
	var all []Expired
	for _, month := range months {
		if month.AddDate(0, 1, 0).After(before) {
			continue
		}
		one := Expired{Table: t.FullName(), Month: month.Format("2006-01")}
		if one.Kept, err = absent(ctx, w, l, runs, t, one.Month, now, dry); err == nil && one.Kept == "" {
			one.Bytes, err = lake.Expire(ctx, t, month, dry)
		}
		if err != nil {
			return all, fmt.Errorf("%s, month %s: %w", one.Table, one.Month, err)
		}
		all = append(all, one)
	}
	return all, nil
}

// absent enters for the runs of a month that a table no longer has their rows, or says why it must have.
func absent(ctx context.Context, w sinks.Warehouse, l *ledger.Ledger, runs []ledger.Run, t *schemas.Table, month string, now time.Time, dry bool) (kept string, err error) {
	for _, r := range runs {
		if len(r.RunDate) < len(month) || r.RunDate[:len(month)] != month {
			continue
		}
		unlock, err := Lock(w, r.Job, r.RunDate)
		if errors.Is(err, ErrBusy) {
			return fmt.Sprintf("run %s/%s is in progress", r.Job, r.RunDate), nil
		}
		if err != nil {
			return "", err
		}
		defer unlock()
		if dry {
			continue
		}
		if err := l.Absent(ctx, r.ID, []string{t.FullName()}, now); err != nil {
			return "", err
		}
	}
	return "", nil
}
