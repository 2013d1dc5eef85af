// Bench measures the program against yardsticks, in turn, over several rounds, and prints one table of medians and ratios. It
// builds the program, makes its own inputs in TMPDIR, and serves them on a loopback address.
//
//	go run ./testdata/bench [-quick] [-large] [-peers PYTHON] [-only PART-OF-A-NAME] [-rounds N] [-update] [-soak 1h]
//
// Whatever is compared is a process of its own, the yardsticks too, so that CPU time and memory are of the whole of each. The
// machine's speed changes within minutes: look at ratios, which are of pairs, and at absolute times last.
//
// With -quick the inputs are small, and it ends with status 1 if a ratio is more than 30 % worse than the one in
// testdata/bench/quick.json, which -update writes, also when it is measured again. With -soak it looks for runs that cost a
// multiple of their like.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"
)

// options are what the flags say.
type options struct {
	quick, large, update bool
	peers, only          string
	rounds               int
	soak                 time.Duration
}

const baseline = "testdata/bench/quick.json"

func main() {
	var o options
	var y yardstick
	flag.BoolVar(&o.quick, "quick", false, "small inputs and the ratios that hold still; compare them with "+baseline)
	flag.BoolVar(&o.large, "large", false, "also a million targets and ten million rows, which take minutes")
	flag.BoolVar(&o.update, "update", false, "with -quick: write "+baseline)
	flag.StringVar(&o.peers, "peers", "", "compare with other programs, run by this Python, and with nothing else")
	flag.StringVar(&o.only, "only", "", "only works whose name has this in it")
	flag.IntVar(&o.rounds, "rounds", 0, "rounds (default 5, with -quick 2)")
	flag.DurationVar(&o.soak, "soak", 0, "buy the same lists for so long, print how the CPU a page is distributed, and do nothing else")
	y.flags(flag.CommandLine)
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	var err error
	if y.name != "" {
		err = y.run(ctx)
	} else {
		err = run(ctx, o)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, o options) (err error) {
	if o.soak > 0 {
		b, err := newBench(ctx, o)
		if err != nil {
			return err
		}
		return errors.Join(b.soak(o.soak, os.Stdout), b.close())
	}
	if o.rounds == 0 {
		o.rounds = 5
		if o.quick {
			o.rounds = 2
		}
	}
	works := slices.DeleteFunc(slices.Clone(all), func(w work) bool { return !w.wanted(o) })
	if len(works) == 0 {
		return fmt.Errorf("no work has %q in its name", o.only)
	}
	b, err := newBench(ctx, o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.close()) }()
	r, before := report{Machine: describe()}, report{}
	if o.quick && !o.update {
		if before, err = readReport(baseline); err != nil {
			return err
		}
	}
	for _, w := range works {
		rows, e := b.measure(w)
		for tries := again; tries > 0 && e == nil && before.beats(rows); tries-- {
			rows, e = b.measure(w)
		}
		if r.Rows = append(r.Rows, rows...); e != nil && ctx.Err() == nil { // what the others measure is worth having
			err = errors.Join(err, fmt.Errorf("%s: %w", w.name, e))
		}
	}
	r.LoadAfter = load()
	if r.print(os.Stdout); o.quick {
		fmt.Println("\nof a tenth of the rows")
	}
	err = errors.Join(err, context.Cause(ctx), r.write(filepath.Join("bin", "bench.json")))
	if err != nil || !o.quick {
		return err
	}
	if o.update {
		return r.write(baseline)
	}
	return r.compare(os.Stdout, before)
}

// again is how often a work is measured again whose ratio looks worse than the baseline's: what others do on the machine passes, a
// change for the worse stays.
const again = 2

// measure carries out a work's rounds.
func (b *bench) measure(w work) (rows []row, err error) {
	dir, err := os.MkdirTemp(b.dir, "work-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir) // the next one needs the room
	rounds := b.rounds
	if w.rounds > 0 {
		rounds = min(rounds, w.rounds)
	}
	pairs := make([][]pair, len(w.figures))
	for n := range rounds {
		at := filepath.Join(dir, fmt.Sprint(n))
		if err := os.Mkdir(at, 0o755); err != nil {
			return nil, err
		}
		measured, err := w.round(b, at)
		if err != nil {
			return nil, err
		}
		for i := range w.figures {
			pairs[i] = append(pairs[i], measured[i])
		}
		if err := os.RemoveAll(at); err != nil {
			return nil, err
		}
	}
	for i, f := range w.figures {
		row := f.row(w.name, pairs[i])
		fmt.Fprintln(os.Stderr, row)
		rows = append(rows, row)
	}
	return rows, nil
}

// wanted says whether the options ask for the work.
func (w work) wanted(o options) bool {
	return strings.Contains(w.name, o.only) && w.peers == (o.peers != "") && (!o.quick || w.quick) && (!w.large || o.large)
}

func describe() machine {
	return machine{Processor: processor(), Cores: runtime.NumCPU(), System: runtime.GOOS + "/" + runtime.GOARCH, Go: runtime.Version(), Load: load()}
}
