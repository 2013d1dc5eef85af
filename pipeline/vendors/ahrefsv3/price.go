package ahrefsv3

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"backhaul/pipeline"
)

const (
	// leastUnits is charged for any request that is charged at all. Source: Ahrefs, limits and consumption.
	leastUnits = 50
	// freeRows is how many rows a list of a free target has at most. Source: Ahrefs, free test queries.
	freeRows = 100
	// maxTargets is how many targets a batch takes. Source: Ahrefs OpenAPI 3.0.0, batch-analysis, targets.
	maxTargets = 100
)

// DefaultRows is what Ahrefs takes for `limit` where it is not sent. Source: Ahrefs OpenAPI 3.0.0, `limit`.
const DefaultRows = 1000

// freeTargets: they and any URL on them. Whether their subdomains are free too is unknown: they are priced. Source:
// Ahrefs, free test queries; an earlier version of the page had wordcount.com instead of the last two.
var freeTargets = []string{"ahrefs.com", "yep.com", "firehose.com"}

// Request is what the price of a request depends on.
type Request struct {
	// Target is a domain or URL; in a Batch it is not looked at.
	Target string
	// Select, Where and OrderBy are as for [Report.SelectFields], [Report.WhereFields] and [Report.OrderFields]. A nil
	// Where is no filter.
	Select  []string
	Where   any
	OrderBy []string
	// Targets is how many targets a Batch is sent.
	Targets int
	// From and To are the first and last day of a Series, which has a row for each month, week or day, by Grouping:
	// monthly, weekly, daily. Default monthly.
	From, To time.Time
	Grouping string
}

// Price returns the rule by which the request is charged:
//
//	max(50, rows × the sum of the units of the distinct fields in select, where and order_by)
//
// for each request, and nothing for free targets. Answers from Ahrefs' cache are free as well, which is known only
// afterwards. An error means that the request must not be sent. Source: Ahrefs, limits and consumption.
func (r *Report) Price(q Request) (pipeline.Price, error) {
	p := pipeline.Price{Free: r.Free, Source: "Ahrefs, limits and consumption; OpenAPI 3.0.0, " + r.Path}
	units, err := r.RowUnits(q)
	if err != nil {
		return p, err
	}
	if p.MaxRows, err = r.maxRows(q); err != nil || r.Free {
		return p, err
	}
	p.PerRow, p.Least = units, leastUnits
	p.Assumed = "a reply without rows costs 50 units as well"
	if r.Kind != Batch && free(q.Target) {
		p.Free = true
		if r.Kind == List {
			p.MaxRows = freeRows
		}
	}
	return p, nil
}

// RowUnits returns the price of a row: what Ahrefs prints as x-api-units-cost-row.
func (r *Report) RowUnits(q Request) (pipeline.Units, error) {
	named, err := r.named(q)
	if err != nil {
		return 0, err
	}
	var units pipeline.Units
	for i, name := range named {
		if slices.Contains(named[:i], name) {
			continue
		}
		f := find(r.Fields, name)
		if f == nil {
			f = find(r.Filters, name)
		}
		units += f.Units
	}
	return units, nil
}

// named returns the fields the request names, or gets without naming them; those in several places several times.
func (r *Report) named(q Request) ([]string, error) {
	named, err := r.SelectFields(q.Select)
	if err != nil {
		return nil, err
	}
	if !r.Selects() {
		for i := range r.Fields {
			named = append(named, r.Fields[i].Name)
		}
	}
	if q.Where != nil {
		filtered, err := r.WhereFields(q.Where)
		if err != nil {
			return nil, err
		}
		named = append(named, filtered...)
	}
	ordered, err := r.OrderFields(q.OrderBy)
	return append(named, ordered...), err
}

// maxRows is how many rows the reply can have, 0 if only limit bounds them: no plan's cap is known here.
func (r *Report) maxRows(q Request) (int, error) {
	switch r.Kind {
	case Single:
		return 1, nil
	case Series:
		return dates(q)
	case Batch:
		if q.Targets < 1 || q.Targets > maxTargets {
			return 0, fmt.Errorf("targets: %s takes 1 to %d of them, not %d", r.Name, maxTargets, q.Targets)
		}
		return q.Targets, nil
	}
	return 0, nil
}

// dates counts the months, weeks or days that the period touches. Ahrefs was seen to return the first of each month,
// the Mondays, or the days that lie within, which are never more; its documents do not say. Without a last day the
// period has no known end.
func dates(q Request) (int, error) {
	switch {
	case q.From.IsZero() || q.To.IsZero():
		return 0, errors.New("date_from and date_to: both are needed, to know what the request can cost")
	case q.To.Before(q.From):
		return 0, errors.New("date_to is before date_from")
	}
	from, to := day(q.From), day(q.To)
	switch q.Grouping {
	case "", "monthly":
		return (to.Year()-from.Year())*12 + int(to.Month()) - int(from.Month()) + 1, nil
	case "weekly":
		return daysBetween(monday(from), monday(to))/7 + 1, nil
	case "daily":
		return daysBetween(from, to) + 1, nil
	}
	return 0, fmt.Errorf("history_grouping must be monthly, weekly or daily, not %q", q.Grouping)
}

func day(t time.Time) time.Time {
	year, month, date := t.Date()
	return time.Date(year, month, date, 0, 0, 0, 0, time.UTC)
}

func monday(t time.Time) time.Time { return t.AddDate(0, 0, -(int(t.Weekday())+6)%7) }

func daysBetween(from, to time.Time) int { return int((to.Unix() - from.Unix()) / (24 * 60 * 60)) }

// free says whether the target is one of the free ones, or a URL on one.
func free(target string) bool {
	if _, rest, schemed := strings.Cut(target, "://"); schemed {
		target = rest
	}
	host, _, _ := strings.Cut(target, "/")
	return slices.Contains(freeTargets, strings.ToLower(host))
}
