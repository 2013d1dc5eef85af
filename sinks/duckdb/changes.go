package duckdb

import (
	"context"
	"embed"
	"fmt"
	"iter"
	"maps"
	"math/big"
	"slices"
	"strings"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"backhaul/schemas"
	"backhaul/sinks"
)

// changes are the queries that work out what came and went, one per table of schemas.Changes, over $job, $date, the later
// night of the two that are compared, and $earlier, the others; and which nights those are, over $job, $year and some of its days.
//
//go:embed changes/*.sql
var changes embed.FS

// changesBatch is how many rows of changes are held at once.
const changesBatch = 8192

// Days are those of a year from the day From, the first of a month, until the day Until, which is not one of them.
type Days struct {
	From, Until time.Time
	// Held are those on which the lake has rows of an endpoint, or what stands for none. Default nil: it has them of all.
	Held map[string][]time.Time
}

// Year returns the first day of the year.
func (d Days) Year() time.Time { return time.Date(d.From.Year(), 1, 1, 0, 0, 0, 0, time.UTC) }

// Months returns the first days of the months.
func (d Days) Months() (all []time.Time) {
	for month := d.From; month.Before(d.Until); month = month.AddDate(0, 1, 0) {
		all = append(all, month)
	}
	return all
}

// held is the condition that the lake has a night's rows.
func (d Days) held() string {
	if d.Held == nil {
		return "true"
	}
	all := []string{"false"}
	for _, endpoint := range slices.Sorted(maps.Keys(d.Held)) {
		nights := make([]string, len(d.Held[endpoint]))
		for i, night := range d.Held[endpoint] {
			nights[i] = sqlDate(night)
		}
		all = append(all, fmt.Sprintf("endpoint = %s AND run_date IN (%s)", quote(endpoint), strings.Join(nights, ", ")))
	}
	return strings.Join(all, " OR ")
}

// WholeLists works out which nights of a year can be compared: those of some days from ops.tasks, of the others they are what the table
// has. take is handed each job's; those of one alone if job is not empty. days returns which of a job are worked out, within the period
// that it has tasks of. Errors are those of Query, of days and of take.
func WholeLists(ctx context.Context, w sinks.Warehouse, job string, period Days, days func(job string) (Days, error),
	take func(job string, batches iter.Seq2[arrow.RecordBatch, error]) error) error {
	return over(ctx, w, "", 0, nil, func(ctx context.Context, s *session) error {
		jobs := []string{job}
		if job == "" {
			var err error
			if jobs, err = s.jobs(ctx, period); err != nil {
				return err
			}
		}
		for _, job := range jobs {
			if err := s.wholeLists(ctx, w, job, days, take); err != nil {
				return err
			}
		}
		return nil
	})
}

func (s *session) wholeLists(ctx context.Context, w sinks.Warehouse, job string, days func(job string) (Days, error),
	take func(job string, batches iter.Seq2[arrow.RecordBatch, error]) error) error {
	of, err := days(job)
	if err != nil {
		return callers{err}
	}
	d, err := declare(schemas.All(), months(w, s.mixed, append(of.Months(), of.Year())...)) // in whose month the table has the year's
	if err != nil {
		return err
	}
	query, err := d.changes(schemas.WholeSpans(), job, of.Year(), "$year", sqlDate(of.Year()), "$from", sqlDate(of.From), "$until", sqlDate(of.Until), "$held", of.held())
	if err != nil {
		return err
	}
	return handed(s.stream(ctx, schemas.WholeSpans(), query), func(batches iter.Seq2[arrow.RecordBatch, error]) error { return take(job, batches) })
}

// jobs returns those with tasks in a period, and those of which nights of its year can be compared: their tasks may be gone.
func (s *session) jobs(ctx context.Context, period Days) (jobs []string, err error) {
	_, rows, err := s.rows(ctx, fmt.Sprintf("SELECT job FROM (%s) WHERE run_date >= %s AND run_date < %s UNION SELECT job FROM (%s) WHERE run_date = %s ORDER BY 1",
		s.declared.inlined(s.declared.byName["ops.tasks"]), sqlDate(period.From), sqlDate(period.Until),
		s.declared.inlined(s.declared.byName[schemas.WholeSpans().FullName()]), sqlDate(period.Year())))
	for _, row := range rows {
		jobs = append(jobs, row[0].(string))
	}
	return jobs, err
}

