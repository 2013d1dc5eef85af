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
	var processor *os.File
	root.PersistentPreRunE = func(*cobra.Command, []string) (err error) {
		if p.cpu == "" {
			return nil
		}
		if processor, err = os.Create(p.cpu); err != nil {
			return err
		}
		return pprof.StartCPUProfile(processor)
	}
	root.PersistentPostRunE = func(*cobra.Command, []string) error {
		var err error
		if processor != nil {
			pprof.StopCPUProfile()
			err = processor.Close()
		}
		return errors.Join(err, p.writeMemory())
	}
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
