package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"backhaul/jobs/telemetry/telemetrytest"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"backhaul": func() {
			ctx, stop := untilStopped()
			defer stop()
			os.Exit(Main(ctx, process()))
		},
	})
}

// raced are the scripts in which many goroutines buy: the race detector sees in the others what it sees in these, and in the tests of
// whole runs, or nothing.
var raced = []string{"run"}

// TestScripts plays what users type, mistakes included, against an emulator. Every script has one of its own.
func TestScripts(t *testing.T) {
	folder, files := "../../testdata/script", []string(nil)
	if testing.Short() {
		for _, name := range raced {
			files = append(files, filepath.Join(folder, name+".txtar"))
		}
		folder = ""
	}
	testscript.Run(t, testscript.Params{
		Dir:                 folder,
		Files:               files,
		RequireExplicitExec: true,
		Setup: func(env *testscript.Env) error {
			e, err := startEmulator(emulatorFlags{listen: "127.0.0.1:0"})
			if err != nil {
				return err
			}
			env.Defer(e.close)
			for name, value := range e.environment() {
				env.Setenv(name, value)
			}
			env.Setenv("GORACE", os.Getenv("GORACE"))
			env.Values["emulator"] = e.server
			otlp := telemetrytest.Start()
			env.Defer(otlp.Close)
			env.Setenv("OTLP", otlp.URL) // a receiver, whom nobody tells unless a script says so
			env.Values["otlp"] = otlp
			return nil
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"exits":           exits,
			"parquet":         holds,
			"sheet":           sheet,
			"sqlite":          inSQLite,
			"told":            told,
			"billed":          billed(func(got, want int64) bool { return got == want }),
			"billed-at-most":  billed(func(got, want int64) bool { return got <= want }),
			"billed-at-least": billed(func(got, want int64) bool { return got >= want }),
		},
	})
}
