package document

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"backhaul/pipeline/words"
)

// listed are the endpoints whose lists are about one target, and compared from night to night.
var listed = []string{"moz/anchor_text", "moz/links", "moz/linking_root_domains", "ahrefs/anchors", "ahrefs/all_backlinks", "ahrefs/refdomains"}

// targetsTitle is that of the section with a part for each target.
const targetsTitle = "Targets"

// targets has a section for each target whose links, domains or anchor texts the run is about: first come those with the most
// rows.
func (b *builder) targets(ctx context.Context) ([]Section, error) {
	names, more := b.names()
	if len(names) == 0 {
		return nil, nil
	}
	b.values = append(b.values, "$targets", quoteAll(names))
	parts := map[string][]Section{}
	headlines := map[string][]string{}
	if err := b.changes(ctx, parts, headlines); err != nil {
		return nil, err
	}
	if err := b.uncompared(ctx, parts, headlines); err != nil {
		return nil, err
	}
	compared := map[string]bool{}
	for name := range parts {
		compared[name] = true
	}
	for _, add := range []func(context.Context, map[string][]Section, map[string][]string) error{b.profiles, b.authorities, b.overlaps} {
		if err := add(ctx, parts, headlines); err != nil {
			return nil, err
		}
	}
	s := Section{Title: targetsTitle, Notes: []string{fmt.Sprintf("Nights go back %d days. Only nights whose whole list was bought are compared; a list that was cut short is not.", chartNights)}}
	for _, name := range names {
		part := Section{Title: name, Headline: strings.Join(headlines[name], "; "), Parts: parts[name]}
		if len(part.Parts) == 0 {
			part.Headline = "No whole list of it is known yet."
		} else if !compared[name] {
			part.Notes = []string{"There are no two whole nights to compare yet."}
		}
		s.Parts = append(s.Parts, part)
	}
	s.Notes = append(s.Notes, leftOut(more)...)
	return []Section{s}, nil
}

// leftOut says how many targets have no section.
func leftOut(more int) []string {
	switch more {
	case 0:
		return nil
	case 1:
		return []string{"1 more target has no room here: the catalog has it."}
	}
	return []string{words.Count(more) + " more targets have no room here: the catalog has them."}
}

// names are the targets to show, and how many more there are.
func (b *builder) names() (names []string, more int) {
	rows := map[string]int64{}
	for _, t := range b.Run.Tasks {
		if t.Target != "" && slices.Contains(listed, t.Endpoint) {
			rows[t.Target] += t.Rows
			if !slices.Contains(names, t.Target) {
				names = append(names, t.Target)
			}
		}
	}
	slices.SortStableFunc(names, func(x, y string) int { return int(max(-1, min(1, rows[y]-rows[x]))) })
	shown := min(len(names), mostTargets)
	return names[:shown], len(names) - shown
}

// changes draws what was won and lost by night, and lists what was in the night of the run.
func (b *builder) changes(ctx context.Context, parts map[string][]Section, headlines map[string][]string) error {
	rows, err := b.put(ctx, "nights")
	if err != nil {
		return err
	}
	tables := map[[3]string][]Table{}
	for _, kind := range []struct {
		what, file string
		columns    []Column
	}{
		{"domains", "domains", []Column{{"change", Words}, {"domain", Address}, {"authority", Number}, {"spam score", Number}, {"pages that link", Number}}},
		{"links", "links", []Column{{"change", Words}, {"from", Address}, {"authority of its domain", Number}, {"to", Address}, {"texts", Quotable}, {"rel", Words}, {"first seen", Day}}},
		{"anchor texts", "anchors", []Column{{"change", Words}, {"text", Quotable}, {"domains", Number}, {"pages", Number}}},
	} {
		changed, err := b.put(ctx, kind.file)
		if err != nil {
			return err
		}
		for _, r := range changed {
			key := [3]string{text(r[0]), kind.what, text(r[1])}
			if tables[key] == nil {
				tables[key] = []Table{{Title: "Won and lost that night", Columns: kind.columns, More: number(r[2])}}
			}
			t := &tables[key][0]
			t.row(r[3:]...)
			t.More--
		}
	}
	for _, group := range grouped(rows, 3) {
		target, what, list := text(group[0][0]), text(group[0][1]), text(group[0][2])
		c := Chart{Shape: Bars, Title: fmt.Sprintf("%s won and lost by night", capital(what))}
		var won, lost []*int64
		for _, r := range group {
			c.Labels = append(c.Labels, text(r[3]))
			won, lost = append(won, value(number(r[4]))), append(lost, value(-number(r[5])))
		}
		c.Series = []Series{{"won", won}, {"lost", lost}}
		last := group[len(group)-1]
		p := Section{Title: fmt.Sprintf("%s: %s", capital(what), list), Charts: []Chart{c}, Tables: tables[[3]string{target, what, list}]}
		if text(last[3]) == b.Run.RunDate {
			headlines[target] = append(headlines[target], changeText(what, list, number(last[4]), number(last[5])))
		} else {
			p.Notes = []string{"The list of " + b.Run.RunDate + " cannot be compared: it is not whole, or was not bought that night."}
		}
		parts[target] = append(parts[target], p)
	}
	return nil
}

