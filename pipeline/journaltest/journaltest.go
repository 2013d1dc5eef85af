// Package journaltest holds a journal to what its callers rely on, so that the promise is written down once and every
// implementation is tried by it: the SQLite files of package journal, or a database for many hosts. It knows no file and no SQL:
// the implementation brings how a journal is opened, and how to spoil what is kept of a closed one.
//
// What is asked of an implementation, test by test:
//
//   - What was written is there after reopening: whose journal it is, the tasks in the order they were added, the pages byte for
//     byte and in the order they were bought, and the place that every task has reached.
//   - What a call has returned from outlives the process. Nobody has to close a journal.
//   - It is safe for concurrent use. A write that fails, beside others that do not, fails alone; a list that is read while
//     it grows is read as it was at some moment.
//   - A page is appended once. A write that fails leaves nothing; after the context has ended a page is kept whole or not at all.
//   - Tasks that are added again keep their pages, their place in the order and what they ask; bounds and priority follow.
//   - Pages that another run has bought are taken over all or not at all, and cost nothing here.
//   - Attempts are kept in the order they failed. A list that was found to repeat itself is known to at the place where it
//     was; that is not a request. Replies that could not be read are kept with the question, and each is counted; one that is
//     read after all is the task's next page, once.
//   - What vendors said of their indexes, and how tasks came about, is kept; a later resolution takes an earlier one's place.
//   - What the run intends is known, placeholders included, beside all that it ever asked; how each task stands and is expected to
//     cost, where the run itself stands, and what became of its tables, is kept as it was last said.
//   - A sequence that ends early says why. Whatever has been lost or changed under a journal is [journal.ErrDamaged]: it is
//     neither read as data nor taken for the end of a list, and no place is told that rests on it.
//   - A journal of another job or date, or that does not say whose it is, is damage; who knows no run opens only what is there.
//
// What only one implementation has (its file, its formats of earlier versions) is for its own tests.
package journaltest

import (
	"bytes"
	"context"
	"errors"
	"iter"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"backhaul/pipeline"
	"backhaul/pipeline/journal"
)

// Journal is the open journal of one run, as its callers need it. Its methods are those of [journal.Journal], which say what
// each promises.
type Journal interface {
	Header() journal.Header
	AddTasks(ctx context.Context, tasks []pipeline.Task) error
	Tasks(ctx context.Context) ([]pipeline.Task, error)
	List(ctx context.Context, taskID string) (pipeline.Task, pipeline.Place, error)
	Places(ctx context.Context) (map[string]pipeline.Place, error)

	Append(ctx context.Context, taskID string, p pipeline.Page) error
	Take(ctx context.Context, taskID, fromRun string, pages iter.Seq2[pipeline.Page, error]) error
	Pages(ctx context.Context, taskID string) iter.Seq2[pipeline.Page, error]
	Facts(ctx context.Context, taskID string) iter.Seq2[journal.Fact, error]
	Repeated(ctx context.Context, taskID string) (bool, error)

	AddAttempt(ctx context.Context, taskID string, a pipeline.Attempt) error
	Attempts(ctx context.Context) iter.Seq2[journal.PastAttempt, error]
	Replies(ctx context.Context) ([]journal.Reply, error)
	Body(ctx context.Context, r journal.Reply) ([]byte, error)
	Received(ctx context.Context, r journal.Reply) (pipeline.Page, pipeline.Ask, error)
	Redeem(ctx context.Context, r journal.Reply, p pipeline.Page) error

	AddIndex(ctx context.Context, x journal.Index) error
	Indexes(ctx context.Context) ([]journal.Index, error)
	Resolve(ctx context.Context, extract string, r journal.Resolution) error
	Resolution(ctx context.Context, extract string) (journal.Resolution, bool, error)

	Intend(ctx context.Context, tasks []pipeline.Task, open ...string) error
	Stand(ctx context.Context, all iter.Seq2[string, journal.Standing]) error
	CameAgain(ctx context.Context, rows map[string]int64) error
	Expect(ctx context.Context, all iter.Seq2[string, pipeline.Expectation]) error
	Bills(ctx context.Context) (map[string]map[string]pipeline.Bill, error)
	LeftOut(ctx context.Context) ([]pipeline.Task, error)
	Entries(ctx context.Context, each func(journal.Entry)) error
	SetCourse(ctx context.Context, c journal.Course) error
	Course(ctx context.Context) (journal.Course, error)
	Rewind(ctx context.Context, now time.Time) error
	Published(ctx context.Context, rejected []pipeline.Rejection) error
	Rejections(ctx context.Context) ([]pipeline.Rejection, error)
	Withdraw(ctx context.Context, tables map[string]time.Time) error
	Withdrawn(ctx context.Context) (map[string]time.Time, error)

	Check(ctx context.Context) error
	Close() error
}

