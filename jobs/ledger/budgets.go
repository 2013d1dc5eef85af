package ledger

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"backhaul/pipeline"
)

// Budget is what a job allowed a run to spend at a vendor, as its latest execution had it.
type Budget struct {
	Vendor string
	// Run, Month and WarehouseMonth are ceilings of one execution, of the job's month and of that of all jobs. Nil: none.
	Run, Month, WarehouseMonth *pipeline.Units
	// MonthStart is the day on which the account's month began that the execution was in.
	MonthStart time.Time
}

// SetBudgets enters what a run may spend, in place of what an earlier execution was allowed. A run that is not in it has none.
// Nothing is decided by it: it is kept so that what was spent can be held against it later, without the spec.
func (l *Ledger) SetBudgets(ctx context.Context, runID string, all []Budget) error {
	err := l.db.Write(ctx, func(tx *sql.Tx) error {
		if _, err := tx.Exec(`DELETE FROM budgets WHERE run_id = ?`, runID); err != nil {
			return err
		}
		for _, b := range all {
			if _, err := tx.Exec(`INSERT INTO budgets (run_id, vendor, of_run, of_month, of_warehouse, month_start) VALUES (?,?,?,?,?,?)`,
				runID, b.Vendor, b.Run, b.Month, b.WarehouseMonth, b.MonthStart.Format(time.DateOnly)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("enter the budgets of run %s: %w", runID, err)
	}
	return nil
}

// Budgets returns what a run was allowed to spend, by vendor. Runs of versions that did not keep it, and of ledgers that were
// rebuilt, have none.
func (l *Ledger) Budgets(ctx context.Context, runID string) ([]Budget, error) {
	var all []Budget
	err := l.each(ctx, `SELECT vendor, of_run, of_month, of_warehouse, month_start FROM budgets WHERE run_id = ? ORDER BY vendor`, func(rows *sql.Rows) (err error) {
		var b Budget
		var start string
		if err := rows.Scan(&b.Vendor, &b.Run, &b.Month, &b.WarehouseMonth, &start); err != nil {
			return err
		}
		if b.MonthStart, err = time.Parse(time.DateOnly, start); err != nil {
			return fmt.Errorf("budget of run %s at %s: %w", runID, b.Vendor, err)
		}
		all = append(all, b)
		return nil
	}, runID)
	return all, err
}
