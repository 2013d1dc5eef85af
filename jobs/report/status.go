package report

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"backhaul/jobs/ledger"
	"backhaul/pipeline"
	"backhaul/pipeline/words"
)

// interrupted is the state of a run whose process died.
const interrupted = "interrupted"

// Status is where a run stands.
type Status struct {
	RunID   string `json:"run_id"`
	Job     string `json:"job"`
	RunDate string `json:"run_date"`
	// State is running, incomplete or complete, or interrupted where the run's process died.
	State   string `json:"state"`
	Message string `json:"message,omitempty"`
	// Process is who is at work on a run that is running, nil where nobody knows.
	Process *Process  `json:"process,omitempty"`
	Started time.Time `json:"started_at"`
	Ended   time.Time `json:"ended_at,omitzero"`

	TaskCount int `json:"tasks"`
	// IncompleteCount is how many tasks are not finished. Unpublished is how many of those hold all they ask for, and only their
	// tables are not known to be published.
	IncompleteCount int   `json:"incomplete"`
	Unpublished     int   `json:"unpublished"`
	Rows            int64 `json:"rows"`
	// Spent is what was charged, Charged what of it was for requests without an answer, by the vendor's count. Reserved is what
	// a process at work has set aside, Held what requests without an answer may have cost, until the vendor's count tells.
	Spent    pipeline.Units `json:"units_spent"`
	Charged  pipeline.Units `json:"units_charged_unanswered"`
	Reserved pipeline.Units `json:"units_reserved"`
	Held     pipeline.Units `json:"units_held"`
	// HeldSince is until when the last of those requests may have been under way.
	HeldSince time.Time `json:"held_since,omitzero"`
	// ToFinish is what finishing is expected to cost by the run's latest plan: lists never read before count with one page.
	ToFinish pipeline.Units `json:"units_to_finish"`
	// FinishUnknown is how many of the lists left are of unknown length. Where there are any, ToFinish is a floor.
	FinishUnknown int `json:"unknown_to_finish"`
	// Rejected is how many rows do not fit their table, Rejections which.
	Rejected   int64                `json:"rejected_rows"`
	Rejections []pipeline.Rejection `json:"rejections,omitempty"`
	Tasks      []TaskStatus         `json:"task_list,omitempty"`
	// Extracts sum the tasks up, in the order of the tasks.
	Extracts []ExtractStatus `json:"extracts,omitempty"`
	// Undelivered are the notices of the run that nobody got, in words.
	Undelivered []string `json:"undelivered_notices,omitempty"`
}

// Process is one that is at work on a run, since when (UTC).
type Process struct {
	PID   int       `json:"pid"`
	Host  string    `json:"host"`
	Since time.Time `json:"since"`
	// Silent is for how many seconds it has shown no sign of life, 0 if it has lately.
	Silent float64 `json:"silent_seconds,omitempty"`
}

// IsRunning reports whether a process is at work on the run.
func (s Status) IsRunning() bool { return s.State == string(ledger.Running) }

// TaskStatus is where a task stands.
type TaskStatus struct {
	Task
	Waste    int64 `json:"waste_rows"`
	Rejected int64 `json:"rejected_rows"`
	// Attempts counts requests that yielded no page, Retries those of them that were tried again.
	Attempts int `json:"attempts"`
	Retries  int `json:"retries"`
}

// ExtractStatus is where an extract stands: how many of its lists are complete, and how many under way, which only those of a run
// at work are.
type ExtractStatus struct {
	Extract  string         `json:"extract"`
	Endpoint string         `json:"endpoint"`
	Lists    int            `json:"lists"`
	Complete int            `json:"complete"`
	UnderWay int            `json:"under_way"`
	Requests int            `json:"requests"` // with a page and without
	Retries  int            `json:"retries"`
	Rows     int64          `json:"rows"`
	Units    pipeline.Units `json:"units"`
}

