package journal

import (
	"context"
	"database/sql"
	"errors"
	"iter"
	"time"

	"backhaul/pipeline"
	"backhaul/pipeline/sqlite"
)

// Fact is what is known about a page without its body, whose place Size takes.
type Fact struct {
	pipeline.Page
	Size int64 // bytes of the body
}

// Facts yields what is known about a task's pages, without reading their bodies. The first error ends the sequence.
func (j *Journal) Facts(ctx context.Context, taskID string) iter.Seq2[Fact, error] {
	return func(yield func(Fact, error) bool) {
		no, err := j.numberOf(taskID)
		if err == nil {
			err = j.db.Each(ctx, `SELECT seq, chain, repeated, ended, request, status, fetched_at, rows, overlap, units, listed, cache, size
				FROM pages WHERE task = ? ORDER BY seq`, func(rows *sql.Rows) error {
				var f Fact
				var fetched int64
				if err := rows.Scan(&f.Seq, &f.Chain, &f.Repeated, &f.End, &f.Request, &f.Status, &fetched, &f.Rows, &f.Overlap, &f.Units, &f.Listed, &f.Cache, &f.Size); err != nil {
					return err
				}
				f.FetchedAt = time.UnixMicro(fetched).UTC()
				if !yield(f, nil) {
					return errStop
				}
				return nil
			}, no)
		}
		if err != nil && !errors.Is(err, errStop) {
			yield(Fact{}, err)
		}
	}
}

// Bills returns what the run has of units at each vendor that one of its tasks is of, by the month in which that was asked: 2026-11, UTC.
// The month in which the journal was begun is among them.
func (j *Journal) Bills(ctx context.Context) (map[string]map[string]pipeline.Bill, error) {
	bills, begun := map[string]map[string]pipeline.Bill{}, j.header.Created.UTC().Format("2006-01")
	const vendor, month = `substr(t.endpoint, 1, instr(t.endpoint, '/') - 1)`, `strftime('%Y-%m', max(0, at) / 1000000, 'unixepoch')`
	err := j.db.Each(ctx, `SELECT vendor, `+month+`, sum(units), sum(maybe), max(iif(units > 0, at, 0)), max(iif(maybe > 0, at, 0)) FROM (
			SELECT DISTINCT `+vendor+` AS vendor, NULL AS at, 0 AS units, 0 AS maybe FROM tasks t WHERE t.params <> ?
			UNION ALL SELECT `+vendor+`, p.fetched_at, p.units, 0 FROM pages p JOIN tasks t ON t.no = p.task
			UNION ALL SELECT `+vendor+`, a.at, 0, a.maybe_units FROM attempts a JOIN tasks t ON t.no = a.task)
		GROUP BY 1, 2`, func(rows *sql.Rows) error {
		var vendor string
		var month sql.NullString
		var b pipeline.Bill
		var spent, held sql.NullInt64
		if err := rows.Scan(&vendor, &month, &b.Spent, &b.Maybe, &spent, &held); err != nil {
			return err
		}
		b.SpentAt, b.HeldAt = sqlite.At(spent.Int64), sqlite.At(held.Int64)
		if bills[vendor] == nil {
			bills[vendor] = map[string]pipeline.Bill{begun: {}}
		}
		if !month.Valid {
			return nil
		}
		all := bills[vendor][month.String]
		all.Add(b)
		bills[vendor][month.String] = all
		return nil
	}, pipeline.PlaceholderParams)
	return bills, err
}
