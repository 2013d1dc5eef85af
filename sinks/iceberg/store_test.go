//go:build fleet

package iceberg

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow/memory"
	icesql "github.com/apache/iceberg-go/catalog/sql"
	"github.com/apache/iceberg-go/table"
	"github.com/google/go-cmp/cmp"
	"gocloud.dev/blob"
	"gocloud.dev/blob/memblob"
	_ "modernc.org/sqlite"

	"backhaul/schemas"
	"backhaul/sinks"
	disk "backhaul/sinks/blob"
	"backhaul/sinks/internal/sample"
	"backhaul/sinks/lake"
	"backhaul/sinks/parquet"
)

var (
	links = schemas.Lookup("moz.links")
	night = time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)
	made  atomic.Int64
)

// shop is an object store in memory, with a catalog in SQLite.
type shop struct {
	at     address
	bucket *blob.Bucket
	db     *sql.DB
}

func newShop(t *testing.T) *shop {
	t.Helper()
	db, err := sql.Open("sqlite", filepath.Join(t.TempDir(), "catalog.sqlite")+"?_pragma=busy_timeout(10000)&_pragma=journal_mode(WAL)&_txlock=immediate")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	if _, err := db.Exec(CatalogTables); err != nil {
		t.Fatal(err)
	}
	u := &url.URL{Scheme: "s3", Host: fmt.Sprint("bucket", made.Add(1)), Path: "/acme/links"}
	return &shop{at: address{url: u, prefix: "acme/links"}, bucket: memblob.OpenBucket(nil), db: db}
}

// host is a machine with a copy of its own.
func (s *shop) host(t *testing.T) lake.Lake {
	t.Helper()
	return lake.Lake{Warehouse: sinks.Warehouse{Root: t.TempDir()}, Origin: s.open(t)}
}

func (s *shop) open(t *testing.T) *Store {
	t.Helper()
	store, err := in(t.Context(), s.at, s.bucket, inDatabase(s.db, icesql.SQLite))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { open.remove(store) })
	return store
}

// stage writes rows of a run.
func stage(t *testing.T, of *schemas.Table, job string, date time.Time, rows int) string {
	t.Helper()
	w, err := parquet.Create(disk.FS{}, filepath.Join(t.TempDir(), "staged.parquet"), of, parquet.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if rows > 0 {
		batch := sample.NewShape(memory.DefaultAllocator, of, 10).Of(job, date).Next(rows)
		defer batch.Release()
		if err := w.Write(batch); err != nil {
			t.Fatal(err)
		}
	}
	staged, err := w.Close()
	if err != nil {
		t.Fatal(err)
	}
	return staged.Path
}

func publish(t *testing.T, l lake.Lake, job string, date time.Time, rows int) {
	t.Helper()
	if _, err := l.Publish(t.Context(), links, job, date, stage(t, links, job, date, rows)); err != nil {
		t.Fatal(err)
	}
}

// rows are those that a copy has after it was brought up to date, by run.
func rows(t *testing.T, l lake.Lake) map[string]int64 {
	t.Helper()
	if _, err := l.Pull(t.Context(), links); err != nil {
		t.Fatal(err)
	}
	all := map[string]int64{}
	months, err := l.Months(links)
	if err != nil {
		t.Fatal(err)
	}
	for _, month := range months {
		files, err := l.Month(links, month)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			contents, err := parquet.Read(f.Path, links)
			if err != nil {
				t.Fatal(err)
			}
			all[f.Job+" "+f.Date.Format(time.DateOnly)] += contents.Rows
		}
	}
	return all
}

