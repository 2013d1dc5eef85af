package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	"backhaul/jobs/books"
	"backhaul/jobs/ledger"
	"backhaul/jobs/run"
	"backhaul/pipeline/postgres"
	"backhaul/pipeline/vendors"
	"backhaul/sinks"
	"backhaul/sinks/blob"
)

// books are the ledger and the journals of a warehouse: in the database that the environment names, if any, else in its files. The
// warehouse was named by app.warehouse, which has read the variable. Where its books are in the other place they cannot be opened: what
// they have would be bought again.
func (a *app) books(w sinks.Warehouse) books.Books {
	if a.shared == nil {
		if where, err := os.ReadFile(w.Elsewhere()); err == nil {
			return misplaced{books.InFiles(w), usage("the ledger and the journals of %s are in %s: set %s", w.Root, strings.TrimSpace(string(where)), database)}
		}
		return books.InFiles(w)
	}
	if info, err := os.Stat(w.Ledger()); err == nil && info.Size() > 0 {
		return misplaced{a.shared, usage("%s is a file, and %s names a database: `backhaul migrate` moves it there; else unset the variable", w.Ledger(), a.setAs(database))}
	}
	return a.shared
}

// misplaced are books that must not be used.
type misplaced struct {
	books.Books
	err error
}

func (m misplaced) LedgerGone(context.Context) (bool, error) { return false, m.err }

func (m misplaced) OpenLedger(context.Context) (*ledger.Ledger, error) { return nil, m.err }

// leaveNote leaves a note of where they are in a warehouse whose books are in a database.
func (a *app) leaveNote(w sinks.Warehouse) error {
	if _, there := a.books(w).(*books.Database); !there {
		return nil
	}
	if _, err := os.Stat(w.Elsewhere()); err == nil {
		return nil
	}
	return a.disk.WriteWhole(w.Elsewhere()+".new", w.Elsewhere(), func(f *blob.File) error {
		_, err := fmt.Fprintln(f, a.shared.LedgerName())
		return err
	})
}

// share has the books in the database that the environment names.
func (a *app) share() error {
	if a.shared != nil {
		return nil
	}
	address, err := a.env(database)
	if err != nil || address == "" {
		return err
	}
	server, err := postgres.New(address)
	if err != nil {
		return usage("%s: %v", a.setAs(database), err)
	}
	a.shared = books.InDatabase(server)
	if a.atEnd != nil {
		a.atEnd(func() { _ = a.shared.Close() })
	}
	return nil
}

// unshared has the command keep to the files of its warehouse, whatever the environment says.
func (a *app) unshared() {
	a.put(map[string]string{database: "", database + inFile: "", database + byCommand: ""})
}

// accounts are what vendor accounts are called among the hosts that share a database, by vendor and surface: a hash of the credentials,
// since their names are kept.
type accounts map[string]string

func (all accounts) add(s vendors.Surface, values map[string]string) {
	h := sha256.New()
	_, _ = h.Write([]byte("backhaul account\x00" + s.Vendor))
	for _, name := range slices.Sorted(maps.Keys(values)) {
		_, _ = h.Write([]byte("\x00" + values[name]))
	}
	all[s.Vendor+"/"+s.Name] = s.Vendor + " " + hex.EncodeToString(h.Sum(nil)[:16])
}

// pace has the requests of a job take turns with those of all hosts that share the database and the accounts.
func (a *app) pace(ctx context.Context, job *loadedJob, ready *run.Job) error {
	if a.shared == nil {
		return nil
	}
	fleet, err := a.shared.Fleet(ctx)
	if err != nil {
		return err
	}
	for vendor, account := range ready.Accounts {
		if name := a.known[vendor+"/"+job.Vendors[vendor].Surface]; name != "" {
			account.Pacer = fleet.Slots(name)
			ready.Accounts[vendor] = account
		}
	}
	return nil
}
