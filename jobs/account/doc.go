// Package account keeps a run's books: what its journal says of its tasks and its money, as the ledger and the ops tables tell
// it, and how that compares with what the vendors say.
//
// The journal is the truth; what stands here is derived from it. The package does not know how a run is carried out.
package account
