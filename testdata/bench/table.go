package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"
)

// pair is what a round measured: the program, and its yardstick, 0 where there is none.
type pair struct{ ours, yard float64 }

// figure is a thing that is measured of a work, and its goal: of the ratio where there is a yardstick, else of what is
// measured. More is worse in all of them.
type figure struct {
	name, unit string
	goal       float64
	of         string // the yardstick
}

// row is a figure of the table, with medians of all rounds.
type row struct {
	Work      string    `json:"work"`
	Unit      string    `json:"unit"`
	Ours      float64   `json:"ours"`
	Of        string    `json:"yardstick_is,omitempty"`
	Yardstick float64   `json:"yardstick,omitempty"`
	Ratio     float64   `json:"ratio,omitempty"` // median of the rounds' ratios
	Best      float64   `json:"best,omitempty"`  // the best of ours to the best of the yardstick's
	Goal      float64   `json:"goal"`
	Met       bool      `json:"met"` // within 10 %
	Rounds    []float64 `json:"rounds"`
}

func (f figure) row(work string, pairs []pair) row {
	if f.name != "" {
		work += ": " + f.name
	}
	ours, yard := column(pairs, func(p pair) float64 { return p.ours }), column(pairs, func(p pair) float64 { return p.yard })
	r := row{Work: work, Unit: f.unit, Ours: median(ours), Of: f.of, Goal: f.goal, Rounds: ours}
	against := r.Ours
	if f.of != "" {
		r.Rounds = column(pairs, func(p pair) float64 { return p.ours / p.yard })
		r.Yardstick, r.Ratio, r.Best = median(yard), median(r.Rounds), slices.Min(ours)/slices.Min(yard)
		against = r.Ratio
	}
	r.Met = against <= f.goal*1.1
	return r
}

func column(pairs []pair, of func(pair) float64) []float64 {
	var all []float64
	for _, p := range pairs {
		all = append(all, of(p))
	}
	return all
}

func median(all []float64) float64 {
	sorted := slices.Sorted(slices.Values(all))
	return (sorted[(len(sorted)-1)/2] + sorted[len(sorted)/2]) / 2
}

func (r row) cells() []string {
	yard, ratio, met := "", "", "no"
	if r.Of != "" {
		yard, ratio = number(r.Yardstick)+" "+r.Unit+" ("+r.Of+")", number(r.Ratio)
	}
	goal := number(r.Goal)
	if r.Of == "" {
		goal += " " + r.Unit
	}
	if r.Met {
		met = "yes"
	}
	return []string{r.Work, number(r.Ours) + " " + r.Unit, yard, ratio, goal, met}
}

func (r row) String() string { return strings.Join(r.cells(), " | ") }

// number has three digits that tell.
func number(x float64) string {
	switch {
	case x >= 100:
		return fmt.Sprintf("%.0f", x)
	case x >= 10:
		return fmt.Sprintf("%.1f", x)
	}
	return fmt.Sprintf("%.2f", x)
}

// machine is where it was measured. Load is of the last minute, before and after.
type machine struct {
	Processor string `json:"processor"`
	Cores     int    `json:"cores"`
	System    string `json:"system"`
	Go        string `json:"go"`
	Load      string `json:"load"`
}

// report is the table.
type report struct {
	Machine   machine `json:"machine"`
	LoadAfter string  `json:"load_after"`
	Rows      []row   `json:"rows"`
}

func (r report) print(to io.Writer) {
	m := r.Machine
	fmt.Fprintf(to, "%s, %d cores, %s, %s; load %s before, %s after; medians, met: within 10 %% of the goal\n\n", m.Processor, m.Cores, m.System, m.Go, m.Load, r.LoadAfter)
	w := tabwriter.NewWriter(to, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "work\tours\tyardstick\tratio\tgoal\tmet")
	for _, row := range r.Rows {
		fmt.Fprintln(w, strings.Join(row.cells(), "\t"))
	}
	w.Flush()
}

func (r report) write(path string) error {
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return os.WriteFile(path, append(text, '\n'), 0o644)
}

// worse is how much worse than the baseline's a ratio may be.
const worse = 1.3

func readReport(path string) (r report, err error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return r, err
	}
	if err := json.Unmarshal(text, &r); err != nil {
		return r, fmt.Errorf("%s: %w", path, err)
	}
	return r, nil
}

// of returns the row of the same work and yardstick, or nil.
func (r report) of(same row) *row {
	i := slices.IndexFunc(r.Rows, func(b row) bool { return b.Work == same.Work && b.Of == same.Of })
	if i < 0 {
		return nil
	}
	return &r.Rows[i]
}

// beats says whether one of the rows is worse than its like in a baseline by more than may be.
func (r report) beats(rows []row) bool {
	return slices.ContainsFunc(rows, func(now row) bool {
		was := r.of(now)
		return was != nil && now.Best > was.Best*worse
	})
}

// compare is an error if a ratio is worse than that of the baseline by more than that. It takes the best rounds, which hold
// still where others are at work on the machine.
func (r report) compare(to io.Writer, before report) error {
	var errs []error
	var table bytes.Buffer
	w := tabwriter.NewWriter(&table, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "\nwork\tbest ratio\tbaseline\t")
	for _, now := range r.Rows {
		was := before.of(now)
		if was == nil {
			errs = append(errs, fmt.Errorf("%s: not in %s; make bench-quick UPDATE=1 writes it", now.Work, baseline))
			continue
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t\n", now.Work, number(now.Best), number(was.Best))
		if before.beats([]row{now}) {
			errs = append(errs, fmt.Errorf("%s: %s times its yardstick, it was %s", now.Work, number(now.Best), number(was.Best)))
		}
	}
	w.Flush()
	_, err := table.WriteTo(to)
	return errors.Join(append(errs, err)...)
}
