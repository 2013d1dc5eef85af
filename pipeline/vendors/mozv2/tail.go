package mozv2

import (
	"github.com/go-json-experiment/json"

	"backhaul/pipeline/vendors/internal/rows"
)

// tail returns what the last row of a page was sorted by: linking domains (anchor_text), the authority of the page
// (top_pages), or that of the linking domain or page. All of Moz's lists descend. It guides the order of the work only, so what it cannot find is 0.
func tail(reply rows.Reply) float64 {
	var last []byte
	for _, row := range reply.Rows() {
		last = row
	}
	var keys struct {
		Domains   float64 `json:"external_root_domains"`
		Authority float64 `json:"domain_authority"`
		Page      float64 `json:"page_authority"`
		Source    struct {
			Authority float64 `json:"page_authority"`
		} `json:"source"`
	}
	if json.Unmarshal(last, &keys) != nil {
		return 0
	}
	if keys.Page > 0 {
		return keys.Page
	}
	return max(keys.Domains, keys.Authority, keys.Source.Authority)
}
