package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"regexp"
	"strings"
	"syscall"

	"backhaul/jobs/books"
	"backhaul/jobs/ledger"
	"backhaul/jobs/recovery"
	"backhaul/jobs/run"
	"backhaul/pipeline/vendors"
	"backhaul/sinks"
	"backhaul/sinks/lake"
)

// exitError ends the program with a status. A nil err means that everything has been said already.
type exitError struct {
	status int
	err    error
}

func (e *exitError) Error() string {
	if e.err == nil {
		return fmt.Sprintf("exit status %d", e.status)
	}
	return e.err.Error()
}

func (e *exitError) Unwrap() error { return e.err }

// usage is an error in what the user typed.
func usage(format string, args ...any) error {
	return &exitError{status: exitUsage, err: fmt.Errorf(format, args...)}
}

// exitStatus is the status for an error that brings none of its own.
func exitStatus(ctx context.Context, err error) int {
	switch {
	case errors.Is(err, recovery.ErrDamaged), errors.Is(err, sinks.ErrDamaged):
		return exitDamaged
	case ctx.Err() != nil:
		return exitInterrupted
	case errors.Is(err, books.ErrBusy), errors.Is(err, books.ErrTaken), errors.Is(err, books.ErrAway), errors.Is(err, lake.ErrMoved), errors.Is(err, lake.ErrAway), errors.Is(err, lake.ErrChanged):
		return exitTryLater
	}
	return exitFailed
}

// cut reports whether an error says no more than that the program was told to stop, whatever it was at.
func cut(ctx context.Context, err error) bool {
	status := exitStatus(ctx, err)
	if said := (*exitError)(nil); errors.As(err, &said) {
		status = said.status
	}
	text := err.Error()
	stopped := errors.Is(err, context.Canceled) || strings.HasSuffix(text, "interrupted (9)") // SQLite's word for it
	return ctx.Err() != nil && status == exitInterrupted && stopped && !strings.Contains(text, "\n")
}

var errInterrupted = errors.New("interrupted; what was bought is kept: the same command again goes on")

// aboutEnd is what a vendor may say of an API that it has shut down.
var aboutEnd = regexp.MustCompile(`(?i)\bdiscontinued\b|\bshut ?down\b|\bsunset|\bno longer (available|supported)|\bretired\b`)

// denialAdvice says what to do where a surface refuses: no credentials help where it was shut down.
func (a *app) denialAdvice(s vendors.Surface, text string) string {
	if next, ok := a.vendors.Surface(s.Vendor, s.Successor); ok && aboutEnd.MatchString(text) {
		return fmt.Sprintf("buy from the API that replaced it: `surface: %s` for %s under vendors in the job spec, and set %s", next.Name, next.Vendor, next.Credentials)
	}
	return "check the credentials: " + s.Credentials.String()
}

// tooFewFiles reports whether an error is that this process may open no more files.
func tooFewFiles(err error) bool {
	return errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE) || strings.Contains(strings.ToLower(err.Error()), "too many open files")
}

// advise turns an error into one line, but for a slip in SQL, that ends with what to do about it, where that is known.
func advise(err error) string {
	said := strings.TrimSpace(err.Error())
	text := strings.ReplaceAll(said, "\n", "; ")
	advice := ""
	switch {
	case errors.Is(err, books.ErrBusy):
		advice = "try again later, or let `run --wait` wait for it; see `backhaul status`"
	case errors.Is(err, books.ErrTaken):
		advice = "this one stood still for too long and has written nothing since: see `backhaul status`, and run it again to go on"
	case errors.Is(err, books.ErrAway):
		advice = "nothing more is bought without it: see that it can be reached, and run it again to go on"
	case errors.Is(err, lake.ErrAway):
		advice = "see that it can be reached, and run it again to go on: what was bought is kept, and not bought again"
	case errors.Is(err, lake.ErrMoved):
		advice = "other processes keep publishing: run it again to go on, which buys nothing again"
	case errors.Is(err, recovery.ErrDamaged), errors.Is(err, sinks.ErrDamaged):
		advice = "see `backhaul doctor`"
	case errors.Is(err, run.ErrClock):
		advice = "set the clock; if it was the earlier entry that was wrong, `backhaul doctor --repair` corrects the ledger"
	case tooFewFiles(err):
		advice = "raise the limit of open files, `ulimit -n 1024`, and run it again: what was bought is in the journal"
	case errors.Is(err, ledger.ErrNoRun):
		advice = "see `backhaul status` for the runs there are"
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS):
		advice = "make it writable, or choose another place with --warehouse"
	case errors.Is(err, syscall.ENOSPC), strings.Contains(strings.ToLower(text), "no space left on device"):
		advice = "free some space and run it again: what was bought is in the journal"
	}
	switch {
	case advice == "" && strings.Contains(said, "\nLINE "):
		return said // of DuckDB, with a mark below the place in the statement
	case advice == "", strings.Contains(text, "`backhaul doctor"):
		return text
	}
	return text + " (" + advice + ")"
}
