package mozv2

import (
	"testing"

	"backhaul/pipeline"
)

// refused applies the checks of all parameters, as whoever reads a spec does.
func refused(e *pipeline.Endpoint, params map[string]any) error {
	for name, value := range params {
		if p := e.Param(name); p != nil && p.Check != nil {
			if err := p.Check(value, params); err != nil {
				return err
			}
		}
	}
	return nil
}

func TestCombinations(t *testing.T) {
	for _, tc := range []struct {
		endpoint string
		ok       bool
		params   map[string]any
	}{
		{"links", true, map[string]any{"filter": "follow"}},
		{"links", true, map[string]any{"filter": "follow+external"}},
		{"links", false, map[string]any{"filter": "follow+not_deleted"}},
		{"links", true, map[string]any{"sort": "root_domains_to_source_page"}},
		{"links", true, map[string]any{"sort": "source_spam_score", "anchor_text": ""}},
		{"links", false, map[string]any{"sort": "root_domains_to_source_page", "anchor_text": ""}},
		{"links", false, map[string]any{"sort": "source_domain_authority", "source_root_domain": "a.com"}},
		{"links", true, map[string]any{"sort": "source_page_authority", "source_root_domain": "a.com", "filter": "external+lost_last_60_days"}},
		{"links", false, map[string]any{"source_root_domain": "a.com", "filter": "external+redirect"}},
		{"links", false, map[string]any{"subdomains_limited_to_one": []any{"a.com"}}},
		{"links", true, map[string]any{"subdomains_limited_to_one": []any{"a.com"}, "sort": "source_page_authority"}},
		{"linking_root_domains", false, map[string]any{"begin_date": "2026-01-01"}},
		{"linking_root_domains", false, map[string]any{"end_date": "2026-01-01", "sort": "source_spam_score"}},
		{"linking_root_domains", true, map[string]any{"begin_date": "2026-01-01", "end_date": "2026-02-01", "sort": "date_lost"}},
		{"linking_root_domains", true, map[string]any{"sort": "date_gained"}},
		{"linking_root_domains", false, map[string]any{"filter": "deleted+lost_last_60_days"}},
	} {
		if err := refused(named(t, Offline(), tc.endpoint).Endpoint(), tc.params); (err == nil) != tc.ok {
			t.Errorf("%s %v: %v", tc.endpoint, tc.params, err)
		}
	}
}

func TestFacts(t *testing.T) {
	for _, e := range Endpoints() {
		scope := e.Param(e.ScopeParam)
		if e.Vendor != "moz" || e.Surface != "v2" || e.Table == nil || e.Table.FullName() != "moz."+e.Name || e.PageSize != 50 || e.WorstCase(50) != 50 {
			t.Errorf("%+v", e)
		}
		if scope == nil || scope.Type != pipeline.ParamEnum || e.DefaultScope != "page" || e.Meaning == "" || e.Source == "" {
			t.Errorf("%s: scope %+v", e, scope)
		}
		seen := map[string]bool{}
		for _, p := range e.Params {
			enumerated := p.Type == pipeline.ParamEnum || p.Type == pipeline.ParamWords
			if seen[p.Name] || p.Meaning == "" || enumerated != (len(p.Values) > 0) || (p.Type == pipeline.ParamWords) != (p.Separator != "") {
				t.Errorf("%s: parameter %+v", e, p)
			}
			seen[p.Name] = true
		}
		for _, own := range []string{"target", "limit", "next_token"} {
			if seen[own] {
				t.Errorf("%s: %s is filled in by the program", e, own)
			}
		}
	}
}
