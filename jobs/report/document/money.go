package document

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"backhaul/jobs/report"
	"backhaul/pipeline"
	"backhaul/pipeline/words"
)

// money says what the run cost, and out of which budget.
func (b *builder) money(ctx context.Context) ([]Section, error) {
	s := Section{Title: "What it cost", Tables: []Table{b.vendorTable(), b.extractTable()}}
	for _, vendor := range b.vendors() {
		charts, headline, err := b.burnDown(ctx, vendor)
		if err != nil {
			return nil, err
		}
		s.Charts = append(s.Charts, charts...)
		s.Notes = append(s.Notes, headline)
	}
	return []Section{s}, nil
}

// vendors are those that the run spent at, or may have.
func (b *builder) vendors() []string {
	names := map[string]bool{}
	for name := range b.Own {
		names[name] = true
	}
	for name := range b.Budgets {
		names[name] = true
	}
	return slices.Sorted(maps.Keys(names))
}

// vendorTable holds what was spent against what may be.
func (b *builder) vendorTable() Table {
	t := Table{Title: "Units by vendor", Columns: []Column{
		{"vendor", Words}, {"this run", Number}, {"budget of a run", Number}, {"held", Number}, {"the job in the month", Number}, {"all jobs in the month", Number},
		{"the job's budget of a month", Number}, {"all jobs' budget of a month", Number},
	}}
	for _, name := range b.vendors() {
		budget := b.Budgets[name]
		t.row(name, int64(b.Own[name].Spent), units(budget.Run), int64(b.Own[name].Held), int64(b.Job[name].Spent), int64(b.All[name].Spent), units(budget.Month), units(budget.WarehouseMonth))
	}
	return t
}

// units is a ceiling as a value of a table: nil where there is none.
func units(u *pipeline.Units) any {
	if u == nil {
		return nil
	}
	return int64(*u)
}

// extractTable says what was bought, extract by extract.
func (b *builder) extractTable() Table {
	t := Table{Title: "What was bought", Columns: []Column{
		{"extract", Words}, {"endpoint", Words}, {"lists", Number}, {"complete", Number}, {"requests answered", Number}, {"rows", Number}, {"units", Number},
	}}
	type sum struct{ tasks, complete, pages, rows, units int64 }
	sums, order := map[[2]string]*sum{}, [][2]string{}
	for _, task := range b.Run.Tasks {
		key := [2]string{task.Extract, task.Endpoint}
		if sums[key] == nil {
			sums[key], order = new(sum), append(order, key)
		}
		x := sums[key]
		x.tasks, x.pages, x.rows, x.units = x.tasks+1, x.pages+int64(task.Pages), x.rows+task.Rows, x.units+int64(task.Units)
		if complete(task) {
			x.complete++
		}
	}
	for _, key := range order[:min(len(order), b.rows())] {
		x := sums[key]
		t.row(key[0], key[1], x.tasks, x.complete, x.pages, x.rows, x.units)
	}
	t.More = int64(len(order) - len(t.Rows))
	return t
}

func complete(t report.TaskStatus) bool { return pipeline.Ending(t.Ending).Complete() }

// burnDown draws what is left of the month's budget day by day, or what was spent where there is none.
func (b *builder) burnDown(ctx context.Context, vendor string) ([]Chart, string, error) {
	begin := b.monthStart(vendor)
	end := begin.AddDate(0, 1, -1)
	rows, err := b.put(ctx, "spend", "$begin", day(begin), "$end", day(end))
	if err != nil {
		return nil, "", err
	}
	ofJob, ofAll := map[string]int64{}, map[string]int64{}
	for _, r := range rows {
		if text(r[0]) == vendor {
			ofJob[text(r[1])], ofAll[text(r[1])] = number(r[2]), number(r[3])
		}
	}
	c := Chart{Shape: Line, Title: fmt.Sprintf("%s: units spent in the month from %s", vendor, begin.Format(time.DateOnly))}
	last := b.Now
	if ended := b.Run.Ended; !ended.IsZero() && ended.Before(last) {
		last = ended
	}
	for d := begin; !d.After(end); d = d.AddDate(0, 0, 1) {
		c.Labels = append(c.Labels, d.Format(time.DateOnly))
	}
	const job, all = "this job", "all jobs of the warehouse"
	switch budget := b.Budgets[vendor]; {
	case budget.Month != nil:
		c.Title = fmt.Sprintf("%s: what is left of the job's %s units of the month, by day", vendor, words.Count(*budget.Month))
		c.Series = []Series{{job, running(c.Labels, ofJob, last, budget.Month)}}
	case budget.WarehouseMonth != nil:
		c.Title = fmt.Sprintf("%s: what is left of the %s units of the month for all jobs, by day", vendor, words.Count(*budget.WarehouseMonth))
		c.Series = []Series{{all, running(c.Labels, ofAll, last, budget.WarehouseMonth)}}
	default:
		c.Series = []Series{{job, running(c.Labels, ofJob, last, nil)}}
		if !maps.Equal(ofJob, ofAll) {
			c.Series = append(c.Series, Series{all, running(c.Labels, ofAll, last, nil)})
		}
	}
	return []Chart{c}, b.headlineOf(vendor), nil
}

// running adds up what was spent by each day, and takes it from the budget if there is one. After the last day there is
// nothing to say.
func running(days []string, spent map[string]int64, last time.Time, most *pipeline.Units) []*int64 {
	values := make([]*int64, len(days))
	var sum int64
	for i, d := range days {
		if d > last.UTC().Format(time.DateOnly) {
			break
		}
		sum += spent[d]
		value := sum
		if most != nil {
			value = int64(*most) - sum
		}
		values[i] = &value
	}
	return values
}

// headlineOf says in a line how a vendor's account stands.
func (b *builder) headlineOf(vendor string) string {
	job, all := b.Job[vendor], b.All[vendor]
	parts := []string{fmt.Sprintf("%s: the job has spent %s in the month from %s", vendor, words.Plural(job.Spent, "unit"), b.monthStart(vendor).Format(time.DateOnly))}
	if all.Spent != job.Spent {
		parts = append(parts, fmt.Sprintf("all jobs of the warehouse have spent %s", words.Count(all.Spent)))
	}
	budget, known := b.Budgets[vendor]
	if budget.Month != nil {
		parts = append(parts, fmt.Sprintf("its budget for the month is %s", words.Count(*budget.Month)))
	}
	if budget.WarehouseMonth != nil {
		parts = append(parts, fmt.Sprintf("that of all jobs is %s", words.Count(*budget.WarehouseMonth)))
	}
	switch {
	case !known:
		parts = append(parts, "its budget is not known")
	case budget.Month == nil && budget.WarehouseMonth == nil:
		parts = append(parts, "it has no budget for the month")
	}
	if all.Held > 0 {
		parts = append(parts, fmt.Sprintf("%s held for requests without an answer", words.Are(all.Held, "unit")))
	}
	return strings.Join(parts, "; ") + "."
}