// planned are the rows that Iceberg's own reader counts, and what the current snapshot says of itself.
func planned(t *testing.T, s *Store) (rows int64, summary map[string]string) {
	t.Helper()
	tbl, err := s.load(t.Context(), links)
	if err != nil {
		t.Fatal(err)
	}
	tasks, err := tbl.Scan().PlanFiles(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, task := range tasks {
		rows += task.File.Count()
	}
	read, err := tbl.Scan(table.WithSelectedFields("run_date", "job", "rank")).ToArrowTable(t.Context())
	if err != nil || read.NumRows() != rows {
		t.Fatalf("%v, %v", read, err)
	}
	return rows, tbl.CurrentSnapshot().Summary.Properties
}

func TestEveryHostHasWhatAnyHasPublished(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	east, west := s.host(t), s.host(t)
	publish(t, east, "nightly", night, 30)
	publish(t, west, "nightly", night.AddDate(0, 0, 1), 40)
	publish(t, east, "weekly", night.AddDate(0, 1, 0), 5)
	publish(t, west, "nightly", night, 31) // in the place of what another host published
	publish(t, east, "empty", night, 0)
	want := map[string]int64{"nightly 2026-11-22": 31, "nightly 2026-11-23": 40, "weekly 2026-12-22": 5, "empty 2026-11-22": 0}
	for name, l := range map[string]lake.Lake{"east": east, "west": west, "new": s.host(t)} {
		if diff := cmp.Diff(want, rows(t, l)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
	if n, said := planned(t, s.open(t)); n != 76 || said[summaryDid] != lake.Published || said[summaryJob] != "empty" || said[summaryDate] != "2026-11-22" {
		t.Errorf("%d rows, %v", n, said)
	}
	for _, date := range []time.Time{night, night} { // the second time there is nothing
		if _, err := west.Remove(t.Context(), links, "nightly", date); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := west.Expire(t.Context(), links, night.AddDate(0, 1, 0), false); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]int64{"nightly 2026-11-23": 40, "empty 2026-11-22": 0}, rows(t, east)); diff != "" {
		t.Error(diff)
	}
}

func TestASnapshotSaysOfWhichRunItIs(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	l := s.host(t)
	l.Replays = true
	publish(t, l, "nightly", night, 3)
	_, said := planned(t, s.open(t))
	for key, want := range map[string]string{summaryDid: "replay", summaryJob: "nightly", summaryDate: "2026-11-22", summaryMonth: "2026-11", summaryRun: "nightly2026-11-22"} {
		if said[key] != want {
			t.Errorf("%s is %q: %v", key, said[key], said)
		}
	}
}

func TestHostsThatPublishAtOnceLoseAndDoubleNothing(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	want, errs := map[string]int64{}, make(chan error, 4)
	var working sync.WaitGroup
	for h := range 4 {
		l, job := s.host(t), fmt.Sprint("job", h)
		var staged []string
		for day := range 4 {
			date := night.AddDate(0, 0, day)
			staged = append(staged, stage(t, links, job, date, 2+h))
			want[job+" "+date.Format(time.DateOnly)] = int64(2 + h)
		}
		working.Go(func() {
			for day, path := range staged {
				if _, err := l.Publish(t.Context(), links, job, night.AddDate(0, 0, day), path); err != nil {
					errs <- err
					return
				}
			}
		})
	}
	working.Wait()
	close(errs)
	for err := range errs {
		t.Error(err)
	}
	if diff := cmp.Diff(want, rows(t, s.host(t))); diff != "" {
		t.Error(diff)
	}
}

// breaking is a store whose commits are cut short.
type breaking struct {
	*Store
	before, after error
}

func (b breaking) Commit(ctx context.Context, t *schemas.Table, from lake.State, c lake.Commit) (lake.State, error) {
	if b.before != nil {
		tbl, err := b.ensure(ctx, t)
		if err == nil {
			_, err = b.upload(ctx, tbl, c)
		}
		return lake.State{}, errors.Join(b.before, err)
	}
	if _, err := b.Store.Commit(ctx, t, from, c); err != nil {
		return lake.State{}, err
	}
	return lake.State{}, b.after
}

func TestWhatIsCutShortBeforeOrAfterItsCommitIsMadeGood(t *testing.T) {
	t.Parallel()
	cut := errors.New("cut short")
	for name, b := range map[string]breaking{"uploaded": {before: cut}, "committed": {after: cut}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newShop(t)
			b.Store = s.open(t)
			l := s.host(t)
			publish(t, l, "nightly", night.AddDate(0, 0, -1), 4)
			path := stage(t, links, "nightly", night, 7)
			broken := l
			broken.Origin = b
			if _, err := broken.Publish(t.Context(), links, "nightly", night, path); !errors.Is(err, cut) {
				t.Fatal(err)
			}
			publish(t, l, "nightly", night, 7)
			want := map[string]int64{"nightly 2026-11-21": 4, "nightly 2026-11-22": 7}
			if diff := cmp.Diff(want, rows(t, s.host(t))); diff != "" {
				t.Error(diff)
			}
			if n, _ := planned(t, b.Store); n != 11 {
				t.Errorf("%d rows", n)
			}
		})
	}
}

