package pipeline

import (
	"strconv"
	"strings"
	"time"
)

// Cursor is a place in a vendor's list: opaque to everybody but the source that returned it. "" is the start.
type Cursor string

const imported = "imported:"

// ImportedAt is the place of a page from an archive, behind so many rows of the pages before it: how the vendor led from page
// to page is not known. The first has "".
func ImportedAt(rows int64) Cursor {
	if rows == 0 {
		return ""
	}
	return Cursor(imported + strconv.FormatInt(rows, 10))
}

// Imported says that the page at the place comes from an archive, so that a source that keeps something in its cursors finds
// nothing here.
func (c Cursor) Imported() bool { return strings.HasPrefix(string(c), imported) }

// Page is one paid response, exactly as it was received, with what the source read off it.
type Page struct {
	// Seq is the page's place among its task's pages, from 0. It counts on when the list is restarted.
	Seq int
	// Chain counts the restarts of the list: pages of one chain follow each other without a gap.
	Chain int
	// Repeated: every row of the page had come in its chain before.
	Repeated bool
	// Cursor is the place the page was asked at.
	Cursor Cursor
	// Next is the place after the page; meaningless when End.
	Next Cursor
	// End: the vendor's list ends with this page.
	End bool
	// Request is the body (or query) as sent, without credentials.
	Request []byte
	Status  int
	Body    []byte
	// FetchedAt is when the response had arrived whole, UTC.
	FetchedAt time.Time
	// Rows is how many rows the response holds.
	Rows int
	// Overlap is how many of Rows the chain holds already, because the continuation had to begin before the place reached.
	// Decode leaves them out.
	Overlap int
	// Units is what the vendor charges for the response.
	Units Units
	// Listed is the price by the vendor's rule where the vendor states it beside what it charged: more than Units for what
	// its cache or a free target gives away. Default 0: not stated.
	Listed Units
	// Cache is what the vendor says of its cache: hit, miss, no_cache. "" if it says nothing.
	Cache string
	// Tail is what the list is sorted by, descending, as it stands at the end of a list's first page: of two lists the one
	// with the higher tail is likely to be the longer. 0 where the source does not tell. It is not kept.
	Tail float64
}

// Ask says which page of a task is wanted.
type Ask struct {
	Cursor Cursor
	// Limit is the largest number of rows wanted. Default 0: the endpoint's page size.
	Limit int
}
