package document

import (
	"context"
	"embed"
	"fmt"
	"strconv"
	"strings"
	"time"

	"backhaul/jobs/ledger"
	"backhaul/pipeline/words"
)

const (
	// mostTargets is how many targets have a section of their own.
	mostTargets = 40
	// chartNights is over how many nights charts go back, in days.
	chartNights = 30
)

// Ask puts one question in SQL to the catalog and returns its rows: nil, string, bool, int64 or float64. A warehouse that has
// no rows at all answers with none.
type Ask func(ctx context.Context, sql string) (rows [][]any, err error)

//go:embed sql/*.sql
var questions embed.FS

// builder is a report in the making.
type builder struct {
	Subject
	ask    Ask
	report *Report
	// values are what stands for the words with a dollar sign in questions.
	values []string
}

// newBuilder begins the report of a run.
func newBuilder(ask Ask, s Subject) (*builder, error) {
	b := &builder{Subject: s, ask: ask, report: &Report{Title: nameOf(s.Run), Footer: footer(s.Now)}}
	date, err := time.Parse(time.DateOnly, s.Run.RunDate)
	if err != nil {
		return nil, fmt.Errorf("run date of run %s: %w", s.Run.RunID, err)
	}
	b.values = []string{"$job", quote(s.Run.Job), "$date", day(date), "$from", day(date.AddDate(0, 0, 1-chartNights)), "$rows", strconv.Itoa(s.rows())}
	return b, nil
}

// Nothing is the report of a warehouse without a run.
func Nothing(now time.Time) *Report {
	return &Report{Title: "backhaul report", Facts: []Fact{{Name: "Runs", Value: "none yet: `backhaul run JOB` makes the first"}}, Footer: footer(now)}
}

func footer(now time.Time) string {
	return "Written " + now.UTC().Format("2006-01-02 15:04") + " UTC by backhaul. The numbers are those of the warehouse at that time."
}

// Build makes the report of a run. Errors are those of ask.
func Build(ctx context.Context, ask Ask, s Subject) (*Report, error) {
	b, err := newBuilder(ask, s)
	if err != nil {
		return nil, err
	}
	b.head()
	for _, part := range []func(context.Context) ([]Section, error){b.money, b.incomplete, b.targets, b.campaign, b.prospects, b.gaps} {
		sections, err := part(ctx)
		if err != nil {
			return nil, err
		}
		b.report.Sections = append(b.report.Sections, sections...)
	}
	b.report.identify()
	return b.report, nil
}

// put puts the question of a file, with further values.
func (b *builder) put(ctx context.Context, name string, values ...string) ([][]any, error) {
	text, err := questions.ReadFile("sql/" + name + ".sql")
	if err != nil {
		return nil, err
	}
	sql := strings.NewReplacer(append(values, b.values...)...).Replace(string(text))
	rows, err := b.ask(ctx, sql)
	if err != nil {
		return nil, fmt.Errorf("ask for %s: %w", strings.ReplaceAll(name, "_", " "), err)
	}
	return rows, nil
}

// quote spells a text as SQL does.
func quote(text string) string { return "'" + strings.ReplaceAll(text, "'", "''") + "'" }

func quoteAll(texts []string) string {
	quoted := make([]string, len(texts))
	for i, t := range texts {
		quoted[i] = quote(t)
	}
	return strings.Join(quoted, ", ")
}

func day(t time.Time) string { return "DATE " + quote(t.Format(time.DateOnly)) }

// head says what ran and how it stands.
func (b *builder) head() {
	s := b.Run
	tone := "bad"
	if s.State == string(ledger.Complete) && s.Rejected == 0 {
		tone = "good"
	}
	facts := []Fact{
		{Name: "State", Value: s.State, Tone: tone},
		{Name: "Lists", Value: fmt.Sprintf("%s of %s complete", words.Count(s.TaskCount-s.IncompleteCount), words.Count(s.TaskCount))},
		{Name: "Rows", Value: words.Count(s.Rows)},
		{Name: "Units spent", Value: words.Count(s.Spent)},
	}
	if s.Held > 0 {
		facts = append(facts, Fact{Name: "Units held", Value: words.Count(s.Held) + " for requests without an answer", Tone: "bad"})
	}
	if s.Rejected > 0 {
		facts = append(facts, Fact{Name: "Rows that did not fit", Value: words.Count(s.Rejected), Tone: "bad"})
	}
	b.report.Footer = "Run " + s.RunID + ". " + b.report.Footer
	facts = append(facts, Fact{Name: "Started", Value: s.Started.UTC().Format("2006-01-02 15:04:05") + " UTC"})
	if !s.Ended.IsZero() {
		facts = append(facts, Fact{Name: "Ended", Value: s.Ended.UTC().Format("2006-01-02 15:04:05") + " UTC"})
	}
	b.report.Facts = facts
}
