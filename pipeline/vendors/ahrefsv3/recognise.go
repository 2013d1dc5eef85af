package ahrefsv3

import "backhaul/pipeline/vendors/internal/rows"

// ofV2 are members that rows of API v2 have for what is called otherwise here: the replies are alike enough to be taken for
// each other, with those columns left empty. Source: Ahrefs API v2, anchors, refdomains.
var ofV2 = []string{"backlinks", "refdomain"}

// Recognises reports whether a reply whose request is not known can be of this report.
func (s *source) Recognises(body []byte) bool {
	reply, err := rows.Scan(body, s.layout)
	if err != nil {
		return false
	}
	for _, row := range reply.Rows() {
		first, err := rows.Scan(row, rows.Layout{One: true})
		if err != nil {
			return false
		}
		for _, name := range ofV2 {
			if first.Member(name) != nil {
				return false
			}
		}
		break
	}
	return true
}
