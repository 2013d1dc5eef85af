// Package intake brings archived replies into the journal of a run: which of them there are for each date, which the journal has
// already, and at which place of which task the others are entered. A reply is known by its content, so the same files again enter
// nothing, and files that were added to an archive add their pages to the lists they go on.
//
// It reads archives as package archive does, knows a journal by two of its methods, and nothing of runs and tables.
package intake
