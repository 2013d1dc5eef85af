package main

import (
	"errors"
	"io"
	"os"
	"runtime"
	"runtime/pprof"
	"runtime/trace"

	"github.com/spf13/cobra"
)

// profiles are where a run of the program leaves what it was busy with, for whoever looks into its speed.
type profiles struct{ cpu, trace, memory string }

// add adds the flags, which no help shows, and has the profiles written around every command.
func (p *profiles) add(root *cobra.Command) {
	flags := root.PersistentFlags()
	for name, flag := range map[string]struct {
		path *string
		what string
	}{"cpuprofile": {&p.cpu, "a profile of the processor's time"}, "trace": {&p.trace, "a trace of the goroutines"}, "memprofile": {&p.memory, "a profile of all that was allocated"}} {
		flags.StringVar(flag.path, name, "", "write "+flag.what+" to this file")
		_ = flags.MarkHidden(name) // it is there
	}
	root.PersistentPreRunE = func(cmd *cobra.Command, _ []string) error {
		if *p != (profiles{}) {
			run := cmd.RunE
			cmd.RunE = func(cmd *cobra.Command, args []string) error { return p.around(func() error { return run(cmd, args) }) }
		}
		return nil
	}
}

// around writes the profiles of what run does, however that ends.
func (p *profiles) around(run func() error) (err error) {
	defer func() { err = errors.Join(err, p.writeMemory()) }()
	for _, one := range []struct {
		path  string
		start func(io.Writer) error
		stop  func()
	}{{p.cpu, pprof.StartCPUProfile, pprof.StopCPUProfile}, {p.trace, trace.Start, trace.Stop}} {
		if one.path == "" {
			continue
		}
		f, openErr := os.Create(one.path)
		if openErr != nil {
			return openErr
		}
		defer func() { err = errors.Join(err, f.Close()) }()
		if err := one.start(f); err != nil {
			return err
		}
		defer one.stop()
	}
	return run()
}

func (p *profiles) writeMemory() error {
	if p.memory == "" {
		return nil
	}
	f, err := os.Create(p.memory)
	if err != nil {
		return err
	}
	runtime.GC() // what is left is in use
	return errors.Join(pprof.Lookup("allocs").WriteTo(f, 0), f.Close())
}
