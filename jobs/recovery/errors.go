package recovery

import (
	"backhaul/jobs/books"
	"backhaul/pipeline/journal"
)

// ErrBusy means that another process is at work on the same job and date.
var ErrBusy = books.ErrBusy

// ErrDamaged means that the journal or the warehouse no longer holds what was written to it.
var ErrDamaged = journal.ErrDamaged
