package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/oklog/ulid/v2"
	"github.com/spf13/cobra"

	"backhaul/jobs/budget"
	"backhaul/jobs/plan"
	"backhaul/jobs/report"
	"backhaul/jobs/run"
	"backhaul/pipeline"
	"backhaul/pipeline/engine"
	"backhaul/pipeline/grid"
	"backhaul/pipeline/vendors"
	"backhaul/pipeline/words"
)

// runFlags are the flags of `run`.
type runFlags struct {
	date     string
	maxUnits []string
	yes      bool
	dry      bool
	wait     bool
	again    bool
	accept   bool
	noMerge  bool
	metrics  string
	limits   limitFlags
	chosen   selection
	log      logFlags
	engine   engineFlags
	// conducted: a worker carries the run out. Default nil: this process does, by itself.
	conducted *conducted
}

func (a *app) runCommand() *cobra.Command {
	var f runFlags
	cmd := &cobra.Command{
		Use:   "run JOB",
		Short: "Plan, buy, load and publish a job; the same job and date again buys only what is missing",
		Long: `Plans the job and prints what it would cost, buys every reply into the journal, loads the journal
into Parquet and publishes each table in one step. The same job and date again: a complete run does
nothing and costs nothing, an incomplete one goes on where every list stopped.

A list that repeats itself, and a reply that cannot be read, are not bought again on the same date: they
stay incomplete until --again asks for them once more.

An extract that asks about the lists of others (after, with sql) is bought once those are whole. While one
of them lacks something, or some of its rows did not fit, the extract waits, since what a list lacks looks
gone; --again asks about what there is.

With --select and --exclude only some extracts are bought. The rest is missing from the run, which stays
incomplete until a run without them; an extract that waits for others is bought when those are complete,
whichever execution bought them.`,
		Args: exactly(1, "one job file"),
		RunE: func(cmd *cobra.Command, args []string) error {
			speech, err := a.speak(f.log)
			if err != nil {
				return err
			}
			return speech.end(cmd.Context(), a.runJob(cmd.Context(), args[0], f, speech))
		},
	}
	f.log.add(cmd)
	cmd.Flags().StringVar(&f.date, "date", "", "the run date, YYYY-MM-DD (default today in UTC)")
	cmd.Flags().StringArrayVar(&f.maxUnits, "max-units", nil, "the most this execution may spend, as vendor=N; may be repeated")
	f.chosen.add(cmd)
	f.engine.add(cmd)
	f.limits.add(cmd, "a query that provides targets", targetTime, usualTargetTime)
	a.specFlags(cmd)
	cmd.Flags().BoolVar(&f.yes, "yes", false, "do not ask before buying")
	cmd.Flags().BoolVar(&f.wait, "wait", false, "wait where another process is at work on the run (else status 75)")
	cmd.Flags().BoolVar(&f.dry, "dry-run", false, "say what it would do and cost, and buy nothing, as 'backhaul plan' does")
	cmd.Flags().BoolVar(&f.noMerge, "no-compact", false, "do not merge the files of months that are past; see 'backhaul compact'")
	cmd.Flags().StringVar(&f.metrics, "metrics-file", "", "a file for Prometheus that says how the latest run of each job went; see 'backhaul help telemetry'")
	cmd.Flags().BoolVar(&f.again, "again", false, "go on where lists repeated themselves, replies could not be read, or lists to ask about are not whole")
	cmd.Flags().BoolVar(&f.accept, "accept", false, "publish what a breach of what the job expects has held back; see 'backhaul help expect'")
	return cmd
}

// heartbeat is how often a run shows that its process is alive.
const heartbeat = time.Second

// runJob does what `run` is for.
func (a *app) runJob(ctx context.Context, path string, f runFlags, said *speech) error {
	job, err := a.loadJob(ctx, path)
	if err != nil {
		return err
	}
	if err := f.chosen.check(job); err != nil {
		return err
	}
	if f.dry {
		return a.plan(ctx, job, f.date, f.chosen, false, false)
	}
	elsewhere, err := f.engine.elsewhere()
	switch {
	case err != nil:
		return err
	case !elsewhere:
		return a.run(ctx, job, f, said)
	}
	date, err := runDate(f.date, a.now())
	if err != nil {
		return err
	}
	return a.runByTemporal(ctx, job, date, f)
}

