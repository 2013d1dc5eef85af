package ledger

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"backhaul/pipeline"
)

// Usage is what the vendor said at one moment had been consumed in a month, beside what the ledger knew then.
type Usage struct {
	RunID, Vendor, Month string
	At                   time.Time
	VendorUnits          pipeline.Units
	LedgerUnits          pipeline.Units // spent by all runs of the warehouse in that month
	MaybeUnits           pipeline.Units // possibly charged beyond that
	// Remaining is what the vendor said was left of its own quota. Nil: it did not say.
	Remaining *pipeline.Units
}

// AddUsage enters what the vendor said. The ledger's own figures are filled in.
func (l *Ledger) AddUsage(ctx context.Context, u Usage) (Usage, error) {
	err := l.db.Write(ctx, func(tx *sql.Tx) error {
		err := tx.QueryRow(`SELECT coalesce(sum(spent), 0), coalesce(sum(granted - spent), 0) FROM grants WHERE vendor = ? AND month = ?`,
			u.Vendor, u.Month).Scan(&u.LedgerUnits, &u.MaybeUnits)
		if err != nil {
			return err
		}
		_, err = tx.Exec(`INSERT INTO usages (run_id, vendor, at, month, vendor_units, ledger_units, maybe_units, remaining)
			VALUES (?,?,?,?,?,?,?,?)`, u.RunID, u.Vendor, u.At.UnixMicro(), u.Month,
			u.VendorUnits, u.LedgerUnits, u.MaybeUnits, u.Remaining)
		return err
	})
	if err != nil {
		return u, fmt.Errorf("enter the usage of %s: %w", u.Vendor, err)
	}
	return u, nil
}

const usageColumns = `run_id, vendor, month, at, vendor_units, ledger_units, maybe_units, remaining`

// Usages returns what the vendors said during a run, in the order they were asked.
func (l *Ledger) Usages(ctx context.Context, runID string) ([]Usage, error) {
	return l.usages(ctx, `SELECT `+usageColumns+` FROM usages WHERE run_id = ? ORDER BY at`, runID)
}

// MonthUsages returns what a vendor said of a month to all runs, in the order it was asked.
func (l *Ledger) MonthUsages(ctx context.Context, vendor, month string) ([]Usage, error) {
	return l.usages(ctx, `SELECT `+usageColumns+` FROM usages WHERE vendor = ? AND month = ? ORDER BY at`, vendor, month)
}

func (l *Ledger) usages(ctx context.Context, query string, args ...any) ([]Usage, error) {
	rows, err := l.db.Read().QueryContext(ctx, query, args...)
	if err != nil {
		return nil, l.db.Wrap(err)
	}
	defer rows.Close()
	var usages []Usage
	for rows.Next() {
		var u Usage
		var when int64
		if err := rows.Scan(&u.RunID, &u.Vendor, &u.Month, &when, &u.VendorUnits, &u.LedgerUnits, &u.MaybeUnits, &u.Remaining); err != nil {
			return nil, l.db.Wrap(err)
		}
		u.At = at(when)
		usages = append(usages, u)
	}
	return usages, l.db.Wrap(rows.Err())
}
