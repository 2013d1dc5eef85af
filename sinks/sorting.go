package sinks

import (
	"time"

	"backhaul/schemas"
)

// RunKey names a run.
type RunKey struct {
	Job  string
	Date string // YYYY-MM-DD
}

// KeyOf names the run of (job, date).
func KeyOf(job string, date time.Time) RunKey { return RunKey{job, date.Format(time.DateOnly)} }

// Sorting is a sorted copy of files of a table.
type Sorting struct {
	Table *schemas.Table
	Files []string
	// Except are runs to leave out.
	Except []RunKey
	// By are the columns to sort by, nulls first, texts by their bytes.
	By []string
	// Out is the file to write, Scratch a directory for what does not fit in memory.
	Out, Scratch string
}
