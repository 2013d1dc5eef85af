// Package ledger is the account of a warehouse: what every run intended, reserved, spent and published, across
// runs and processes.
//
// It is one SQLite file that all processes using a warehouse share, or tables in another [store.DB] that many hosts do. A run owns a grant per vendor: an upper bound,
// durable before the first request it covers, on what the run may have spent. A run raises its grant in steps as it
// goes and the ledger refuses a step that would bring the grants of a month, or of the run, over the budget; so two
// runs at once, or a run that died, cannot overrun together. When a run ends, its grant shrinks to what it spent and
// what may have been charged; a run that died is settled from its journal by whoever comes next.
//
// What may have been charged is held until somebody knows: see [Ledger.Count], which settles it by the vendor's own count,
// [Ledger.Expire] and [Ledger.Release]. So a grant is at any time
//
//	granted = spent (pages) + charged (requests without an answer, by the vendor's count) + held, or reserved by a process at work
//
// What the ledger has of a run's tasks, of rows that did not fit and of tables the run was taken out of is an index: its truth is the
// run's journal, or what remains of one that was retired, and one operation, [Ledger.Sync], rewrites it whole from there. It is for
// questions over all runs (earlier answers, what a list cost the last time, totals), and for those about a run that is complete, whose
// journal nobody wants to open. Of tasks that have not begun it has only how many there are: the journal tells which. The ledger's own
// are the runs' money (grants, settlements, what vendors said), their budgets, the fields that replies have had, and which journals were
// retired.
//
// The package does not know how to run anything.
package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"backhaul/pipeline"
	"backhaul/pipeline/failpoint"
	"backhaul/pipeline/sqlite"
	"backhaul/pipeline/store"
)

// Layout is that of a ledger's tables. Format 1 had no batches, format 2 neither what tasks are expected to cost nor what vendors say is
// left, format 3 kept what may have been charged for ever, format 4 did not know of rows that do not fit, nor of fields, format 5
// not of budgets, format 6 kept every task of a run that was stopped.
var Layout = store.Layout{Schema: schema, Flags: []string{"grants.settled"}, Upgrades: []string{
	`ALTER TABLE tasks ADD COLUMN batch TEXT NOT NULL DEFAULT ''`,
	`ALTER TABLE tasks ADD COLUMN expected_units INTEGER NOT NULL DEFAULT 0;
		ALTER TABLE tasks ADD COLUMN expected_next INTEGER NOT NULL DEFAULT 0; ALTER TABLE usages ADD COLUMN remaining INTEGER`,
	`ALTER TABLE grants ADD COLUMN charged INTEGER NOT NULL DEFAULT 0; ALTER TABLE grants ADD COLUMN cleared INTEGER NOT NULL DEFAULT 0;
		ALTER TABLE grants ADD COLUMN spent_at INTEGER NOT NULL DEFAULT 0; ALTER TABLE grants ADD COLUMN held_at INTEGER NOT NULL DEFAULT 0;
		ALTER TABLE usages ADD COLUMN held_units INTEGER NOT NULL DEFAULT 0; ALTER TABLE usages ADD COLUMN period_start INTEGER NOT NULL DEFAULT 0`,
	``, // new tables alone: Schema makes them
	``, // the same: budgets
	``, // the same: unbegun. Tasks that have not begun stay in tasks until their run is entered the next time
}}

