// Package books is where the ledger of a warehouse and the journals of its runs are kept, and how one process at a time has a run to
// itself: in files of the warehouse ([InFiles]), for the processes of one machine, or in a database ([Database]), for those of many.
//
// What is in the books is for the packages below; how a warehouse is brought back to order is for package recovery.
package books

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"backhaul/jobs/ledger"
	"backhaul/pipeline"
	"backhaul/pipeline/journal"
	"backhaul/pipeline/words"
)

// Books are those of a warehouse. They are safe for concurrent use.
type Books interface {
	// LedgerName is where the ledger lies, for messages.
	LedgerName() string
	// LedgerGone reports whether there is no ledger, or nothing in it.
	LedgerGone(ctx context.Context) (bool, error)
	// OpenLedger opens the ledger, making one where there is none.
	OpenLedger(ctx context.Context) (*ledger.Ledger, error)
	// PutLedgerAside makes room for a new ledger, and returns where the old one is, "" if there was none. Nobody has it open.
	PutLedgerAside(ctx context.Context, now time.Time) (aside string, err error)
	// Of is the book of a job's run for a date, YYYY-MM-DD, whether it is there or not.
	Of(job, runDate string) Book
	// Runs lists the runs of which there is a journal, or what remains of one, by job and date.
	Runs(ctx context.Context) ([]Key, error)
}

// Key is what a run is known by.
type Key struct{ Job, RunDate string }

// String names the run: JOB/DATE.
func (k Key) String() string { return k.Job + "/" + k.RunDate }

func (k Key) compare(other Key) int {
	return cmp.Or(strings.Compare(k.Job, other.Job), strings.Compare(k.RunDate, other.RunDate))
}

// Book is the journal of one run, what is left where it was retired, and who is at work on the run.
type Book interface {
	// Name is where the journal lies, for messages.
	Name() string
	// Gone reports whether there is no journal, or nothing in it.
	Gone(ctx context.Context) (bool, error)
	// Open is [journal.Open]. Who writes to the journal has the run locked.
	Open(ctx context.Context, header journal.Header) (*journal.Journal, error)
	// Replace puts a fresh journal, which write fills, in the place of the one that is there, in one step, and returns where that one is
	// now, "" if there was none. Nobody has it open but write.
	Replace(ctx context.Context, now time.Time, header journal.Header, write func(fresh *journal.Journal) error) (aside string, err error)
	// Remove removes the journal, which nobody has open. What remains stays.
	Remove(ctx context.Context) error
	// Size is how many bytes the journal takes, 0 if that is unknown.
	Size(ctx context.Context) int64
	// Remains returns what was kept of a journal that was retired, nil if nothing was.
	Remains(ctx context.Context) ([]byte, error)
	// Claimed ends the claims of processes that buy lists of the run for this one, which has locked it, up to a round of buying (0 is before
	// the first), and those that bought for processes before it: none of them writes any more. It returns, by task, what may have been paid
	// without a trace, until ForgetClaims.
	Claimed(ctx context.Context, round int) (map[string]pipeline.Units, error)
	ForgetClaims(ctx context.Context) error
	// KeepRemains keeps it, in place of what was kept before, and returns when that is durable.
	KeepRemains(ctx context.Context, text []byte) error
	Possession
}

// Possession is how a process has a run to itself, and how others know.
type Possession interface {
	// Lock takes the run for this process, or returns a *BusyError. It is let go of when the process dies.
	Lock(ctx context.Context) (unlock func(), err error)
	// Wait is Lock, but that it waits until the run is free, or ctx ends.
	Wait(ctx context.Context) (unlock func(), err error)
	// Busy reports whether a process is at work on the run. It leaves nothing behind.
	Busy(ctx context.Context) (bool, error)
	// Sure returns an error where this process, which has locked the run, may have lost it: then it must buy nothing more. It is cheap
	// enough to be asked before every request.
	Sure(ctx context.Context) error
	// Sign lets others know that this process, which has locked the run, works on it, until erase is called. Where that cannot be kept,
	// nobody is told.
	Sign(since time.Time) (erase func())
	// Holder returns who is at work on the run, or was when it was killed; zero if nobody said so.
	Holder(ctx context.Context) Holder
	// Beat keeps a sign of life of this process, which has locked the run. Where that fails the next one will do.
	Beat(sign time.Time)
	// LastBeat returns the last one of whoever worked on the run; zero if there was none.
	LastBeat(ctx context.Context) time.Time
}

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
