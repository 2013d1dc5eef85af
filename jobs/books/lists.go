package books

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"backhaul/jobs/ledger"
	"backhaul/pipeline"
	"backhaul/pipeline/journal"
	"backhaul/pipeline/postgres"
)

// Token is what other processes need to buy lists of a run that this one has locked: see [Database.Lists].
func (d *Database) Token(run Key) (int64, error) { return d.of(run).token() }

func (b *inDatabase) token() (int64, error) {
	l := b.lease()
	if l == nil {
		return 0, errNotLocked
	}
	return l.Token(), nil
}

var errNotLocked = errors.New("this process has not locked the run")

func (d *Database) of(run Key) *inDatabase { return &inDatabase{d, run.String()} }

// Lists are those of a run that another process has locked, for this one to buy some of them. They are safe for concurrent use.
type Lists struct {
	book    *inDatabase
	run     *postgres.Run
	journal *journal.Journal
	ledger  *ledger.Ledger
}

// Lists opens those of a run by the token that its process has: with an earlier one nothing can be written. The run has a journal.
func (d *Database) Lists(ctx context.Context, run Key, token int64) (*Lists, error) {
	book := d.of(run)
	gone, err := book.Gone(ctx)
	if err == nil && gone {
		err = fmt.Errorf("%s: %w: its journal is gone", book.Name(), ErrTaken)
	}
	if err != nil {
		return nil, err
	}
	fleet, err := d.Fleet(ctx)
	if err != nil {
		return nil, err
	}
	l := &Lists{book: book, run: fleet.Run(book.run, token)}
	db, err := fleet.OpenJournal(ctx, book.run, journal.Layout, l.run.Guard)
	if err != nil {
		return nil, fmt.Errorf("open journal: %w", err)
	}
	if l.journal, err = journal.In(ctx, db, journal.Header{Job: run.Job, RunDate: run.RunDate}); err != nil {
		return nil, err
	}
	if l.ledger, err = d.OpenLedger(ctx); err != nil {
		return nil, errors.Join(err, l.journal.Close())
	}
	return l, nil
}

// Close closes journal and ledger.
func (l *Lists) Close() error { return errors.Join(l.journal.Close(), l.ledger.Close()) }

// List is one of them, claimed: until somebody else claims it, this process alone writes to it.
type List struct {
	*postgres.Claim
	// Journal and Ledger can be written to as long as the list is this process's.
	Journal *journal.Journal
	Ledger  *ledger.Ledger
	RunID   string
	// Task is what the list asks for, Place how far it has come.
	Task  pipeline.Task
	Place pipeline.Place
}

// Claim claims a list by its task, whoever has it; see [postgres.Run.Claim]. What that one had under way may have been paid for, and is held: unless it is among
// the replies of the list that were kept in a folder of this host, which are entered. Where nothing was told it was let go of.
func (l *Lists) Claim(ctx context.Context, taskID string, turn postgres.Turn, kept string, now func() time.Time) (*List, error) {
	claim, lost, err := l.run.Claim(ctx, taskID, turn)
	if err != nil {
		return nil, err
	}
	c := &List{Claim: claim, Journal: l.journal.Guarded(claim.Leave()), Ledger: l.ledger.Guarded(claim.Leave()), RunID: l.journal.Header().RunID}
	if c.Task, c.Place, err = l.journal.List(ctx, taskID); err != nil {
		return nil, err
	}
	entered, err := enter(ctx, c.Journal, kept, func(name string) bool { return strings.HasPrefix(name, taskID+".") })
	if err != nil {
		return nil, err
	}
	if entered == 0 && lost == 0 {
		return c, nil
	}
	if entered == 0 {
		if err := c.Journal.AddAttempt(ctx, taskID, Unanswered(c.Place, pipeline.Units(lost), now())); err != nil {
			return nil, err
		}
	}
	c.Task, c.Place, err = l.journal.List(ctx, taskID)
	return c, err
}

// Unanswered is the attempt of a list at its place whose process died, or stood still for so long that another took the list.
func Unanswered(at pipeline.Place, units pipeline.Units, now time.Time) pipeline.Attempt {
	return pipeline.Attempt{Seq: at.Pages, At: now.UTC(), Kind: pipeline.Transient, MaybeUnits: units,
		Message: "the process that bought the list died or stood still; what the request under way has cost is unknown"}
}

// Expose has it known what the list's request under way may cost at most, before it is sent; 0 lets go of the list.
func (c *List) Expose(ctx context.Context, units pipeline.Units) error {
	return c.Claim.Expose(ctx, int64(units))
}

// Beat does nothing: the sign of life is the run's, and its process keeps it.
func (c *List) Beat(time.Time) {}

func (b *inDatabase) Claimed(ctx context.Context, round int) (map[string]pipeline.Units, error) {
	run, err := b.locked(ctx)
	if err != nil {
		return nil, err
	}
	units, err := run.Claimed(ctx, round)
	all := map[string]pipeline.Units{}
	for list, n := range units {
		all[list] = pipeline.Units(n)
	}
	return all, err
}

func (b *inDatabase) ForgetClaims(ctx context.Context) error {
	run, err := b.locked(ctx)
	if err != nil {
		return err
	}
	return run.Forget(ctx)
}

// locked is the run, which this process has locked.
func (b *inDatabase) locked(ctx context.Context) (*postgres.Run, error) {
	token, err := b.token()
	if err != nil {
		return nil, err
	}
	fleet, err := b.Fleet(ctx)
	if err != nil {
		return nil, err
	}
	return fleet.Run(b.run, token), nil
}