// run carries out a job, prints its summary and tells whom the job says, whatever became of it.
func (a *app) run(ctx context.Context, job *loadedJob, f runFlags, said *speech) error {
	date, err := runDate(f.date, a.now())
	if err != nil {
		return err
	}
	var summary report.Summary
	watch := a.watch(ctx, job, date, f)
	err = a.execute(ctx, job, date, f, said, watch, &summary)
	watch.end(ctx, summary, err)
	a.tell(ctx, job, date, summary, err)
	return err
}

// execute carries out a job and prints its summary, which it leaves in summary if the run got as far as its plan.
func (a *app) execute(ctx context.Context, job *loadedJob, date time.Time, f runFlags, said *speech, watch *watchers, summary *report.Summary) error {
	a.warnOfDate(date)
	w, err := a.warehouse(ctx)
	if err != nil {
		return err
	}
	from := a.buyersOf(job)
	defer from.close()
	ready, err := job.resolve(date, from)
	if err != nil {
		return err
	}
	if err := limitUnits(ready.Accounts, f.maxUnits); err != nil {
		return err
	}
	if err := a.pace(ctx, job, ready); err != nil {
		return err
	}
	lake, err := a.openLake(w)
	if err != nil {
		return err
	}
	defer lake.close()
	going := newUnderWay(len(ready.Items) + len(ready.Steps))
	ready.Sources = going.watch(ready.Sources)
	lake.limits = f.limits.limits()
	bars := newProgress(a.stderr, a.variable("TERM"))
	defer whenStopped(ctx, func() { bars.say(a.stderr, going.stopText()) })()
	begin := time.Now()
	by := f.conducted
	if by == nil {
		by = &conducted{plan: func(*plan.Plan) {}}
	}
	result, err := run.Run(ctx, *ready, run.Options{
		Engine: by.buyer, Warehouse: w, Books: a.books(w), Lake: lake, NewID: ulid.Make().String(), Now: a.now, Again: f.again, Accept: f.accept, Select: f.chosen.holds, Waits: a.waits(f), Beat: heartbeat, Meanwhile: lake.firstCatalog, Observe: watch.observe(bars.observe),
		Retry: engine.Retry{For: job.RetryFor},
		Confirm: func(p *plan.Plan) error {
			if err := a.confirm(job, ready, p, f.yes); err != nil {
				return err
			}
			by.plan(p)
			bars.start(p)
			return nil
		},
		Next: func(p *plan.Plan) {
			for _, x := range p.Extracts {
				if x.After == nil {
					bars.say(grid.Fold(a.stderr), report.ExtractText(x))
				}
			}
			bars.add(p)
		},
		Step: before(f.conducted != nil, by.step, watch.step(bars.step)),
	})
	bars.stop()
	if result == nil || result.Plan == nil || result.Declined {
		return err
	}
	for i, note := range result.Notes {
		fmt.Fprintln(a.stderr, "left out:", note)
		if f.log.quiet && i == 0 {
			fmt.Fprintln(said.stderr, "left out:", note+more(len(result.Notes)-1))
		}
	}
	if text := unselectedText(result); text != "" {
		fmt.Fprintln(a.stderr, text)
	}
	status := exitOf(ctx, result, err)
	*summary = report.Summarize(result, status, time.Since(begin))
	if job.Report != nil && ctx.Err() == nil {
		summary.Report = a.reportAfter(ctx, w, result.Run, job.Report.Rows)
	}
	if printErr := a.printSummary(*summary); printErr != nil {
		return printErr
	}
	if f.log.quiet && status != exitComplete {
		if printErr := summary.Brief(said.stderr); printErr != nil {
			return printErr
		}
	}
	if !f.noMerge && status != exitInterrupted && err == nil {
		a.compactPast(ctx, lake, date)
	}
	if err == nil {
		err = a.stopText(job, result, status)
	}
	if status == exitComplete {
		return err
	}
	return &exitError{status: status, err: err}
}

