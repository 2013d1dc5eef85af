package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"backhaul/jobs/books"
	"backhaul/jobs/ledger"
	"backhaul/jobs/report"
	"backhaul/jobs/run"
	"backhaul/pipeline/words"
)

// replayFlags are the flags of `replay`.
type replayFlags struct {
	job, date string
	engine    engineFlags
}

func (a *app) replayCommand() *cobra.Command {
	var f replayFlags
	cmd := &cobra.Command{
		Use:   "replay [RUN... | --job J [--date D]]",
		Short: "Rebuild the lake from the journal: no request, no unit",
		Long: `Loads the replies in the journals of runs anew and publishes them: no request, no unit. Replies that could not
be read when they came (see status --replies) are tried again: those that this version of the program can
read become pages, and the job's next run goes on behind them.

A run is named by its id or as JOB/DATE. --job without --date is every run of the job, but for those whose journals
were retired, and those that forget or gc has taken out of tables. Of several runs each is told as it ends; one that
fails stops no other, and the exit status is the worst of theirs: 5, 2, 1, 130, 75, 3.

With --engine temporal the workers of the warehouse replay them, several at once on every host. The same command again
waits for what is under way; Ctrl-C cancels it. See 'backhaul help temporal'.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			switch {
			case len(args) == 0 && f.job == "", len(args) > 0 && f.job+f.date != "":
				return usage("want runs, each by its id or as JOB/DATE, or --job; see `backhaul status` for the runs there are")
			case f.job != "" && f.date != "":
				args = []string{books.Key{Job: f.job, RunDate: f.date}.String()}
			}
			return a.replay(cmd.Context(), args, f)
		},
	}
	cmd.Flags().StringVar(&f.job, "job", "", "the job's name")
	cmd.Flags().StringVar(&f.date, "date", "", "the run date, YYYY-MM-DD (default every one the job has)")
	f.engine.add(cmd)
	return cmd
}

// replayer replays runs, and tells how each ended as it does. When ctx ends it begins no more.
type replayer func(ctx context.Context, runs []ledger.Run, told func(replayEnd))

// replayEnd is how the replay of a run ended.
type replayEnd struct {
	run  string // JOB/DATE, or what it was called if it is not known
	done replayed
	err  error
}

// replayed is what a replay has done.
type replayed struct {
	Files []run.File `json:"files"`
	// Redeemed is how many replies could be read that could not when they came.
	Redeemed int `json:"redeemed"`
}

func (a *app) replay(ctx context.Context, names []string, f replayFlags) error {
	elsewhere, err := f.engine.elsewhere()
	if err != nil {
		return err
	}
	var by replayer
	if elsewhere {
		var end func()
		if by, end, err = a.replayByTemporal(ctx, f.engine); err != nil {
			return err
		}
		defer end()
	}
	l, err := a.openLedger(ctx)
	if err != nil {
		return err
	}
	defer l.Close()
	runs, unknown, err := a.toReplay(ctx, l, names, f.job)
	if err != nil {
		return err
	}
	if !elsewhere {
		lake, err := a.existingLake(ctx)
		if err != nil {
			return err
		}
		defer lake.close()
		by = a.replayHere(l, lake)
	}
	if len(names) == 1 {
		return a.replayOne(ctx, runs, by)
	}
	return a.replaySeveral(ctx, runs, unknown, by)
}

// toReplay returns the runs that are named, each once, or all of a job that can be replayed, the earliest first. Of several, those that are
// not known are told of like others that cannot be replayed.
func (a *app) toReplay(ctx context.Context, l *ledger.Ledger, names []string, job string) (runs []ledger.Run, unknown []replayEnd, err error) {
	if len(names) == 0 {
		runs, err = a.replayable(ctx, l, job)
		return runs, nil, err
	}
	for _, name := range names {
		r, err := findRun(ctx, l, name)
		switch {
		case err != nil && (len(names) == 1 || !errors.Is(err, ledger.ErrNoRun)):
			return nil, nil, err
		case err != nil:
			unknown = append(unknown, replayEnd{run: name, err: err})
		case !slices.ContainsFunc(runs, func(other ledger.Run) bool { return other.ID == r.ID }):
			runs = append(runs, r)
		}
	}
	return runs, unknown, nil
}

// replayable returns the runs of a job, but for those that have no journal any more and those whose rows were taken out on purpose.
func (a *app) replayable(ctx context.Context, l *ledger.Ledger, job string) ([]ledger.Run, error) {
	all, err := l.Runs(ctx)
	if err != nil {
		return nil, err
	}
	all = slices.DeleteFunc(all, func(r ledger.Run) bool { return r.Job != job })
	if len(all) == 0 {
		return nil, fmt.Errorf("job %s: %w", job, ledger.ErrNoRun)
	}
	var runs []ledger.Run
	retired, absent := 0, 0
	for _, r := range all {
		gone, err1 := l.Retired(ctx, r.ID)
		without, err2 := l.AbsentTables(ctx, r.ID)
		if err := errors.Join(err1, err2); err != nil {
			return nil, err
		}
		switch {
		case gone != nil:
			retired++
		case len(without) > 0:
			absent++
		default:
			runs = append(runs, r)
		}
	}
	if retired > 0 {
		fmt.Fprintf(a.stderr, "left out: %s of which the journal was retired\n", words.Plural(retired, "run"))
	}
	if absent > 0 {
		fmt.Fprintf(a.stderr, "left out: %s that forget or gc has taken out of tables; named by itself, a run comes back\n", words.Plural(absent, "run"))
	}
	slices.SortFunc(runs, func(a, b ledger.Run) int { return cmp.Compare(a.RunDate, b.RunDate) })
	return runs, nil
}

// replayHere is the replayer of this process, which replays one run after the other.
func (a *app) replayHere(l *ledger.Ledger, lake *localLake) replayer {
	return func(ctx context.Context, runs []ledger.Run, told func(replayEnd)) {
		for _, r := range runs {
			if ctx.Err() != nil {
				return
			}
			done, err := a.replayRun(ctx, l, r, lake)
			told(replayEnd{books.Key{Job: r.Job, RunDate: r.RunDate}.String(), done, err})
		}
	}
}

func (a *app) replayRun(ctx context.Context, l *ledger.Ledger, r ledger.Run, lake *localLake) (replayed, error) {
	lake.Replays = true
	result, err := run.Replay(ctx, l, r, decoders(a.vendors).source, run.Options{Warehouse: lake.Warehouse, Books: a.books(lake.Warehouse), Lake: lake, Now: a.now})
	if err != nil {
		return replayed{}, err
	}
	if result.Rejected() > 0 {
		err = &exitError{status: exitTasksFailed, err: errors.New(report.RejectedText(result.Run.ID, result.Rejections))}
	}
	return replayed{result.Files, result.Redeemed}, err
}

// replayOne replays a run and prints what was published.
func (a *app) replayOne(ctx context.Context, runs []ledger.Run, by replayer) error {
	end := replayEnd{err: context.Cause(ctx)} // if it is not begun
	by(ctx, runs, func(e replayEnd) { end = e })
	if end.done.Files == nil && end.err != nil {
		return end.err
	}
	a.sayRedeemed(end)
	if a.json {
		return errors.Join(a.printJSON(end.done.Files), end.err)
	}
	return errors.Join(a.printFiles(end.done.Files), end.err)
}

func (a *app) sayRedeemed(e replayEnd) {
	if e.done.Redeemed > 0 {
		_, date, _ := strings.Cut(e.run, "/")
		fmt.Fprintf(a.stderr, "%d of the replies that could not be read when they came can be read now; run the job again with --date %s for what is behind them\n",
			e.done.Redeemed, date)
	}
}

func (a *app) printFiles(files []run.File) error {
	for _, f := range files {
		if _, err := fmt.Fprintf(a.stdout, "%-28s %12s rows %10s  %s\n", f.Table, words.Count(f.Rows), words.Bytes(f.Bytes), f.Path); err != nil {
			return err
		}
	}
	return nil
}

// replaySeveral replays runs, tells each as it ends, and ends as the worst of them did.
func (a *app) replaySeveral(ctx context.Context, runs []ledger.Run, unknown []replayEnd, by replayer) error {
	all := replays{app: a, of: len(runs) + len(unknown), ended: []replayOutcome{}}
	for _, e := range unknown {
		all.tell(ctx, e)
	}
	by(ctx, runs, func(e replayEnd) { all.tell(ctx, e) })
	if a.json {
		all.printing = a.printJSON(all.ended)
	}
	if all.printing != nil {
		return all.printing
	}
	return all.err()
}

// replays are those of several runs, and how they ended so far.
type replays struct {
	app      *app
	of       int
	ended    []replayOutcome
	printing error
}

// replayOutcome is how the replay of one of several runs ended.
type replayOutcome struct {
	Run      string     `json:"run"`
	Status   int        `json:"status"`
	Message  string     `json:"message"`
	Redeemed int        `json:"redeemed"`
	Files    []run.File `json:"files"`
}

// tell says how a replay ended, and what was published.
func (r *replays) tell(ctx context.Context, e replayEnd) {
	one := replayOutcome{Run: e.run, Message: "replayed", Redeemed: e.done.Redeemed, Files: append([]run.File{}, e.done.Files...)}
	if exit := ending(ctx, e.err); exit != nil {
		one.Status, one.Message = exit.status, "interrupted"
		if exit.err != nil {
			one.Message = advise(exit.err)
		}
	}
	r.ended = append(r.ended, one)
	fmt.Fprintf(r.app.stderr, "%s (%d of %d): %s\n", one.Run, len(r.ended), r.of, one.Message)
	r.app.sayRedeemed(e)
	if !r.app.json {
		r.printing = errors.Join(r.printing, r.app.printFiles(one.Files))
	}
}

// err is how all of them ended.
func (r *replays) err() error {
	status, texts := exitComplete, []string(nil)
	var bad []string
	for _, one := range r.ended {
		if status = worse(status, one.Status); one.Status != exitComplete {
			bad = append(bad, one.Run)
		}
	}
	if n := min(len(bad), mostNamed); n > 0 {
		texts = append(texts, "not replayed whole: "+strings.Join(bad[:n], ", ")+more(len(bad)-n))
	}
	if n := r.of - len(r.ended); n > 0 {
		status = worse(status, exitInterrupted)
		texts = append(texts, "interrupted before "+words.Plural(n, "run"))
	}
	if status == exitComplete {
		return nil
	}
	return &exitError{status: status, err: errors.New(strings.Join(texts, "; "))}
}

// mostNamed is how many runs the last line of a replay names.
const mostNamed = 20

// worse returns the worse of two exit statuses: that about which more is to be done.
func worse(a, b int) int {
	by := []int{exitComplete, exitTasksFailed, exitBudget, exitTryLater, exitInterrupted, exitFailed, exitUsage, exitDamaged}
	if slices.Index(by, a) < slices.Index(by, b) {
		return b
	}
	return a
}
