// Package sinks holds the contracts of the data's last stretch: Arrow batches are written to a staged file, the
// staged file is verified, and publishing makes it part of the lake.
//
// The package knows the layout of the warehouse and what a staged file is. It knows no vendor, no job and no
// file format; the formats live in the packages below it.
//
// # Why readers need no lock
//
// The lake has a directory per table and month, and its files have names that never mean other bytes ([Name]): a
// query that opens a file twice, as DuckDB does, reads the same file twice or none. What is published is therefore
// a change of names alone, and there are two:
//
//   - A run's table that is new is one name more in its month: one rename(2) out of staging.
//   - What replaces something (a run that is loaded again, a month that is merged) takes several names away and
//     gives several. The month's directory is built again beside the lake, of hard links to the files that stay and
//     of the new ones, and the two directories are exchanged in one step (renameat2, renamex_np). Whoever lists the
//     month sees all of the old state or all of the new one; a file that stays has its name in both.
//
// The directory that was exchanged away is kept for a while, since somebody may be in the middle of listing it. A
// query that has listed the month and comes to a file that is no more ends with an error that names it. But DuckDB
// and Arrow list a directory, look at each name, and leave out without a word what has gone since. So the names that
// go are in the new directory as well, at first: they lead to a file that is no Parquet file, which every reader says.
// They are taken away as soon as nobody has the old directory open (inotify, on Linux), and lead nowhere once the
// process has died. An exchange is made when nobody has been listing for a moment, so that such errors are rare.
//
// Where the filesystem cannot exchange directories (some network and user-space ones) what is replaced is removed
// before the new name appears: for a moment a reader sees that run's rows not at all, and never twice. A crash in
// that moment leaves them out until the run is replayed, which doctor says.
//
// Staging lies inside the warehouse because neither step crosses filesystems. The order that makes a crash
// harmless is
//
//  1. write the staged file, fsync it, read it back and verify it;
//  2. give it its name, or build the new directory and fsync it; exchange;
//  3. fsync the directory that has the names, and the parents of directories newly made.
//
// A crash before 2 is done leaves files in staging, which the next run sweeps away; after it the lake has the old
// state or the new one. One process at a time changes a table, under its lock.
package sinks