// more says how many more there are of something, "" if none.
func more(n int) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprintf(" (and %s more)", words.Count(n))
}

// exitOf is the exit status of a run that got as far as its plan.
func exitOf(ctx context.Context, r *run.Result, err error) int {
	switch {
	case err != nil:
		return exitStatus(ctx, err)
	case r.Interrupted:
		return exitInterrupted
	}
	status := exitComplete
	if len(r.Left()) > 0 || r.Rejected() > 0 || r.Held() {
		status = exitTasksFailed
	}
	for _, t := range r.Left() {
		if t.Ending == pipeline.EndBudget {
			status = exitBudget
		}
	}
	for _, stop := range r.Stops() {
		switch stop.Ending {
		case pipeline.EndBudget, pipeline.EndQuota:
			if status != exitFailed && status != exitTryLater {
				status = exitBudget
			}
		case pipeline.EndUnreachable:
			switch {
			case tooFewFiles(stop.Err):
				status = exitFailed // this machine's fault, and no time mends it
			case status != exitFailed:
				status = exitTryLater
			}
		default:
			status = exitFailed
		}
	}
	return status
}

// stopText is the one line that says why a run did not complete, and what to do.
func (a *app) stopText(job *loadedJob, r *run.Result, status int) error {
	switch status {
	case exitComplete:
		return nil
	case exitInterrupted:
		return errors.New("interrupted; the replies that were under way are kept: run it again with the same --date to go on")
	case exitTasksFailed:
		return errors.New(unfinished(r))
	}
	var texts []string
	for _, stop := range r.Stops() {
		surface, _ := a.vendors.Surface(stop.Vendor, job.Vendors[stop.Vendor].Surface)
		texts = append(texts, stop.Vendor+": "+a.stopAdvice(surface, stop))
	}
	if len(texts) == 0 {
		return errors.New("an extract's max_units left some of its targets out; raise it, or run it again with the same --date to go on")
	}
	return errors.New(strings.Join(texts, "; "))
}

// unfinished says what a run that finished lacks.
func unfinished(r *run.Result) string {
	var texts []string
	if open := len(r.Left()); open > 0 {
		texts = append(texts, fmt.Sprintf("%s of %s did not complete; %s", words.Count(open), words.Plural(len(r.Tasks), "task"), tryAgain(r)))
	}
	if r.Rejected() > 0 {
		texts = append(texts, report.RejectedText(r.Run.ID, r.Rejections))
	}
	if r.Held() {
		texts = append(texts, "what was bought is not what the job expects, and is held back: run it again with the same --date and --accept to publish it, which buys nothing again")
	}
	return "finished, but " + strings.Join(texts, "; and ")
}

// tryAgain says how to go on with what did not complete: what is stuck is not bought again unasked.
func tryAgain(r *run.Result) string {
	const again = "run it again with the same --date to try what is missing"
	stuck := 0
	if r.Missing != nil {
		stuck = r.Missing.Stuck()
	}
	switch {
	case stuck == 0:
		return again
	case stuck == len(r.Left()):
		return "running it again buys nothing of what is stuck: `backhaul status` says why, and --again goes on all the same"
	}
	return fmt.Sprintf("%s, all but the %d that are stuck: `backhaul status` says why, and --again goes on all the same", again, stuck)
}

func (a *app) stopAdvice(s vendors.Surface, stop *engine.StopError) string {
	text := stop.Err.Error()
	switch stop.Ending {
	case pipeline.EndBudget:
		return text + "; " + raise(stop)
	case pipeline.EndQuota:
		return text + "; no budget of the job can change that: have the vendor raise the quota, or run it again with the same --date when it is renewed"
	case pipeline.EndDenied:
		if strings.Contains(text, errWrongPlace.Error()) {
			return fmt.Sprintf("%s; check %s, which is %s where it is not set", text, s.URL, s.DefaultURL)
		}
		return text + "; " + a.denialAdvice(s, text)
	case pipeline.EndUnreachable:
		return text + "; the vendor does not answer: run it again later with the same --date to go on, or check the network and " + s.URL
	}
	return text
}

