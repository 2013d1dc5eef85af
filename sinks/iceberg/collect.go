//go:build fleet

package iceberg

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/apache/iceberg-go/table"

	"backhaul/schemas"
	"backhaul/sinks/lake"
)

// leftoverAge is how old an object must be to be removed once no snapshot names it: until then somebody may be about to commit it.
const leftoverAge = 24 * time.Hour

// Collect expires the snapshots of a table that were made longer ago than keep, but for the current one, and removes the objects below
// it that no snapshot names and that are older than a day. With dry it only says which.
func (s *Store) Collect(ctx context.Context, t *schemas.Table, keep time.Duration, dry bool) (c lake.Collected, err error) {
	return s.collect(ctx, t, keep, leftoverAge, dry)
}

func (s *Store) collect(ctx context.Context, t *schemas.Table, keep, age time.Duration, dry bool) (c lake.Collected, err error) {
	c.Table = t.FullName()
	tbl, err := s.load(ctx, t)
	if err != nil || tbl == nil {
		return c, err
	}
	if tbl, c.Snapshots, err = expire(ctx, tbl, keep, dry); err != nil {
		return c, fmt.Errorf("expire snapshots of %s: %w", t.FullName(), err)
	}
	gone, err := tbl.DeleteOrphanFiles(ctx, table.WithFilesOlderThan(age), table.WithDryRun(dry))
	if err != nil {
		return c, fmt.Errorf("remove leftovers of %s: %w", t.FullName(), err)
	}
	c.Objects, c.Bytes = len(gone.OrphanFileLocations), gone.TotalSizeBytes
	return c, nil
}

// expire takes the old snapshots out of a table's metadata. If another host was quicker the next time will do.
func expire(ctx context.Context, tbl *table.Table, keep time.Duration, dry bool) (*table.Table, int, error) {
	before := len(tbl.Metadata().Snapshots())
	if before == 0 {
		return tbl, 0, nil
	}
	tx := tbl.NewTransaction()
	// What they named is removed with the other leftovers.
	if err := tx.ExpireSnapshots(table.WithOlderThan(keep), table.WithRetainLast(1), table.WithPostCommit(false)); err != nil {
		return tbl, 0, err
	}
	staged, err := tx.StagedTable()
	if err != nil {
		return tbl, 0, err
	}
	expired := before - len(staged.Metadata().Snapshots())
	if expired == 0 || dry {
		return tbl, expired, nil
	}
	after, err := tx.Commit(ctx)
	if errors.Is(err, table.ErrCommitFailed) {
		return tbl, 0, nil
	}
	return after, expired, err
}
