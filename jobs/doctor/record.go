package doctor

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"time"

	"backhaul/jobs/books"
	"backhaul/jobs/ledger"
	"backhaul/jobs/recovery"
	"backhaul/pipeline"
	"backhaul/pipeline/journal"
	"backhaul/pipeline/words"
)

// record is one run, as ledger and journal know it.
type record struct {
	job, date, path string // path is where the journal lies, for messages
	book            books.Book
	run             ledger.Run   // its id is "" where the ledger does not know it
	index           ledger.Index // as the ledger has it
	retired         *ledger.Retirement
	absent          map[string]bool // tables that the run was taken out of on purpose
	busy            bool            // a process is at work on it
	gone            bool            // no journal
	sound           bool            // the journal is whole
}

func (r *record) name() string { return r.job + "/" + r.date }

// bought returns how many pages the ledger says the run has.
func (r *record) bought() (pages int) {
	for _, t := range r.index.Tasks {
		pages += t.Pages
	}
	return pages
}

// collect finds the runs that ledger or journals know.
func (e *examination) collect(ctx context.Context) error {
	byKey := map[books.Key]*record{}
	at := func(job, date string) (*record, error) {
		key := books.Key{Job: job, RunDate: date}
		if byKey[key] != nil {
			return byKey[key], nil
		}
		book := e.Books.Of(job, date)
		gone, err := book.Gone(ctx)
		byKey[key] = &record{job: job, date: date, path: book.Name(), book: book, gone: gone}
		e.runs = append(e.runs, byKey[key])
		return byKey[key], err
	}
	err := filepath.WalkDir(e.Warehouse.Journal(), func(path string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err == nil && !d.IsDir() {
			e.journalFile(path)
		}
		return err
	})
	if err != nil {
		return err
	}
	kept, err := e.Books.Runs(ctx)
	if err != nil {
		return err
	}
	for _, key := range kept {
		if _, err := at(key.Job, key.RunDate); err != nil {
			return err
		}
	}
	if e.ledger == nil {
		return nil
	}
	runs, err := e.ledger.Runs(ctx)
	if err != nil {
		return err
	}
	for _, known := range runs {
		r, err := at(known.Job, known.RunDate)
		if err != nil {
			return err
		}
		r.run = known
		x, err := e.ledger.Index(ctx, known.ID)
		if err != nil {
			return err
		}
		r.index = x.Kept() // an earlier version has entered all
		if r.retired, err = e.ledger.Retired(ctx, known.ID); err != nil {
			return err
		}
		if r.absent, err = e.ledger.AbsentTables(ctx, known.ID); err != nil {
			return err
		}
	}
	slices.SortFunc(e.runs, func(a, b *record) int { return strings.Compare(a.path, b.path) })
	return nil
}

// journalFile tells of files among the journals that are none.
func (e *examination) journalFile(path string) {
	rel, _ := filepath.Rel(e.Warehouse.Journal(), path)
	_, rest, ok := books.KeyOf(e.Warehouse, path)
	switch {
	case !ok:
		e.warn("journal "+rel, "the program did not make it: move it away", nil, "a stray file")
	case strings.HasPrefix(rest, ".damaged-"):
		e.warn("journal "+rel, "delete it when the run is complete again", nil, "a damaged journal that was put aside")
	case slices.Contains([]string{"", "-wal", "-shm", ".lock", books.RetiredSuffix}, rest):
	default:
		e.warn("journal "+rel, "", nil, "a leftover")
	}
}

// examine checks one run's journal, and its entry in the ledger against it. A run that a process is at work on is left alone.
func (e *examination) examine(ctx context.Context, r *record) {
	e.kept(r)
	if e.atWork(ctx, r) {
		return
	}
	before := len(e.findings)
	e.journal(ctx, r)
	if len(e.findings) > before && e.atWork(ctx, r) { // it has begun meanwhile
		e.findings = slices.Delete(e.findings, before, len(e.findings)-1)
	}
}

// kept tells of replies that wait on this host until the database answers.
func (e *examination) kept(r *record) {
	waiting, err := books.Waiting(e.Warehouse.Kept(r.job, r.date))
	switch what := "run " + r.name(); {
	case err != nil:
		e.failed(what, "", nil, err)
	case len(waiting) > 0:
		e.warn(what, "run the job again on this host with the same --date: it enters them first", nil,
			"paid for and not entered yet, since the database did not answer: %s", words.Plural(len(waiting), "answer"))
	}
}

func (e *examination) atWork(ctx context.Context, r *record) bool {
	busy, err := r.book.Busy(ctx)
	if err == nil && busy {
		r.busy = true
		e.ok("run "+r.name(), "a process is at work on it: not looked into")
	}
	return r.busy
}

func (e *examination) journal(ctx context.Context, r *record) {
	what := "journal " + r.path
	switch {
	case r.gone && r.retired != nil:
		e.ok("run "+r.name(), "its journal was retired on %s", r.retired.At.Format(time.DateOnly))
		return
	case r.gone && r.bought() > 0:
		e.damaged(what, dropAdvice, dropDamaged(r), "missing or empty; the ledger knows %s bought into it", words.Plural(r.bought(), "reply"))
		return
	case r.gone:
		return
	}
	j, err := r.book.Open(ctx, journal.Header{Job: r.job, RunDate: r.date})
	if err != nil {
		e.failed(what, dropAdvice, dropDamaged(r), err)
		return
	}
	defer func() { _ = j.Close() }()
	if err := checkJournal(ctx, j); err != nil {
		e.failed(what, dropAdvice, dropDamaged(r), err)
		return
	}
	r.sound = true
	e.compare(ctx, r, j)
}

