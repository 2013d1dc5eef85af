package journal

import (
	"context"
	"database/sql"
	"errors"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"backhaul/pipeline"
)

// with returns a journal that has one task, "a", with so many pages.
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

func attempt(t *testing.T, j *Journal, a pipeline.Attempt) {
	t.Helper()
	a.At = header.Created.Add(time.Duration(a.Seq) * time.Hour)
	if err := j.AddAttempt(context.Background(), "a", a); err != nil {
		t.Fatal(err)
	}
}

func unreadable(seq int, body string) pipeline.Attempt {
	return pipeline.Attempt{Seq: seq, Kind: pipeline.Malformed, Status: 200, MaybeUnits: 50, Message: "no JSON", Body: []byte(body), Request: []byte("ask"),
		Chain: 1, Ask: pipeline.Ask{Cursor: "token-1", Limit: 50}}
}

func placeOf(t *testing.T, j *Journal) pipeline.Place {
	t.Helper()
	places, err := j.Places(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return places["a"]
}

func replies(t *testing.T, j *Journal) []Reply {
	t.Helper()
	all, err := j.Replies(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestAListThatRepeatsItselfIsRememberedAtItsPlace(t *testing.T) {
	j := with(t, 2)
	if p := placeOf(t, j); p.Repeats() {
		t.Errorf("%+v", p)
	}
	attempt(t, j, pipeline.Attempt{Seq: 2, Kind: pipeline.Repeating, Message: "100 of 100"})
	p := placeOf(t, j)
	if !p.Repeats() || p.Attempts != 0 {
		t.Errorf("%+v: a finding is no request", p)
	}
	for a, err := range j.Attempts(context.Background()) {
		t.Errorf("%+v, %v", a, err)
	}
	add(t, j, page(2, 2))
	if p := placeOf(t, j); p.Repeats() || p.RepeatsAt != 2 {
		t.Errorf("%+v", p)
	}
}

func TestWhetherRowsCameAgainIsToldFromPagesAndFindings(t *testing.T) {
	for name, test := range map[string]struct {
		change func(*Journal)
		want   bool
	}{
		"a plain list":         {func(*Journal) {}, false},
		"a page that repeats":  {func(j *Journal) { p := page(2, 2); p.Repeated = true; add(t, j, p) }, true},
		"a cursor asked again": {func(j *Journal) { p := page(2, 2); p.Cursor = page(1, 2).Cursor; add(t, j, p) }, true},
		"an empty page at it":  {func(j *Journal) { p := page(2, 0); p.Cursor = page(1, 2).Cursor; add(t, j, p) }, false},
		"the start asked anew": {func(j *Journal) { p := page(2, 2); p.Cursor, p.Chain = "", 1; add(t, j, p) }, false},
		"a finding, bought on": {func(j *Journal) {
			attempt(t, j, pipeline.Attempt{Seq: 2, Kind: pipeline.Repeating})
			add(t, j, page(2, 2))
		}, true},
		"a reply that was no use": {func(j *Journal) { attempt(t, j, unreadable(2, "<html>")) }, false},
	} {
		j := with(t, 2)
		test.change(j)
		if got, err := j.Repeated(context.Background(), "a"); err != nil || got != test.want {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
}

func TestRepliesThatCannotBeReadAreKeptOnceAndCountedEach(t *testing.T) {
	j := with(t, 2)
	for _, body := range []string{"<html>", "{", "<html>"} {
		attempt(t, j, unreadable(2, body))
	}
	attempt(t, j, unreadable(1, "<html>")) // the same bytes at another place
	var same, sizes []int64
	for _, r := range replies(t, j) {
		same, sizes = append(same, r.SameAs), append(sizes, r.Size)
		body, err := j.Body(context.Background(), r)
		if err != nil || int64(len(body)) != r.Size || r.Open != (r.Seq == 2) {
			t.Errorf("%+v: %q, %v", r, body, err)
		}
	}
	if diff := cmp.Diff([][]int64{{1, 2, 1, 4}, {6, 1, 6, 6}}, [][]int64{same, sizes}); diff != "" {
		t.Error(diff)
	}
	var kept int
	if err := j.db.Read().QueryRow(`SELECT count(body) FROM attempts`).Scan(&kept); err != nil || kept != 3 {
		t.Errorf("%d bodies kept, %v", kept, err)
	}
	if p := placeOf(t, j); p.Unreadable != 3 || p.Recovered != 1 || p.MaybeUnits != 200 {
		t.Errorf("%+v", p)
	}
}

func TestAReplyThatIsReadAfterAllBecomesTheNextPage(t *testing.T) {
	j := with(t, 2)
	attempt(t, j, unreadable(2, "{"))
	attempt(t, j, unreadable(2, "{}"))
	r := replies(t, j)[1]
	got, ask, err := j.Received(context.Background(), r)
	want := pipeline.Page{Seq: 2, Chain: 1, Cursor: "token-1", Request: []byte("ask"), Status: 200, Body: []byte("{}"), FetchedAt: header.Created.Add(2 * time.Hour)}
	if diff := cmp.Diff(want, got); err != nil || diff != "" || ask != (pipeline.Ask{Cursor: "token-1", Limit: 50}) {
		t.Fatalf("%v, %+v, %s", err, ask, diff)
	}
	got.Rows, got.Next = 3, "token-2"
	if err := j.Redeem(context.Background(), r, got); err != nil {
		t.Fatal(err)
	}
	p := placeOf(t, j)
	if p.Pages != 3 || p.Next != "token-2" || p.Units != 4 || p.MaybeUnits != 100 || p.Unreadable != 0 {
		t.Errorf("%+v", p)
	}
	if p.Recovered != 0 {
		t.Error("that the program was updated says nothing of the vendor")
	}
	for _, r := range replies(t, j) {
		if !r.Read || r.Open {
			t.Errorf("%+v", r)
		}
	}
	if err := j.Redeem(context.Background(), r, got); err == nil {
		t.Error("the page was entered twice")
	}
}

func TestAFlippedBitInAKeptReplyIsDamage(t *testing.T) {
	j := with(t, 0)
	attempt(t, j, unreadable(0, "a reply that cannot be read"))
	err := j.db.Write(context.Background(), func(tx *sql.Tx) error {
		_, err := tx.Exec(`UPDATE attempts SET body = ?`, j.enc.EncodeAll([]byte("a reply that cannot be raed"), nil))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := j.Body(context.Background(), replies(t, j)[0]); !errors.Is(err, ErrDamaged) {
		t.Error(err)
	}
}

// Format 2 kept of a reply its bytes alone.
func TestAJournalOfFormat2Opens(t *testing.T) {
	ctx, path := context.Background(), filepath.Join(t.TempDir(), "j.sqlite")
	j := open(t, path)
	if err := j.AddTasks(ctx, []pipeline.Task{task("a")}); err != nil {
		t.Fatal(err)
	}
	err := j.db.Write(ctx, func(tx *sql.Tx) error {
		for _, column := range []string{"chain", "cursor", "asked", "request", "size", "checksum", "read"} {
			if _, err := tx.Exec(`ALTER TABLE attempts DROP COLUMN ` + column); err != nil {
				return err
			}
		}
		_, err := tx.Exec(`INSERT INTO attempts (task, seq, at, kind, status, maybe_units, message, body) VALUES (1, 0, 0, 'malformed', 200, 50, 'no JSON', ?);
			PRAGMA user_version = 2`, j.enc.EncodeAll([]byte("<html>"), nil))
		return err
	})
	if err = errors.Join(err, j.Close()); err != nil {
		t.Fatal(err)
	}
	j = open(t, path)
	defer j.Close()
	attempt(t, j, unreadable(0, "<html>"))
	all := replies(t, j)
	if len(all) != 2 || placeOf(t, j).Unreadable != 2 {
		t.Fatalf("%+v", all)
	}
	for i, r := range all {
		p, _, err := j.Received(ctx, r)
		if err != nil || string(p.Body) != "<html>" || (p.Request != nil) != (i == 1) {
			t.Errorf("%+v, %v", p, err)
		}
	}
}