func TestACommitThatWasMadeThoughItEndedWithAnErrorIsFound(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	store := s.open(t)
	publish(t, s.host(t), "nightly", night, 3)
	_, said := planned(t, store)
	lost := errors.New("connection lost")
	now, err := store.load(t.Context(), links)
	if err != nil {
		t.Fatal(err)
	}
	state, err := store.outcome(t.Context(), links, now, said[summaryChange], lost)
	if err != nil || len(state.Files) != 1 {
		t.Errorf("%+v, %v", state, err)
	}
	if _, err := store.outcome(t.Context(), links, now, "another", lost); !errors.Is(err, lost) {
		t.Error(err)
	}
	if _, err := store.outcome(t.Context(), links, now, "another", table.ErrCommitFailed); !errors.Is(err, lake.ErrMoved) {
		t.Error(err)
	}
	publish(t, s.host(t), "weekly", night, 3)
	if _, err := store.outcome(t.Context(), links, now, "another", lost); !errors.Is(err, lake.ErrMoved) {
		t.Error(err)
	}
}

func TestACopyThatLacksOrHasSpoiltFilesIsMadeWhole(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	l := s.host(t)
	publish(t, l, "nightly", night, 3)
	publish(t, l, "weekly", night, 4)
	files, err := l.Month(links, night)
	if err != nil {
		t.Fatal(err)
	}
	if err := (disk.FS{}).Remove(files[0].Path); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]int64{"nightly 2026-11-22": 3, "weekly 2026-11-22": 4}, rows(t, l)); diff != "" {
		t.Error(diff)
	}
}