const dropAdvice = "put back a copy; without one `backhaul doctor --repair --drop-damaged` puts the file aside and keeps the replies before the damage, and the next run buys the others again"

// checkJournal reads the structure, every page, and the tasks, whose ids are derived from what they ask.
func checkJournal(ctx context.Context, j *journal.Journal) error {
	if err := j.Check(ctx); err != nil {
		return err
	}
	tasks, err := j.Tasks(ctx)
	if err != nil {
		return err
	}
	for _, t := range tasks {
		if pipeline.TaskID(t) != t.ID {
			return fmt.Errorf("%w: task %s/%s is not what was asked", recovery.ErrDamaged, t.Extract, t.Target)
		}
	}
	return nil
}

// compare holds what the ledger says of a run against its journal.
func (e *examination) compare(ctx context.Context, r *record, j *journal.Journal) {
	if e.ledger == nil {
		return
	}
	places, err := j.Places(ctx)
	if err != nil {
		e.failed("journal "+r.path, dropAdvice, nil, err)
		return
	}
	pages := 0
	for _, p := range places {
		pages += p.Pages
	}
	what := "ledger " + r.name()
	switch {
	case r.run.ID == "" && pages == 0:
		e.warn(what, "run the job again with the same --date", nil, "not entered: its process died as it began")
	case r.run.ID == "":
		e.damaged(what, byRepair+"enters it", rebuild(r), "%s has %s, and the ledger does not know the run", r.path, words.Plural(pages, "reply"))
	case r.run.ID != j.Header().RunID:
		e.damaged(what, byRepair+"enters the journal's", rebuild(r), "run %s in the ledger, run %s in %s", r.run.ID, j.Header().RunID, r.path)
	case r.run.State == ledger.Running:
		e.warn(what, "run the job again, or "+byRepair+"settles what it spent", settleDead(), "its process died")
	default:
		e.compareTasks(ctx, r, j, places)
	}
}

func (e *examination) compareTasks(ctx context.Context, r *record, j *journal.Journal, places map[string]pipeline.Place) {
	x, known, err := recovery.Told(ctx, j, places)
	if err != nil {
		e.failed("journal "+r.path, dropAdvice, nil, err)
		return
	}
	told := map[string]ledger.Task{}
	for _, t := range x.Tasks {
		t.Rejected = 0
		told[t.ID] = t
	}
	for _, t := range r.index.Tasks {
		p, name := places[t.ID], t.Extract+"/"+t.Target
		t.Rejected = 0 // which loading tells
		switch {
		case pipeline.TaskID(t.Task) != t.ID:
			e.damaged("ledger "+r.name(), byRepair+"rebuilds it", rebuildLedger(), "task %s is not what was asked", name)
		case p.Pages < t.Pages:
			r.sound = false
			e.damaged("journal "+r.path, dropAdvice, dropDamaged(r), "%s has %d replies where the ledger knows %d: this is not the journal they were written to", name, p.Pages, t.Pages)
		case p.Pages > t.Pages || p.Units != t.Units || p.Rows+p.Waste != t.Rows+t.Waste || p.MaybeUnits != t.MaybeUnits || p.Attempts != t.Attempts:
			e.damaged("ledger "+r.name(), byRepair+"follows the journal", rebuild(r), "%s has %d replies, %d rows, %d units in the ledger, %d, %d, %d in the journal",
				name, t.Pages, t.Rows+t.Waste, t.Units, p.Pages, p.Rows+p.Waste, p.Units)
		case known && !reflect.DeepEqual(told[t.ID], t):
			e.damaged("ledger "+r.name(), byRepair+"follows the journal", rebuild(r), "%s differs between the ledger and the journal", name)
		default:
			continue
		}
		return // one finding a run is enough to act on
	}
	if known && (len(told) != len(r.index.Tasks) || !maps.Equal(r.index.Unbegun, x.Unbegun)) {
		e.damaged("ledger "+r.name(), byRepair+"follows the journal", rebuild(r), "%s in the ledger, %d in the journal", words.Plural(r.index.Intended(), "task"), x.Intended())
		return
	}
	e.compareSpend(ctx, r, places)
}

func (e *examination) compareSpend(ctx context.Context, r *record, places map[string]pipeline.Place) {
	spends, err := e.ledger.Spends(ctx, r.run.ID)
	if err != nil {
		e.failed("ledger "+r.name(), "", nil, err)
		return
	}
	var paid, spent, granted pipeline.Units
	for _, p := range places {
		paid += p.Units
	}
	for _, s := range spends {
		spent, granted = spent+s.Spent, granted+s.Granted
	}
	if paid != spent || granted < spent {
		e.damaged("ledger "+r.name(), byRepair+"follows the journal", rebuild(r), "%d units spent in the ledger's account, %d in the journal", spent, paid)
	}
}
