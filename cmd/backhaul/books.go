package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"slices"

	"backhaul/jobs/books"
	"backhaul/jobs/run"
	"backhaul/pipeline/postgres"
	"backhaul/pipeline/vendors"
	"backhaul/sinks"
)

// books are the ledger and the journals of a warehouse: in the database that the environment names, if any, else in its files. The
// warehouse was named by app.warehouse, which has read the variable.
func (a *app) books(w sinks.Warehouse) books.Books {
	if a.shared != nil {
		return a.shared
	}
	return books.InFiles(w)
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
