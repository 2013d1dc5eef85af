// Package sinktest holds the places a table can go to what is promised of them, so that it is written down once and every place is
// tried by it. There are two kinds, and a suite for each.
//
// [RunLake] tries a format of the lake's files, which this program writes once and reads for years:
//
//   - The values that are read are those that were written, for every type, with nulls, lists, and texts of any length and script.
//     A table without rows is a file too.
//   - The same rows make the same bytes. Checksums are those of the rows, however these were cut into batches, and the same for
//     who writes them, who reads them, and who only counts.
//   - Rows come in the table's order, with a value in every required column and in the table's columns, or are refused.
//   - A file that is there is never written over. Abort leaves nothing, may be called again, and does nothing after Close.
//   - Any operation on the storage may fail: the error names the file, and nothing is left. What was spoilt on its way is found
//     before it is called complete.
//   - Of a complete file every changed or missing byte is [sinks.ErrDamaged]; another table's is [sinks.ErrColumns].
//   - Where nothing fails, all memory is given back.
//
// [RunFormat] tries a kind of file for other programs, made of [sinks.Rows]:
//
//   - What another program finds there are the rows, in their order, under the names of their columns, each value as it was, null
//     apart from the empty text; or there is an error, and never part of a value or of the rows.
//   - No rows make a file too, whatever characters are in its path and in the names.
//   - The error behind the rows is told, and what was written before it reads as no file.
//
// How a file is laid out, how values are spelt, and what a format cannot hold is for the formats' own tests. What a caller makes
// of an error (a name that appears with the whole file alone) is the caller's.
package sinktest

import (
	"iter"

	"backhaul/sinks"
)

// Rows returns rows, and the error behind them if there is one, as those of a view.
func Rows(name string, columns []sinks.Column, behind error, rows ...[]any) sinks.Rows {
	return sinks.Rows{Name: name, Columns: columns, Count: int64(len(rows)), All: all(behind, rows)}
}

func all(behind error, rows [][]any) iter.Seq2[[]any, error] {
	return func(yield func([]any, error) bool) {
		for _, row := range rows {
			if !yield(row, nil) {
				return
			}
		}
		if behind != nil {
			yield(nil, behind)
		}
	}
}