// Changes works out what came and went until the run of (job, date), from the whole nights before it, and returns the nights after it that
// are compared with it. take is handed the batches of each table; what it is not handed batches for has no changes. Errors are those of
// Query, and of take.
func Changes(ctx context.Context, w sinks.Warehouse, job string, date time.Time, take TakeChanges) (later []time.Time, err error) {
	err = over(ctx, w, "", 0, nil, func(ctx context.Context, s *session) error {
		later, err = s.laterNights(ctx, job, date)
		if err != nil {
			return err
		}
		earlier, err := s.earlierNights(ctx, job, date)
		if err != nil {
			return err
		}
		return s.changesUntil(ctx, w, job, date, earlier, take)
	})
	return later, err
}

// TakeChanges is handed the rows that a table has of what changed.
type TakeChanges func(t *schemas.Table, batches iter.Seq2[arrow.RecordBatch, error]) error

// changesUntil hands over what each table has of the changes until a date since the earlier nights.
func (s *session) changesUntil(ctx context.Context, w sinks.Warehouse, job string, date time.Time, earlier []earlierNight, take TakeChanges) error {
	d, err := s.comparing(w, job, date, earlier)
	if err != nil {
		return err
	}
	for _, t := range schemas.Changes() {
		var nights []string
		query, err := d.changes(t, job, date)
		if err != nil {
			return err
		}
		for _, n := range earlier {
			if strings.Contains(query, quote(n.endpoint)) {
				nights = append(nights, sqlDate(n.date))
			}
		}
		var batches iter.Seq2[arrow.RecordBatch, error] = func(func(arrow.RecordBatch, error) bool) {} // none where there is nothing to compare with
		if len(nights) > 0 {
			batches = s.stream(ctx, t, strings.ReplaceAll(query, "$earlier", strings.Join(nights, ", ")))
		}
		if err := handed(batches, func(batches iter.Seq2[arrow.RecordBatch, error]) error { return take(t, batches) }); err != nil {
			return err
		}
	}
	return nil
}

// laterNights returns the nights after a date that lists of the job are compared with.
func (s *session) laterNights(ctx context.Context, job string, date time.Time) (dates []time.Time, err error) {
	return s.dates(ctx, fmt.Sprintf(`SELECT DISTINCT next FROM (SELECT min(run_date) AS next FROM (%s)
		WHERE job = %s AND run_date > %s GROUP BY extract, endpoint, target, scope, question) ORDER BY 1`, s.nights(), quote(job), sqlDate(date)))
}

// earlierNight is a night that lists of an endpoint are compared with.
type earlierNight struct {
	date     time.Time
	endpoint string
}

// earlierNights returns the nights that the lists which the job has of a date are compared with, in order. They are usually one for
// each endpoint.
func (s *session) earlierNights(ctx context.Context, job string, date time.Time) (all []earlierNight, err error) {
	_, rows, err := s.rows(ctx, fmt.Sprintf(`SELECT DISTINCT previous, endpoint FROM (SELECT endpoint, max(run_date) FILTER (run_date < %[3]s) AS previous
		FROM (%[1]s) WHERE job = %[2]s AND run_date <= %[3]s GROUP BY extract, endpoint, target, scope, question HAVING max(run_date) = %[3]s)
		WHERE previous IS NOT NULL ORDER BY ALL`, s.nights(), quote(job), sqlDate(date)))
	for _, row := range rows {
		all = append(all, earlierNight{row[0].(time.Time), row[1].(string)})
	}
	return all, err
}

// nights is the query for the nights of all lists.
func (s *session) nights() string { return s.declared.inlined(s.declared.byName["helper.nights"]) }

func (s *session) dates(ctx context.Context, query string) (dates []time.Time, err error) {
	_, rows, err := s.rows(ctx, query)
	for _, row := range rows {
		dates = append(dates, row[0].(time.Time))
	}
	return dates, err
}