// raise says what to do about a ceiling of the user's own.
func raise(stop *engine.StopError) string {
	var ceiling *budget.CeilingError
	errors.As(stop.Err, &ceiling)
	switch {
	case ceiling == nil:
	case ceiling.Ceiling == plan.OfMonth, ceiling.Ceiling == plan.OfWarehouse:
		text := fmt.Sprintf("raise the job's budget.%s.%s, or run it again with the same --date when the next month has begun", stop.Vendor, ceiling.Ceiling)
		if len(ceiling.Held) > 0 {
			text = "see `backhaul reconcile` for what is held, " + text
		}
		return text
	case ceiling.Ceiling == plan.OfFlag:
		return fmt.Sprintf("run it again with the same --date to go on, with a higher --max-units %s=N or without", stop.Vendor)
	case ceiling.Ceiling == plan.OfRun:
		return fmt.Sprintf("run it again with the same --date to go on: the job's budget.%s.run is for one execution; or raise it", stop.Vendor)
	}
	return "raise the budget, or run it again later with the same --date to go on"
}

func (a *app) printSummary(s report.Summary) error {
	if a.json {
		return a.printJSON(s)
	}
	if err := s.Text(grid.Fold(a.stdout)); err != nil {
		return err
	}
	queries := s.Queries()
	if len(s.Files) == 0 || len(queries) == 0 {
		return nil
	}
	fmt.Fprintln(a.stdout, "try:")
	flag := ""
	if a.warehouseDir != "" {
		flag = "--warehouse " + a.warehouseDir + " "
	}
	for _, q := range queries {
		if _, err := fmt.Fprintf(a.stdout, "  backhaul query %s%q\n", flag, q); err != nil {
			return err
		}
	}
	return nil
}

// vendorUnits reads a flag's vendor=N.
func vendorUnits(text string) (vendor string, units pipeline.Units, ok bool) {
	vendor, number, ok := strings.Cut(text, "=")
	n, err := strconv.ParseInt(number, 10, 64)
	return vendor, pipeline.Units(n), ok && err == nil && n >= 0
}

// limitUnits applies --max-units vendor=N.
func limitUnits(accounts map[string]budget.Account, limits []string) error {
	for _, text := range limits {
		vendor, units, ok := vendorUnits(text)
		if !ok {
			return usage("--max-units wants vendor=N, got %q", text)
		}
		account, known := accounts[vendor]
		if !known {
			return usage("--max-units %s: the job buys nothing from %q", text, vendor)
		}
		if account.Ceiling.Run == nil || *account.Ceiling.Run > units {
			account.Ceiling.Run, account.ByFlag = &units, true
		}
		accounts[vendor] = account
	}
	return nil
}

// confirm prints the price and, on a terminal, asks when it is over the job's threshold.
func (a *app) confirm(job *loadedJob, ready *run.Job, p *plan.Plan, yes bool) error {
	job.inOrder(p)
	if err := report.PlanText(grid.Fold(a.stderr), ready.Name, ready.RunDate.Format(time.DateOnly), p); err != nil {
		return err
	}
	over := job.overThreshold(p)
	if over == "" || yes || !a.attended {
		return nil
	}
	fmt.Fprintf(grid.Fold(a.stderr), "%s; buy? [y/N] ", over)
	answer, _ := bufio.NewReader(a.stdin).ReadString('\n')
	if strings.HasPrefix(strings.ToLower(strings.TrimSpace(answer)), "y") {
		return nil
	}
	return &exitError{status: exitFailed, err: errNotConfirmed}
}

// errNotConfirmed means that somebody was asked and did not want the run.
var errNotConfirmed = errors.New("not confirmed: nothing was bought")
