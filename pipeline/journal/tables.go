package journal

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"backhaul/pipeline"
	"backhaul/pipeline/store"
)

// Published records that the run's rows are in its tables, all but those that did not fit, and returns when that is durable. It takes
// the place of what was recorded before.
func (j *Journal) Published(ctx context.Context, rejected []pipeline.Rejection) error {
	err := j.db.Write(ctx, func(tx *sql.Tx) error {
		if _, err := tx.Exec(`DELETE FROM absent`); err != nil {
			return err
		}
		if _, err := tx.Exec(`DELETE FROM rejections`); err != nil {
			return err
		}
		for _, r := range rejected {
			if _, err := tx.Exec(`INSERT INTO rejections (task, table_name, field, rows, reason) SELECT no, ?, ?, ?, ? FROM tasks WHERE id = ?`, r.Table, r.Field, r.Rows, r.Reason, r.TaskID); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("record the rows that did not fit: %w", err)
	}
	return nil
}

// Rejections returns the rows that did not fit when the run was last published, by task, table and field.
func (j *Journal) Rejections(ctx context.Context) ([]pipeline.Rejection, error) {
	var all []pipeline.Rejection
	err := j.db.Each(ctx, `SELECT t.id, r.table_name, r.field, r.rows, r.reason FROM rejections r JOIN tasks t ON t.no = r.task
		ORDER BY t.id, r.table_name, r.field`, func(rows *sql.Rows) error {
		var r pipeline.Rejection
		err := rows.Scan(&r.TaskID, &r.Table, &r.Field, &r.Rows, &r.Reason)
		all = append(all, r)
		return err
	})
	return all, err
}

// Withdraw records since when the run's rows are out of tables on purpose, and returns when that is durable. Of one that they are
// out of already the earlier time stays.
func (j *Journal) Withdraw(ctx context.Context, tables map[string]time.Time) error {
	return j.update(ctx, "record that the run is taken out of tables", `INSERT INTO absent (table_name, at) VALUES (?,?) ON CONFLICT DO NOTHING`, func(exec func(args ...any) error) error {
		for table, since := range tables {
			if err := exec(table, store.Micros(since)); err != nil {
				return err
			}
		}
		return nil
	})
}

// Withdrawn returns since when the run's rows are out of which tables on purpose.
func (j *Journal) Withdrawn(ctx context.Context) (map[string]time.Time, error) {
	tables := map[string]time.Time{}
	err := j.db.Each(ctx, `SELECT table_name, at FROM absent`, func(rows *sql.Rows) error {
		var table string
		var since int64
		err := rows.Scan(&table, &since)
		tables[table] = store.At(since)
		return err
	})
	return tables, err
}
