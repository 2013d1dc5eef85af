package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"backhaul/jobs/ledger"
	"backhaul/jobs/recovery"
	"backhaul/pipeline"
	"backhaul/pipeline/grid"
	"backhaul/pipeline/words"
	"backhaul/sinks"
)

// replyFlags are the flags of `status` about replies that could not be read.
type replyFlags struct {
	list   bool
	no     int64
	output string
}

// keptReply is one of them, for programs.
type keptReply struct {
	RunID   string `json:"run_id"`
	Job     string `json:"job"`
	RunDate string `json:"run_date"`
	// Reply is its number in the run, SameAs that of the first at its place with the same bytes.
	Reply   int64          `json:"reply"`
	SameAs  int64          `json:"same_as"`
	Extract string         `json:"extract"`
	About   string         `json:"about"`
	Page    int            `json:"page_seq"`
	At      time.Time      `json:"at"`
	Status  int            `json:"status"`
	Bytes   int64          `json:"bytes"`
	Units   pipeline.Units `json:"maybe_units"`
	Why     string         `json:"why"`
	State   string         `json:"state"`
}

// What has become of the page a reply was to be.
const (
	replyOpen   = "open"   // it is missing
	replyRead   = "read"   // the reply was read later
	replyBought = "bought" // it was asked for again, and came
)

func keptReplyOf(r ledger.Run, k recovery.Reply) keptReply {
	state := replyBought
	switch {
	case k.Read:
		state = replyRead
	case k.Open:
		state = replyOpen
	}
	return keptReply{RunID: r.ID, Job: r.Job, RunDate: r.RunDate, Reply: k.No, SameAs: k.SameAs, Extract: k.Task.Extract, About: k.Task.About(),
		Page: k.Seq, At: k.At, Status: k.Status, Bytes: k.Size, Units: k.MaybeUnits, Why: k.Message, State: state}
}

// replies lists the kept replies of a run, or of all, or writes what one says.
func (a *app) replies(ctx context.Context, l *ledger.Ledger, w sinks.Warehouse, args []string, f replyFlags) error {
	if f.no > 0 && len(args) == 0 {
		return usage("--reply wants a run's id, or JOB/DATE: status RUN --reply %d", f.no)
	}
	runs, err := runsNamed(ctx, l, args)
	if err != nil {
		return err
	}
	if f.no > 0 {
		return a.writeReply(ctx, w, runs[0], f)
	}
	all := []keptReply{}
	for _, r := range runs {
		kept, err := recovery.Replies(ctx, a.books(w), r)
		if err != nil {
			return err
		}
		for _, k := range kept {
			all = append(all, keptReplyOf(r, k))
		}
	}
	if a.json {
		return a.printJSON(all)
	}
	_, err = fmt.Fprintln(a.stdout, a.repliesText(all))
	return err
}

func runsNamed(ctx context.Context, l *ledger.Ledger, args []string) ([]ledger.Run, error) {
	if len(args) == 0 {
		return l.Runs(ctx)
	}
	r, err := findRun(ctx, l, args[0])
	return []ledger.Run{r}, err
}

func (a *app) writeReply(ctx context.Context, w sinks.Warehouse, r ledger.Run, f replyFlags) error {
	body, err := recovery.ReplyBody(ctx, a.books(w), r, f.no)
	if err != nil {
		return err
	}
	if f.output != "" {
		return os.WriteFile(f.output, body, 0o644)
	}
	_, err = a.stdout.Write(body)
	return err
}

func (a *app) repliesText(all []keptReply) string {
	if len(all) == 0 {
		return "every reply could be read"
	}
	rows := grid.New("run", "reply", "extract", "about", "place", "at", "status", "bytes", "maybe units", "by now", "why")
	for _, k := range all {
		bytes := words.Bytes(k.Bytes)
		if k.SameAs != k.Reply {
			bytes = fmt.Sprintf("as reply %d", k.SameAs)
		}
		rows.Add(k.RunID, k.Reply, k.Extract, k.About, k.Page, k.At.Format(time.DateTime), k.Status, bytes,
			words.Count(k.Units), k.State, firstLine(k.Why))
	}
	return rows.For(a.stdout)
}
