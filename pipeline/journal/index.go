package journal

import (
	"context"
	"database/sql"
	"fmt"
	"time"
)

// Index is what a vendor said at one moment of the index it answers from.
type Index struct {
	Vendor string
	ID     string
	At     time.Time
}

// AddIndex records what a vendor said of its index, and returns when that is durable.
func (j *Journal) AddIndex(ctx context.Context, x Index) error {
	err := j.db.Write(ctx, func(tx *sql.Tx) error {
		_, err := tx.Exec(`INSERT INTO indexes (vendor, index_id, at) VALUES (?,?,?)`, x.Vendor, x.ID, x.At.UnixMicro())
		return err
	})
	if err != nil {
		return fmt.Errorf("record the index of %s: %w", x.Vendor, err)
	}
	return nil
}

// Indexes returns what vendors said of their indexes, in the order they were asked.
func (j *Journal) Indexes(ctx context.Context) ([]Index, error) {
	var all []Index
	err := j.db.Each(ctx, `SELECT vendor, index_id, at FROM indexes ORDER BY at`, func(rows *sql.Rows) error {
		var x Index
		var at int64
		if err := rows.Scan(&x.Vendor, &x.ID, &at); err != nil {
			return err
		}
		x.At = time.UnixMicro(at).UTC()
		all = append(all, x)
		return nil
	})
	return all, err
}
