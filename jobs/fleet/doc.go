// Package fleet has Temporal run what one process runs else, for hosts that share a database: a workflow is a run ([Run]), its activity
// conducts it (today's package run, with [Engine] to buy), and the lists of an account are bought by activities, one each, on whichever host has
// the credentials ([Buyers]). [Night] is what a schedule starts. A run is replayed by a workflow of its own ([Replay]).
//
// What is bought, and what it may cost, is in PostgreSQL and fenced there (package books): Temporal says who is to do what, and may be wrong
// about who still does. Through its history go ids, endings and amounts, and never a page or a credential.
//
// The package is built with the tag fleet alone. It knows no flags and no files: who conducts a run, and what buys a list, is given to it.
package fleet