func TestAnObjectThatIsNotWhatItsNameSaysIsDamage(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	publish(t, s.host(t), "nightly", night, 3)
	_, files, err := s.open(t).State(t.Context(), links, "")
	if err != nil || len(files) != 1 {
		t.Fatalf("%v, %v", files, err)
	}
	key := strings.TrimPrefix(files[0].Place, s.at.base()+"/")
	body, err := s.bucket.ReadAll(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	body[len(body)/2] ^= 1
	if err := s.bucket.WriteAll(t.Context(), key, body, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := s.host(t).Pull(t.Context(), links); !errors.Is(err, sinks.ErrDamaged) || !strings.Contains(err.Error(), files[0].Place) {
		t.Error(err)
	}
}

func TestWhatNoSnapshotNamesIsRemovedAndNothingElse(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	store, l := s.open(t), s.host(t)
	publish(t, l, "nightly", night, 3)
	publish(t, l, "nightly", night, 5) // the first three are history
	broken := l
	broken.Origin = breaking{Store: store, before: errors.New("cut short")}
	_, _ = broken.Publish(t.Context(), links, "nightly", night, stage(t, links, "nightly", night, 6))
	for _, step := range []struct {
		keep, age time.Duration
		dry       bool
		snapshots int
		atLeast   int
	}{
		{time.Hour, leftoverAge, false, 0, 0}, // all is young
		{0, 0, true, 1, 1},
		{0, 0, false, 1, 2},
	} {
		time.Sleep(2 * time.Millisecond) // ages are counted in milliseconds
		c, err := store.collect(t.Context(), links, step.keep, step.age, step.dry)
		if err != nil || c.Snapshots != step.snapshots || c.Objects < step.atLeast || step.age > 0 && c.Objects > 0 {
			t.Errorf("%+v: %+v, %v", step, c, err)
		}
	}
	if diff := cmp.Diff(map[string]int64{"nightly 2026-11-22": 5}, rows(t, s.host(t))); diff != "" {
		t.Error(diff)
	}
	var data int
	for o, err := range listed(t, s.bucket) {
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(o, ".parquet") {
			data++
		}
	}
	if data != 1 {
		t.Errorf("%d files are left", data)
	}
}

// What lies below a table whose name another's begins with is the other's.
func TestAnotherTablesObjectsAreNoLeftovers(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	l, columns := s.host(t), []schemas.Column{{Name: "page", Type: schemas.String, Required: true}}
	short, long := &schemas.Table{Schema: "moz", Name: "page", Own: columns}, &schemas.Table{Schema: "moz", Name: "page_more", Own: columns}
	for _, of := range []*schemas.Table{short, long} {
		if _, err := l.Publish(t.Context(), of, "nightly", night, stage(t, of, "nightly", night, 3)); err != nil {
			t.Fatal(err)
		}
	}
	time.Sleep(2 * time.Millisecond)
	if _, err := s.open(t).collect(t.Context(), short, 0, 0, false); err != nil {
		t.Fatal(err)
	}
	other := s.host(t)
	if _, err := other.Pull(t.Context(), long); err != nil {
		t.Fatal(err)
	}
	if files, err := other.Month(long, night); err != nil || len(files) != 1 {
		t.Errorf("%v, %v", files, err)
	}
}

// listed are the keys of a bucket.
func listed(t *testing.T, b *blob.Bucket) func(yield func(string, error) bool) {
	t.Helper()
	return func(yield func(string, error) bool) {
		for it := b.List(nil); ; {
			o, err := it.Next(t.Context())
			if o == nil || !yield(o.Key, err) {
				return
			}
		}
	}
}

func TestANewColumnComesToATableThatIsThere(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	before := &schemas.Table{Schema: "moz", Name: "grows", Own: []schemas.Column{{Name: "page", Type: schemas.String, Required: true}}, Key: []string{"page"}}
	after := &schemas.Table{Schema: "moz", Name: "grows", Own: []schemas.Column{{Name: "page", Type: schemas.String, Required: true}, {Name: "dates", Type: schemas.Dates}}, Key: []string{"page"}}
	l := s.host(t)
	for i, of := range []*schemas.Table{before, after, after} {
		if _, err := l.Publish(t.Context(), of, "nightly", night.AddDate(0, 0, i), stage(t, of, "nightly", night.AddDate(0, 0, i), 3)); err != nil {
			t.Fatal(err)
		}
	}
	tbl, err := s.open(t).load(t.Context(), after)
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := tbl.Schema().FindFieldByName("dates"); !ok || len(tbl.Metadata().Schemas()) != 2 {
		t.Errorf("%v", tbl.Schema())
	}
	if !strings.Contains(fmt.Sprint(tbl.NameMapping()), "dates") {
		t.Errorf("%v", tbl.NameMapping())
	}
}

func TestWhatIsNoAddressIsRefused(t *testing.T) {
	t.Parallel()
	for text, ok := range map[string]bool{
		"s3://bucket/prefix": true, "gs://bucket": true, "azblob://container/a/b": true, "s3://": false, "s3://user:secret@bucket": false,
		"s3://bucket?endpoint=http://127.0.0.1:9000": true, "s3://bucket?endpoint=http://storage.example": false, "s3://bucket?endpoint=https://storage.example": true,
	} {
		_, err := parseAddress(text)
		if (err == nil) != ok || err != nil && strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v", text, err)
		}
	}
}
