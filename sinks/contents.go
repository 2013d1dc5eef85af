package sinks

import "errors"

// ErrDamaged is in the chain of every error that means that a file of the lake, or the catalog, cannot be read as it was
// written.
var ErrDamaged = errors.New("the file is damaged")

// ErrColumns means that a whole file has other columns than its table declares today: it was written by another version
// of this program.
var ErrColumns = errors.New("its columns are not those the table has today")

// ErrStale means that the catalog was written for another place, before the warehouse was moved or copied, or by another
// version of the program.
var ErrStale = errors.New("it was written for another place, or by another version")

// Contents is what a file of the lake, or a sequence of batches, holds, in a form that can be compared.
type Contents struct {
	Rows  int64
	Bytes int64 // size of the file; 0 for batches
	// Columns are the checksums of the table's columns, in their order.
	Columns []uint64
	// Checksum is that of all columns: see Staged.
	Checksum uint64
	// Runs are the ids in column run_id, each once, in the order they come.
	Runs []string
}

// Digester is a writer that keeps nothing but checksums: what it was given, staged nowhere.
type Digester interface {
	Writer
	// Contents returns what was written. It is called once, after the last Write, in place of Close.
	Contents() Contents
}
