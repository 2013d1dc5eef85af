package doctor

import (
	"context"
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"backhaul/jobs/ledger"
	"backhaul/jobs/load"
	"backhaul/jobs/run"
	"backhaul/pipeline"
	"backhaul/pipeline/journal"
	"backhaul/pipeline/words"
	"backhaul/schemas"
	"backhaul/sinks"
)

// wanted is what a table of a run must hold.
type wanted struct {
	sinks.Contents
	// exact: the checksums are known; else only the number of rows is.
	exact bool
}

// lake reads every file of the lake and holds those of each run against its journal.
func (e *examination) lake(ctx context.Context) {
	e.rows, e.unread, e.counted = map[string]int64{}, map[string]bool{}, e.names()
	before := len(e.findings)
	seen := map[string]bool{}
	files := 0
	for _, r := range e.runs {
		if r.busy {
			e.markFiles(r, seen)
			continue
		}
		files += e.tablesOf(ctx, r, seen)
	}
	files += e.strays(ctx, seen)
	if files > 0 && !anyBad(e.findings[before:]) {
		e.ok("lake", "%s read to the end, as the journals say", words.Plural(files, "file"))
	}
}

// tablesOf checks the files of one run, and again where something is wrong with them: another process may have put others in their
// place. What became of the run meanwhile is left alone.
func (e *examination) tablesOf(ctx context.Context, r *record, seen map[string]bool) (files int) {
	before, rows, unread := len(e.findings), maps.Clone(e.rows), maps.Clone(e.unread)
	if files = e.tables(ctx, r, seen); !anyBad(e.findings[before:]) {
		return files
	}
	e.findings, e.rows, e.unread = e.findings[:before], rows, unread
	if e.atWork(ctx, r) || e.ranSince(ctx, r.job, r.date, r.run) {
		e.markFiles(r, seen)
		return 0
	}
	return e.tables(ctx, r, seen)
}

// ranSince reports whether the ledger has another entry of a run by now than the one that is known, or any where none was.
func (e *examination) ranSince(ctx context.Context, job, date string, known ledger.Run) bool {
	if e.ledger == nil {
		return false
	}
	now, err := e.ledger.Find(ctx, job, date)
	return err == nil && now != known
}

// find returns what a table has of a run, and marks the run's own files as seen.
func (e *examination) find(r *record, t *schemas.Table, seen map[string]bool) Found {
	date, _ := time.Parse(time.DateOnly, r.date)
	found, err := e.Lake.Find(t, r.job, date)
	if err != nil {
		e.failed("lake "+e.Warehouse.Month(t.Schema, t.Name, date), "see that it can be read", nil, err)
	}
	for _, path := range found.Own {
		seen[path] = true
	}
	return found
}

func (e *examination) markFiles(r *record, seen map[string]bool) {
	for _, t := range schemas.All() {
		e.find(r, t, seen)
	}
}

// tables checks the files of one run and returns how many there are.
func (e *examination) tables(ctx context.Context, r *record, seen map[string]bool) (files int) {
	must := e.wanted(ctx, r)
	for _, t := range schemas.All() {
		want, known := must[t.FullName()]
		var c *cure
		if r.sound && r.run.ID != "" {
			c = replay(r)
		}
		found := e.find(r, t, seen)
		paths := found.Own
		switch {
		case found.Merged != nil && len(paths) > 0:
			e.damaged("lake "+paths[0], "move it away", nil, "it has the rows of a run that %s has as well", found.Parts[0])
		case found.Merged != nil:
			e.holds(r, t, found.Parts[0], want, known, *found.Merged, c)
			continue
		case len(paths) == 0 && (r.absent[t.FullName()] || known && want.Rows == 0 && !t.Vendor()):
			continue
		case len(paths) == 0 && known && (r.run.State == ledger.Complete || r.retired != nil):
			e.lost(e.missing(r, t), c, "missing")
			continue
		case len(paths) == 0:
			continue
		case len(paths) > 1:
			e.damaged("lake "+paths[1], "move one of them away", nil, "it has the rows of a run that %s has as well", paths[0])
		}
		path := paths[0]
		got, err := e.Lake.Read(path, t)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			e.lost(path, c, "missing")
			continue
		case errors.Is(err, sinks.ErrColumns):
			e.unread[t.FullName()] = true
			e.warn("lake "+path, "`backhaul replay "+r.run.ID+"` rebuilds it", c, "written by another version of the program: its columns are others")
		case err != nil:
			e.unread[t.FullName()] = true
			e.failed("lake "+path, lakeAdvice(c), c, err)
		default:
			e.rows[t.FullName()] += got.Rows
			e.holds(r, t, path, want, known, got, c)
		}
		files++
	}
	return files
}

