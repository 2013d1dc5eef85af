package intake

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"iter"
	"maps"

	"backhaul/jobs/archive"
	"backhaul/pipeline"
)

// From stands in place of the run that pages were taken over from.
const From = "archive"

// Journal is where pages become durable; see [backhaul/pipeline/journal].
type Journal interface {
	Pages(ctx context.Context, taskID string) iter.Seq2[pipeline.Page, error]
	Take(ctx context.Context, taskID, fromRun string, pages iter.Seq2[pipeline.Page, error]) error
}

// Entered is what became of the replies of a day.
type Entered struct {
	// Pages and Rows are new; Known pages were entered before and are left as they are.
	Pages, Known int
	Rows         int64
}

// Enter makes the replies that a journal does not have the next pages of their tasks, which it must know, and have come to those
// places. It goes through the files a second time, rather than hold an archive in memory.
func (d *Day) Enter(ctx context.Context, j Journal, places map[string]pipeline.Place) (entered Entered, err error) {
	waiting, last, err := d.missing(ctx, j, places, &entered)
	if err != nil || len(waiting) == 0 {
		return entered, err
	}
	group := pageGroup{journal: j, places: map[string]pipeline.Place{}}
	maps.Copy(group.places, places)
	for _, path := range d.files {
		for p, err := range d.archive.Again(path) {
			if err == nil {
				err = ctx.Err()
			}
			if err != nil {
				return entered, errors.Join(err, group.write(context.WithoutCancel(ctx)))
			}
			c := sha256.Sum256(p.Page.Body)
			rows, waits := waiting[p.Task.ID][c]
			if !waits || !p.Date.Equal(d.Date) {
				continue
			}
			p.Page.Rows = rows
			delete(waiting[p.Task.ID], c)
			if err := group.add(ctx, p, last[p.Task.ID] == c); err != nil {
				return entered, err
			}
			entered.Pages++
			entered.Rows += int64(p.Page.Rows)
		}
	}
	for id, rest := range waiting {
		if len(rest) > 0 {
			return entered, fmt.Errorf("task %s: %d of its replies are gone: the files have changed since they were checked; import them again", id, len(rest))
		}
	}
	return entered, group.write(ctx)
}

// pageGroup is pages of one task that wait to be written together.
type pageGroup struct {
	journal Journal
	places  map[string]pipeline.Place // which tasks have come to, those that wait included
	task    string
	pages   []pipeline.Page
	bytes   int
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
	err := g.journal.Take(ctx, g.task, From, func(yield func(pipeline.Page, error) bool) {
		for _, p := range g.pages {
			if !yield(p, nil) {
				return
			}
		}
	})
	g.pages, g.bytes = g.pages[:0], 0
	return err
}

// placed gives a reply its place behind the pages that its task has, and moves that on.
func (g *pageGroup) placed(p archive.Page, end bool) pipeline.Page {
	place := g.places[p.Task.ID]
	page := p.Page
	page.Seq, page.End, page.Cursor = place.Pages, end, pipeline.ImportedAt(place.Rows)
	place.Pages++
	place.Rows += int64(page.Rows)
	if !end {
		page.Next = pipeline.ImportedAt(place.Rows)
	}
	g.places[p.Task.ID] = place
	return page
}

// missing returns, by task, the replies the journal does not have, with their rows, and the last of them, and counts the others.
func (d *Day) missing(ctx context.Context, j Journal, places map[string]pipeline.Place, entered *Entered) (waiting map[string]map[content]int, last map[string]content, err error) {
	waiting, last = map[string]map[content]int{}, map[string]content{}
	for _, t := range d.Tasks {
		held := map[content]bool{}
		if places[t.ID].Pages > 0 {
			for page, err := range j.Pages(ctx, t.ID) {
				if err != nil {
					return nil, nil, err
				}
				held[sha256.Sum256(page.Body)] = true
			}
		}
		for _, one := range d.replies[t.ID] {
			c := one.content
			if held[c] {
				entered.Known++
				continue
			}
			if waiting[t.ID] == nil {
				waiting[t.ID] = map[content]int{}
			}
			waiting[t.ID][c], last[t.ID] = one.rows, c
		}
	}
	return waiting, last, nil
}
