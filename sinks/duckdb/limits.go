package duckdb

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/duckdb/duckdb-go/v2"
)

// Limits bound what one statement of a user's may take of the machine. The zero value is the default of each.
type Limits struct {
	// Memory is what DuckDB may hold, in bytes; it spills to disk before it refuses. Default 4 GiB, or half of what the
	// machine or container has if that is less.
	Memory int64
	// Time is how long a statement may run. Default 0: as long as it takes.
	Time time.Duration
}

// A statement that came to the end of its limits.
var (
	ErrTime   = errors.New("the statement ran longer than it may")
	ErrMemory = errors.New("the statement needs more memory than it may have")
	// ErrSize is the end of what an answer may be that is held in memory: a table for people, or the targets of an extract.
	ErrSize = errors.New("the answer is too large to be held in memory")
)

const (
	mostMemory = 4 << 30
	// mostText is the longest text that a statement can make of a short one, in bytes. DuckDB does not count texts that it
	// makes against its limit, and folds such a call several times over when it prepares a statement.
	mostText = 64 << 20
	// mostRows and mostBytes bound an answer that is held in memory.
	mostRows  = 5_000_000
	mostBytes = 256 << 20
)

// makers shadow the functions that make a long text of a short one. That is not a fence, as the system's own can be named in
// full, but it stops the slip of a finger.
var makers = []string{
	maker("repeat(s, n)", "strlen(s::VARCHAR)::HUGEINT * n", "repeat(s, n)"),
	maker("lpad(s, n, c)", "n", "lpad(s, n, c)"),
	maker("rpad(s, n, c)", "n", "rpad(s, n, c)"),
}

func maker(signature, size, call string) string {
	name, _, _ := strings.Cut(signature, "(")
	return fmt.Sprintf("CREATE TEMP MACRO %s AS CASE WHEN %s > %d THEN error('%s would make a text of more than %d MiB') ELSE system.main.%s END",
		signature, size, mostText, name, mostText>>20, call)
}

// within runs do under the limits, and tells apart from its other errors that they were reached.
func (l Limits) within(ctx context.Context, do func(context.Context) error) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	if l.Time > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, l.Time, fmt.Errorf("%w: %v", ErrTime, l.Time))
		defer cancel()
	}
	err := do(ctx)
	var e *duckdb.Error
	switch cause := context.Cause(ctx); {
	case err == nil:
		return nil
	case errors.Is(cause, ErrTime), errors.Is(cause, ErrMemory):
		return cause
	case errors.As(err, &e) && e.Type == duckdb.ErrorTypeOutOfMemory:
		first, _, _ := strings.Cut(e.Msg, "\n")
		return fmt.Errorf("%w: %s", ErrMemory, first)
	}
	return err
}

// watched runs do and cancels it with ErrMemory when the process has grown far beyond the session's limit: DuckDB does not
// count all that its functions hold. Where the system does not tell how large a process is, nobody watches.
func (s *session) watched(ctx context.Context, do func(context.Context) error) error {
	before := resident()
	if before == 0 || s.memory == 0 {
		return do(ctx)
	}
	ctx, stop := context.WithCancelCause(ctx)
	most := before + s.memory + s.memory/4 + mostBytes
	over, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(50 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-over:
				return
			case <-tick.C:
				if resident() > most {
					stop(fmt.Errorf("%w: the process has grown by more than %d MiB", ErrMemory, (most-before)>>20))
					return
				}
			}
		}
	}()
	err := do(ctx)
	close(over)
	<-done
	cause := context.Cause(ctx)
	stop(nil)
	if err != nil && errors.Is(cause, ErrMemory) {
		return cause
	}
	return err
}

// resident returns the memory that the process holds, in bytes; 0 where the system does not tell.
func resident() int64 {
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0
	}
	fields := strings.Fields(string(text))
	if len(fields) < 2 {
		return 0
	}
	pages, _ := strconv.ParseInt(fields[1], 10, 64)
	return pages * int64(os.Getpagesize())
}

// limit sets the session's memory.
func (s *session) limit(ctx context.Context, memory int64) error {
	if memory == 0 {
		_, rows, err := s.rows(ctx, "SELECT current_setting('memory_limit')")
		if err != nil {
			return err
		}
		memory = defaultMemory(rows[0][0].(string))
	}
	s.memory = memory
	return s.exec(ctx, fmt.Sprintf("SET memory_limit = '%d bytes'", memory))
}

var amount = regexp.MustCompile(`^([0-9.]+) (bytes|[KMGT]iB)$`)

// defaultMemory is the default of Limits.Memory. DuckDB's own limit, as it spells it, is four fifths of what there is.
func defaultMemory(own string) int64 {
	m := amount.FindStringSubmatch(own)
	if m == nil {
		return mostMemory
	}
	number, err := strconv.ParseFloat(m[1], 64)
	if err != nil {
		return mostMemory
	}
	unit := map[string]float64{"bytes": 0, "KiB": 10, "MiB": 20, "GiB": 30, "TiB": 40}[m[2]]
	return min(mostMemory, int64(number*math.Pow(2, unit)/0.8/2))
}
