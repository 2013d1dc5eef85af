// Package journal keeps the pages of a run: every paid response, exactly as it was received, durable before
// anything else happens to it.
//
// A journal is one SQLite file per run, or tables of that run's own in another [store.DB], and the only truth about it. It contains all that is needed to rebuild the run's tables
// and what others know of it: which tasks it intends, how each of them stands, for each task its pages in the order they were
// bought, and the course of the run itself. A page, its cursor and the units it cost are
// written in one transaction, so that bytes and money cannot disagree. Bodies are compressed with zstd. Every
// page carries a checksum (XXH3, 128 bits) over its body and all its facts, and every task a count of its pages,
// kept in the same transaction: a flipped bit is reported as damage of that page and a lost page as damage of
// its task; neither is read as data or as the end of the journal.
//
// The package does not know what a body means.
package journal

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/klauspost/compress/zstd"

	"backhaul/pipeline"
	"backhaul/pipeline/failpoint"
	"backhaul/pipeline/sqlite"
	"backhaul/pipeline/store"
)

// ErrDamaged is in the chain of every error that means the journal no longer holds what was written to it.
var ErrDamaged = store.ErrDamaged

// Layout is that of a journal's tables. Format 1 had neither batches, indexes nor resolutions, nor what vendors say of overlap, price and
// cache. Format 2 kept of a reply that could not be read the body alone, and each as often as it came. Format 3 knew neither which
// tasks are intended still, nor how they and the run ended, nor what became of its tables: the ledger alone did.
var Layout = store.Layout{Schema: schema, Flags: []string{"tasks.intended", "pages.repeated", "pages.ended", "resolutions.final", "attempts.read"}, Upgrades: []string{`
	ALTER TABLE tasks ADD COLUMN batch TEXT NOT NULL DEFAULT '';
	ALTER TABLE pages ADD COLUMN overlap INTEGER NOT NULL DEFAULT 0;
	ALTER TABLE pages ADD COLUMN listed INTEGER NOT NULL DEFAULT 0;
	ALTER TABLE pages ADD COLUMN cache TEXT NOT NULL DEFAULT ''`, `
	ALTER TABLE attempts ADD COLUMN chain INTEGER NOT NULL DEFAULT 0;
	ALTER TABLE attempts ADD COLUMN cursor TEXT NOT NULL DEFAULT '';
	ALTER TABLE attempts ADD COLUMN asked INTEGER NOT NULL DEFAULT 0;
	ALTER TABLE attempts ADD COLUMN request BLOB;
	ALTER TABLE attempts ADD COLUMN size INTEGER NOT NULL DEFAULT 0;
	ALTER TABLE attempts ADD COLUMN checksum BLOB;
	ALTER TABLE attempts ADD COLUMN read INTEGER NOT NULL DEFAULT 0`, `
	ALTER TABLE header ADD COLUMN spec_hash TEXT NOT NULL DEFAULT '';
	ALTER TABLE header ADD COLUMN state TEXT NOT NULL DEFAULT '';
	ALTER TABLE header ADD COLUMN message TEXT NOT NULL DEFAULT '';
	ALTER TABLE header ADD COLUMN started_at INTEGER NOT NULL DEFAULT 0;
	ALTER TABLE header ADD COLUMN ended_at INTEGER NOT NULL DEFAULT 0;
	ALTER TABLE tasks ADD COLUMN intended INTEGER NOT NULL DEFAULT 1;
	ALTER TABLE tasks ADD COLUMN stood INTEGER NOT NULL DEFAULT 0;
	ALTER TABLE tasks ADD COLUMN ending TEXT NOT NULL DEFAULT '';
	ALTER TABLE tasks ADD COLUMN error TEXT NOT NULL DEFAULT '';
	ALTER TABLE tasks ADD COLUMN ended_at INTEGER NOT NULL DEFAULT 0;
	ALTER TABLE tasks ADD COLUMN saved_units INTEGER NOT NULL DEFAULT 0;
	ALTER TABLE tasks ADD COLUMN index_id TEXT NOT NULL DEFAULT '';
	ALTER TABLE tasks ADD COLUMN again INTEGER NOT NULL DEFAULT 0;
	ALTER TABLE tasks ADD COLUMN expected_units INTEGER NOT NULL DEFAULT 0;
	ALTER TABLE tasks ADD COLUMN expected_next INTEGER NOT NULL DEFAULT 0;
	UPDATE tasks SET intended = 0 WHERE extract IN (SELECT extract FROM resolutions) AND no NOT IN (SELECT task FROM resolved_tasks)`,
}}

