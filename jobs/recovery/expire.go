package recovery

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"backhaul/jobs/books"
	"backhaul/jobs/ledger"
	"backhaul/schemas"
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
func Expire(ctx context.Context, b books.Books, l *ledger.Ledger, lake Months, t *schemas.Table, before, now time.Time, dry bool) ([]Expired, error) {
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
		one.Kept, err = holding(ctx, b, runs, one.Month, func(held []ledger.Run) (err error) {
			for _, r := range held {
				if err == nil && !dry {
					err = withdraw(ctx, b, l, r, []string{t.FullName()}, now)
				}
			}
			if err == nil {
				one.Bytes, err = lake.Expire(ctx, t, month, dry)
			}
			return err
		})
		if err != nil {
			return all, fmt.Errorf("%s, month %s: %w", one.Table, one.Month, err)
		}
		all = append(all, one)
	}
	return all, nil
}

// holding lets do work while no other process is at work on the runs of a month, or says which one is.
func holding(ctx context.Context, b books.Books, runs []ledger.Run, month string, do func(held []ledger.Run) error) (kept string, err error) {
	var held []ledger.Run
	for _, r := range runs {
		if !strings.HasPrefix(r.RunDate, month+"-") {
			continue
		}
		unlock, err := b.Of(r.Job, r.RunDate).Lock(ctx)
		if errors.Is(err, books.ErrBusy) {
			return fmt.Sprintf("run %s/%s is in progress", r.Job, r.RunDate), nil
		}
		if err != nil {
			return "", err
		}
		defer unlock()
		held = append(held, r)
	}
	return "", do(held)
}
