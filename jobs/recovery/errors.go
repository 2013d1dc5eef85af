package recovery

import (
	"errors"
	"fmt"
	"time"

	"backhaul/pipeline/journal"
	"backhaul/pipeline/words"
)

// ErrBusy means that another process is at work on the same job and date.
var ErrBusy = errors.New("the run is in progress in another process")

// Holder is a process that is at work on a run.
type Holder struct {
	PID  int    `json:"pid"`
	Host string `json:"host"`
	// Since is when it took the run, UTC.
	Since time.Time `json:"since"`
	// Silent is for how long it has shown no sign of life, 0 if it has lately, or if it shows none.
	Silent time.Duration `json:"-"`
}

// String says who it is, "" if nobody knows.
func (h Holder) String() string {
	if h.PID == 0 {
		return ""
	}
	text := fmt.Sprintf("pid %d on %s, since %s UTC", h.PID, h.Host, h.Since.UTC().Format(time.DateTime))
	if h.Silent > 0 {
		text += fmt.Sprintf(", without a sign of life for %s", words.Duration(h.Silent.Seconds()))
	}
	return text
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