const schema = `
CREATE TABLE IF NOT EXISTS header (
	run_id TEXT NOT NULL, job TEXT NOT NULL, run_date TEXT NOT NULL, created_at INTEGER NOT NULL,
	spec_hash TEXT NOT NULL DEFAULT '', state TEXT NOT NULL DEFAULT '', message TEXT NOT NULL DEFAULT '',
	started_at INTEGER NOT NULL DEFAULT 0, ended_at INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE IF NOT EXISTS tasks (
	no INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE,
	extract TEXT NOT NULL, endpoint TEXT NOT NULL, surface TEXT NOT NULL,
	target TEXT NOT NULL, target_as_given TEXT NOT NULL, scope TEXT NOT NULL, params TEXT NOT NULL,
	batch TEXT NOT NULL DEFAULT '', max_rows INTEGER NOT NULL, priority INTEGER NOT NULL,
	pages INTEGER NOT NULL DEFAULT 0, reused_from TEXT NOT NULL DEFAULT '',
	intended INTEGER NOT NULL DEFAULT 1,
	stood INTEGER NOT NULL DEFAULT 0, ending TEXT NOT NULL DEFAULT '', error TEXT NOT NULL DEFAULT '', ended_at INTEGER NOT NULL DEFAULT 0,
	saved_units INTEGER NOT NULL DEFAULT 0, index_id TEXT NOT NULL DEFAULT '', again INTEGER NOT NULL DEFAULT 0,
	expected_units INTEGER NOT NULL DEFAULT 0, expected_next INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE IF NOT EXISTS pages (
	task INTEGER NOT NULL REFERENCES tasks(no), seq INTEGER NOT NULL,
	chain INTEGER NOT NULL, repeated INTEGER NOT NULL,
	cursor TEXT NOT NULL, next TEXT NOT NULL, ended INTEGER NOT NULL,
	request BLOB NOT NULL, status INTEGER NOT NULL, fetched_at INTEGER NOT NULL,
	rows INTEGER NOT NULL, overlap INTEGER NOT NULL DEFAULT 0, units INTEGER NOT NULL,
	listed INTEGER NOT NULL DEFAULT 0, cache TEXT NOT NULL DEFAULT '',
	size INTEGER NOT NULL, checksum BLOB NOT NULL, body BLOB NOT NULL,
	PRIMARY KEY (task, seq)
);
CREATE TABLE IF NOT EXISTS absent (table_name TEXT PRIMARY KEY, at INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS rejections (
	task INTEGER NOT NULL REFERENCES tasks(no), table_name TEXT NOT NULL, field TEXT NOT NULL, rows INTEGER NOT NULL, reason TEXT NOT NULL,
	PRIMARY KEY (task, table_name, field)
);
CREATE TABLE IF NOT EXISTS indexes (
	vendor TEXT NOT NULL, index_id TEXT NOT NULL, at INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS resolutions (
	extract TEXT PRIMARY KEY, digest TEXT NOT NULL, basis TEXT NOT NULL, final INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS resolved_tasks (
	extract TEXT NOT NULL REFERENCES resolutions(extract), task INTEGER NOT NULL REFERENCES tasks(no),
	PRIMARY KEY (extract, task)
);
CREATE TABLE IF NOT EXISTS attempts (
	no INTEGER PRIMARY KEY,
	task INTEGER NOT NULL REFERENCES tasks(no), seq INTEGER NOT NULL, at INTEGER NOT NULL,
	kind TEXT NOT NULL, status INTEGER NOT NULL, maybe_units INTEGER NOT NULL,
	message TEXT NOT NULL, body BLOB,
	chain INTEGER NOT NULL DEFAULT 0, cursor TEXT NOT NULL DEFAULT '', asked INTEGER NOT NULL DEFAULT 0, request BLOB,
	size INTEGER NOT NULL DEFAULT 0, checksum BLOB, read INTEGER NOT NULL DEFAULT 0
);`

// Header says whose pages a journal holds.
type Header struct {
	RunID   string
	Job     string
	RunDate string // YYYY-MM-DD
	Created time.Time
}

// Journal is the open journal of one run. It is safe for concurrent use.
type Journal struct {
	db     store.DB
	header Header
	*numbers
	enc *zstd.Encoder
	dec *zstd.Decoder
}