const schema = `
CREATE TABLE IF NOT EXISTS runs (
	run_id TEXT PRIMARY KEY, job TEXT NOT NULL, run_date TEXT NOT NULL, spec_hash TEXT NOT NULL,
	state TEXT NOT NULL, exit_status INTEGER NOT NULL DEFAULT 0, message TEXT NOT NULL DEFAULT '',
	created_at INTEGER NOT NULL, started_at INTEGER NOT NULL, ended_at INTEGER NOT NULL DEFAULT 0,
	UNIQUE (job, run_date)
);
CREATE TABLE IF NOT EXISTS tasks (
	run_id TEXT NOT NULL REFERENCES runs(run_id), task_id TEXT NOT NULL, request TEXT NOT NULL,
	extract TEXT NOT NULL, endpoint TEXT NOT NULL, surface TEXT NOT NULL,
	target TEXT NOT NULL, target_as_given TEXT NOT NULL, scope TEXT NOT NULL, params TEXT NOT NULL, batch TEXT NOT NULL DEFAULT '',
	priority INTEGER NOT NULL, max_rows INTEGER NOT NULL,
	ending TEXT NOT NULL DEFAULT '', pages INTEGER NOT NULL DEFAULT 0, rows INTEGER NOT NULL DEFAULT 0,
	units INTEGER NOT NULL DEFAULT 0, waste INTEGER NOT NULL DEFAULT 0, maybe_units INTEGER NOT NULL DEFAULT 0,
	attempts INTEGER NOT NULL DEFAULT 0, error TEXT NOT NULL DEFAULT '', ended_at INTEGER NOT NULL DEFAULT 0,
	reused_from TEXT NOT NULL DEFAULT '', saved_units INTEGER NOT NULL DEFAULT 0, index_id TEXT NOT NULL DEFAULT '',
	expected_units INTEGER NOT NULL DEFAULT 0, expected_next INTEGER NOT NULL DEFAULT 0,
	PRIMARY KEY (run_id, task_id)
);
CREATE INDEX IF NOT EXISTS tasks_by_request ON tasks (request, ended_at);
CREATE TABLE IF NOT EXISTS unbegun (
	run_id TEXT NOT NULL REFERENCES runs(run_id), extract TEXT NOT NULL, tasks INTEGER NOT NULL,
	PRIMARY KEY (run_id, extract)
);
CREATE TABLE IF NOT EXISTS grants (
	run_id TEXT NOT NULL REFERENCES runs(run_id), vendor TEXT NOT NULL, month TEXT NOT NULL,
	granted INTEGER NOT NULL, spent INTEGER NOT NULL, settled INTEGER NOT NULL, in_flight INTEGER NOT NULL DEFAULT 0,
	charged INTEGER NOT NULL DEFAULT 0, cleared INTEGER NOT NULL DEFAULT 0,
	spent_at INTEGER NOT NULL DEFAULT 0, held_at INTEGER NOT NULL DEFAULT 0,
	PRIMARY KEY (run_id, vendor, month)
);
CREATE TABLE IF NOT EXISTS usages (
	run_id TEXT NOT NULL REFERENCES runs(run_id), vendor TEXT NOT NULL, at INTEGER NOT NULL,
	month TEXT NOT NULL, vendor_units INTEGER NOT NULL, ledger_units INTEGER NOT NULL, maybe_units INTEGER NOT NULL, remaining INTEGER,
	held_units INTEGER NOT NULL DEFAULT 0, period_start INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE IF NOT EXISTS settlements (
	run_id TEXT NOT NULL REFERENCES runs(run_id), vendor TEXT NOT NULL, month TEXT NOT NULL, at INTEGER NOT NULL,
	held INTEGER NOT NULL, charged INTEGER NOT NULL, why TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS grants_by_month ON grants (vendor, month);
CREATE TABLE IF NOT EXISTS absent (run_id TEXT NOT NULL, table_name TEXT NOT NULL, at INTEGER NOT NULL, PRIMARY KEY (run_id, table_name));
CREATE TABLE IF NOT EXISTS rejections (
	run_id TEXT NOT NULL REFERENCES runs(run_id), task_id TEXT NOT NULL, table_name TEXT NOT NULL, field TEXT NOT NULL,
	rows INTEGER NOT NULL, reason TEXT NOT NULL,
	PRIMARY KEY (run_id, task_id, table_name, field)
);
CREATE TABLE IF NOT EXISTS fields (
	asked TEXT NOT NULL, table_name TEXT NOT NULL, field TEXT NOT NULL, first_seen TEXT NOT NULL,
	PRIMARY KEY (asked, table_name, field)
);
CREATE TABLE IF NOT EXISTS budgets (
	run_id TEXT NOT NULL REFERENCES runs(run_id), vendor TEXT NOT NULL, of_run INTEGER, of_month INTEGER, of_warehouse INTEGER, month_start TEXT NOT NULL,
	PRIMARY KEY (run_id, vendor)
);
CREATE TABLE IF NOT EXISTS retired (run_id TEXT PRIMARY KEY, at INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS retired_tables (
	run_id TEXT NOT NULL, table_name TEXT NOT NULL, rows INTEGER NOT NULL, checksum INTEGER NOT NULL,
	PRIMARY KEY (run_id, table_name)
);`

