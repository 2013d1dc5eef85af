package report

import (
	"context"
	"fmt"
	"time"

	"backhaul/jobs/ledger"
	"backhaul/pipeline"
)

// Status is where a run stands.
type Status struct {
	RunID   string    `json:"run_id"`
	Job     string    `json:"job"`
	RunDate string    `json:"run_date"`
	State   string    `json:"state"`
	Message string    `json:"message,omitempty"`
	Started time.Time `json:"started_at"`
	Ended   time.Time `json:"ended_at,omitzero"`

	TaskCount       int   `json:"tasks"`
	IncompleteCount int   `json:"incomplete"`
	Rows            int64 `json:"rows"`
	// Spent is what was charged; Reserved what may still be, or may have been, beyond that.
	Spent    pipeline.Units `json:"units_spent"`
	Reserved pipeline.Units `json:"units_reserved"`
	// ToFinish is what finishing is expected to cost, from earlier runs; tasks never completed count with one page.
	ToFinish pipeline.Units `json:"units_to_finish"`
	Tasks    []TaskStatus   `json:"task_list,omitempty"`
}

// TaskStatus is where a task stands.
type TaskStatus struct {
	Task
	Waste    int64 `json:"waste_rows"`
	Attempts int   `json:"attempts"`
}

// StatusOf reads a run's status from the ledger.
func StatusOf(ctx context.Context, l *ledger.Ledger, r ledger.Run) (Status, error) {
	s := Status{RunID: r.ID, Job: r.Job, RunDate: r.RunDate, State: string(r.State), Message: r.Message, Started: r.Started, Ended: r.Ended}
	tasks, err := l.Tasks(ctx, r.ID)
	if err != nil {
		return s, err
	}
	histories, err := l.Histories(ctx)
	if err != nil {
		return s, err
	}
	for _, t := range tasks {
		s.TaskCount++
		s.Rows += t.Rows
		s.Spent += t.Units
		s.Tasks = append(s.Tasks, TaskStatus{Task: summarizeTask(t), Waste: t.Waste, Attempts: t.Attempts})
		if t.Ending.Complete() {
			continue
		}
		s.IncompleteCount++
		if h, ok := histories[t.Request()]; ok {
			s.ToFinish += max(0, h.Units-t.Units)
		}
	}
	spends, err := l.Spends(ctx, r.ID)
	if err != nil {
		return s, err
	}
	var granted, spent pipeline.Units
	for _, g := range spends {
		granted += g.Granted
		spent += g.Spent
	}
	// The tasks are those the spec asks for today; the run may have spent on others before.
	s.Spent = max(s.Spent, spent)
	s.Reserved = max(0, granted-s.Spent)
	return s, nil
}

// Text is the run's state in a few lines.
func (s Status) Text() string {
	text := fmt.Sprintf("run %s of job %s for %s: %s, %d of %d tasks complete, %s rows, %s units spent, %s reserved",
		s.RunID, s.Job, s.RunDate, s.State, s.TaskCount-s.IncompleteCount, s.TaskCount, Count(s.Rows), Count(int64(s.Spent)), Count(int64(s.Reserved)))
	if s.IncompleteCount > 0 {
		text += fmt.Sprintf("\n%d tasks are missing something; finishing them is expected to cost %s units more: run the job again with --date %s",
			s.IncompleteCount, Count(int64(s.ToFinish)), s.RunDate)
	}
	if s.Message != "" {
		text += "\nit stopped: " + s.Message
	}
	return text
}
