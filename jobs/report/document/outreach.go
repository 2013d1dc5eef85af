package document

import (
	"context"
	"fmt"
	"strings"

	"backhaul/pipeline/words"
)

// campaign says how the job's placements stand.
func (b *builder) campaign(ctx context.Context) ([]Section, error) {
	verdicts, err := b.put(ctx, "verdicts")
	if err != nil || len(verdicts) == 0 {
		return nil, err
	}
	rows, err := b.put(ctx, "campaign")
	if err != nil {
		return nil, err
	}
	c := Chart{Shape: Bars, Title: "Placements by verdict"}
	var counts []*int64
	var parts []string
	night := ""
	for _, r := range verdicts {
		c.Labels, counts = append(c.Labels, text(r[0])), append(counts, value(number(r[1])))
		parts = append(parts, words.Count(number(r[1]))+" "+text(r[0]))
		night = max(night, text(r[2]))
	}
	c.Series = []Series{{"placements", counts}}
	t := Table{Title: "Placements, what is wrong first", Columns: []Column{
		{"verdict", Words}, {"campaign", Quotable}, {"from", Address}, {"to", Address}, {"since", Day}, {"placed", Day}, {"last answer", Day}, {"authority", Number}, {"contact", Quotable},
	}}
	t.fill(rows)
	s := Section{Title: "Campaign", Headline: strings.Join(parts, ", ") + ".", Charts: []Chart{c}, Tables: []Table{t}}
	if night != b.Run.RunDate {
		s.Notes = []string{"As of " + night + "."}
	}
	return []Section{s}, nil
}

// prospects lists whom to ask for a link.
func (b *builder) prospects(ctx context.Context) ([]Section, error) {
	rows, err := b.put(ctx, "prospects")
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	t := Table{Title: "Prospects, best first", Columns: []Column{
		{"source", Address}, {"title", Quotable}, {"rivals", Number}, {"which", Quotable}, {"domain authority", Number}, {"page authority", Number}, {"spam score", Number},
		{"open since", Day}, {"label", Quotable},
	}}
	t.fill(rows)
	return []Section{{Title: "Prospects", Headline: words.Plural(number(rows[0][0]), "source") + " to decide about: they link to rivals and not to us.", Tables: []Table{t}}}, nil
}

// gaps draws what became of the gaps.
func (b *builder) gaps(ctx context.Context) ([]Section, error) {
	rows, err := b.put(ctx, "gap")
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	s := Section{Title: "Gap closure", Notes: []string{"Closed: they link to us now. Lost: the rivals' links are gone. Unknown: nobody asked whether they link to us, or the list was cut off."}}
	for _, group := range grouped(rows, 2) {
		t := Table{Title: "By month", Columns: []Column{
			{"month", Words}, {"open before", Number}, {"opened", Number}, {"closed", Number}, {"lost", Number}, {"unknown", Number}, {"open after", Number},
		}}
		c := Chart{Shape: Bars, Title: "Sources that came to the gap and left it, by month"}
		var opened, closed, left []*int64
		for _, r := range group {
			t.row(r[2:]...)
			c.Labels = append(c.Labels, text(r[2]))
			opened, closed = append(opened, value(number(r[4]))), append(closed, value(-number(r[5])))
			left = append(left, value(-number(r[6])-number(r[7])))
		}
		c.Series = []Series{{"opened", opened}, {"closed", closed}, {"lost or unknown", left}}
		title := text(group[0][1])
		if target := text(group[0][0]); target != "" {
			title = target + ": " + title
		}
		last := group[len(group)-1]
		s.Parts = append(s.Parts, Section{Title: title, Headline: fmt.Sprintf("%s open, %s closed in %s.", words.Count(number(last[8])), words.Count(number(last[5])), text(last[2])),
			Charts: []Chart{c}, Tables: []Table{t}})
	}
	return []Section{s}, nil
}

// fill takes rows whose first column says how many there are.
func (t *Table) fill(rows [][]any) {
	for _, r := range rows {
		t.row(r[1:]...)
	}
	t.More = number(rows[0][0]) - int64(len(rows))
}
