package moz

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"backhaul/schemas"
)

// LoadHistories appends the histories of a page to a builder of moz.url_metrics_history, in the order of Series and,
// within, of the reply. object is checked JSON that holds each series under the parameter that asks for it: on V2 the page's
// metrics themselves. What cannot be read is rejected piece by piece; place is that of the page in its reply.
//
// The shape of a history is documented for JSON-RPC alone: a list of {metric_name, metric_values} or {metric_name,
// metric_deltas}. V2's documents only say that histories "appear under a key matching its name", so a map from metric to
// values or deltas is read as well. Values are a list of {date, value}, deltas are {gained, lost}, each a list of {date,
// count}; dates are YYYY-MM-DD, of months also YYYY-MM.
func LoadHistories(b *schemas.Builder, place int, page string, object []byte) {
	h := history{b: b, place: place, page: page}
	members, err := membersOf(object)
	if err != nil {
		return // the row of metrics says so
	}
	for _, h.series = range Series {
		for _, m := range members {
			if m.name == SeriesParam(h.series) && m.value.Kind() != 'n' {
				h.load(m.value)
			}
		}
	}
}

// history is one series of a page, on its way into a builder.
type history struct {
	b            *schemas.Builder
	place        int
	page, series string
}

func (h history) load(raw jsontext.Value) {
	entries, err := byMetric(raw)
	if err != nil {
		h.reject(raw, err)
	}
	read := h.values
	if strings.HasSuffix(h.series, "_deltas") {
		read = h.deltas
	}
	for _, e := range entries {
		switch {
		case e.name == "" || e.value == nil:
			h.reject(e.whole, errors.New("want metric_name with metric_values or metric_deltas"))
		case e.value.Kind() != 'n':
			if err := read(e.name, e.value); err != nil {
				h.reject(e.whole, fmt.Errorf("%s: %w", e.name, err))
			}
		}
	}
}

func (h history) reject(raw []byte, err error) {
	h.b.Reject(h.place, raw, &schemas.FieldError{Field: SeriesParam(h.series), Problem: err.Error()})
}

// values appends a metric's values.
func (h history) values(metric string, raw jsontext.Value) error {
	points, err := pointsOf(raw)
	if err != nil {
		return err
	}
	for _, p := range points {
		if err := h.value(metric, p); err != nil {
			h.reject(p.whole, fmt.Errorf("%s: %w", metric, err))
		}
	}
	return nil
}

// value appends one value, or the ten of a distribution.
func (h history) value(metric string, p point) error {
	day, err := h.day(p.Date)
	if err != nil {
		return err
	}
	if p.number().Kind() != '[' {
		n, err := integer(p.number())
		if err != nil {
			return fmt.Errorf("value: %w", err)
		}
		h.append(metric, day, cells{value: n, extra: p.Extra})
		return nil
	}
	var buckets []int64
	if err := json.Unmarshal(p.number(), &buckets); err != nil {
		return fmt.Errorf("value: want integers, got %s", brief(p.number()))
	}
	for i := range buckets {
		h.append(metric, day, cells{bucket: &i, value: &buckets[i], extra: p.Extra})
	}
	return nil
}

// deltas appends what a metric gained and lost, a row a day: the days in the order of the gains, then those of losses alone.
func (h history) deltas(metric string, raw jsontext.Value) error {
	var d struct {
		Gained jsontext.Value `json:"gained"`
		Lost   jsontext.Value `json:"lost"`
	}
	if raw.Kind() != '{' {
		return fmt.Errorf("want {gained, lost}, got %s", brief(raw))
	}
	if err := json.Unmarshal(raw, &d); err != nil {
		return err
	}
	if d.Gained == nil && d.Lost == nil {
		return fmt.Errorf("want {gained, lost}, got %s", brief(raw))
	}
	var days []int64
	byDay := map[int64]*cells{}
	for _, side := range []struct {
		name string
		raw  jsontext.Value
		of   func(*cells) **int64
	}{{"gained", d.Gained, func(c *cells) **int64 { return &c.gained }}, {"lost", d.Lost, func(c *cells) **int64 { return &c.lost }}} {
		points, err := pointsOf(side.raw)
		if err != nil {
			return fmt.Errorf("%s: %w", side.name, err)
		}
		for _, p := range points {
			day, n, err := h.delta(p)
			if err == nil && byDay[day] != nil && *side.of(byDay[day]) != nil {
				err = fmt.Errorf("date: %s a second time", p.Date)
			}
			if err != nil {
				h.reject(p.whole, fmt.Errorf("%s: %s: %w", metric, side.name, err))
				continue
			}
			if byDay[day] == nil {
				days, byDay[day] = append(days, day), &cells{}
			}
			c := byDay[day]
			*side.of(c) = n
			c.extra = merged(c.extra, p.Extra)
		}
	}
	for _, day := range days {
		h.append(metric, day, *byDay[day])
	}
	return nil
}

func (h history) delta(p point) (day int64, n *int64, err error) {
	if day, err = h.day(p.Date); err != nil {
		return 0, nil, err
	}
	if n, err = integer(p.number()); err == nil && n == nil {
		err = errors.New("no number")
	}
	if err != nil {
		return 0, nil, fmt.Errorf("count: %w", err)
	}
	return day, n, nil
}

// day reads a date as days since 1970-01-01; of a month, it is the first.
func (h history) day(text string) (int64, error) {
	t, err := time.Parse(time.DateOnly, text)
	if monthly := strings.HasPrefix(h.series, "monthly_"); monthly && err == nil {
		t = t.AddDate(0, 0, 1-t.Day())
	} else if monthly {
		t, err = time.Parse("2006-01", text)
	}
	if err != nil {
		return 0, fmt.Errorf("date: want a date, got %q", text[:min(len(text), 40)])
	}
	const secondsPerDay = 24 * 60 * 60
	return t.Unix() / secondsPerDay, nil
}

// cells are the columns of a row that differ from row to row.
type cells struct {
	bucket              *int
	value, gained, lost *int64
	extra               jsontext.Value
}

func (h history) append(metric string, day int64, c cells) {
	t, row := h.b.Table(), h.b.Row()
	row.SetString(t.Index("page"), h.page)
	row.SetString(t.Index("series"), h.series)
	row.SetString(t.Index("metric"), metric)
	row.SetInt(t.Index("date"), day)
	if c.bucket != nil {
		row.SetInt(t.Index("bucket"), int64(*c.bucket))
	}
	for name, n := range map[string]*int64{"value": c.value, "gained": c.gained, "lost": c.lost} {
		if n != nil {
			row.SetInt(t.Index(name), *n)
		}
	}
	if len(c.extra) > 0 {
		row.SetBytes(t.Index(schemas.ColExtra), c.extra)
		members, _ := membersOf(c.extra) // it was made of members
		for _, m := range members {
			row.Stray(SeriesParam(h.series)+"."+m.name, schemas.NewField, m.value)
		}
	}
	h.b.Append()
}
