package journal

import (
	"context"
	"database/sql"
	"errors"
	"iter"
	"time"

	"backhaul/pipeline"
	"backhaul/pipeline/store"
)

// Fact is what is known about a page without its body, whose place Size takes.
type Fact struct {
	pipeline.Page
	Size int64 // bytes of the body
}

// Facts yields what is known about a task's pages, without reading their bodies. The first error ends the sequence.
func (j *Journal) Facts(ctx context.Context, taskID string) iter.Seq2[Fact, error] {
	return func(yield func(Fact, error) bool) {
		no, err := j.numberOf(ctx, taskID)
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
	of := func(endpoint string) map[string]pipeline.Bill {
		vendor := pipeline.Task{Endpoint: endpoint}.Vendor()
		if bills[vendor] == nil {
			bills[vendor] = map[string]pipeline.Bill{begun: {}}
		}
		return bills[vendor]
	}
	err := j.db.Each(ctx, `SELECT DISTINCT endpoint FROM tasks WHERE params <> ?`, func(rows *sql.Rows) error {
		var endpoint string
		err := rows.Scan(&endpoint)
		of(endpoint)
		return err
	}, pipeline.PlaceholderParams)
	if err != nil {
		return nil, err
	}
	// By day, of 86,400,000,000 microseconds: what a month is the databases spell each in its own way.
	err = j.db.Each(ctx, `SELECT endpoint, CASE WHEN at < 0 THEN 0 ELSE at / 86400000000 END AS day, sum(units), sum(maybe),
			coalesce(max(at) FILTER (WHERE units > 0), 0), coalesce(max(at) FILTER (WHERE maybe > 0), 0) FROM (
			SELECT t.endpoint, p.fetched_at AS at, p.units, 0 AS maybe FROM pages p JOIN tasks t ON t.no = p.task
			UNION ALL SELECT t.endpoint, a.at, 0, a.maybe_units FROM attempts a JOIN tasks t ON t.no = a.task) AS asked
		GROUP BY endpoint, day`, func(rows *sql.Rows) error {
		var endpoint string
		var b pipeline.Bill
		var day, spent, held int64
		if err := rows.Scan(&endpoint, &day, &b.Spent, &b.Maybe, &spent, &held); err != nil {
			return err
		}
		b.SpentAt, b.HeldAt = store.At(spent), store.At(held)
		months, month := of(endpoint), time.Unix(day*24*60*60, 0).UTC().Format("2006-01")
		all := months[month]
		all.Add(b)
		months[month] = all
		return nil
	})
	return bills, err
}
