package main

import (
	"errors"
	"os"
	"runtime"
	"runtime/pprof"

	"github.com/spf13/cobra"
)

// profiles are where a run of the program leaves what it was busy with, for whoever looks into its speed.
type profiles struct{ cpu, memory string }

// add adds the flags, which no help shows, and has the profiles written around every command.
func (p *profiles) add(root *cobra.Command) {
	flags := root.PersistentFlags()
	flags.StringVar(&p.cpu, "cpuprofile", "", "write a profile of the processor's time to this file")
	flags.StringVar(&p.memory, "memprofile", "", "write a profile of the memory in use at the end to this file")
	for _, name := range []string{"cpuprofile", "memprofile"} {
		_ = flags.MarkHidden(name) // both are there
	}
	root.PersistentPreRunE = func(cmd *cobra.Command, _ []string) error {
		if p.cpu == "" && p.memory == "" {
			return nil
		}
		run := cmd.RunE
		cmd.RunE = func(cmd *cobra.Command, args []string) error { return p.around(func() error { return run(cmd, args) }) }
		return nil
	}
}

// around writes the profiles of what run does, however that ends.
func (p *profiles) around(run func() error) (err error) {
	defer func() { err = errors.Join(err, p.writeMemory()) }()
	if p.cpu == "" {
		return run()
	}
	f, err := os.Create(p.cpu)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if err := pprof.StartCPUProfile(f); err != nil {
		return err
	}
	defer pprof.StopCPUProfile()
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
