// Package recovery brings a warehouse back to order after processes died, files were lost or damaged, or the ledger forgot: it
// settles dead runs, rebuilds what can be derived from the journals, and tells what cannot.
//
// A run that no process has to itself and that has not ended is dead: see [books.Possession]. It does not know how a run is carried out.
package recovery
