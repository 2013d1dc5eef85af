package run

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"time"

	"backhaul/jobs/archive"
	"backhaul/jobs/books"
	"backhaul/jobs/budget"
	"backhaul/jobs/intake"
	"backhaul/jobs/ledger"
	"backhaul/jobs/recovery"
	"backhaul/pipeline"
	"backhaul/pipeline/journal"
	"backhaul/sinks"
)

// shelf is an archive in memory: files of pages, each written as "target rows", on the date that the file is called after.
type shelf struct {
	*meter
	files map[string][]string
	reads int
}

func (s *shelf) pages(path string) iter.Seq2[archive.Page, error] {
	return func(yield func(archive.Page, error) bool) {
		s.reads++
		for i, text := range s.files[path] {
			if text == "bad" {
				if !yield(archive.Page{}, &archive.Problem{File: path, Line: i + 1, Text: "bad"}) {
					return
				}
				continue
			}
			date, _, _ := strings.Cut(path, " ")
			day, err := time.Parse(time.DateOnly, date)
			if err != nil {
				panic(err)
			}
			var target string
			var rows int
			if _, err := fmt.Sscanf(text, "%s %d", &target, &rows); err != nil {
				panic(err)
			}
			t := pipeline.Task{Extract: "anchor_text", Endpoint: "moz/anchor_text", Surface: "v2", Target: target, Params: "{}"}
			t.ID = pipeline.TaskID(t)
			if !yield(archive.Page{File: path, Line: i + 1, Date: day, Task: t,
				Page: pipeline.Page{Body: []byte(text), Rows: rows, Status: 200, FetchedAt: day.Add(time.Hour)}}, nil) {
				return
			}
		}
	}
}

func (s *shelf) load(dir string, files ...string) ([]Imported, error) {
	return ImportArchives(context.Background(), Import{
		Job: "import", Archive: intake.Archive{Files: files, Pages: s.pages, Again: s.pages}, NewID: func() string { return fmt.Sprint("run-", rand.Int64()) },
		Sources: func(pipeline.Task) (pipeline.Source, error) { return s.meter, nil },
	}, options(dir))
}

