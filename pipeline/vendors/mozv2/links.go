package mozv2

import "backhaul/pipeline/vendors/internal/rows"

// links: single links to a target. A page of 50 is about 200 kB.
func links() *report {
	r := list("links", rows.Rule{Column: "source_*", Path: "source.*"}, rows.Rule{Column: "target_*", Path: "target.*"})
	r.empty = map[string]string{"anchor_text": "\x00"} // Source: Moz, links, anchor_text.
	return r
}