// Open opens the journal at path. Where there is none, it is created for header; an existing journal keeps its
// own, which Header returns, and must be of the same job and run date. A header without a run id opens only what is there.
func Open(ctx context.Context, path string, header Header) (*Journal, error) {
	db, err := sqlite.Open(ctx, path, Layout)
	if err != nil {
		return nil, fmt.Errorf("open journal: %w", err)
	}
	return In(ctx, db, header)
}

// In is Open in a database that has the tables of [Layout], and is closed with the journal, or at once with an error.
func In(ctx context.Context, db store.DB, header Header) (*Journal, error) {
	j := &Journal{db: db, numbers: &numbers{}}
	if err := j.init(ctx, header); err != nil {
		return nil, fmt.Errorf("open journal: %w", errors.Join(err, db.Close()))
	}
	return j, nil
}

func (j *Journal) init(ctx context.Context, header Header) (err error) {
	if j.enc, err = zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedDefault)); err != nil {
		return err
	}
	if j.dec, err = zstd.NewReader(nil, zstd.WithDecoderMaxMemory(256<<20)); err != nil {
		return err
	}
	if header.RunID != "" { // who knows no run opens a journal that is there
		err = j.db.Write(ctx, func(tx *sql.Tx) error {
			_, err := tx.Exec(`INSERT INTO header (run_id, job, run_date, created_at) SELECT ?, ?, ?, ? WHERE NOT EXISTS (SELECT 1 FROM header)`,
				header.RunID, header.Job, header.RunDate, header.Created.UnixMicro())
			return err
		})
		if err != nil {
			return err
		}
	}
	var created int64
	row := j.db.Read().QueryRowContext(ctx, `SELECT run_id, job, run_date, created_at FROM header`)
	switch err := row.Scan(&j.header.RunID, &j.header.Job, &j.header.RunDate, &created); {
	case errors.Is(err, sql.ErrNoRows):
		return fmt.Errorf("%s: %w: it does not say whose it is", j.db.Name(), ErrDamaged)
	case err != nil:
		return j.db.Wrap(err)
	}
	j.header.Created = time.UnixMicro(created).UTC()
	if j.header.Job != header.Job || j.header.RunDate != header.RunDate {
		return fmt.Errorf("%s: %w: it belongs to job %s of %s", j.db.Name(), ErrDamaged, j.header.Job, j.header.RunDate)
	}
	return nil
}

// Header returns whose pages the journal holds.
func (j *Journal) Header() Header { return j.header }

// Guarded is the same journal, written to by somebody who is asked about in every transaction; see [store.Guarded]. It need not be closed.
func (j *Journal) Guarded(leave store.Leave) *Journal {
	return &Journal{db: store.Guarded(j.db, leave), header: j.header, numbers: j.numbers, enc: j.enc, dec: j.dec}
}

// Close closes the journal.
func (j *Journal) Close() error {
	j.dec.Close()
	return errors.Join(j.enc.Close(), j.db.Close())
}

// Check reads the whole journal, structure and pages, and returns what is damaged. It costs as long as reading the file.
func (j *Journal) Check(ctx context.Context) error {
	errs := []error{j.db.Check(ctx)}
	tasks, err := j.Tasks(ctx)
	if err != nil {
		return errors.Join(append(errs, err)...)
	}
	for _, t := range tasks {
		for _, err := range j.Pages(ctx, t.ID) {
			if err != nil {
				errs = append(errs, err)
				break
			}
		}
	}
	return errors.Join(errs...)
}

// Append makes a page of a task durable, with its cursor and its units, and returns when that has happened.
// Before that the page does not exist. The same page twice is an error.
func (j *Journal) Append(ctx context.Context, taskID string, p pipeline.Page) error {
	no, err := j.numberOf(ctx, taskID)
	if err != nil {
		return err
	}
	r := j.pack(no, p)
	failpoint.Hit("journal.append.before")
	if err := j.db.Enter(ctx, r.insert(), r.claim()); err != nil {
		return fmt.Errorf("append reply %d of %s: %w", p.Seq, j.describe(taskID), err)
	}
	failpoint.Hit("journal.append.after")
	return nil
}

func (j *Journal) addPage(tx *sql.Tx, r *record) error {
	if err := j.insert(tx, r); err != nil {
		return err
	}
	claim := r.claim()
	return j.db.Exec(tx, claim.Text, claim.Args...)
}

// claim has the task say that it has the page: one that is gone without it is missed.
func (r *record) claim() store.Statement {
	return store.Statement{Text: `UPDATE tasks SET pages = pages + 1, reused_from = '' WHERE no = ?`, Args: []any{r.task}}
}
