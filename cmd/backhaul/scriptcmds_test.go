package main

import (
	"errors"
	"os/exec"
	"strconv"

	"github.com/rogpeppe/go-internal/testscript"

	"backhaul/pipeline/emulator"
)

// exits runs a program and checks its exit status: exits 2 backhaul run job.yaml. Its output is there for stdout and stderr.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits STATUS PROGRAM [ARG...]")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	err = ts.Exec(args[1], args[2:]...)
	got := 0
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		got = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	if got != want {
		ts.Fatalf("exit status %d, want %d", got, want)
	}
}

// checkBilled checks how many rows the emulator has billed so far: billed 120.
func checkBilled(ts *testscript.TestScript, server *emulator.Server, args []string) {
	if len(args) != 1 {
		ts.Fatalf("usage: billed ROWS")
	}
	if got := strconv.FormatInt(server.Meter().Rows, 10); got != args[0] {
		ts.Fatalf("%s rows billed, want %s", got, args[0])
	}
}
