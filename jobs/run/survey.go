package run

import (
	"context"
	"crypto/sha256"
	"errors"
	"time"

	"backhaul/jobs/archive"
	"backhaul/pipeline"
)

// content is what a reply is known by.
type content [sha256.Size]byte

// archiveDay is what the files hold for one date.
type archiveDay struct {
	date  time.Time
	files []string
	tasks []pipeline.Task
	// replies are the contents of each task's replies in their order, without those that are there twice.
	replies map[string][]content
	seen    map[string]map[content]bool
}

// survey reads all files and keeps of every reply what it is known by.
func survey(ctx context.Context, imp Import) (map[string]*archiveDay, error) {
	dates, failed := map[string]*archiveDay{}, &ArchiveError{}
	for _, path := range imp.Files {
		for page, err := range imp.Pages(path) {
			switch {
			case ctx.Err() != nil:
				return nil, ctx.Err()
			case err == nil:
				note(dates, page)
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
	return dates, nil
}

func note(dates map[string]*archiveDay, p archive.Page) {
	key := p.Date.Format(time.DateOnly)
	d := dates[key]
	if d == nil {
		d = &archiveDay{date: p.Date, replies: map[string][]content{}, seen: map[string]map[content]bool{}}
		dates[key] = d
	}
	if n := len(d.files); n == 0 || d.files[n-1] != p.File {
		d.files = append(d.files, p.File)
	}
	id := p.Task.ID
	if d.seen[id] == nil {
		d.seen[id] = map[content]bool{}
		d.tasks = append(d.tasks, p.Task)
	}
	if c := sha256.Sum256(p.Page.Body); !d.seen[id][c] {
		d.seen[id][c] = true
		d.replies[id] = append(d.replies[id], c)
	}
}
