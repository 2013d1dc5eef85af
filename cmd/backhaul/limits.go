package main

import (
	"errors"
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"backhaul/sinks/duckdb"
)

// size is an amount of memory as a flag: 512MiB, 4GB, or a number of bytes.
type size int64

var sizeText = regexp.MustCompile(`(?i)^([0-9]+(?:\.[0-9]+)?)\s*(?:([kmgt])(i?)b?|b|bytes)?$`)

// minSize is the least memory that DuckDB opens a catalog in.
const minSize = 64 << 20

// Set implements pflag.Value.
func (s *size) Set(text string) error {
	m := sizeText.FindStringSubmatch(strings.TrimSpace(text))
	if m == nil {
		return errors.New("want a size like 512MiB or 4GiB")
	}
	number, err := strconv.ParseFloat(m[1], 64)
	if err != nil {
		return err
	}
	base := 1000.0
	if m[3] != "" {
		base = 1024
	}
	power := strings.Index("kmgt", strings.ToLower(m[2])) + 1
	if m[2] == "" {
		power = 0
	}
	bytes := number * math.Pow(base, float64(power))
	if bytes < minSize || bytes > math.MaxInt64/4 {
		return fmt.Errorf("want at least %d MiB", minSize>>20)
	}
	*s = size(bytes)
	return nil
}

// String implements pflag.Value.
func (s *size) String() string {
	if *s == 0 {
		return ""
	}
	return strconv.FormatInt(int64(*s), 10)
}

// Type implements pflag.Value.
func (*size) Type() string { return "size" }

// limitFlags are the flags that bound one statement.
type limitFlags struct {
	memory size
	time   time.Duration
}

func (f *limitFlags) limits() duckdb.Limits {
	return duckdb.Limits{Memory: int64(f.memory), Time: f.time}
}

// add gives a command the flags; timeFlag is what the one for time is called there.
func (f *limitFlags) add(cmd *cobra.Command, what, timeFlag string, usual time.Duration) {
	flags := cmd.Flags()
	flags.Var(&f.memory, "memory-limit", "the most memory "+what+" may take, like 2GiB (default 4GiB, or half of the machine's if that is less)")
	flags.DurationVar(&f.time, timeFlag, usual, "how long "+what+" may run, like 30m; 0 is without end")
}

// raiseLimit adds to the error of a statement that came to a limit which flag raises it.
func raiseLimit(err error, timeFlag string) error {
	switch {
	case errors.Is(err, duckdb.ErrTime):
		return fmt.Errorf("%w: ask for less, or give it more with --%s", err, timeFlag)
	case errors.Is(err, duckdb.ErrMemory):
		return fmt.Errorf("%w: ask for less, or give it more with --memory-limit", err)
	}
	return err
}
