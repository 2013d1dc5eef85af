package ledger

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"backhaul/pipeline"
	"backhaul/pipeline/store"
)

// Usage is what the vendor said at one moment had been consumed in a month, beside what the ledger knew then.
type Usage struct {
	RunID, Vendor, Month string
	At                   time.Time
	// From is when the month began that the vendor was asked about.
	From        time.Time
	VendorUnits pipeline.Units
	// LedgerUnits is what all runs of the warehouse are known to have cost in that month, MaybeUnits what they may have cost
	// beyond that: held, or reserved by processes at work. HeldUnits is the held part.
	LedgerUnits, MaybeUnits, HeldUnits pipeline.Units
	// Remaining is what the vendor said was left of its own quota. Nil: it did not say.
	Remaining *pipeline.Units
}

// others is what others have used of the account at the least: what neither the ledger knows of nor its runs may have cost.
func (u Usage) others() pipeline.Units { return max(0, u.VendorUnits-u.LedgerUnits-u.MaybeUnits) }

// Others returns what others have used of an account at the least, by what the vendor said of one month. It only grows during
// a month, so that a count that lags behind does not make it less.
func Others(said []Usage) (units pipeline.Units) {
	for _, u := range said {
		units = max(units, u.others())
	}
	return units
}

// account fills in the ledger's own figures.
func (u *Usage) account(ctx context.Context, q queryer) error {
	return q.QueryRowContext(ctx, `SELECT coalesce(sum(spent + charged), 0), coalesce(sum(granted - spent - charged), 0),
		coalesce(sum(granted - spent - charged) FILTER (WHERE settled), 0) FROM grants WHERE vendor = ? AND month = ?`,
		u.Vendor, u.Month).Scan(&u.LedgerUnits, &u.MaybeUnits, &u.HeldUnits)
}

func (u *Usage) enter(tx *sql.Tx) error {
	_, err := tx.Exec(`INSERT INTO usages (run_id, vendor, at, month, period_start, vendor_units, ledger_units, maybe_units, held_units, remaining)
		VALUES (?,?,?,?,?,?,?,?,?,?)`, u.RunID, u.Vendor, u.At.UnixMicro(), u.Month, store.Micros(u.From),
		u.VendorUnits, u.LedgerUnits, u.MaybeUnits, u.HeldUnits, u.Remaining)
	return err
}

const usageColumns = `run_id, vendor, month, at, period_start, vendor_units, ledger_units, maybe_units, held_units, remaining`

// Usages returns what the vendors said during a run, in the order they were asked.
func (l *Ledger) Usages(ctx context.Context, runID string) ([]Usage, error) {
	return l.usages(ctx, l.db.Read(), `SELECT `+usageColumns+` FROM usages WHERE run_id = ? ORDER BY at, rowid`, runID)
}

const ofMonth = `SELECT ` + usageColumns + ` FROM usages WHERE vendor = ? AND month = ? ORDER BY at, rowid`

// MonthUsages returns what a vendor said of a month to all runs, in the order it was asked.
func (l *Ledger) MonthUsages(ctx context.Context, vendor, month string) ([]Usage, error) {
	return l.usages(ctx, l.db.Read(), ofMonth, vendor, month)
}

// queryer is a database or a transaction.
type queryer interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

func (l *Ledger) usages(ctx context.Context, from queryer, query string, args ...any) ([]Usage, error) {
	rows, err := from.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, fmt.Errorf("read what vendors said: %w", l.db.Wrap(err))
	}
	defer rows.Close()
	var usages []Usage
	for rows.Next() {
		var u Usage
		var when, start int64
		if err := rows.Scan(&u.RunID, &u.Vendor, &u.Month, &when, &start, &u.VendorUnits, &u.LedgerUnits, &u.MaybeUnits, &u.HeldUnits, &u.Remaining); err != nil {
			return nil, l.db.Wrap(err)
		}
		u.At, u.From = store.At(when), store.At(start)
		usages = append(usages, u)
	}
	return usages, l.db.Wrap(rows.Err())
}

// MonthStart returns when a vendor's current month began: on the day of the month that it was last asked about, else on the
// first.
func (l *Ledger) MonthStart(ctx context.Context, vendor string, now time.Time) (time.Time, error) {
	var micros int64
	err := l.db.Read().QueryRowContext(ctx, `SELECT coalesce((SELECT period_start FROM usages WHERE vendor = ? ORDER BY at DESC LIMIT 1), 0)`, vendor).Scan(&micros)
	if err != nil {
		return time.Time{}, l.db.Wrap(err)
	}
	day := 1
	if micros != 0 {
		day = store.At(micros).Day()
	}
	now = now.UTC()
	start := time.Date(now.Year(), now.Month(), day, 0, 0, 0, 0, time.UTC)
	if start.After(now) {
		start = start.AddDate(0, -1, 0)
	}
	return start, nil
}
