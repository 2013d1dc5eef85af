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

	"backhaul/pipeline/grid"
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
	var last farewell
	e.atEnd = last.add
	defer last.do()
	root := newRoot(e)
	exit := ending(ctx, root.ExecuteContext(ctx))
	if exit == nil {
		return exitComplete
	}
	if exit.err != nil {
		fmt.Fprintf(grid.Fold(e.stderr), "backhaul: %s\n", advise(exit.err))
	}
	return exit.status
}

// ending is how a command ends with an error; nil without one.
func ending(ctx context.Context, err error) (exit *exitError) {
	switch {
	case err == nil:
		return nil
	case cut(ctx, err):
		return &exitError{status: exitInterrupted, err: errInterrupted}
	case !errors.As(err, &exit):
		return &exitError{status: exitStatus(ctx, err), err: err}
	}
	return exit
}