// comparing returns the declarations by which a date is compared with earlier nights: they open the files of these nights' months
// alone, and know of no other night. To put the rows of years in order takes longer than what changed between two nights.
func (s *session) comparing(w sinks.Warehouse, job string, date time.Time, earlier []earlierNight) (*declarations, error) {
	days, first := []time.Time{date}, date
	for _, n := range earlier {
		days = append(days, n.date)
		if n.date.Before(first) {
			first = n.date
		}
	}
	d, err := declare(schemas.All(), months(w, s.mixed, days...))
	if err != nil {
		return nil, err
	}
	d.byName["helper.nights"].whole = fmt.Sprintf("SELECT * FROM (%s) WHERE job = %s AND run_date BETWEEN %s AND %s", s.nights(), quote(job), sqlDate(first), sqlDate(date))
	return d, nil
}

func sqlDate(date time.Time) string { return "DATE " + quote(date.Format(time.DateOnly)) }

// changes returns the query for the rows that a table has of the job and date, which names no view. What else it is over is in pairs.
func (d *declarations) changes(t *schemas.Table, job string, date time.Time, over ...string) (string, error) {
	text, err := changes.ReadFile("changes/" + t.Name + ".sql")
	query := strings.NewReplacer(append(over, "$job", quote(job), "$date", sqlDate(date))...).Replace(string(text))
	names := make([]string, len(t.Columns()))
	for i, c := range t.Columns() {
		names[i] = ident(c.Name)
	}
	return d.inlined(&declaration{body: fixed(fmt.Sprintf("SELECT %s FROM (%s) ORDER BY ALL", strings.Join(names, ", "), query))}), err
}

// handed hands batches to a caller, and tells an error of the caller's own from one of reading them.
func handed(batches iter.Seq2[arrow.RecordBatch, error], take func(iter.Seq2[arrow.RecordBatch, error]) error) error {
	read := true
	err := take(func(yield func(arrow.RecordBatch, error) bool) {
		for batch, err := range batches {
			if read = err == nil; !yield(batch, err) {
				return
			}
		}
	})
	if err != nil && read {
		return callers{err}
	}
	return err
}

// stream yields what a query answers as rows of a table.
func (s *session) stream(ctx context.Context, t *schemas.Table, query string) iter.Seq2[arrow.RecordBatch, error] {
	return func(yield func(arrow.RecordBatch, error) bool) {
		if err := s.batches(ctx, query, t, yield); err != nil {
			yield(nil, err)
		}
	}
}

// batches yields the answer to a query as rows of a table.
func (s *session) batches(ctx context.Context, query string, t *schemas.Table, yield func(arrow.RecordBatch, error) bool) error {
	result, err := s.conn.QueryContext(ctx, query)
	if err != nil {
		return err
	}
	defer result.Close()
	b := schemas.NewBuilder(memory.DefaultAllocator, t)
	defer b.Release()
	values, places := make([]any, len(t.Columns())), make([]any, len(t.Columns()))
	for i := range values {
		places[i] = &values[i]
	}
	for result.Next() {
		if err := result.Scan(places...); err != nil {
			return err
		}
		row := b.Row()
		for i, v := range values {
			if err := setValue(row, i, v); err != nil {
				return fmt.Errorf("column %s: %w", t.Columns()[i].Name, err)
			}
		}
		if b.Append(); b.Len() >= changesBatch && !yield(b.Batch(), nil) {
			return nil
		}
	}
	if err := result.Err(); err != nil || b.Len() == 0 {
		return err
	}
	yield(b.Batch(), nil)
	return nil
}

// setValue sets a column to a value as the driver has it.
func setValue(row *schemas.Row, i int, v any) error {
	switch v := v.(type) {
	case nil:
	case string:
		row.SetString(i, v)
	case bool:
		row.SetBool(i, v)
	case int32:
		row.SetInt(i, int64(v))
	case int64:
		row.SetInt(i, v)
	case *big.Int:
		row.SetInt(i, v.Int64())
	case time.Time:
		row.SetInt(i, int64(arrow.Date32FromTime(v)))
	case []any:
		texts, days := make([]string, 0, len(v)), make([]int64, 0, len(v))
		for _, one := range v {
			switch one := one.(type) {
			case string:
				texts = append(texts, one)
			case time.Time:
				days = append(days, int64(arrow.Date32FromTime(one)))
			}
		}
		if len(days) > 0 {
			row.SetInts(i, days)
			break
		}
		row.SetStrings(i, texts)
	default:
		return fmt.Errorf("unexpected %T", v)
	}
	return nil
}
