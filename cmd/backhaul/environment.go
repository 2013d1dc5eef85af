package main

import (
	"io"
	"os"
	"slices"
	"time"

	"golang.org/x/term"

	"backhaul/pipeline/vendors"
	"backhaul/sinks/blob"
)

// environment is what a command has of the world around it. Commands take all of it from here, so that many of them run in
// one process without seeing one another. The context they are run with says when somebody has them stop.
type environment struct {
	args           []string                 // without the name of the program
	variable       func(name string) string // a variable's value; "" if it is not set
	stdin          io.Reader
	attended       bool // stdin is a terminal: somebody is there to be asked
	stdout, stderr io.Writer
	now            func() time.Time
	disk           blob.FS // what warehouses and exported files are written through
	vendors        vendors.Registry
	// seen is told the values of a surface's credentials when they were read. Nil: nobody is.
	seen func(vendors.Surface, map[string]string)
	// atEnd keeps what is to be done when the program ends, the last first. Nil: nothing is.
	atEnd func(func())
	// holdMemory bounds what the process may allocate until release is called; see holdMemory.
	holdMemory func(bytes int64) (release func())
}

// put lets these variables go before those that the environment has.
func (e *environment) put(values map[string]string) {
	outside := e.variable
	e.variable = func(name string) string {
		if value, ok := values[name]; ok {
			return value
		}
		return outside(name)
	}
}

// process is the environment of this process.
func process() environment {
	return environment{
		args: os.Args[1:], variable: os.Getenv, now: time.Now, vendors: builtIn, holdMemory: holdMemory,
		stdin: os.Stdin, attended: term.IsTerminal(int(os.Stdin.Fd())), stdout: os.Stdout, stderr: os.Stderr,
	}
}

// farewell is what is to be done at an end: what was opened last may need what was opened before it.
type farewell []func()

func (f *farewell) add(do func()) { *f = append(*f, do) }

// do does it, the last first.
func (f *farewell) do() {
	for _, do := range slices.Backward(*f) {
		do()
	}
}
