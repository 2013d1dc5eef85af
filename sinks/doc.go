// Package sinks holds the contracts of the data's last stretch: Arrow batches are written to a staged file, the
// staged file is verified, and publishing makes it part of the lake.
//
// The package knows the layout of the warehouse and what a staged file is. It knows no vendor, no job and no
// file format; the formats live in the packages below it.
//
// # Why publishing is atomic
//
// The lake has one file per (table, job, run date), and its name is a function of the three. Writing a run's
// table again therefore means replacing exactly one file, and rename(2) inside one filesystem does exactly that:
// a reader that looks the name up finds the old file or the new one, never neither and never a part; a reader
// that has the old file open goes on reading the old bytes, which live until it closes them. Files of other runs
// are not touched, so nothing has to be copied, hard-linked or exchanged, and publishing the same run twice
// leaves what publishing it once leaves.
//
// Staging lies inside the warehouse for that reason: a rename does not cross filesystems. The order that makes a
// crash harmless is
//
//  1. write the staged file, fsync it, read it back and verify it;
//  2. rename it to its final name;
//  3. fsync the directory, and the parents of directories newly made.
//
// A crash before 2 leaves a file in staging, which the next run sweeps away; between 2 and 3 the lake has the old
// or the new file, both whole.
package sinks
