package mozv2

import (
	"fmt"

	"backhaul/pipeline"
	"backhaul/pipeline/vendors/internal/moz"
	"backhaul/pipeline/vendors/internal/rows"
	"backhaul/schemas"
)

// linkIntersect: the rows say by number which of the positive targets they link to; the targets themselves are taken from
// the request. matching_source_pages, which Moz documents for JSON-RPC, is an unknown member here.
func linkIntersect() *report {
	r := list("link_intersect", rows.Rule{Column: "matching_targets"}, rows.Rule{Column: "positive_targets"}, rows.Rule{Column: "negative_targets"})
	t := r.endpoint.Table
	indexes, matching := t.Index("matching_target_indexes"), t.Index("matching_targets")
	r.load = func(p pipeline.Page, reply rows.Reply, b *schemas.Builder) error {
		request, err := moz.ReadIntersected(p.Request)
		if err != nil {
			return fmt.Errorf("read the page's request: %w", err)
		}
		positive, negative := moz.Texts(request.Positive), moz.Texts(request.Negative)
		return r.shape.LoadEach(reply, b, func(_ int, row *schemas.Row) (bool, error) {
			row.SetStrings(t.Index("positive_targets"), positive)
			row.SetStrings(t.Index("negative_targets"), negative)
			if row.Null(indexes) {
				return true, nil
			}
			matches := []string{}
			for _, i := range row.Ints(indexes) {
				if i < 0 || i >= int64(len(positive)) {
					return false, fmt.Errorf("matching_target_indexes: %d is not a place among %d positive_targets", i, len(positive))
				}
				matches = append(matches, positive[i])
			}
			row.SetStrings(matching, matches)
			return true, nil
		})
	}
	return r
}
