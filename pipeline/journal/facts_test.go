package journal

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"iter"
	"path/filepath"
	"testing"

	"backhaul/pipeline"
)

// change makes a change to the file that the program would never make.
func change(t *testing.T, j *Journal, statement string) {
	t.Helper()
	if err := j.db.Write(t.Context(), func(tx *sql.Tx) error { _, err := tx.Exec(statement); return err }); err != nil {
		t.Fatal(err)
	}
}

func TestAnyFactOfAPageThatChangesIsDamage(t *testing.T) {
	for _, set := range []string{"chain = 1", "repeated = 1", "cursor = 'x'", "next = 'x'", "next = 'oken-1', cursor = cursor || 't'", "ended = 1", "request = x'00'",
		"status = 500", "fetched_at = fetched_at + 1", "rows = rows + 1", "overlap = overlap + 1", "units = units + 1", "listed = listed + 1",
		"cache = 'hit'", "size = size + 1", "checksum = x''", "body = x''"} {
		j := with(t, 1)
		p := page(1, 40)
		p.Overlap, p.Listed, p.Cache = 3, 41, "miss"
		add(t, j, p)
		change(t, j, "UPDATE pages SET "+set+" WHERE seq = 1")
		if pages, err := collect(t, j, "a"); !errors.Is(err, ErrDamaged) || len(pages) != 1 {
			t.Errorf("%s: read as %d pages, %v", set, len(pages), err)
		}
		if _, err := j.Places(t.Context()); !errors.Is(err, ErrDamaged) {
			t.Errorf("%s: places with %v", set, err)
		}
		if err := j.Check(t.Context()); !errors.Is(err, ErrDamaged) {
			t.Errorf("%s: examined with %v", set, err)
		}
	}
}

func TestAPageThatIsMissingIsDamageAndNothingBehindItIsRead(t *testing.T) {
	for seq := range 3 {
		j := with(t, 3)
		change(t, j, fmt.Sprint("DELETE FROM pages WHERE seq = ", seq))
		if pages, err := collect(t, j, "a"); !errors.Is(err, ErrDamaged) || len(pages) != seq {
			t.Errorf("without page %d: %d pages, %v", seq, len(pages), err)
		}
		if _, err := j.Places(t.Context()); !errors.Is(err, ErrDamaged) {
			t.Errorf("without page %d: places with %v", seq, err)
		}
	}
}

func TestPagesOfATaskThatSaysItHasNoneAreDamage(t *testing.T) {
	j := with(t, 3)
	change(t, j, "UPDATE tasks SET pages = 0")
	if places, err := j.Places(t.Context()); !errors.Is(err, ErrDamaged) {
		t.Errorf("%+v, %v", places, err)
	}
}

func TestAPageIsKeptTogetherWithItsCountOrNotAtAll(t *testing.T) {
	j := with(t, 1)
	change(t, j, `CREATE TRIGGER full BEFORE UPDATE OF pages ON tasks BEGIN SELECT RAISE(ABORT, 'no space left on device'); END`)
	if err := j.Append(t.Context(), "a", page(1, 40)); err == nil {
		t.Error("appended")
	}
	if pages, err := collect(t, j, "a"); len(pages) != 1 || err != nil {
		t.Errorf("%d pages, %v", len(pages), err)
	}
}

func TestAPlaceHasTheNewRowsOfItsChain(t *testing.T) {
	j := with(t, 0)
	for seq, set := range []func(*pipeline.Page){
		func(p *pipeline.Page) {},
		func(p *pipeline.Page) { p.Chain, p.Overlap = 1, 10 },
		func(p *pipeline.Page) { p.Chain, p.Repeated = 1, true },
		func(p *pipeline.Page) { p.Chain, p.Overlap = 1, 1 },
	} {
		p := page(seq, 40)
		set(&p)
		add(t, j, p)
	}
	if p := placeOf(t, j); p.Rows != 40+30+39 || p.ChainRows != 30+39 || p.Waste != 10+40+1 || p.Units != 4*40 || p.Chain != 1 {
		t.Errorf("%+v", p)
	}
}

func TestPagesTakenOverAreNotPaidForAgain(t *testing.T) {
	from, j := with(t, 2), with(t, 0)
	if err := j.Take(t.Context(), "a", "run-0", from.Pages(t.Context(), "a")); err != nil {
		t.Fatal(err)
	}
	if p := placeOf(t, j); p.Pages != 2 || p.Units != 0 || p.ReusedFrom != "run-0" {
		t.Errorf("%+v", p)
	}
	broken := iter.Seq2[pipeline.Page, error](func(yield func(pipeline.Page, error) bool) {
		_ = yield(page(0, 1), nil) && yield(pipeline.Page{}, errors.New("its checksum does not fit"))
	})
	other := with(t, 0)
	if err := other.Take(t.Context(), "a", "run-0", broken); err == nil || placeOf(t, other).Pages != 0 {
		t.Errorf("taken over in part: %+v, %v", placeOf(t, other), err)
	}
}

func TestAJournalOfAnotherNightIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "j.sqlite")
	if err := open(t, path).Close(); err != nil {
		t.Fatal(err)
	}
	for _, other := range []Header{{Job: header.Job, RunDate: "2026-11-24"}, {Job: "weekly", RunDate: header.RunDate}} {
		if j, err := Open(context.Background(), path, other); !errors.Is(err, ErrDamaged) {
			t.Errorf("%+v: %v, %v", other, j, err)
		}
	}
}

func TestTheSameBytesAtAnotherPlaceAreKeptThere(t *testing.T) {
	j := with(t, 1)
	attempt(t, j, unreadable(0, "<html>"))
	attempt(t, j, unreadable(1, "<html>"))
	for _, r := range replies(t, j) {
		if body, err := j.Body(t.Context(), r); err != nil || string(body) != "<html>" || r.SameAs != r.No {
			t.Errorf("%+v: %q, %v", r, body, err)
		}
	}
}

func with(t *testing.T, pages int) *Journal {
	t.Helper()
	j := open(t, filepath.Join(t.TempDir(), "j.sqlite"))
	t.Cleanup(func() { _ = j.Close() })
	if err := j.AddTasks(context.Background(), []pipeline.Task{task("a")}); err != nil {
		t.Fatal(err)
	}
	for seq := range pages {
		add(t, j, page(seq, 2))
	}
	return j
}

func add(t *testing.T, j *Journal, p pipeline.Page) {
	t.Helper()
	if err := j.Append(context.Background(), "a", p); err != nil {
		t.Fatal(err)
	}
}

func placeOf(t *testing.T, j *Journal) pipeline.Place {
	t.Helper()
	places, err := j.Places(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return places["a"]
}

func collect(t *testing.T, j *Journal, id string) ([]pipeline.Page, error) {
	t.Helper()
	var pages []pipeline.Page
	for p, err := range j.Pages(context.Background(), id) {
		if err != nil {
			return pages, err
		}
		pages = append(pages, p)
	}
	return pages, nil
}