// uncompared lists what came and went in the lists that no mart compares, in the night of the run alone: to work it out for many
// nights would read each of them whole.
func (b *builder) uncompared(ctx context.Context, parts map[string][]Section, headlines map[string][]string) error {
	rows, err := b.put(ctx, "ahrefs_changes")
	if err != nil {
		return err
	}
	for _, group := range grouped(rows, 7) {
		target := text(group[0][0])
		section, change := difference(group)
		parts[target], headlines[target] = append(parts[target], section), append(headlines[target], change)
	}
	return nil
}

// profiles draws anchor texts by kind.
func (b *builder) profiles(ctx context.Context, parts map[string][]Section, _ map[string][]string) error {
	known, err := b.put(ctx, "lists")
	if err != nil || len(known) == 0 {
		return err
	}
	var nights []string
	for _, r := range known {
		nights = append(nights, text(r[0]))
	}
	rows, err := b.put(ctx, "profile", "$nights", quoteAll(nights))
	if err != nil {
		return err
	}
	for _, group := range grouped(rows, 2) {
		target, list, night := text(group[0][0]), text(group[0][1]), text(group[0][2])
		c := Chart{Shape: Bars, Title: "Domains by kind of anchor text, " + night}
		t := Table{Title: "Anchor texts by kind", Columns: []Column{{"kind", Words}, {"texts", Number}, {"domains", Number}, {"pages", Number}, {"share of domains", Share}}}
		var domains []*int64
		for _, r := range group {
			kind := strings.ReplaceAll(text(r[4]), "_", " ")
			c.Labels, domains = append(c.Labels, kind), append(domains, value(number(r[6])))
			t.row(kind, r[5], r[6], r[7], r[8])
		}
		c.Series = []Series{{"domains", domains}}
		p := Section{Title: "Kinds of anchor texts: " + list, Charts: []Chart{c}, Tables: []Table{t},
			Notes: []string{"A domain counts once for each of its texts."}}
		if whole, _ := group[0][3].(bool); !whole {
			p.Notes = append(p.Notes, "The list was bought down to max_rows: what is below is not in it.")
		}
		parts[target] = append(parts[target], p)
	}
	return nil
}

// authorities draws how many of the linking domains have which authority.
func (b *builder) authorities(ctx context.Context, parts map[string][]Section, headlines map[string][]string) error {
	rows, err := b.put(ctx, "authority")
	if err != nil {
		return err
	}
	for _, group := range grouped(rows, 2) {
		target, list, night := text(group[0][0]), text(group[0][1]), text(group[0][2])
		counts := make([]int64, 11)
		var sum int64
		for _, r := range group {
			counts[number(r[3])+1] += number(r[4])
			sum += number(r[4])
		}
		c := Chart{Shape: Bars, Title: "Linking domains by authority, " + night}
		var values []*int64
		for ten := range 10 {
			c.Labels = append(c.Labels, fmt.Sprintf("%d–%d", ten*10, ten*10+9+ten/9))
			values = append(values, value(counts[ten+1]))
		}
		c.Series = []Series{{"domains", values}}
		p := Section{Title: "Authority of linking domains: " + list, Headline: words.Plural(sum, "linking domain") + ".", Charts: []Chart{c}}
		if counts[0] > 0 {
			p.Notes = []string{"The authority of " + words.Plural(counts[0], "domain") + " is not known."}
		}
		parts[target] = append(parts[target], p)
		vendor, _, _ := strings.Cut(list, ",")
		headlines[target] = append(headlines[target], words.Plural(sum, "linking domain")+" ("+vendor+")")
	}
	return nil
}

// overlaps says what both vendors see, and what one alone does.
func (b *builder) overlaps(ctx context.Context, parts map[string][]Section, _ map[string][]string) error {
	rows, err := b.put(ctx, "overlap")
	if err != nil || len(rows) == 0 {
		return err
	}
	items, err := b.put(ctx, "overlap_items")
	if err != nil {
		return err
	}
	alone := map[string][]Table{}
	for _, group := range grouped(items, 2) {
		t := Table{Title: "Seen by one vendor alone: " + text(group[0][1]), More: number(group[0][2]) - int64(len(group)),
			Columns: []Column{{"seen by", Words}, {"what", Quotable}, {"domains", Number}, {"pages", Number}}}
		for _, r := range group {
			t.row(r[3:]...)
		}
		alone[text(group[0][0])] = append(alone[text(group[0][0])], t)
	}
	for _, group := range grouped(rows, 1) {
		target := text(group[0][0])
		c := Chart{Shape: Bars, Title: "What the vendors see, " + b.Run.RunDate, Series: []Series{{Name: "moz alone"}, {Name: "both"}, {Name: "ahrefs alone"}}}
		for _, r := range group {
			c.Labels = append(c.Labels, text(r[1])+"s, "+text(r[2]))
			for i := range c.Series {
				c.Series[i].Values = append(c.Series[i].Values, value(number(r[3+i])))
			}
		}
		parts[target] = append(parts[target], Section{Title: "Vendor overlap", Charts: []Chart{c}, Tables: alone[target]})
	}
	return nil
}

// grouped cuts rows where one of the first columns changes.
func grouped(rows [][]any, columns int) (groups [][][]any) {
	for i, r := range rows {
		if i == 0 || !slices.Equal(r[:columns], rows[i-1][:columns]) {
			groups = append(groups, nil)
		}
		groups[len(groups)-1] = append(groups[len(groups)-1], r)
	}
	return groups
}

func value(n int64) *int64 { return &n }

// capital begins a text with a capital letter.
func capital(text string) string { return strings.ToUpper(text[:1]) + text[1:] }
