package mozrpc

import (
	"cmp"
	"fmt"

	"backhaul/pipeline"
	"backhaul/pipeline/vendors/internal/moz"
	"backhaul/pipeline/vendors/internal/rows"
	"backhaul/schemas"
)

func askLinkIntersect(t pipeline.Task, p params, ask pipeline.Ask) (question, error) {
	if _, err := moz.ReadIntersected([]byte(t.Params)); err != nil {
		return question{}, err
	}
	linking, err := sitesOf(p.Positive)
	if err != nil {
		return question{}, fmt.Errorf("positive_targets: %w", err)
	}
	others, err := sitesOf(p.Negative)
	if err != nil {
		return question{}, fmt.Errorf("negative_targets: %w", err)
	}
	return askAbout("data.site.link.intersect.fetch", data{IsLinkingTo: linking, NotLinkingTo: others, Offset: at(ask),
		Options: options{Scope: sourceScopes[cmp.Or(p.SourceScope, t.Scope, "page")], Sort: p.Sort, MinimumMatching: p.MinMatching}}), nil
}

// intersects loads sources with the targets they were looked up by, as they were asked.
func intersects() *method {
	table := lookup("link_intersect")
	shape := rows.MustCompile(table, rows.Rule{Column: "matching_targets"}, rows.Rule{Column: "positive_targets"}, rows.Rule{Column: "negative_targets"})
	m := list("data.site.link.intersect.fetch", table.Name, "link_intersects")
	m.charge = perItem
	m.load[table.Name] = func(r record, b *schemas.Builder) error {
		positive, negative := queries(r.asked.IsLinkingTo), queries(r.asked.NotLinkingTo)
		return shape.LoadEach(r.Reply, b, func(_ int, row *schemas.Row) (bool, error) {
			row.SetStrings(table.Index("positive_targets"), positive)
			row.SetStrings(table.Index("negative_targets"), negative)
			return true, match(table, row, positive)
		})
	}
	return m
}

// match names the targets that Moz names by their places.
func match(t *schemas.Table, row *schemas.Row, positive []string) error {
	places := row.Ints(t.Index("matching_target_indexes"))
	targets := make([]string, len(places))
	for i, n := range places {
		if n < 0 || n >= int64(len(positive)) {
			return fmt.Errorf("matching_target_indexes: %d is not the place of one of %d positive targets", n, len(positive))
		}
		targets[i] = positive[n]
	}
	if places != nil {
		row.SetStrings(t.Index("matching_targets"), targets)
	}
	return nil
}
