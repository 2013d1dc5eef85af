package recovery

import "backhaul/pipeline/journal"

// ErrDamaged means that the journal or the warehouse no longer holds what was written to it.
var ErrDamaged = journal.ErrDamaged
