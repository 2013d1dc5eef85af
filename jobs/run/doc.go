// Package run carries one run from its plan to its tables: it enters the run in the ledger, lets the engine buy what is
// missing into the journal, loads the journal into staged files and publishes those.
//
// Whatever stops a run, the next run of the same job and date goes on from the journal. Loading reads the journal only,
// so a lake can be rebuilt at any time, for free.
//
// The package is where all rooms meet; it knows their contracts, not their formats. The clock, the run's id and what a
// vendor account allows are given to it.
package run
