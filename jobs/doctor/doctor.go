// Package doctor examines a warehouse, the machine it is on and the vendor accounts it buys from, and mends what can be
// derived: everything right of the journal can be rebuilt from it, and so can the ledger.
//
// Every check yields findings; a finding that can be cured brings its cure along, and [Repair] carries the cures out. Nothing
// here prints, and nothing deletes a journal: [Retire] alone removes journals, of complete runs whose tables are verified,
// when retention asks for it.
package doctor

import (
	"context"
	"errors"
	"time"

	"backhaul/jobs/books"
	"backhaul/jobs/run"
	"backhaul/pipeline"
	"backhaul/schemas"
	"backhaul/sinks"
)

// Level is how bad a finding is.
type Level string

// The levels.
const (
	OK   Level = "ok"
	Warn Level = "warn" // nothing is lost, but somebody should know
	Bad  Level = "bad"
)

// Finding is what one check found.
type Finding struct {
	Level Level  `json:"level"`
	What  string `json:"what"` // what was looked at: "clock", "journal nightly/2026-11-23"
	Text  string `json:"finding"`
	// Advice is what to do about it. "" where nothing is to be done.
	Advice string `json:"advice,omitempty"`
	// Damage: the warehouse no longer holds what was written to it.
	Damage bool `json:"damage"`

	cure *cure
}

// Lake is where tables are read, and what looks after the files around them.
type Lake interface {
	// Digest returns a writer that keeps only what a table's rows add up to.
	Digest(t *schemas.Table) sinks.Digester
	// Read reads a published file of a table from first row to last. One that has gone since it was found is fs.ErrNotExist.
	Read(path string, t *schemas.Table) (sinks.Contents, error)
	// Find returns what a table has of a run.
	Find(t *schemas.Table, job string, date time.Time) (Found, error)
	// CheckMerged reads the merged files of a table's month and holds them against what they say they have. It returns their
	// rows.
	CheckMerged(ctx context.Context, t *schemas.Table, month time.Time) (rows int64, err error)
	// Views asks every view of the warehouse.
	Views(ctx context.Context) ([]View, error)
	// CheckCatalog opens the published catalog: it may be damaged, sinks.ErrStale, or in use by another program (ErrInUse).
	CheckCatalog(ctx context.Context) error
	// DeadStaging returns the staging directories whose owners are dead.
	DeadStaging() ([]string, error)
}

// Found is what a table has of a run: files of its own, and what the merged files of its month say of it.
type Found struct {
	Own    []string
	Merged *sinks.Contents // nil if there is nothing in them
	Parts  []string        // the merged files
}

// ErrInUse means that another program has the catalog open, so that it cannot be looked at.
var ErrInUse = errors.New("in use by another program")

// View is one view of the warehouse and how it answered.
type View struct {
	Name string // moz.anchor_text
	Rows int64  // -1 where they are not counted
	Err  error
}

// Workshop is what repairs are made with. It is opened when the first repair needs it.
type Workshop interface {
	run.Lake
	// SweepStaging removes the staging of dead owners and returns their names.
	SweepStaging() ([]string, error)
	Close()
}

// Vendor is a vendor account to be looked at.
type Vendor struct {
	Name string
	// Credentials says which variables they come from, or, where Missing, could come from. Never the values.
	Credentials string
	// Doubts is what is odd about them, in words that repeat no value.
	Doubts  []string
	Missing bool
	// Wanted: a job buys from the vendor, so that missing credentials are bad.
	Wanted bool
	// URL names the variable of the vendor's address.
	URL string
	// Err is why the client could not be made. Default nil.
	Err error
	// Usage asks the vendor's own meter. Nil where the vendor does not tell.
	Usage pipeline.Usage
}

// Options is what to examine. All fields without a default are required.
type Options struct {
	Warehouse sinks.Warehouse
	// Copied: it is a host's copy of one in an object store.
	Copied bool
	// Books are the ledger and the journals. Default: files in the warehouse.
	Books books.Books
	Lake  Lake
	// Sources decode; they need no credentials.
	Sources func(pipeline.Task) (pipeline.Source, error)
	// Vendors are the accounts to look at. Default none.
	Vendors []Vendor
	// Now is the clock. Default time.Now.
	Now func() time.Time
}

func (o Options) withDefaults() Options {
	if o.Books == nil {
		o.Books = books.InFiles(o.Warehouse)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return o
}

// Examine looks at everything and changes nothing.
func Examine(ctx context.Context, o Options) []Finding {
	o = o.withDefaults()
	e := &examination{Options: o, now: o.Now()}
	e.openLedger(ctx)
	defer e.close()
	e.vendors(ctx)
	e.clock(ctx)
	e.held(ctx)
	if e.machine() {
		e.warehouse(ctx)
	}
	return e.findings
}

// Worst returns the worst level among the findings, and whether any of them is damage.
func Worst(findings []Finding) (worst Level, damage bool) {
	worst = OK
	for _, f := range findings {
		if f.Level == Bad || f.Level == Warn && worst == OK {
			worst = f.Level
		}
		damage = damage || f.Level == Bad && f.Damage
	}
	return worst, damage
}
