package main

import (
	"time"

	"github.com/spf13/cobra"

	"backhaul/jobs/buy"
	"backhaul/jobs/plan"
	"backhaul/jobs/run"
)

// The engines of `run` and `replay`.
const (
	engineHere     = "process"
	engineTemporal = "temporal"
)

// usualQueue is where workers look for work.
const usualQueue = "backhaul"

// conducted is how a worker has a run carried out that another process has ordered: who buys, and who is told.
type conducted struct {
	buyer buy.Engine
	step  func(run.Step)
	plan  func(*plan.Plan)
}

// engineFlags say who carries a run out.
type engineFlags struct {
	name, queue string
	heartbeat   time.Duration
}

func (f *engineFlags) add(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.name, "engine", engineHere, "who carries it out: this process, or temporal, whose workers do; see 'backhaul help temporal'")
	f.addQueue(cmd)
}

// elsewhere reports whether Temporal's workers are to carry it out.
func (f *engineFlags) elsewhere() (bool, error) {
	if f.name != engineHere && f.name != engineTemporal {
		return false, usage("--engine is %s or %s, got %q", engineHere, engineTemporal, f.name)
	}
	return f.name == engineTemporal, nil
}

func (f *engineFlags) addQueue(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.queue, "queue", usualQueue, "the task queue of the warehouse's workers")
	cmd.Flags().DurationVar(&f.heartbeat, "heartbeat", 0, "after how long a worker that says nothing is taken for dead (default 30s)")
	_ = cmd.Flags().MarkHidden("heartbeat") // for tests
}

// workerFlags are the flags of `worker`.
type workerFlags struct {
	engine  engineFlags
	lists   int
	metrics string
	limits  limitFlags
}

func (a *app) workerCommand() *cobra.Command {
	var f workerFlags
	cmd := &cobra.Command{
		Use:   "worker [JOB...]",
		Short: "Take work from Temporal: carry out the runs of these jobs, and buy lists for any",
		Long: `Takes work from Temporal until it is told to stop. With jobs it carries out their runs, on this host's warehouse: it plans, loads and
publishes; and it replays runs of any job. With or without it buys lists for runs that others carry out, at every account whose credentials the environment has.

Told to stop, it finishes the replies under way, enters them, and hands its runs and lists on to other workers. See 'backhaul help
temporal'.`,
		Example: "  backhaul worker nightly.yaml\n  backhaul worker",
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.work(cmd.Context(), args, f)
		},
	}
	f.engine.addQueue(cmd)
	cmd.Flags().IntVar(&f.lists, "lists", 100, "how many lists to buy here at once, of each account; a job's connections bound what all workers do together")
	cmd.Flags().StringVar(&f.metrics, "metrics-file", "", "a file for Prometheus that says how the latest run of each job went; see 'backhaul help telemetry'")
	f.limits.add(cmd, "a query that provides targets", targetTime, usualTargetTime)
	a.specFlags(cmd)
	return cmd
}

// scheduleFlags are the flags of `schedule`.
type scheduleFlags struct {
	engine                 engineFlags
	cron, zone             string
	pause, resume, removes bool
}

func (a *app) scheduleCommand() *cobra.Command {
	var f scheduleFlags
	cmd := &cobra.Command{
		Use:   "schedule JOB",
		Short: "Have Temporal run a job at its times, in place of cron; without flags, say when",
		Long: `With --cron the job is run at these times, in place of those it had; without a flag its schedule is shown. A night that is due while the one
before is under way waits for it. The run date is the day on which a night was due, in UTC. The workers' copy of the job
is what is run, as it is then. See 'backhaul help temporal'.`,
		Example: "  backhaul schedule nightly.yaml --cron \"0 3 * * *\"\n  backhaul schedule nightly.yaml --pause\n  backhaul schedule nightly.yaml --remove",
		Args:    exactly(1, "one job file"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.schedule(cmd.Context(), args[0], f)
		},
	}
	f.engine.addQueue(cmd)
	cmd.Flags().StringVar(&f.cron, "cron", "", "when, in five fields: minute, hour, day, month, weekday")
	cmd.Flags().StringVar(&f.zone, "zone", "UTC", "the time zone of --cron, like Europe/Berlin")
	cmd.Flags().BoolVar(&f.pause, "pause", false, "let no night begin until --resume")
	cmd.Flags().BoolVar(&f.resume, "resume", false, "let nights begin again")
	cmd.Flags().BoolVar(&f.removes, "remove", false, "remove the schedule; a run under way goes on")
	cmd.MarkFlagsMutuallyExclusive("cron", "pause", "resume", "remove")
	a.specFlags(cmd)
	return cmd
}
