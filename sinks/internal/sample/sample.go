// Package sample makes rows for the tests of the sinks: a table with a column of every type and the values that
// readers are known to disagree about, and large tables in the shapes of the real ones.
package sample

import (
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"backhaul/schemas"
)

// Table returns a table with a required and a nullable column of every type.
func Table() *schemas.Table {
	t := &schemas.Table{Schema: "moz", Name: "every_type", Meaning: "one of each", Source: "test"}
	for typ := schemas.String; typ <= schemas.Dates; typ++ {
		name := fmt.Sprintf("c%d", typ)
		t.Own = append(t.Own,
			schemas.Column{Name: name, Type: typ, Required: true, Meaning: "it's a " + typ.String(), Unit: "things", Source: "test"},
			schemas.Column{Name: name + "_or_null", Type: typ, Meaning: "a " + typ.String() + " or null", Source: "test"})
	}
	return t
}

// columns are the interesting values of each type, equally many per type: integers, days and microseconds as
// int64, lists as []any.
var columns = map[schemas.Type][]any{
	schemas.String:    {"", "plain", "žluťoučký kůň 🐎", "a\x00b", "tab\t\"quote\"\nline", "\u202eright to left"},
	schemas.Bool:      {true, false, true, true, false, false},
	schemas.Int32:     {int64(0), int64(math.MaxInt32), int64(math.MinInt32), int64(-1), int64(1), int64(7)},
	schemas.Int64:     {int64(18_753_876_101), int64(1<<53 + 1), int64(math.MaxInt64), int64(math.MinInt64), int64(-1), int64(0)},
	schemas.Float64:   {0.1, math.MaxFloat64, math.SmallestNonzeroFloat64, -1.5, 1e-7, 0.0},
	schemas.Date:      {int64(0), int64(-1), int64(-25567), int64(20_780), int64(2_932_896), int64(-719_162)},
	schemas.Timestamp: {int64(0), int64(-1), int64(1_795_392_554_123_456), int64(-62_135_596_800_000_000), int64(1), int64(253_402_300_799_999_999)},
	schemas.Strings:   {[]any{}, []any{""}, []any{"a", "ž"}, []any{"x", "", "y"}, []any{}, []any{"🐎"}},
	schemas.Int32s:    {[]any{int64(1)}, []any{}, []any{int64(0), int64(-1), int64(math.MaxInt32)}, []any{int64(2)}, []any{}, []any{int64(3), int64(3)}},
	schemas.Dates:     {[]any{int64(-1)}, []any{int64(20_780), int64(0)}, []any{}, []any{int64(1)}, []any{int64(2)}, []any{}},
}

// Rows returns the values of the table's own columns: one row per interesting value, where the nullable columns
// take the value ahead and are null in every third row.
func Rows(t *schemas.Table) [][]any {
	rows := make([][]any, len(columns[schemas.String]))
	for i := range rows {
		for _, c := range t.Own {
			values := columns[c.Type]
			switch {
			case c.Required:
				rows[i] = append(rows[i], values[i])
			case i%3 == 2:
				rows[i] = append(rows[i], nil)
			default:
				rows[i] = append(rows[i], values[(i+1)%len(values)])
			}
		}
	}
	return rows
}

// Origin returns where the made-up rows of a target come from.
func Origin(target string) schemas.Origin {
	return schemas.Origin{
		Target: target, TargetAsGiven: "https://" + target, Scope: "root_domain", Job: "nightly", Extract: "sample",
		RunID: "01K0", RunDate: 20_780, Surface: "v2", FetchedAt: time.UnixMicro(1_795_392_554_123_456), Rank: 1,
	}
}

// Batch returns the rows as a batch, with ranks from 1 under target.
func Batch(mem memory.Allocator, t *schemas.Table, target string, rows [][]any) arrow.RecordBatch {
	b := schemas.NewBuilder(mem, t)
	defer b.Release()
	b.Begin(Origin(target))
	for _, values := range rows {
		row := b.Row()
		for i, v := range values {
			set(row, i, t.Own[i].Type, v)
		}
		b.Append()
	}
	return b.Batch()
}

func set(row *schemas.Row, i int, typ schemas.Type, v any) {
	switch v := v.(type) {
	case string:
		row.SetString(i, v)
	case bool:
		row.SetBool(i, v)
	case int64:
		row.SetInt(i, v)
	case float64:
		row.SetFloat(i, v)
	case []any:
		if typ == schemas.Strings {
			list := make([]string, len(v))
			for j := range v {
				list[j] = v[j].(string)
			}
			row.SetStrings(i, list)
			return
		}
		list := make([]int64, len(v))
		for j := range v {
			list[j] = v[j].(int64)
		}
		row.SetInts(i, list)
	}
}

