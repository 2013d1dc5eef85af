package mozv2

import (
	"backhaul/pipeline"
	"backhaul/pipeline/vendors/internal/rows"
)

// globalRows is where the lists over the whole web end. Source: Moz, global_top_pages and global_top_root_domains.
const globalRows = 500

// globalTopPages: the pages with the highest Page Authority.
func globalTopPages() *report { return global(list("global_top_pages")) }

// globalTopRootDomains: rows as linking_root_domains has them; Moz sends a to_target of zeros that it does not document.
func globalTopRootDomains() *report {
	return global(list("global_top_root_domains", rows.Rule{Column: "to_target_*", Path: "to_target.*"}))
}

// global completes a list whose length is known. How much of it lies behind a token is not, so it may cost all of it.
func global(r *report) *report {
	r.endpoint.Estimate = func(t pipeline.Task, _ pipeline.Cursor) (pages int64, units pipeline.Units, ok bool) {
		most := int64(globalRows)
		if t.MaxRows > 0 {
			most = min(most, t.MaxRows)
		}
		price, err := r.price(t, pipeline.Ask{})
		if err != nil {
			return 0, 0, false
		}
		pages, units = price.Pages(most, r.endpoint.PageSize)
		return pages, units, true
	}
	return r
}
