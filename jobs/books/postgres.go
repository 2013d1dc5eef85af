package books

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"backhaul/jobs/ledger"
	"backhaul/pipeline/journal"
	"backhaul/pipeline/postgres"
	"backhaul/pipeline/store"
)

// ErrTaken means that this process had the run locked and has it no more: see [postgres.ErrTaken].
var ErrTaken = postgres.ErrTaken

// ErrAway means that the database of the books does not answer.
var ErrAway = postgres.ErrAway

// Database are books in a PostgreSQL database, for the processes of many hosts: the ledger and each journal in a schema of its own. A
// run is locked by a lease, which a process that stands still loses; after that it can write neither to the run's journal nor to the
// ledger. Use InDatabase to make them.
type Database struct {
	server *postgres.Server

	mu    sync.Mutex
	fleet *postgres.Fleet            // nil until it was needed
	held  map[string]*postgres.Lease // of this process, by the names of the runs
}

// InDatabase are the books in a database. It connects when it is needed.
func InDatabase(server *postgres.Server) *Database {
	return &Database{server: server, held: map[string]*postgres.Lease{}}
}

// Close closes the connections. Whatever was opened must be closed.
func (d *Database) Close() error { return d.server.Close() }

// Beside returns a schema of the database for what is kept beside the books: see [postgres.Server.Tables].
func (d *Database) Beside(ctx context.Context, schema, statements string) (*sql.DB, error) {
	return d.server.Tables(ctx, schema, statements)
}

const ledgerSchema = "backhaul"

// Fleet is what the hosts share beside the books.
func (d *Database) Fleet(ctx context.Context) (*postgres.Fleet, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.fleet == nil {
		fleet, err := d.server.Fleet(ctx)
		if err != nil {
			return nil, err
		}
		d.fleet = fleet
	}
	return d.fleet, nil
}

// turnPoll is how often somebody who waits for his turn asks whether it is.
const turnPoll = 100 * time.Millisecond