var words = []string{"best", "seo", "tools", "click", "here", "příklad", "example.com", "read", "more", "www", "guide", "to", "日本語", "buy", "cheap", "online"}

// Shape fills a table with rows of the web's shape: texts that recur between targets, counts that fall with the
// rank. The same table and seed give the same rows.
type Shape struct {
	b         *schemas.Builder
	rng       *rand.Rand
	job       string // of one run, if it is not empty
	date      time.Time
	perTarget int
	changing  int // rows of a target that are new each night; 0 if all are drawn again
	target    int
	left      int
	rank      int64
}

// NewShape returns a source of batches of t with perTarget rows per target.
func NewShape(mem memory.Allocator, t *schemas.Table, perTarget int) *Shape {
	return &Shape{b: schemas.NewBuilder(mem, t), rng: rand.New(rand.NewPCG(1, 2)), perTarget: perTarget}
}

// pageRows is how many rows come in one page.
const pageRows = 50

// Next returns the next rows as a batch the caller releases.
func (s *Shape) Next(rows int) arrow.RecordBatch {
	for range rows {
		if s.left == 0 {
			s.target++
			s.left, s.rank = s.perTarget, 0
		}
		if s.rank%pageRows == 0 {
			s.b.Begin(s.page())
		}
		s.left--
		s.rank++
		row := s.b.Row()
		for i, c := range s.b.Table().Own {
			s.fill(row, i, c)
		}
		s.b.Append()
	}
	return s.b.Batch()
}

// page returns where the next page comes from: it came when the target's pages before it had.
func (s *Shape) page() schemas.Origin {
	o := Origin(fmt.Sprintf("target-%07d.com", s.target))
	o.Rank, o.PageSeq = s.rank+1, int32(s.rank/pageRows)
	since := time.Duration(s.target)*time.Second + time.Duration(o.PageSeq)*317*time.Millisecond
	if s.job != "" {
		o.Job, o.RunID, o.RunDate = s.job, s.runID(), arrow.Date32FromTime(s.date)
		since += s.date.Sub(o.FetchedAt.Truncate(24 * time.Hour))
	}
	o.FetchedAt = o.FetchedAt.Add(since)
	return o
}

// Of makes the rows to come those of one run. Another night has other counts and another order of texts, many of which it
// shares.
func (s *Shape) Of(job string, date time.Time) *Shape {
	s.job, s.date, s.rng = job, date, rand.New(rand.NewPCG(1, uint64(date.Unix())))
	return s
}

// Steady makes the rows to come those of a list of which that many a night make place for new ones, the texts of the others stay.
func (s *Shape) Steady(changing int) *Shape {
	s.changing = changing
	return s
}

// text returns where the texts of a row are drawn from.
func (s *Shape) text() *rand.Rand {
	if s.changing == 0 {
		return s.rng
	}
	night := int(s.date.Unix() / int64(24*time.Hour/time.Second))
	return rand.New(rand.NewPCG(uint64(s.target), uint64(int64(night*s.changing)+s.rank)))
}

func (s *Shape) runID() string { return s.job + s.date.Format(time.DateOnly) }

func (s *Shape) fill(row *schemas.Row, i int, c schemas.Column) {
	switch {
	case s.job == "":
	case c.Name == "job":
		row.SetString(i, s.job)
		return
	case c.Name == "run_id":
		row.SetString(i, s.runID())
		return
	case c.Name == schemas.ColRunDate:
		row.SetInt(i, int64(arrow.Date32FromTime(s.date)))
		return
	}
	switch c.Type {
	case schemas.String:
		rng := s.text()
		text := words[rng.IntN(len(words))]
		for range rng.IntN(4) {
			text += " " + words[rng.IntN(len(words))]
		}
		row.SetString(i, fmt.Sprintf("%s %d", text, int(math.Pow(rng.Float64(), 3)*50_000)))
	case schemas.Bool:
		row.SetBool(i, s.rng.IntN(10) == 0)
	case schemas.Float64:
		row.SetFloat(i, math.Round(s.rng.Float64()*1e6)/1e6)
	case schemas.Date:
		if c.Required || s.rng.IntN(5) > 0 {
			row.SetInt(i, int64(19_000+s.rng.IntN(1_700)))
		}
	case schemas.Timestamp:
		row.SetInt(i, 1_795_392_554_123_456+int64(s.rng.IntN(1e9)))
	case schemas.Strings:
		row.SetStrings(i, words[:s.rng.IntN(3)])
	case schemas.Int32s, schemas.Dates:
		row.SetInts(i, []int64{1, int64(s.rng.IntN(100))})
	case schemas.Int64, schemas.Int32:
		row.SetInt(i, int64(1e7/float64(s.rank)*(0.5+s.rng.Float64())))
	}
}

// Release frees the source.
func (s *Shape) Release() { s.b.Release() }