// Ledger is the open ledger of a warehouse. It is safe for concurrent use, by many processes.
type Ledger struct{ db store.DB }

// Open opens the ledger at path, creating it when absent.
func Open(ctx context.Context, path string) (*Ledger, error) {
	db, err := sqlite.Open(ctx, path, Layout)
	if err != nil {
		return nil, fmt.Errorf("open ledger: %w", err)
	}
	return In(db), nil
}

// In returns the ledger in a database that has the tables of [Layout], and is closed with it.
func In(db store.DB) *Ledger { return &Ledger{db: db} }

// Guarded is the same ledger, written to by somebody who is asked about in every transaction; see [store.Guarded]. It need not be closed.
func (l *Ledger) Guarded(leave store.Leave) *Ledger {
	return &Ledger{db: store.Guarded(l.db, leave)}
}

// Close closes the ledger.
func (l *Ledger) Close() error { return l.db.Close() }

// Check reads the whole file and reports damage.
func (l *Ledger) Check(ctx context.Context) error { return l.db.Check(ctx) }

// State is where a run stands.
type State string

// The states of a run.
const (
	Running    State = "running"    // a process works on it, or died doing so
	Incomplete State = "incomplete" // it stopped; the same job and date again buys what is missing
	Complete   State = "complete"   // everything it intended is bought and published
)

// Run is one execution of a job for one run date.
type Run struct {
	ID       string
	Job      string
	RunDate  string // YYYY-MM-DD
	SpecHash string
	State    State
	Message  string
	Created  time.Time
	Started  time.Time // the first start
	Ended    time.Time // zero while it runs
}

// ErrNoRun means that the ledger knows no such run.
var ErrNoRun = errors.New("no such run")

const runColumns = `run_id, job, run_date, spec_hash, state, message, created_at, started_at, ended_at`

// Begin finds the run of a job and run date or enters a new one under newID, and marks it as running. An earlier run keeps
// when it first began.
func (l *Ledger) Begin(ctx context.Context, job, runDate, specHash, newID string, now time.Time) (Run, error) {
	err := l.db.Write(ctx, func(tx *sql.Tx) error {
		_, err := tx.Exec(`INSERT INTO runs (run_id, job, run_date, spec_hash, state, created_at, started_at) VALUES (?,?,?,?,?,?,?)
			ON CONFLICT (job, run_date) DO UPDATE SET spec_hash = excluded.spec_hash, state = excluded.state,
				ended_at = 0, message = ''`,
			newID, job, runDate, specHash, Running, now.UnixMicro(), now.UnixMicro())
		return err
	})
	if err != nil {
		return Run{}, fmt.Errorf("begin run: %w", err)
	}
	failpoint.Hit("ledger.begin.after")
	return l.Find(ctx, job, runDate)
}

// Tell enters what is to be known of a run that is at work, "" if nothing is any more.
func (l *Ledger) Tell(ctx context.Context, runID, message string) error {
	err := l.db.Write(ctx, func(tx *sql.Tx) error {
		_, err := tx.Exec(`UPDATE runs SET message = ? WHERE run_id = ?`, message, runID)
		return err
	})
	if err != nil {
		return fmt.Errorf("tell of run %s: %w", runID, err)
	}
	return nil
}

