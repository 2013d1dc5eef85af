package books

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"reflect"
	"time"

	"backhaul/jobs/ledger"
	"backhaul/pipeline/journal"
	"backhaul/pipeline/sqlite"
	"backhaul/pipeline/store"
)

// Movable are books whose tables can be read and written as they are.
type Movable interface {
	Books
	ledgerTables(ctx context.Context) (store.DB, error)
	journalTables(ctx context.Context, key Key) (store.DB, error)
	// putAside takes everything out of the way, so that it is not a warehouse's books any more, and says where it is.
	putAside(ctx context.Context, now time.Time) (where string, err error)
}

// Moved is what Move has moved.
type Moved struct {
	Journals, Retired int
	// Aside is where the books are now that were moved.
	Aside string
}

// ErrOccupied means that there are books already where others are to be moved.
var ErrOccupied = errors.New("there is something already")

// Move moves the books of a warehouse from one place to another, in which there are none, while no process is at work on any run. Until
// everything has been copied and compared nothing changes where they are; then they are put aside there. What was made of a move that
// failed is removed.
func Move(ctx context.Context, from, to Movable, now time.Time) (moved Moved, err error) {
	keys, err := movable(ctx, from, to)
	if err != nil {
		return moved, err
	}
	for _, b := range []Movable{from, to} {
		unlock, err := lockAll(ctx, b, keys)
		defer unlock()
		if err != nil {
			return moved, err
		}
	}
	if err := copyAll(ctx, from, to, keys, &moved); err != nil {
		return moved, errors.Join(err, clear(context.WithoutCancel(ctx), to, keys, now))
	}
	moved.Aside, err = from.putAside(ctx, now)
	return moved, err
}

// movable returns the runs that are to be moved.
func movable(ctx context.Context, from, to Movable) ([]Key, error) {
	there, err := to.Runs(ctx)
	if err != nil {
		return nil, err
	}
	gone, err := to.LedgerGone(ctx)
	if err != nil {
		return nil, err
	}
	if len(there) > 0 || !gone {
		return nil, fmt.Errorf("%s: %w", to.LedgerName(), ErrOccupied)
	}
	if gone, err = from.LedgerGone(ctx); err != nil {
		return nil, err
	}
	if gone {
		return nil, fmt.Errorf("%s: there is no ledger to move", from.LedgerName())
	}
	return from.Runs(ctx)
}

// lockAll locks the runs until unlock.
func lockAll(ctx context.Context, b Books, keys []Key) (unlock func(), err error) {
	var all []func()
	unlock = func() {
		for _, one := range all {
			one()
		}
	}
	for _, key := range keys {
		one, err := b.Of(key.Job, key.RunDate).Lock(ctx)
		if err != nil {
			return unlock, fmt.Errorf("run %s/%s: %w", key.Job, key.RunDate, err)
		}
		all = append(all, one)
	}
	return unlock, nil
}

func copyAll(ctx context.Context, from, to Movable, keys []Key, moved *Moved) error {
	for _, key := range keys {
		if err := copyRun(ctx, from, to, key, moved); err != nil {
			return fmt.Errorf("move run %s/%s: %w", key.Job, key.RunDate, err)
		}
	}
	old, err := from.ledgerTables(ctx)
	if err != nil {
		return err
	}
	defer old.Close()
	fresh, err := to.ledgerTables(ctx)
	if err != nil {
		return err
	}
	defer fresh.Close()
	if err := store.Copy(ctx, old, fresh, ledger.Layout); err != nil {
		return err
	}
	return sameMoney(ctx, ledger.In(old), ledger.In(fresh))
}

// copyRun copies a journal, or what remains of one, and holds what it tells then against what it told.
func copyRun(ctx context.Context, from, to Movable, key Key, moved *Moved) error {
	book, target := from.Of(key.Job, key.RunDate), to.Of(key.Job, key.RunDate)
	text, err := book.Remains(ctx)
	if err != nil {
		return err
	}
	if text != nil {
		if err := target.KeepRemains(ctx, text); err != nil {
			return err
		}
		moved.Retired++
	}
	if gone, err := book.Gone(ctx); err != nil || gone {
		return err
	}
	old, err := from.journalTables(ctx, key)
	if err != nil {
		return err
	}
	fresh, err := to.journalTables(ctx, key)
	if err != nil {
		return errors.Join(err, old.Close())
	}
	if err := store.Copy(ctx, old, fresh, journal.Layout); err != nil {
		return errors.Join(err, old.Close(), fresh.Close())
	}
	if err := errors.Join(old.Close(), fresh.Close()); err != nil {
		return err
	}
	moved.Journals++
	return samePages(ctx, book, target, key)
}