// extract returns the status of an extract, new if it has none.
func (s *Status) extract(t ledger.Task) *ExtractStatus {
	i := slices.IndexFunc(s.Extracts, func(x ExtractStatus) bool { return x.Extract == t.Extract })
	if i < 0 {
		i = len(s.Extracts)
		s.Extracts = append(s.Extracts, ExtractStatus{Extract: t.Extract, Endpoint: t.Endpoint})
	}
	return &s.Extracts[i]
}

// add counts a task.
func (x *ExtractStatus) add(t ledger.Task) {
	x.Lists++
	x.Requests += t.Pages + t.Attempts
	x.Retries += retries(t)
	x.Rows += t.Rows
	x.Units += t.Units
	switch {
	case t.Ending.Complete():
		x.Complete++
	case isUnderWay(t):
		x.UnderWay++
	}
}

// isUnderWay reports whether a list is being bought: it has come further than any ending says.
func isUnderWay(t ledger.Task) bool { return t.Ending == "" && t.Pages > 0 }

// underWay is what is said of it in place of an ending.
const underWay = "under way"

// Recall tells whether the process of the run died that the tasks are of, and returns them as the journal has them;
// see recovery.Recall.
type Recall func([]ledger.Task) (now []ledger.Task, died bool, err error)

// StatusOf reads a run's status from the ledger, and what its process was not left to enter there from recall.
func StatusOf(ctx context.Context, l *ledger.Ledger, r ledger.Run, recall Recall) (Status, error) {
	s := begin(r)
	tasks, err := l.Tasks(ctx, r.ID)
	if err != nil {
		return s, err
	}
	tasks, died, err := recall(tasks)
	if died {
		s.State, s.Message = interrupted, "its process died, or could not write its journal any more"
		if err != nil {
			s.Message += "; how far it came is not known: " + err.Error()
		}
	} else if err != nil {
		s.Message = strings.TrimPrefix(s.Message+"; how far it has come is not known: "+err.Error(), "; ")
	}
	var histories map[string]pipeline.History
	if slices.ContainsFunc(tasks, unplanned) {
		if histories, err = l.Histories(ctx); err != nil {
			return s, err
		}
	}
	for _, t := range tasks {
		s.add(t, histories)
	}
	s.countUnpublished()
	return s, s.complete(ctx, l)
}

func begin(r ledger.Run) Status {
	return Status{RunID: r.ID, Job: r.Job, RunDate: r.RunDate, State: string(r.State), Message: r.Message, Started: r.Started, Ended: r.Ended}
}

// complete enters what is not of single tasks.
func (s *Status) complete(ctx context.Context, l *ledger.Ledger) (err error) {
	if s.Rejections, err = l.Rejections(ctx, s.RunID); err != nil {
		return err
	}
	s.Rejected = rowsOf(s.Rejections)
	spends, err := l.Spends(ctx, s.RunID)
	s.account(spends)
	return err
}

// Statuses returns the statuses of all runs, the latest first, without their tasks. Of a run that is complete, as most are, the
// tasks are not read.
func Statuses(ctx context.Context, l *ledger.Ledger, recall func(ledger.Run) Recall) ([]Status, error) {
	runs, err := l.Runs(ctx)
	if err != nil {
		return nil, err
	}
	totals, err := l.Totals(ctx)
	if err != nil {
		return nil, err
	}
	all := make([]Status, 0, len(runs))
	for _, r := range runs {
		s, sum := begin(r), totals[r.ID]
		if r.State == ledger.Complete && sum.Complete == sum.Tasks {
			s.TaskCount, s.Rows, s.Spent = sum.Tasks, sum.Rows, sum.Units
			err = s.complete(ctx, l)
		} else if s, err = StatusOf(ctx, l, r, recall(r)); err == nil {
			s.Tasks, s.Extracts = nil, nil
		}
		if err != nil {
			return nil, err
		}
		all = append(all, s)
	}
	return all, nil
}