// pagesOf describes the pages of a run's journal, task by task: cursor, rows, and whether the list ends.
func pagesOf(t *testing.T, dir, date string) string {
	t.Helper()
	j, err := journal.Open(t.Context(), sinks.Warehouse{Root: dir}.JournalOf("import", date), journal.Header{Job: "import", RunDate: date})
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	tasks, err := j.Tasks(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var texts []string
	for _, task := range tasks {
		for p, err := range j.Pages(t.Context(), task.ID) {
			if err != nil {
				t.Fatal(err)
			}
			text := fmt.Sprintf("%s@%s", p.Body, p.Cursor)
			if p.End {
				text += " end"
			}
			if p.Units != 0 {
				text += " for units"
			}
			texts = append(texts, text)
		}
	}
	return strings.Join(texts, ", ")
}

func TestRepliesBecomeTheListsOfTheirDateInTheOrderOfTheFiles(t *testing.T) {
	dir := t.TempDir()
	s := &shelf{meter: newMeter(1, 50), files: map[string][]string{
		"2024-01-31 a": {"x 50", "y 7"}, "2024-01-31 b": {"x 20"}, "2024-02-29 a": {"x 3"},
	}}
	all, err := s.load(dir, "2024-01-31 a", "2024-02-29 a", "2024-01-31 b")
	if err != nil || len(all) != 2 {
		t.Fatal(len(all), err)
	}
	if got, want := pagesOf(t, dir, "2024-01-31"), "x 50@, x 20@imported:50 end, y 7@ end"; got != want {
		t.Errorf("journal of January: %s, want %s", got, want)
	}
	if got, want := pagesOf(t, dir, "2024-02-29"), "x 3@ end"; got != want {
		t.Errorf("journal of February: %s, want %s", got, want)
	}
	january := all[0]
	if january.Pages != 3 || january.Rows != 77 || january.Known != 0 || january.Run.State != ledger.Complete || january.Run.RunDate != "2024-01-31" || len(january.Incomplete()) != 0 {
		t.Errorf("%+v", january)
	}
	for _, task := range january.Tasks {
		if task.Ending != pipeline.EndOfList || task.Units != 0 || task.ReusedFrom != "archive" || task.Ended.Format(time.DateOnly) != "2024-01-31" {
			t.Errorf("%+v", task)
		}
	}
	if january.Files[0].Rows != 77 {
		t.Errorf("%+v", january.Files)
	}
	if granted, spent := accounted(t, dir); granted != 0 || spent != 0 || s.billed != 0 {
		t.Errorf("%d granted, %d spent, %d billed", granted, spent, s.billed)
	}
}

func TestTheSameRepliesAgainChangeNothingAndFurtherOnesGoOn(t *testing.T) {
	dir := t.TempDir()
	s := &shelf{meter: newMeter(1, 50), files: map[string][]string{"2024-01-31 a": {"x 50", "x 50"}, "2024-01-31 b": {"x 20"}}}
	must := func(files ...string) Imported {
		t.Helper()
		all, err := s.load(dir, files...)
		if err != nil {
			t.Fatal(err)
		}
		return all[0]
	}
	first := must("2024-01-31 a")
	if err := os.WriteFile(sinks.Warehouse{Root: dir}.Catalog(), nil, 0o644); err != nil { // nowhere writes none
		t.Fatal(err)
	}
	file, err := os.Stat(first.Files[0].Path)
	if err != nil {
		t.Fatal(err)
	}
	if again := must("2024-01-31 a"); again.Pages != 0 || again.Known != 1 || again.Files != nil || again.Run.ID != first.Run.ID || again.Run.State != ledger.Complete {
		t.Errorf("again: %+v", again)
	}
	if now, err := os.Stat(first.Files[0].Path); err != nil || !os.SameFile(file, now) || !now.ModTime().Equal(file.ModTime()) {
		t.Errorf("the table was written again: %v", err)
	}
	if both := must("2024-01-31 a", "2024-01-31 b"); both.Pages != 1 || both.Known != 1 || both.Files[0].Rows != 70 {
		t.Errorf("with more: %+v", both)
	}
	if got, want := pagesOf(t, dir, "2024-01-31"), "x 50@ end, x 20@imported:50 end"; got != want {
		t.Errorf("journal: %s, want %s", got, want)
	}
}

func TestAProblemAnywhereEntersNothing(t *testing.T) {
	dir := t.TempDir()
	s := &shelf{meter: newMeter(1, 50), files: map[string][]string{"2024-01-31 a": {"x 50"}, "2024-01-31 b": {"bad", "x 20", "bad"}}}
	_, err := s.load(dir, "2024-01-31 a", "2024-01-31 b")
	var bad *intake.Error
	if !errors.As(err, &bad) || len(bad.Problems) != 2 || bad.More {
		t.Fatalf("%v", err)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 0 {
		t.Errorf("the warehouse has %v, %v", entries, err)
	}
}

func TestAnImportThatBrokeOffGoesOn(t *testing.T) {
	dir := t.TempDir()
	s := &shelf{meter: newMeter(1, 50), files: map[string][]string{"2024-01-31 a": {"x 50", "x 49", "y 5"}}}
	ctx, interrupt := context.WithCancel(context.Background())
	passed := 0
	pages := func(path string) iter.Seq2[archive.Page, error] {
		return func(yield func(archive.Page, error) bool) {
			for p, err := range s.pages(path) {
				if passed++; passed == 5 { // the second page of the second reading
					interrupt()
				}
				if !yield(p, err) {
					return
				}
			}
		}
	}
	_, err := ImportArchives(ctx, Import{Job: "import", Archive: intake.Archive{Files: []string{"2024-01-31 a"}, Pages: pages, Again: pages},
		NewID: func() string { return "run-1" }, Sources: func(pipeline.Task) (pipeline.Source, error) { return s.meter, nil },
	}, options(dir))
	if !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	if got, want := pagesOf(t, dir, "2024-01-31"), "x 50@"; got != want {
		t.Fatalf("journal: %s, want %s", got, want)
	}
	all, err := s.load(dir, "2024-01-31 a")
	if err != nil || all[0].Run.ID != "run-1" || all[0].Run.State != ledger.Complete || all[0].Pages != 2 || all[0].Known != 1 || all[0].Files[0].Rows != 104 {
		t.Errorf("%+v, %v", all, err)
	}
	if got, want := pagesOf(t, dir, "2024-01-31"), "x 50@, x 49@imported:50 end, y 5@ end"; got != want {
		t.Errorf("journal: %s, want %s", got, want)
	}
}

func TestAnImportWhoseProcessDiedGoesOn(t *testing.T) {
	for dies := range 4 { // after so many pages
		dir := t.TempDir()
		s := &shelf{meter: newMeter(1, 50), files: map[string][]string{"2024-01-31 a": {"x 50", "y 5", "x 49"}}}
		dead, left := errors.New("dead"), math.MaxInt
		pages := func(path string) iter.Seq2[archive.Page, error] {
			return func(yield func(archive.Page, error) bool) {
				for p, err := range s.pages(path) {
					if left == 0 {
						yield(archive.Page{}, dead)
						return
					}
					left--
					if !yield(p, err) {
						return
					}
				}
			}
		}
		days, err := intake.Archive{Files: []string{"2024-01-31 a"}, Pages: pages, Again: pages}.Survey(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		day := days[0]
		left = dies
		o := options(dir)
		o.Now, o.NewID = time.Now, "run-1"
		job := Job{Name: "import", RunDate: day.Date, SpecHash: archiveHash}
		l, err := recovery.OpenLedger(t.Context(), books.InFiles(o.Warehouse))
		if err != nil {
			t.Fatal(err)
		}
		books, err := open(t.Context(), l, job, o.withDefaults())
		if err != nil {
			t.Fatal(err)
		}
		r := newRunner(job, o.withDefaults(), budget.New(nil, o.Now), books)
		if err := r.begin(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := r.journal.AddTasks(t.Context(), day.Tasks); err != nil {
			t.Fatal(err)
		}
		if _, err := day.Enter(t.Context(), r.journal, nil); dies < 3 && !errors.Is(err, dead) || dies == 3 && err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(r.journal.Close(), r.ledger.Close()); err != nil { // and nothing else
			t.Fatal(err)
		}
		all, err := s.load(dir, "2024-01-31 a")
		if err != nil || all[0].Run.ID != "run-1" || all[0].Run.State != ledger.Complete || all[0].Pages != 3-dies || all[0].Known != dies || all[0].Files[0].Rows != 104 {
			t.Errorf("died after %d pages: %+v, %v", dies, all, err)
		}
		if got, want := pagesOf(t, dir, "2024-01-31"), "x 50@, x 49@imported:50 end, y 5@ end"; got != want {
			t.Errorf("died after %d pages: journal %s, want %s", dies, got, want)
		}
		for _, task := range all[0].Tasks {
			if task.Ending != pipeline.EndOfList || task.MaybeUnits != 0 || task.ReusedFrom != intake.From {
				t.Errorf("died after %d pages: %+v", dies, task)
			}
		}
	}
}

func TestWhatWasBoughtAndWhatWasImportedDoNotMix(t *testing.T) {
	dir := t.TempDir()
	s := &shelf{meter: newMeter(1, 50), files: map[string][]string{"2026-11-23 a": {"120 120"}, "2026-11-24 a": {"120 120"}}}
	bought := s.job("import", 1, ledger.Ceiling{}, 120)
	bought.SpecHash = "spec"
	mustRun(t, bought, dir)
	if _, err := s.load(dir, "2026-11-23 a"); !errors.Is(err, ErrMixed) {
		t.Errorf("imported into a run that was bought: %v", err)
	}
	if _, err := s.load(dir, "2026-11-24 a"); err != nil {
		t.Fatal(err)
	}
	bought.RunDate = bought.RunDate.AddDate(0, 0, 1)
	if _, err := Run(context.Background(), bought, options(dir)); !errors.Is(err, ErrMixed) || s.billed != 120 {
		t.Errorf("bought into a run that was imported: %v, %d billed", err, s.billed)
	}
	// An answer from an archive stands in for none that is to be bought, however old it may be.
	bought.Name, bought.Items[0].MaxAge = "other", 1_000_000*time.Hour
	bought.Items[0].Task.Extract = "anchor_text"
	bought.Items[0].Task.ID = pipeline.TaskID(bought.Items[0].Task)
	fresh := t.TempDir()
	if _, err := s.load(fresh, "2026-11-24 a"); err != nil {
		t.Fatal(err)
	}
	if result := mustRun(t, bought, fresh); result.Bought.Rows != 120 || result.Saved != 0 {
		t.Errorf("bought %+v, saved %d", result.Bought, result.Saved)
	}
}

func TestARebuiltLedgerStillTellsImportsFromPurchases(t *testing.T) {
	dir := t.TempDir()
	s := &shelf{meter: newMeter(1, 50), files: map[string][]string{"2026-11-23 a": {"120 120"}, "2026-11-23 b": {"7 7"}, "2026-11-24 a": {"120 120"}}}
	w := sinks.Warehouse{Root: dir}
	if _, err := s.load(dir, "2026-11-23 a"); err != nil {
		t.Fatal(err)
	}
	bought := s.job("import", 1, ledger.Ceiling{}, 120)
	bought.SpecHash, bought.RunDate = "spec", bought.RunDate.AddDate(0, 0, 1)
	mustRun(t, bought, dir)
	if err := removeJournalAt(w.Ledger()); err != nil {
		t.Fatal(err)
	}
	l, err := ledger.Open(t.Context(), w.Ledger())
	if err != nil {
		t.Fatal(err)
	}
	for _, date := range []string{"2026-11-23", "2026-11-24"} {
		if err := recovery.Rebuild(t.Context(), l, books.InFiles(w), "import", date, time.Now()); err != nil {
			t.Fatal(err)
		}
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if all, err := s.load(dir, "2026-11-23 a", "2026-11-23 b"); err != nil || all[0].Known != 1 || all[0].Pages != 1 || all[0].Files[0].Rows != 127 {
		t.Errorf("%+v, %v", all, err)
	}
	if _, err := s.load(dir, "2026-11-24 a"); !errors.Is(err, ErrMixed) {
		t.Errorf("imported into a run that was bought: %v", err)
	}
	if err := removeJournalAt(w.Ledger()); err != nil {
		t.Fatal(err)
	}
	if l, err = ledger.Open(t.Context(), w.Ledger()); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(recovery.Rebuild(t.Context(), l, books.InFiles(w), "import", "2026-11-23", time.Now()), l.Close()); err != nil {
		t.Fatal(err)
	}
	bought.RunDate = bought.RunDate.AddDate(0, 0, -1)
	if _, err := Run(context.Background(), bought, options(dir)); !errors.Is(err, ErrMixed) {
		t.Errorf("bought into a run that was imported: %v", err)
	}
}

func TestAJobOfAnImportHasAName(t *testing.T) {
	for _, name := range []string{"", "../x", "A", "a b"} {
		if _, err := ImportArchives(context.Background(), Import{Job: name}, options(t.TempDir())); err == nil || !strings.Contains(err.Error(), "want a name") {
			t.Errorf("%q: %v", name, err)
		}
	}
}

// removeJournalAt removes a journal with what SQLite keeps beside it.
func removeJournalAt(path string) error {
	for _, suffix := range []string{"", "-wal", "-shm"} {
		if err := os.Remove(path + suffix); err != nil && !os.IsNotExist(err) {
			return err
		}
	}
	return nil
}
