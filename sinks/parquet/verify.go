package parquet

import (
	"fmt"

	"backhaul/schemas"
	"backhaul/sinks"
)

// verify reads the whole file back and compares it with the rows and per-column checksums of what was written.
// Every column is compared: on moz.anchor_text that is about a sixth of a replay.
func verify(path string, t *schemas.Table, rows int64, want []uint64) (sinks.Staged, error) {
	got, err := contents(path, t)
	if err != nil {
		return sinks.Staged{}, fmt.Errorf("read back: %w", err)
	}
	if got.Rows != rows {
		return sinks.Staged{}, fmt.Errorf("read back: %d rows where %d were written", got.Rows, rows)
	}
	for i, sum := range got.Columns {
		if sum != want[i] {
			return sinks.Staged{}, fmt.Errorf("read back: column %s has checksum %016x where %016x was written",
				t.Columns()[i].Name, sum, want[i])
		}
	}
	return sinks.Staged{Path: path, Rows: rows, Bytes: got.Bytes, Checksum: got.Checksum}, nil
}
