// Package archive reads files of replies that were archived, by this program or another, and makes pages of them: which
// endpoint each answers for, about which target, and when it was fetched.
//
// A file holds one reply or many, one after the other, as JSON or, where the surface reads it, as one document of XML; it
// may be compressed with gzip or zstd, whatever it is called. A reply is bare, exactly as the vendor sent it, or stands in a
// wrapper that says where it comes from:
//
//	{"endpoint": "anchors", "target": "example.com", "mode": "domain", "fetched_at": "2025-01-31T04:00:00Z",
//	 "url": "https://…", or "request": {…} or "…", "status": 200, "date": "2025-01-31", "response": {…} or "…"}
//
// Only response is required. What neither the wrapper nor its request says is taken from what the caller gives, and then
// from the file's name, ENDPOINT_TARGET[_MODE]_DATE[_NUMBER].json. What cannot be found is a problem, never a guess, with
// one exception: the endpoint of a bare reply is the one whose decoder recognises every row. Whose rows a reply about
// several targets or sources has stands in its request alone.
//
// The package knows no vendor and writes nothing. Credentials in archived requests are not kept: only parameters that the
// endpoint knows are.
package archive

import (
	"fmt"
	"iter"
	"time"

	"backhaul/pipeline"
)

// Given is what holds for replies that do not say it themselves. What they do say must not contradict it, but for Date,
// which is the run date whatever they say.
type Given struct {
	Endpoint, Target, Scope string
	Date                    time.Time
}

// Reader reads archives of one surface.
type Reader struct {
	// Sources are all of the surface. They need no credentials.
	Sources []pipeline.Source
	// NameOf returns the endpoint for another name the vendor has for it, "" if there is none. Default: none has one.
	NameOf func(name string) string
	// Surface is what the surface is called where it is imported: moz-v2.
	Surface string
	// Others are the surfaces whose replies may have been taken for this one's. Default: none is known.
	Others []Surface
	Given
}

// Surface is another surface than the reader's.
type Surface struct {
	Name    string // moz-rpc
	Sources []pipeline.Source
	// Archives: there is a reader of its archives too.
	Archives bool
}

// Page is one archived reply.
type Page struct {
	// File and Line are where it begins. Line counts from 1.
	File string
	Line int
	// Date is the run date it belongs to: a day, UTC.
	Date time.Time
	// Task is what it answers, with its ID.
	Task pipeline.Task
	// Page has the reply as it was archived, its rows and when it was fetched, but no place in a list.
	Page pipeline.Page
}

// Problem is something in a file that cannot be read as a reply.
type Problem struct {
	File string
	Line int
	Text string
}

func (p *Problem) Error() string { return fmt.Sprintf("%s:%d: %s", p.File, p.Line, p.Text) }

// Again yields the replies of a file whose Pages had no problem, as those do, but with no Rows: what rows a reply has was found
// out then, at the cost of reading them.
func (r *Reader) Again(path string) iter.Seq2[Page, error] {
	known := newExaminer(r)
	known.again = true
	return known.pages(path)
}

// Pages yields the replies of a file in their order. An error is a *Problem, unless the file itself cannot be read; behind
// one about a single reply the others follow.
func (r *Reader) Pages(path string) iter.Seq2[Page, error] { return newExaminer(r).pages(path) }

func (x *examiner) pages(path string) iter.Seq2[Page, error] {
	return func(yield func(Page, error) bool) {
		for found, err := range replies(path) {
			var page Page
			if err == nil {
				page, err = x.page(found)
			}
			if !yield(page, err) {
				return
			}
		}
	}
}
