// Package run carries one run from its plan to its tables: it enters the run in the ledger, has what is missing bought into the
// journal, loads the journal into staged files and publishes those.
//
// Whatever stops a run, the next run of the same job and date goes on from the journal. Loading reads the journal only,
// so a lake can be rebuilt at any time, for free.
//
// The package is the order of the steps, and what is entered between them. How a step is done is for the packages below it: what
// the accounts allow (budget), whose turn it is (chain), what is missing (price), buying that (buy), archived replies (intake),
// tables (load), the books (account), what dead runs left (recovery). The clock, the run's id and what a vendor account allows are
// given to it.
package run