// missing is where a run's file should be.
func (e *examination) missing(r *record, t *schemas.Table) string {
	date, _ := time.Parse(time.DateOnly, r.date)
	return filepath.Join(e.Warehouse.Month(t.Schema, t.Name, date), sinks.OfRun(r.job, date, "").String())
}

func lakeAdvice(c *cure) string {
	if c == nil {
		return "put back a copy: without its journal it cannot be rebuilt"
	}
	return byRepair + "rebuilds it from the journal"
}

func (e *examination) lost(path string, c *cure, text string) {
	e.damaged("lake "+path, lakeAdvice(c), c, "%s", text)
}

// holds compares a file with what it must hold.
func (e *examination) holds(r *record, t *schemas.Table, path string, want wanted, known bool, got sinks.Contents, c *cure) {
	what := "lake " + path
	switch {
	case r.run.ID != "" && len(got.Runs) > 0 && !slices.Equal(got.Runs, []string{r.run.ID}):
		e.damaged(what, lakeAdvice(c), c, "it is of run %s, and the ledger knows run %s", strings.Join(got.Runs, ", "), r.run.ID)
	case !known:
	case got.Rows < want.Rows && r.run.State != ledger.Complete && r.retired == nil:
		e.warn(what, "run the job again with --date "+r.date, nil, "%d rows of the %d the journal has by now: the run is not complete", got.Rows, want.Rows)
	case got.Rows != want.Rows:
		e.damaged(what, lakeAdvice(c), c, "%d rows where the journal has %d", got.Rows, want.Rows)
	case want.exact && got.Checksum != want.Checksum:
		e.unequal(what, t, want, got, c)
	}
}

// unequal tells other values from another spelling of a target, which a changed spec brings about.
func (e *examination) unequal(what string, t *schemas.Table, want wanted, got sinks.Contents, c *cure) {
	var names []string
	for i, column := range t.Columns() {
		if len(want.Columns) > i && len(got.Columns) > i && want.Columns[i] != got.Columns[i] {
			names = append(names, column.Name)
		}
	}
	if slices.Equal(names, []string{schemas.ColTargetAsGiven}) {
		e.warn(what, "", c, "targets are spelled differently than in the ledger: the spec's spelling has changed")
		return
	}
	e.damaged(what, lakeAdvice(c), c, "as many rows as the journal, but other values (%s)", strings.Join(names, ", "))
}

// wanted returns what the tables of a run must hold, by full name; nothing where that is not known.
func (e *examination) wanted(ctx context.Context, r *record) map[string]wanted {
	must := map[string]wanted{}
	switch {
	case r.retired != nil && r.gone:
		for _, t := range r.retired.Tables {
			must[t.Table] = wanted{Contents: sinks.Contents{Rows: t.Rows, Checksum: t.Checksum}, exact: true}
		}
	case r.sound && r.run.ID != "":
		if err := e.fromJournal(ctx, r, must); err != nil {
			e.failed("journal "+r.path, "", nil, err)
			return map[string]wanted{}
		}
	}
	return must
}

func (e *examination) fromJournal(ctx context.Context, r *record, must map[string]wanted) error {
	j, err := r.book.Open(ctx, journal.Header{Job: r.job, RunDate: r.date})
	if err != nil {
		return err
	}
	defer func() { _ = j.Close() }()
	tasks := make([]pipeline.Task, len(r.index.Tasks))
	for i, t := range r.index.Tasks {
		tasks[i] = t.Task
	}
	loaded := slices.DeleteFunc(slices.Clone(tasks), run.IsFirstReply)
	contents, rejected, err := load.Contents(ctx, j, loaded, e.Sources, e.Lake.Digest)
	if err != nil {
		return err
	}
	for name, c := range contents {
		must[name] = wanted{Contents: c, exact: true}
	}
	places, err := j.Places(ctx)
	if err != nil {
		return err
	}
	var pages, attempts int64 // of all tasks the run ever had
	for _, p := range places {
		pages, attempts = pages+int64(p.Pages), attempts+int64(p.Attempts)
	}
	if r.run.State != ledger.Complete {
		return nil // its account is of its latest execution
	}
	for name, rows := range map[string]int64{"ops.runs": 1, "ops.tasks": int64(len(tasks)), "ops.pages": pages, "ops.attempts": attempts,
		"ops.rejected_rows": min(rejected, load.MostRejected)} {
		must[name] = wanted{Contents: sinks.Contents{Rows: rows}}
	}
	return nil
}

