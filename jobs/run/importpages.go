package run

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"

	"backhaul/jobs/archive"
	"backhaul/pipeline"
)

// append writes the pages that are new. It reads the files a second time, rather than hold an archive in memory.
func (r *runner) append(ctx context.Context, imp Import, day *archiveDay, one *Imported) error {
	waiting, last, err := r.missingReplies(ctx, day, one)
	if err != nil || len(waiting) == 0 {
		return err
	}
	group := pageGroup{runner: r}
	for _, path := range day.files {
		for p, err := range imp.Pages(path) {
			if err == nil {
				err = ctx.Err()
			}
			if err != nil {
				return errors.Join(err, group.write(context.WithoutCancel(ctx)))
			}
			c := sha256.Sum256(p.Page.Body)
			if !p.Date.Equal(day.date) || !waiting[p.Task.ID][c] {
				continue
			}
			delete(waiting[p.Task.ID], c)
			if err := group.add(ctx, p, last[p.Task.ID] == c); err != nil {
				return err
			}
			one.Pages++
			one.Rows += int64(p.Page.Rows)
		}
	}
	for id, rest := range waiting {
		if len(rest) > 0 {
			return fmt.Errorf("task %s: %d of its replies are gone: the files have changed since they were checked; import them again", id, len(rest))
		}
	}
	return group.write(ctx)
}

// pageGroup is pages of one task that wait to be written together.
type pageGroup struct {
	*runner
	task  string
	pages []pipeline.Page
	bytes int
}

// add makes a reply the next page of its task.
func (g *pageGroup) add(ctx context.Context, p archive.Page, end bool) error {
	const most = 16 << 20
	if g.task != p.Task.ID || g.bytes > most {
		if err := g.write(ctx); err != nil {
			return err
		}
	}
	g.task, g.bytes = p.Task.ID, g.bytes+len(p.Page.Body)
	g.pages = append(g.pages, g.placed(p, end))
	return nil
}

func (g *pageGroup) write(ctx context.Context) error {
	if len(g.pages) == 0 {
		return nil
	}
	err := g.journal.Take(ctx, g.task, fromArchive, func(yield func(pipeline.Page, error) bool) {
		for _, p := range g.pages {
			if !yield(p, nil) {
				return
			}
		}
	})
	g.pages, g.bytes = g.pages[:0], 0
	return err
}

// missingReplies returns, by task, the replies the journal does not have, and the last of them.
func (r *runner) missingReplies(ctx context.Context, day *archiveDay, one *Imported) (waiting map[string]map[content]bool, last map[string]content, err error) {
	waiting, last = map[string]map[content]bool{}, map[string]content{}
	for _, t := range day.tasks {
		held := map[content]bool{}
		if r.places[t.ID].Pages > 0 {
			for page, err := range r.journal.Pages(ctx, t.ID) {
				if err != nil {
					return nil, nil, err
				}
				held[sha256.Sum256(page.Body)] = true
			}
		}
		for _, c := range day.replies[t.ID] {
			if held[c] {
				one.Known++
				continue
			}
			if waiting[t.ID] == nil {
				waiting[t.ID] = map[content]bool{}
			}
			waiting[t.ID][c], last[t.ID] = true, c
		}
	}
	return waiting, last, nil
}

// placed gives a reply its place behind the pages that its task has, and moves that on.
func (r *runner) placed(p archive.Page, end bool) pipeline.Page {
	place := r.places[p.Task.ID]
	page := p.Page
	page.Seq, page.End, page.Cursor = place.Pages, end, pipeline.ImportedAt(place.Rows)
	place.Pages++
	place.Rows += int64(page.Rows)
	if !end {
		page.Next = pipeline.ImportedAt(place.Rows)
	}
	r.places[p.Task.ID] = place
	return page
}