// Config is an implementation to try. All of it is needed.
type Config struct {
	// Place returns where a journal can be that is not there yet: a path, a name in a database.
	Place func(t *testing.T) string
	// Open opens the journal at a place, or makes it; see [journal.Open]. Whoever opens the same place twice comes to the same
	// journal.
	Open func(ctx context.Context, place string, h journal.Header) (Journal, error)
	// Notes is the method by which a journal copies what another of its kind knows; see [journal.Journal.Notes].
	Notes func(ctx context.Context, to, from Journal) error
	// Killed returns a place where everything is as it would be at this one if its process died now. The journal there is open.
	Killed func(t *testing.T, place string) string
	// Harm changes what is kept.
	Harm Harm
}

// Harm is what may befall the storage of a journal that nobody has open.
type Harm struct {
	// Owner loses whose journal it is, all else stays.
	Owner func(t *testing.T, place string)
	// Body, Units and Next each change that of a task's page, by a single bit.
	Body, Units, Next func(t *testing.T, place, taskID string, seq int)
	// Page loses a page.
	Page func(t *testing.T, place, taskID string, seq int)
	// Reply gives the first reply that is kept the bytes of the last, in the form in which they are kept.
	Reply func(t *testing.T, place string)
}

// Run tries the implementation.
func Run(t *testing.T, cfg Config) {
	t.Helper()
	for name, claim := range map[string]func(*try){
		"what was written is there after reopening":         (*try).reopened,
		"what was written outlives the process":             (*try).killed,
		"many write at once and a fault is told to one":     (*try).together,
		"a list is read while it grows":                     (*try).growing,
		"the same page twice is refused":                    (*try).twice,
		"after the context has ended a page is whole":       (*try).ended,
		"a page keeps all that is known of it":              (*try).whole,
		"a task that nobody added is unknown":               (*try).unknown,
		"tasks that are added again keep what they have":    (*try).addedAgain,
		"many tasks are entered as each by itself would be": (*try).many,
		"a place tells rows bought again from the others":   (*try).places,
		"pages are taken over all or not at all":            (*try).taken,
		"attempts are kept in the order they failed":        (*try).attempts,
		"a list that repeats itself is remembered":          (*try).repeating,
		"whether rows came again is told":                   (*try).repeated,
		"replies that cannot be read are kept and counted":  (*try).unreadable,
		"a reply that is read after all is the next page":   (*try).redeemed,
		"what vendors said of their indexes is kept":        (*try).indexes,
		"a resolution takes the place of an earlier one":    (*try).resolutions,
		"notes are copied to another journal":               (*try).notes,
		"what is intended is known beside all that was":     (*try).intended,
		"how tasks stand is kept":                           (*try).stands,
		"what a run has cost is told by vendor and month":   (*try).bills,
		"where the run stands is kept":                      (*try).course,
		"what became of the run's tables is kept":           (*try).tables,
		"a journal of another run is damage":                (*try).others,
		"a journal that does not say whose it is is damage": (*try).ownerless,
		"a changed or lost page is damage and no data":      (*try).damaged,
		"no place is told that rests on damage":             (*try).misplaced,
		"a changed reply is damage":                         (*try).spoiltReply,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := &try{t: t, cfg: cfg, place: cfg.Place(t)}
			r.open()
			defer func() { r.must(r.j.Close()) }()
			claim(r)
		})
	}
}

// try is one claim tried on a journal of its own.
type try struct {
	t     *testing.T
	cfg   Config
	place string
	j     Journal // open
}

// header is that of every journal.
var header = journal.Header{RunID: "run-1", Job: "nightly", RunDate: "2026-11-23", Created: time.Date(2026, 11, 23, 2, 0, 0, 0, time.UTC)}

func (r *try) must(err error) {
	r.t.Helper()
	if err != nil {
		r.t.Fatal(err)
	}
}

func (r *try) ctx() context.Context { return r.t.Context() }

func (r *try) open() {
	r.t.Helper()
	j, err := r.cfg.Open(r.ctx(), r.place, header)
	r.must(err)
	r.j = j
}

// anew goes on with another journal, that is empty.
func (r *try) anew() {
	r.t.Helper()
	r.must(r.j.Close())
	r.place = r.cfg.Place(r.t)
	r.open()
}

// harm does something to what is kept, while nobody has it open.
func (r *try) harm(do func()) {
	r.t.Helper()
	r.must(r.j.Close())
	do()
	r.open()
}

// same fails where two values differ; no bytes are as good as nil.
func (r *try) same(what string, want, got any) {
	r.t.Helper()
	if diff := cmp.Diff(want, got, cmp.Comparer(bytes.Equal)); diff != "" {
		r.t.Errorf("%s: %s", what, diff)
	}
}

// damage fails where an error is not of damage.
func (r *try) damage(what string, err error) {
	r.t.Helper()
	if !errors.Is(err, journal.ErrDamaged) {
		r.t.Errorf("%s: %v", what, err)
	}
}

// collect returns what a sequence yields, up to its first error.
func collect[T any](seq iter.Seq2[T, error]) (all []T, err error) {
	for x, err := range seq {
		if err != nil {
			return all, err
		}
		all = append(all, x)
	}
	return all, nil
}
