package sinks

import "github.com/apache/arrow-go/v18/arrow"

// Staged is a file that is complete, verified and durable in staging, and not yet part of the lake.
type Staged struct {
	Path  string // absolute if the warehouse's root is
	Rows  int64
	Bytes int64 // size of the file
	// Checksum is xxh3 over the values of all columns in row order. It does not depend on how the rows were cut
	// into batches or how the file encodes them, so equal checksums mean equal rows.
	Checksum uint64
}

// Writer turns record batches of one table into one staged file. It is for one goroutine.
type Writer interface {
	// Write appends the rows of a batch, which has the table's Arrow schema or its ArrowRuns. The batch stays the caller's, who may
	// release it as soon as Write returns. After an error only Abort is of use.
	Write(batch arrow.RecordBatch) error
	// Close finishes the file and returns once it is verified and durable. After an error nothing is staged.
	Close() (Staged, error)
	// Abort removes what has been written. After Close it does nothing.
	Abort() error
}
