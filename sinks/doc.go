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
// whoever looks the name up finds the old file or the new one, never neither and never a part; whoever has the old
// file open goes on reading the old bytes, which live until it closes them. Files of other runs are not touched,
// so nothing has to be copied or exchanged, and publishing the same run twice leaves what publishing it once
// leaves.
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
//
// # Why the catalog names versions
//
// A query is not one open file: DuckDB (1.1.3 and 1.5.5, with any options) opens a file once to learn its
// footer and again, by name, to read it. If the name has been given to other bytes in between, a query fails on
// bytes that make no sense or, more rarely, returns wrong rows without any error. A directory exchange has the
// same fault. So the catalog's views do not name the lake's files but hard links to them under names that never
// mean anything else ([Warehouse.Versions]). The catalog, itself replaced by one rename, is where a query's view
// of the lake begins and ends: a session that has it open sees the lake as it was when the catalog was built, all
// tables of a run at once. A version that the lake no longer has is kept for a day after it was replaced, for
// queries under way.
package sinks
