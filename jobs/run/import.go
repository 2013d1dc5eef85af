package run

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"time"

	"backhaul/jobs/budget"
	"backhaul/jobs/intake"
	"backhaul/jobs/ledger"
	"backhaul/jobs/recovery"
	"backhaul/pipeline"
)

// Import is what to load that was bought elsewhere, or by an earlier program: archived replies, which become runs of their
// own, one for each date, through the same journal and the same decoders. No request is made and no unit is spent.
type Import struct {
	// Job is the name of the runs. A job that buys cannot have it on the same date.
	Job     string
	Archive intake.Archive
	// Sources delivers the source that decodes a task's pages.
	Sources func(pipeline.Task) (pipeline.Source, error)
	// NewID returns an id for a new run. Options.NewID is not looked at, as there may be several.
	NewID func() string
}

// Imported is what became of the replies of one date.
type Imported struct {
	*Result
	intake.Entered
}

// archiveHash stands in place of a spec's hash.
const archiveHash = "archive"

// ErrMixed means that a run was bought and an import is to go into it, or the other way round.
var ErrMixed = errors.New("what was bought and what was imported do not mix")

var jobName = regexp.MustCompile(`^[a-z0-9-]+$`)

// ImportArchives checks all files before it enters anything: with a problem anywhere nothing is, and the error is an
// *intake.Error. The same files again change nothing.
func ImportArchives(ctx context.Context, imp Import, o Options) ([]Imported, error) {
	if !jobName.MatchString(imp.Job) {
		return nil, fmt.Errorf("job %q: want a name of a-z, 0-9 and -", imp.Job)
	}
	days, err := imp.Archive.Survey(ctx)
	if err != nil {
		return nil, err
	}
	var all []Imported
	for _, day := range days {
		one, err := importDay(ctx, imp, day, o)
		if one.Result != nil {
			all = append(all, one)
		}
		if err != nil {
			return all, fmt.Errorf("import the replies of %s: %w", day.Date.Format(time.DateOnly), err)
		}
	}
	return all, nil
}

// importDay enters the replies of one date, and publishes them.
func importDay(ctx context.Context, imp Import, day *intake.Day, o Options) (one Imported, err error) {
	o.NewID = imp.NewID()
	o = o.withDefaults()
	job := Job{Name: imp.Job, RunDate: day.Date, SpecHash: archiveHash, Sources: imp.Sources}
	unlock, err := recovery.LockSigned(ctx, o.book(job), o.Now())
	if err != nil {
		return one, err
	}
	defer unlock()
	l, err := recovery.OpenLedger(ctx, o.Books)
	if err != nil {
		return one, err
	}
	defer func() { _ = l.Close() }()
	if err := mayImport(ctx, l, job, o); err != nil {
		return one, err
	}
	books, err := open(ctx, l, job, o)
	if err != nil {
		return one, err
	}
	r := newRunner(job, o, budget.New(nil, o.Now), books)
	defer func() { _ = r.journal.Close() }()
	if err := r.begin(ctx); err != nil {
		return one, err
	}
	one, err = r.importInto(ctx, day)
	return one, errors.Join(err, r.leave(context.WithoutCancel(ctx), err))
}

// mayImport refuses a run that was bought, or whose journal is no more.
func mayImport(ctx context.Context, l *ledger.Ledger, job Job, o Options) error {
	run, err := l.Find(ctx, job.Name, job.date())
	if errors.Is(err, ledger.ErrNoRun) {
		return nil
	}
	if err != nil {
		return err
	}
	retired, err := l.Retired(ctx, run.ID)
	if err != nil {
		return err
	}
	if retired != nil {
		if gone, err := o.book(job).Gone(ctx); err != nil {
			return err
		} else if gone {
			return recovery.Missing(ctx, l, run.ID, o.book(job))
		}
	}
	tasks, err := l.Tasks(ctx, run.ID)
	if err != nil {
		return err
	}
	bought := run.SpecHash != archiveHash && run.SpecHash != "" // a ledger that was rebuilt has none
	for _, t := range tasks {
		bought = bought || t.Pages > 0 && t.ReusedFrom != intake.From
	}
	if bought {
		return fmt.Errorf("%w: run %s of job %s bought its replies; import under another name, with --job", ErrMixed, run.ID, job.Name)
	}
	return nil
}

// importInto adds what the journal does not have, enters it in the ledger, loads and publishes.
func (r *runner) importInto(ctx context.Context, day *intake.Day) (one Imported, err error) {
	one.Result = &Result{Run: r.run}
	if err := r.journal.AddTasks(ctx, day.Tasks); err != nil {
		return one, err
	}
	tasks, err := r.journal.Tasks(ctx)
	if err != nil {
		return one, err
	}
	if r.places, err = r.journal.Places(ctx); err != nil {
		return one, err
	}
	if one.Entered, err = day.Enter(ctx, r.journal, r.places); err != nil {
		return one, err
	}
	if r.places, err = r.journal.Places(ctx); err != nil {
		return one, err
	}
	one.untouched = one.Pages == 0 && r.earlier.State == ledger.Complete && r.published(ctx, tasks)
	if one.untouched {
		return one, r.close(ctx, one.Result, publication{})
	}
	now, err := r.publish(ctx, one.Result, tasks)
	if err != nil {
		return one, err
	}
	return one, r.close(ctx, one.Result, now)
}

// notImported refuses to buy into a run that was imported. A ledger that was rebuilt knows it by the tasks alone.
func notImported(ctx context.Context, l *ledger.Ledger, job Job, run ledger.Run) error {
	if job.SpecHash == archiveHash {
		return nil
	}
	tasks, err := l.Tasks(ctx, run.ID)
	if err != nil {
		return err
	}
	if run.SpecHash == archiveHash || slices.ContainsFunc(tasks, func(t ledger.Task) bool { return t.ReusedFrom == intake.From }) {
		return fmt.Errorf("%w: run %s of job %s was imported; give the job another name", ErrMixed, run.ID, job.Name)
	}
	return nil
}
