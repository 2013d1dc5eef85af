package intake

import (
	"context"
	"crypto/sha256"
	"errors"
	"iter"
	"maps"
	"slices"
	"time"

	"backhaul/jobs/archive"
	"backhaul/pipeline"
)

// Archive is files of replies.
type Archive struct {
	// Files are read in their order: replies about the same question follow each other in it.
	Files []string
	// Pages yields what a file holds, and Again the same, but for the Rows, which it need not know.
	Pages, Again func(path string) iter.Seq2[archive.Page, error]
}

// mostProblems is how many problems of archives are collected before reading them is given up.
const mostProblems = 100

// Error means that files cannot be read.
type Error struct {
	// Problems are each a *archive.Problem or the error of a file.
	Problems []error
	// More: the rest was not read.
	More bool
}

func (e *Error) Error() string { return errors.Join(e.Problems...).Error() }

func (e *Error) Unwrap() []error { return e.Problems }

// content is what a reply is known by.
type content [sha256.Size]byte

// Day is what an archive holds for one date.
type Day struct {
	Date  time.Time
	Tasks []pipeline.Task

	archive Archive
	files   []string // those that hold any of it
	// replies are each task's replies in their order, without those that are there twice.
	replies map[string][]counted
	seen    map[string]map[content]bool
}

// counted is what is kept of one.
type counted struct {
	content
	rows int
}

// Survey reads all files and keeps of every reply what it is known by. It returns the days in their order; with a problem anywhere
// the error is an *Error.
func (a Archive) Survey(ctx context.Context) ([]*Day, error) {
	dates, failed := map[string]*Day{}, &Error{}
	for _, path := range a.Files {
		for page, err := range a.Pages(path) {
			switch {
			case ctx.Err() != nil:
				return nil, ctx.Err()
			case err == nil:
				a.note(dates, page)
				continue
			}
			if failed.Problems = append(failed.Problems, err); len(failed.Problems) == mostProblems {
				failed.More = true
				return nil, failed
			}
		}
	}
	switch {
	case len(failed.Problems) > 0:
		return nil, failed
	case len(dates) == 0:
		return nil, errors.New("the files hold no reply")
	}
	days := make([]*Day, 0, len(dates))
	for _, date := range slices.Sorted(maps.Keys(dates)) {
		days = append(days, dates[date])
	}
	return days, nil
}

func (a Archive) note(dates map[string]*Day, p archive.Page) {
	key := p.Date.Format(time.DateOnly)
	d := dates[key]
	if d == nil {
		d = &Day{Date: p.Date, archive: a, replies: map[string][]counted{}, seen: map[string]map[content]bool{}}
		dates[key] = d
	}
	if n := len(d.files); n == 0 || d.files[n-1] != p.File {
		d.files = append(d.files, p.File)
	}
	id := p.Task.ID
	if d.seen[id] == nil {
		d.seen[id] = map[content]bool{}
		d.Tasks = append(d.Tasks, p.Task)
	}
	if c := sha256.Sum256(p.Page.Body); !d.seen[id][c] {
		d.seen[id][c] = true
		d.replies[id] = append(d.replies[id], counted{c, p.Page.Rows})
	}
}
