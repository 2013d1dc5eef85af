// Backhaul buys link data by the row, keeps every paid page, and loads it into Parquet and DuckDB.
//
// This package is the edge of the house: flags, environment, wiring, printing and exit statuses, one file per command.
// Only here are logs written, secrets read and errors turned into advice.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

// The exit statuses users rely on.
const (
	exitComplete    = 0
	exitFailed      = 1
	exitUsage       = 2
	exitTasksFailed = 3
	exitBudget      = 4
	exitDamaged     = 5
	exitTryLater    = 75
	exitInterrupted = 130
)

func main() {
	failOnCrash()
	ctx, stop := untilStopped()
	context.AfterFunc(ctx, stop) // a second signal ends the program at once
	os.Exit(Main(ctx, process()))
}

// untilStopped returns a context that ends when somebody wants the program to stop: by Ctrl-C, by SIGTERM, or by closing the
// terminal. Under nohup the last does not matter.
func untilStopped() (context.Context, context.CancelFunc) {
	signals := []os.Signal{os.Interrupt, syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) {
		signals = append(signals, syscall.SIGHUP)
	}
	return signal.NotifyContext(context.Background(), signals...)
}

// Main runs the program in an environment and returns its exit status.
func Main(ctx context.Context, e environment) int {
	root := newRoot(e)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return exitComplete
	}
	var exit *exitError
	if cut(ctx, err) {
		exit = &exitError{status: exitInterrupted, err: errInterrupted}
	} else if !errors.As(err, &exit) {
		exit = &exitError{status: exitStatus(ctx, err), err: err}
	}
	if exit.err != nil {
		fmt.Fprintf(e.stderr, "backhaul: %s\n", advise(exit.err))
	}
	return exit.status
}
