//go:build failpoint

package failpoint

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
)

// chosen is the step to die at; hits counts down to it. trace is nil where no trace is wanted.
var (
	chosen string
	hits   atomic.Int64
	trace  *os.File
)

func init() {
	if path := os.Getenv(TraceVariable); path != "" {
		var err error
		if trace, err = os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o666); err != nil {
			panic(err)
		}
	}
	text := os.Getenv(Variable)
	if text == "" {
		return
	}
	name, count, _ := strings.Cut(text, ":")
	n, err := strconv.ParseInt(count, 10, 64)
	if err != nil || n < 1 {
		// A test that dies nowhere would prove nothing.
		panic(fmt.Sprintf("%s=%s: want NAME:N", Variable, text))
	}
	chosen = name
	hits.Store(n)
}

// Hit kills the process if this is the chosen step and it has come up so many times.
func Hit(name string) {
	if trace != nil {
		if _, err := trace.WriteString(name + "\n"); err != nil {
			panic(err)
		}
	}
	if name != chosen || hits.Add(-1) != 0 {
		return
	}
	process, err := os.FindProcess(os.Getpid())
	if err == nil {
		err = process.Kill()
	}
	if err != nil {
		panic(err)
	}
	select {} // not one step further while the signal is on its way
}
