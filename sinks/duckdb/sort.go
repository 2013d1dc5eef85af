package duckdb

import (
	"context"
	"fmt"
	"strings"

	"backhaul/sinks"
)

// sortMemory bounds a sort; what does not fit is spilled.
const sortMemory = 1 << 30

// Sort writes a sorted copy of files of a table, without the runs that are excepted, as Parquet for the program itself. It
// takes at most 1 GiB of memory.
func Sort(ctx context.Context, c sinks.Sorting) error {
	s, err := openSession(ctx)
	if err != nil {
		return err
	}
	defer s.close()
	by := make([]string, len(c.By))
	for i, column := range c.By {
		by[i] = ident(column) + " NULLS FIRST"
	}
	where := "true"
	for _, run := range c.Except {
		where += fmt.Sprintf(" AND NOT (job = %s AND run_date = %s::DATE)", quote(run.Job), quote(run.Date))
	}
	return damage(s.exec(ctx,
		"SET temp_directory = "+quote(c.Scratch),
		fmt.Sprintf("SET memory_limit = '%d bytes'", sortMemory),
		fmt.Sprintf("COPY (SELECT * FROM (%s) WHERE %s ORDER BY %s) TO %s (FORMAT parquet, COMPRESSION snappy)",
			selection(c.Table, only(c.Files)), where, strings.Join(by, ", "), quote(c.Out))))
}