// samePages reads both journals, with all pages, and compares them.
func samePages(ctx context.Context, book, target Book, key Key) error {
	header := journal.Header{Job: key.Job, RunDate: key.RunDate}
	old, err := book.Open(ctx, header)
	if err != nil {
		return err
	}
	defer old.Close()
	fresh, err := target.Open(ctx, header)
	if err != nil {
		return err
	}
	defer fresh.Close()
	if err := fresh.Check(ctx); err != nil {
		return err
	}
	want, err := old.Places(ctx)
	if err != nil {
		return err
	}
	got, err := fresh.Places(ctx)
	if err != nil {
		return err
	}
	if old.Header() != fresh.Header() || !reflect.DeepEqual(want, got) {
		return fmt.Errorf("%s does not tell what %s does", target.Name(), book.Name())
	}
	return nil
}

func sameMoney(ctx context.Context, old, fresh *ledger.Ledger) error {
	want, err := old.Spends(ctx, "")
	if err != nil {
		return err
	}
	got, err := fresh.Spends(ctx, "")
	if err != nil {
		return err
	}
	if !reflect.DeepEqual(want, got) {
		return errors.New("the ledger that was copied does not tell what the other does")
	}
	return nil
}

// clear removes what a move has made that failed.
func clear(ctx context.Context, b Books, keys []Key, now time.Time) error {
	var errs []error
	for _, key := range keys {
		errs = append(errs, b.Of(key.Job, key.RunDate).Remove(ctx))
	}
	_, err := b.PutLedgerAside(ctx, now)
	return errors.Join(append(errs, err)...)
}

func (f files) ledgerTables(ctx context.Context) (store.DB, error) {
	return sqlite.Open(ctx, f.Ledger(), ledger.Layout)
}

func (f files) journalTables(ctx context.Context, key Key) (store.DB, error) {
	return sqlite.Open(ctx, f.JournalOf(key.Job, key.RunDate), journal.Layout)
}

// putAside renames the ledger and the folder of the journals.
func (f files) putAside(ctx context.Context, now time.Time) (string, error) {
	aside := f.Journal() + movedAt(now)
	if err := os.Rename(f.Journal(), aside); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", err
	}
	for _, suffix := range []string{"", "-wal", "-shm"} {
		if err := os.Rename(f.Ledger()+suffix, f.Ledger()+movedAt(now)+suffix); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return "", err
		}
	}
	return aside + " and " + f.Ledger() + movedAt(now), nil
}

func movedAt(now time.Time) string { return ".moved-" + now.UTC().Format("20060102T150405Z") }

func (d *Database) ledgerTables(ctx context.Context) (store.DB, error) {
	return d.server.Open(ctx, ledgerSchema, "the ledger", ledger.Layout, d.guardLedger)
}

func (d *Database) journalTables(ctx context.Context, key Key) (store.DB, error) {
	fleet, err := d.Fleet(ctx)
	if err != nil {
		return nil, err
	}
	b := d.Of(key.Job, key.RunDate).(*inDatabase)
	return fleet.OpenJournal(ctx, b.run, journal.Layout, b.guard)
}

// putAside renames the schemas.
func (d *Database) putAside(ctx context.Context, now time.Time) (string, error) {
	fleet, err := d.Fleet(ctx)
	if err != nil {
		return "", err
	}
	names, err := fleet.Journals(ctx)
	if err != nil {
		return "", err
	}
	for _, name := range names {
		if err := fleet.PutJournalAside(ctx, name, movedAt(now), nil); err != nil {
			return "", err
		}
	}
	aside := ledgerSchema + movedAt(now)
	return "the schemas whose names end in " + movedAt(now), d.server.Rename(ctx, ledgerSchema, aside)
}
