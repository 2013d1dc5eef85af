package journal

import (
	"context"
	"database/sql"
	"errors"
	"maps"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"backhaul/pipeline"
)

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

func replies(t *testing.T, j *Journal) []Reply {
	t.Helper()
	all, err := j.Replies(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestTheSameReplyAtAPlaceIsKeptOnce(t *testing.T) {
	j := open(t, filepath.Join(t.TempDir(), "j.sqlite"))
	defer j.Close()
	if err := j.AddTasks(context.Background(), []pipeline.Task{task("a")}); err != nil {
		t.Fatal(err)
	}
	for _, a := range []pipeline.Attempt{unreadable(2, "<html>"), unreadable(2, "{"), unreadable(2, "<html>"), unreadable(1, "<html>")} {
		attempt(t, j, a)
	}
	var kept int
	if err := j.db.Read().QueryRow(`SELECT count(body) FROM attempts`).Scan(&kept); err != nil || kept != 3 {
		t.Errorf("%d bodies kept, %v", kept, err)
	}
}

// asFormat3 takes away what format 4 has brought.
func asFormat3(tx *sql.Tx) error {
	for table, columns := range map[string]string{"header": "spec_hash state message started_at ended_at",
		"tasks": "intended stood ending error ended_at saved_units index_id again expected_units expected_next"} {
		for _, column := range strings.Fields(columns) {
			if _, err := tx.Exec(`ALTER TABLE ` + table + ` DROP COLUMN ` + column); err != nil {
				return err
			}
		}
	}
	_, err := tx.Exec(`PRAGMA user_version = 3`)
	return err
}

// What format 3 did not say is unknown, but for what a later resolution had left out.
func TestAJournalOfFormat3SaysNotHowItsRunStands(t *testing.T) {
	ctx, path := context.Background(), filepath.Join(t.TempDir(), "j.sqlite")
	j := open(t, path)
	left := task("left out")
	left.Extract = "links"
	err := errors.Join(j.AddTasks(ctx, []pipeline.Task{task("a"), left}), j.Resolve(ctx, "links", Resolution{Digest: "d"}),
		j.Stand(ctx, maps.All(map[string]Standing{"a": {Ending: pipeline.EndBudget}})), j.SetCourse(ctx, Course{State: "complete"}), j.db.Write(ctx, asFormat3), j.Close())
	if err != nil {
		t.Fatal(err)
	}
	j = open(t, path)
	defer j.Close()
	var entries []Entry
	err = j.Entries(ctx, func(e Entry) { entries = append(entries, e) })
	if diff := cmp.Diff([]Entry{{Task: task("a")}}, entries); diff != "" || err != nil {
		t.Error(diff, err)
	}
	if c, err := j.Course(ctx); c != (Course{}) || err != nil {
		t.Errorf("%+v, %v", c, err)
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
		if err := asFormat3(tx); err != nil {
			return err
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
	places, err := j.Places(ctx)
	if err != nil || len(all) != 2 || places["a"].Unreadable != 2 {
		t.Fatalf("%+v, %+v, %v", all, places, err)
	}
	for i, r := range all {
		p, _, err := j.Received(ctx, r)
		if err != nil || string(p.Body) != "<html>" || (p.Request != nil) != (i == 1) {
			t.Errorf("%+v, %v", p, err)
		}
	}
}