// End marks a run as stopped or complete.
func (l *Ledger) End(ctx context.Context, runID string, state State, message string, now time.Time) error {
	failpoint.Hit("ledger.end.before")
	err := l.db.Write(ctx, func(tx *sql.Tx) error {
		_, err := tx.Exec(`UPDATE runs SET state = ?, message = ?, ended_at = ? WHERE run_id = ?`,
			state, message, now.UnixMicro(), runID)
		return err
	})
	if err != nil {
		return fmt.Errorf("end run %s: %w", runID, err)
	}
	failpoint.Hit("ledger.end.after")
	return nil
}

// Find returns the run of a job and run date, or ErrNoRun.
func (l *Ledger) Find(ctx context.Context, job, runDate string) (Run, error) {
	return l.one(ctx, `SELECT `+runColumns+` FROM runs WHERE job = ? AND run_date = ?`, job, runDate)
}

// Get returns a run by its id, or ErrNoRun.
func (l *Ledger) Get(ctx context.Context, runID string) (Run, error) {
	return l.one(ctx, `SELECT `+runColumns+` FROM runs WHERE run_id = ?`, runID)
}

// Runs returns every run, the latest started first.
func (l *Ledger) Runs(ctx context.Context) ([]Run, error) {
	return l.runs(ctx, `SELECT `+runColumns+` FROM runs ORDER BY started_at DESC, run_id DESC`)
}

// Unsettled returns the runs in state Running: those at work in some process, and those whose process died.
func (l *Ledger) Unsettled(ctx context.Context) ([]Run, error) {
	return l.runs(ctx, `SELECT `+runColumns+` FROM runs WHERE state = ? ORDER BY started_at`, Running)
}

func (l *Ledger) one(ctx context.Context, query string, args ...any) (Run, error) {
	runs, err := l.runs(ctx, query, args...)
	if err != nil {
		return Run{}, err
	}
	if len(runs) == 0 {
		return Run{}, ErrNoRun
	}
	return runs[0], nil
}

func (l *Ledger) runs(ctx context.Context, query string, args ...any) ([]Run, error) {
	var runs []Run
	err := l.each(ctx, query, func(rows *sql.Rows) error {
		var r Run
		var created, started, ended int64
		err := rows.Scan(&r.ID, &r.Job, &r.RunDate, &r.SpecHash, &r.State, &r.Message, &created, &started, &ended)
		r.Created, r.Started, r.Ended = store.At(created), store.At(started), store.At(ended)
		runs = append(runs, r)
		return err
	}, args...)
	return runs, err
}

// Task is a task of a run and how it went.
type Task struct {
	pipeline.Task
	Ending     pipeline.Ending // "" until it ended for the first time
	Pages      int
	Rows       int64
	Units      pipeline.Units
	Waste      int64 // rows bought again
	MaybeUnits pipeline.Units
	Attempts   int // requests that yielded no page
	// Rejected is how many of its rows did not fit their table when they were last loaded; see [Ledger.Reject].
	Rejected int64
	Error    string
	Ended    time.Time
	// ReusedFrom is the run whose pages the task took over instead of buying them. "" if it bought its own.
	ReusedFrom string
	// SavedUnits is what those pages had cost.
	SavedUnits pipeline.Units
	// IndexID is the vendor's index the answer comes from, where it was asked for.
	IndexID string
	// Expected is what the task is expected to cost by the run's latest plan. The zero value: it was never planned, or is free.
	Expected pipeline.Expectation
}

// Missing is what completing the task is expected to cost beyond what it has.
func (t Task) Missing() pipeline.Units {
	if t.Ending.Complete() {
		return 0
	}
	return max(t.Expected.Next, t.Expected.Units-t.Units)
}