// strays looks at the files of the lake that belong to no run.
func (e *examination) strays(ctx context.Context, seen map[string]bool) (files int) {
	months := map[string]bool{}
	err := filepath.WalkDir(e.Warehouse.Lake(), func(path string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil || d.IsDir() || seen[path] {
			return err
		}
		if leadsNowhere(path, d) {
			e.warn("lake "+path, "a later run drops it", nil, "left by an exchange of its month that was cut short; readers ignore it")
			return nil
		}
		files += e.stray(ctx, path, months)
		return nil
	})
	if err != nil {
		e.bad("lake", "see that it can be read", nil, "%v", err)
	}
	return files
}

// leadsNowhere reports whether a name stands for no file any more: see Apply of package blob.
func leadsNowhere(path string, d fs.DirEntry) bool {
	if d.Type()&fs.ModeSymlink == 0 {
		return false
	}
	_, err := os.Stat(path)
	return errors.Is(err, fs.ErrNotExist)
}

// stray looks at a file that belongs to no run alone. Of merged files each month is looked at once.
func (e *examination) stray(ctx context.Context, path string, months map[string]bool) (files int) {
	what := "lake " + path
	rel, _ := filepath.Rel(e.Warehouse.Lake(), path)
	parts := strings.Split(rel, string(filepath.Separator))
	var t *schemas.Table
	if len(parts) == 4 {
		t = schemas.Lookup(parts[0] + "." + parts[1])
	}
	name := parts[len(parts)-1]
	parsed, named := sinks.ParseName(name)
	switch {
	case t == nil || filepath.Ext(name) != ".parquet":
		e.warn(what, "the program did not make it: move it away", nil, "a stray file")
		return 0
	case filepath.Dir(path) == e.Warehouse.SchemaMonth(t.Schema, t.Name) && strings.HasPrefix(name, "schema."):
		return 0
	case !named, parts[2] != "month="+parsed.Month:
		e.damaged(what, "move it away", nil, "a stray file that the views of %s take for rows", t.FullName())
	case parsed.Job == "":
		if !months[filepath.Dir(path)] {
			months[filepath.Dir(path)] = true
			e.merged(ctx, t, path, parsed.Month)
		}
		return 1
	case t != schemas.WholeSpans() && e.ranSince(ctx, parsed.Job, parsed.Date.Format(time.DateOnly), ledger.Run{}):
		return 0 // it began after the runs were looked up
	case t != schemas.WholeSpans():
		e.warn(what, "", nil, "of a run that neither ledger nor journals know")
	}
	got, err := e.Lake.Read(path, t)
	if errors.Is(err, fs.ErrNotExist) {
		return 0 // another was put in its place meanwhile
	}
	if err != nil {
		e.unread[t.FullName()] = true
		e.failed(what, "put back a copy, or move it away", nil, err)
		return 1
	}
	e.rows[t.FullName()] += got.Rows
	return 1
}

// merged reads the merged files of a month.
func (e *examination) merged(ctx context.Context, t *schemas.Table, path, month string) {
	first, err := time.Parse("2006-01", month)
	if err != nil {
		e.bad("lake "+path, "move it away", nil, "%v", err)
		return
	}
	rows, err := e.Lake.CheckMerged(ctx, t, first)
	if err != nil {
		e.unread[t.FullName()] = true
		e.failed("lake "+filepath.Dir(path), "put back a copy, or move the month's files away and replay its runs", nil, err)
		return
	}
	e.rows[t.FullName()] += rows
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(s, "\n")
	return line
}
