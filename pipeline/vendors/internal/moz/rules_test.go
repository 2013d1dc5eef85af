package moz

import (
	"strings"
	"testing"

	"backhaul/pipeline"
)

// refused applies the checks of all parameters, as whoever reads a spec does.
func refused(e pipeline.Endpoint, params map[string]any) error {
	for name, value := range params {
		if p := e.Param(name); p != nil && p.Check != nil {
			if err := p.Check(value, params); err != nil {
				return err
			}
		}
	}
	return nil
}

// sites are n targets in one of the Go types a spec's reader may use.
func sites(n int) []any {
	list := make([]any, n)
	for i := range list {
		list[i] = map[string]any{"target": string(rune('a'+i)) + ".com", "scope": "root_domain"}
	}
	return list
}

func TestCombinations(t *testing.T) {
	typed := []map[string]string{{"target": "a.com", "scope": "page"}, {"target": "b.com", "scope": "page"}}
	for _, tc := range []struct {
		endpoint string
		says     string // "" where the combination is fine
		params   map[string]any
	}{
		{"links", "", map[string]any{"filter": "follow"}},
		{"links", "", map[string]any{"filter": "follow+external"}},
		{"links", "external", map[string]any{"filter": "follow+not_deleted"}},
		{"links", "", map[string]any{"sort": "root_domains_to_source_page"}},
		{"links", "", map[string]any{"sort": "source_spam_score", "anchor_text": ""}},
		{"links", "anchor_text", map[string]any{"sort": "root_domains_to_source_page", "anchor_text": ""}},
		{"links", "source_root_domain", map[string]any{"sort": "source_domain_authority", "source_root_domain": "a.com"}},
		{"links", "", map[string]any{"sort": "source_page_authority", "source_root_domain": "a.com", "filter": "external+lost_last_60_days"}},
		{"links", "source_root_domain", map[string]any{"source_root_domain": "a.com", "filter": "external+redirect"}},
		{"links", "needs sort", map[string]any{"subdomains_limited_to_one": []any{"a.com"}}},
		{"links", "", map[string]any{"subdomains_limited_to_one": []any{"a.com"}, "sort": "source_page_authority"}},
		{"linking_root_domains", "need sort", map[string]any{"begin_date": "2026-01-01"}},
		{"linking_root_domains", "need sort", map[string]any{"end_date": "2026-01-01", "sort": "source_spam_score"}},
		{"linking_root_domains", "", map[string]any{"begin_date": "2026-01-01", "end_date": "2026-02-01", "sort": "date_lost"}},
		{"linking_root_domains", "", map[string]any{"sort": "date_gained"}},
		{"linking_root_domains", "external", map[string]any{"filter": "deleted+lost_last_60_days"}},
		{"link_intersect", "", map[string]any{"positive_targets": sites(6)}},
		{"link_intersect", "", map[string]any{"positive_targets": sites(1), "negative_targets": sites(5)}},
		{"link_intersect", "", map[string]any{"positive_targets": typed, "negative_targets": sites(4), "min_matching_targets": int64(2)}},
		{"link_intersect", "are 7 together", map[string]any{"positive_targets": sites(7)}},
		{"link_intersect", "are 7 together", map[string]any{"positive_targets": typed, "negative_targets": sites(5)}},
		{"link_intersect", "at least one", map[string]any{"positive_targets": sites(0), "negative_targets": sites(5)}},
		{"link_intersect", "at least one", map[string]any{"negative_targets": sites(1)}},
		{"link_intersect", "3 of 2", map[string]any{"positive_targets": sites(2), "min_matching_targets": int64(3)}},
		{"usage_data", "", map[string]any{"start": "18374", "end": "1635466367"}}, // Moz's own example
		{"usage_data", "", map[string]any{"end": "1635466367"}},
		{"usage_data", "must begin before", map[string]any{"start": "1635466367", "end": "1635466367"}},
		{"usage_data", "Unix seconds", map[string]any{"start": "2026-11-01"}},
		{"usage_data", "Unix seconds", map[string]any{"end": "-1"}},
	} {
		err := refused(Endpoint(tc.endpoint), tc.params)
		if (err == nil) != (tc.says == "") || err != nil && !strings.Contains(err.Error(), tc.says) {
			t.Errorf("%s %v: %v, want %q", tc.endpoint, tc.params, err, tc.says)
		}
	}
}
