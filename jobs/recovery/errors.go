package recovery

import (
	"errors"
	"fmt"
	"time"

	"backhaul/pipeline/journal"
)

// ErrBusy means that another process is at work on the same job and date.
var ErrBusy = errors.New("the run is in progress in another process")

// Holder is a process that is at work on a run.
type Holder struct {
	PID  int    `json:"pid"`
	Host string `json:"host"`
	// Since is when it took the run, UTC.
	Since time.Time `json:"since"`
}

// String says who it is, "" if nobody knows.
func (h Holder) String() string {
	if h.PID == 0 {
		return ""
	}
	return fmt.Sprintf("pid %d on %s, since %s UTC", h.PID, h.Host, h.Since.UTC().Format(time.DateTime))
}

// BusyError is ErrBusy with the process that is at work.
type BusyError struct{ Holder Holder }

func (e *BusyError) Error() string {
	if who := e.Holder.String(); who != "" {
		return ErrBusy.Error() + " (" + who + ")"
	}
	return ErrBusy.Error()
}

func (e *BusyError) Unwrap() error { return ErrBusy }

// ErrDamaged means that the journal or the warehouse no longer holds what was written to it.
var ErrDamaged = journal.ErrDamaged
