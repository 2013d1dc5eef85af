package sinks

import "iter"

// Rows are those of a table or view on their way into a file for another program.
type Rows struct {
	// Name is that of the table or view, with its schema: marts.anchor_changes.
	Name    string
	Columns []Column
	// Count is how many there are.
	Count int64
	// All yields each row's values in the order of the columns: nil for null, else of the type that the column's kind says. A
	// row is valid until the next one; an error is the last thing yielded.
	All iter.Seq2[[]any, error]
}

// Column is one of a table or view.
type Column struct {
	Name string
	Kind Kind
}

// Kind is what a column's values are, as far as programs agree on it.
type Kind uint8

// The kinds of columns, and the type that their values have.
const (
	Text      Kind = iota // string; lists and structures as JSON
	Integer               // int64
	Number                // float64
	Boolean               // bool
	Date                  // time.Time, midnight UTC
	Timestamp             // time.Time, UTC
)