// Alone waits until this process alone, of those of all hosts, does something by a name, or ctx ends. Where it dies the others wait as long
// as for a run. release returns ErrTaken if it stood still for so long that another may have begun.
func (d *Database) Alone(ctx context.Context, name string) (release func() error, err error) {
	fleet, err := d.Fleet(ctx)
	if err != nil {
		return nil, err
	}
	for {
		lease, err := fleet.Take(ctx, name)
		if err == nil {
			ending := context.WithoutCancel(ctx)
			return func() error {
				err := lease.Sure(ending)
				_ = lease.Release(ending) // else it expires
				return err
			}, nil
		}
		if !errors.As(err, new(*postgres.HeldError)) {
			return nil, err
		}
		select {
		case <-time.After(turnPoll):
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

func (d *Database) LedgerName() string { return d.server.Name() + " (the ledger)" }

func (d *Database) LedgerGone(ctx context.Context) (bool, error) {
	there, err := d.server.Has(ctx, ledgerSchema)
	return !there && err == nil, err
}

func (d *Database) OpenLedger(ctx context.Context) (*ledger.Ledger, error) {
	db, err := d.server.Open(ctx, ledgerSchema, "the ledger", ledger.Layout, d.guardLedger)
	if err != nil {
		return nil, fmt.Errorf("open ledger: %w", err)
	}
	return ledger.In(db), nil
}

// alone lets one transaction of all hosts at a time write in the ledger.
var alone = postgres.Alone("backhaul ledger")

// guardLedger has writers take turns, and refuses one of a process that has lost a run: what it would enter is no longer for it to
// say.
func (d *Database) guardLedger() ([]store.Leave, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	leaves := []store.Leave{alone}
	for _, l := range d.held {
		leaves = append(leaves, l.Leave())
	}
	return leaves, nil
}

func (d *Database) PutLedgerAside(ctx context.Context, now time.Time) (string, error) {
	gone, err := d.LedgerGone(ctx)
	if err != nil || gone {
		return "", err
	}
	aside := ledgerSchema + damagedSince(now)
	return "schema " + aside, d.server.Rename(ctx, ledgerSchema, aside)
}

func (d *Database) Of(job, runDate string) Book { return &inDatabase{d, job + "/" + runDate} }

func (d *Database) Runs(ctx context.Context) ([]Key, error) {
	fleet, err := d.Fleet(ctx)
	if err != nil {
		return nil, err
	}
	names, err := fleet.Journals(ctx)
	if err != nil {
		return nil, err
	}
	all := make([]Key, 0, len(names))
	for _, name := range names {
		job, date, _ := strings.Cut(name, "/")
		all = append(all, Key{job, date})
	}
	slices.SortFunc(all, Key.compare)
	return all, nil
}

// inDatabase is the book of a run, which is named job/date.
type inDatabase struct {
	*Database
	run string
}

func (b *inDatabase) Name() string { return b.server.Name() + " (run " + b.run + ")" }

func (b *inDatabase) Gone(ctx context.Context) (bool, error) {
	fleet, err := b.Fleet(ctx)
	if err != nil {
		return false, err
	}
	there, err := fleet.HasJournal(ctx, b.run)
	return !there && err == nil, err
}

// lease is the one that this process has of the run, nil if it has none.
func (b *inDatabase) lease() *postgres.Lease {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.held[b.run]
}

// guard lets who has the run locked write.
func (b *inDatabase) guard() ([]store.Leave, error) {
	l := b.lease()
	if l == nil {
		return nil, errNotLocked
	}
	return l.Guard()
}

func (b *inDatabase) Open(ctx context.Context, header journal.Header) (*journal.Journal, error) {
	fleet, err := b.Fleet(ctx)
	if err != nil {
		return nil, fmt.Errorf("open journal: %w", err)
	}
	db, err := fleet.OpenJournal(ctx, b.run, journal.Layout, b.guard)
	if err != nil {
		return nil, fmt.Errorf("open journal: %w", err)
	}
	return journal.In(ctx, db, header)
}

func (b *inDatabase) Replace(ctx context.Context, now time.Time, header journal.Header, write func(*journal.Journal) error) (string, error) {
	fleet, err := b.Fleet(ctx)
	if err != nil {
		return "", err
	}
	aside, err := fleet.ReplaceJournal(ctx, b.run, damagedSince(now), journal.Layout, b.guard, func(db *postgres.DB) error {
		fresh, err := journal.In(ctx, db, header)
		if err != nil {
			return err
		}
		return errors.Join(write(fresh), fresh.Close())
	})
	if aside != "" {
		aside = "schema " + aside
	}
	return aside, err
}

func (b *inDatabase) Remove(ctx context.Context) error {
	fleet, err := b.Fleet(ctx)
	if err != nil {
		return err
	}
	return fleet.RemoveJournal(ctx, b.run, b.guard)
}

func (b *inDatabase) Size(ctx context.Context) int64 {
	fleet, err := b.Fleet(ctx)
	if err != nil {
		return 0
	}
	size, _ := fleet.JournalSize(ctx, b.run) // 0 where it is unknown
	return size
}

func (b *inDatabase) Remains(ctx context.Context) ([]byte, error) {
	fleet, err := b.Fleet(ctx)
	if err != nil {
		return nil, err
	}
	return fleet.Remains(ctx, b.run)
}

func (b *inDatabase) KeepRemains(ctx context.Context, text []byte) error {
	fleet, err := b.Fleet(ctx)
	if err != nil {
		return err
	}
	guard := postgres.Guard(nil) // what an earlier version did not keep is kept by whoever comes by
	if b.lease() != nil {
		guard = b.guard
	}
	return fleet.KeepRemains(ctx, b.run, text, guard)
}

func (b *inDatabase) Lock(ctx context.Context) (unlock func(), err error) {
	fleet, err := b.Fleet(ctx)
	if err != nil {
		return nil, err
	}
	lease, err := fleet.Take(ctx, b.run)
	var held *postgres.HeldError
	if errors.As(err, &held) {
		return nil, &BusyError{Holder(held.Holder)}
	}
	if err != nil {
		return nil, err
	}
	b.mu.Lock()
	b.held[b.run] = lease
	b.mu.Unlock()
	return func() {
		b.mu.Lock()
		delete(b.held, b.run)
		b.mu.Unlock()
		_ = lease.Release(context.WithoutCancel(ctx)) // else it expires
	}, nil
}

// leasePoll is how often a run that is waited for is tried again.
const leasePoll = time.Second

func (b *inDatabase) Wait(ctx context.Context) (unlock func(), err error) {
	for {
		unlock, err := b.Lock(ctx)
		if !errors.Is(err, ErrBusy) {
			return unlock, err
		}
		timer := time.NewTimer(leasePoll)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return nil, fmt.Errorf("wait for the run: %w", ctx.Err())
		}
	}
}

func (b *inDatabase) Busy(ctx context.Context) (bool, error) {
	fleet, err := b.Fleet(ctx)
	if err != nil {
		return false, err
	}
	_, held, err := fleet.Held(ctx, b.run)
	return held, err
}

// brief bounds how long somebody is told of something that he can do without.
const brief = 5 * time.Second

// briefly does something with the lease of this process, if it has one.
func (b *inDatabase) briefly(do func(context.Context, *postgres.Lease)) {
	ctx, cancel := context.WithTimeout(context.Background(), brief)
	defer cancel()
	if l := b.lease(); l != nil {
		do(ctx, l)
	}
}

func (b *inDatabase) Sign(since time.Time) (erase func()) {
	host, _ := os.Hostname()
	sign := func(h Holder) {
		b.briefly(func(ctx context.Context, l *postgres.Lease) { _ = l.Sign(ctx, postgres.Holder(h)) })
	}
	sign(Holder{PID: os.Getpid(), Host: host, Since: since.UTC().Truncate(time.Second)})
	return func() { sign(Holder{}) }
}

func (b *inDatabase) Holder(ctx context.Context) Holder {
	fleet, err := b.Fleet(ctx)
	if err != nil {
		return Holder{}
	}
	h, _, _ := fleet.Held(ctx, b.run) // nobody is told where it cannot be read
	return Holder(h)
}

func (b *inDatabase) Beat(sign time.Time) {
	b.briefly(func(ctx context.Context, l *postgres.Lease) { _ = l.Beat(ctx, sign) })
}

func (b *inDatabase) LastBeat(ctx context.Context) time.Time {
	fleet, err := b.Fleet(ctx)
	if err != nil {
		return time.Time{}
	}
	beat, _ := fleet.LastBeat(ctx, b.run)
	return beat
}

func (b *inDatabase) Sure(ctx context.Context) error {
	l := b.lease()
	if l == nil {
		return nil
	}
	return l.Sure(ctx)
}
