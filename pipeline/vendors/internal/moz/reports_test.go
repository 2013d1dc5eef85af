package moz

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"backhaul/pipeline"
)

func TestTheReportsAreThoseOfMozsDocuments(t *testing.T) {
	want := strings.Fields("anchor_text links linking_root_domains link_intersect link_status final_redirect url_metrics top_pages " +
		"global_top_pages global_top_root_domains index_metadata usage_data")
	if diff := cmp.Diff(want, Names()); diff != "" {
		t.Error(diff)
	}
}

func TestFacts(t *testing.T) {
	for _, name := range Names() {
		e := Endpoint(name)
		if e.Vendor != "moz" || e.Name != name || e.Table == nil || e.Table.FullName() != "moz."+name || slices.Contains(e.Also, nil) || e.Meaning == "" {
			t.Errorf("%+v", e)
		}
		if scope := e.Param(e.ScopeParam); (scope == nil) != (e.ScopeParam == "") || scope != nil && (scope.Type != pipeline.ParamEnum || !slices.Contains(scope.Values, e.DefaultScope)) {
			t.Errorf("%s: scope %+v", e.Name, scope)
		}
		if (e.TargetOf == nil) != (e.Asks != pipeline.AboutParams) {
			t.Errorf("%s asks %v, and names its target itself: %v", e.Name, e.Asks, e.TargetOf != nil)
		}
		seen := map[string]bool{}
		for _, p := range e.Params {
			enumerated := p.Type == pipeline.ParamEnum || p.Type == pipeline.ParamWords || p.Type == pipeline.ParamTargets
			if seen[p.Name] || p.Meaning == "" || enumerated && len(p.Values) == 0 || (p.Type == pipeline.ParamWords) != (p.Separator != "") {
				t.Errorf("%s: parameter %+v", e.Name, p)
			}
			seen[p.Name] = true
		}
		for _, own := range []string{"target", "targets", "sources", "page", "limit", "next_token"} {
			if seen[own] {
				t.Errorf("%s: %s is filled in by the program", e.Name, own)
			}
		}
	}
}

func TestTheFactsAreTheCallersOwn(t *testing.T) {
	e := Endpoint("top_pages")
	e.Params[0].Name, e.Also[0] = "changed", nil
	if again := Endpoint("top_pages"); again.Params[0].Name != "scope" || again.Also[0] == nil {
		t.Errorf("%+v", again)
	}
}

func TestLinkIntersectIsAboutTheSiteWhoseGapItIs(t *testing.T) {
	of := Endpoint("link_intersect").TargetOf
	for _, tc := range []struct {
		params        map[string]any
		target, scope string
	}{
		{map[string]any{"positive_targets": sites(2), "negative_targets": []any{map[string]any{"target": "own.com", "scope": "page"}}, "source_scope": "root_domain"}, "own.com", "root_domain"},
		{map[string]any{"positive_targets": sites(1), "negative_targets": sites(3)}, "a.com+b.com+c.com", "page"},
		{map[string]any{"positive_targets": sites(2)}, "a.com+b.com", "page"},
		{map[string]any{}, "", "page"},
	} {
		if target, scope := of(tc.params); target != tc.target || scope != tc.scope {
			t.Errorf("%v: %s, %s", tc.params, target, scope)
		}
	}
}

func TestHistoriesAreOfCountsAndAuthorities(t *testing.T) {
	e := Endpoint("url_metrics")
	metrics := func(series string) []string { return e.Param(SeriesParam(series)).Values }
	for name, want := range map[string]bool{
		"pages_to_page": true, "external_pages_to_subdomain": true, "nofollow_root_domains_to_root_domain": true, "indirect_root_domains_to_page": true,
		"page_authority": true, "domain_authority": true, "deleted_pages_to_page": false, "deleted_root_domains_to_root_domain": false,
		"spam_score": false, "SpamScore": false, "pages_from_page": false, "pages_crawled_from_root_domain": false, "title": false,
	} {
		for _, series := range Series {
			if got := slices.Contains(metrics(series), name); got != want {
				t.Errorf("%s of %s: %v", series, name, got)
			}
		}
	}
	if diff := cmp.Diff(historyDistributions, metrics("daily_values")[len(metrics("daily_deltas")):]); diff != "" {
		t.Error(diff)
	}
	if !slices.Equal(metrics("daily_deltas"), metrics("monthly_deltas")) || !slices.Equal(metrics("daily_values"), metrics("monthly_values")) {
		t.Error("days and months differ")
	}
}