// account enters what the run has cost. Its tasks are those the spec asks for today; it may have spent on others before.
func (s *Status) account(spends []ledger.Spend) {
	var granted, spent pipeline.Units
	for _, g := range spends {
		granted += g.Granted
		spent += g.Spent
		s.Charged += g.Charged
		s.Held += g.Held()
		if g.Held() > 0 && g.HeldAt.After(s.HeldSince) {
			s.HeldSince = g.HeldAt
		}
	}
	s.Spent = max(s.Spent, spent) + s.Charged
	s.Reserved = max(0, granted-s.Spent-s.Held)
}

func (s *Status) add(t ledger.Task, histories map[string]pipeline.History) {
	s.TaskCount++
	s.extract(t).add(t)
	s.Rows += t.Rows
	s.Spent += t.Units
	s.Tasks = append(s.Tasks, TaskStatus{Task: summarizeTask(&t), Waste: t.Waste, Rejected: t.Rejected, Attempts: t.Attempts, Retries: retries(t)})
	if t.Ending.Complete() {
		return
	}
	s.IncompleteCount++
	if unplanned(t) {
		h, known := histories[t.Request()]
		if t.Expected.Units = h.Units; !known {
			s.FinishUnknown++
		}
	}
	s.ToFinish += t.Missing()
	if t.Expected.Next > 0 {
		s.FinishUnknown++
	}
}

// unplanned: it is not complete, and was never planned, so that what it needs is what it needed before.
func unplanned(t ledger.Task) bool {
	return !t.Ending.Complete() && t.Expected == (pipeline.Expectation{})
}

// countUnpublished counts what only its tables lack. A run publishes after it has bought, and says that it is complete after
// that: one whose process died may not have come to either, and one that lacks nothing and is not complete did not.
func (s *Status) countUnpublished() {
	if s.State == interrupted || s.State == string(ledger.Incomplete) && s.IncompleteCount == 0 {
		s.Unpublished = s.TaskCount - s.IncompleteCount
		s.IncompleteCount = s.TaskCount
	}
}

// Text is the run's state in a few lines.
func (s Status) Text() string {
	text := fmt.Sprintf("run %s of job %s for %s: %s, %d of %s complete, %s, %s spent, %s reserved",
		s.RunID, s.Job, s.RunDate, s.State, s.TaskCount-s.IncompleteCount, words.Plural(s.TaskCount, "task"), words.Plural(s.Rows, "row"), words.Plural(s.Spent, "unit"), words.Count(s.Reserved))
	if s.Held > 0 {
		text += fmt.Sprintf("\n%s held for requests without an answer, until the vendor's count tells: see `backhaul reconcile`", words.Are(s.Held, "unit"))
	}
	again := ": run the job again with --date " + s.RunDate
	if s.IsRunning() {
		again = ": the run is at work on them"
	}
	if p := s.Process; p != nil {
		text += fmt.Sprintf("\npid %d on %s is at work on it, since %s UTC", p.PID, p.Host, p.Since.UTC().Format(time.DateTime))
		if p.Silent > 0 {
			text += fmt.Sprintf(", and has shown no sign of life for %s: it was stopped, or hangs", words.Duration(p.Silent))
		}
	}
	if missing := s.IncompleteCount - s.Unpublished; missing > 0 {
		text += fmt.Sprintf("\n%s missing something; finishing is expected to cost %s%s", words.Are(missing, "task"), MoreText(s.ToFinish, s.FinishUnknown), again)
	}
	if s.Unpublished > 0 {
		text += fmt.Sprintf("\n%s bought and not known to be published, which costs nothing%s", words.Are(s.Unpublished, "task"), again)
	}
	if s.Rejected > 0 {
		text += "\n" + RejectedText(s.RunID, s.Rejections)
	}
	switch {
	case s.Message == "":
	case s.State == string(ledger.Complete), s.IsRunning():
		text += "\n" + s.Message
	default:
		text += "\nit stopped: " + s.Message
	}
	return text
}
