// Package recovery brings a warehouse back to order after processes died, files were lost or damaged, or the ledger forgot: it
// settles dead runs, rebuilds what can be derived from the journals, and tells what cannot.
//
// It owns the lock by which one process at a time works on a run, since that tells the dead from the living. It does not know
// how a run is carried out.
package recovery
