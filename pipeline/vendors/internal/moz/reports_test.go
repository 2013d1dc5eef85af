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

func TestHistoriesAreOfTheMetricsMozListsForThem(t *testing.T) {
	counts := strings.Fields(`pages_to_page nofollow_pages_to_page redirect_pages_to_page external_pages_to_page external_nofollow_pages_to_page
		external_redirect_pages_to_page root_domains_to_page indirect_root_domains_to_page nofollow_root_domains_to_page
		pages_to_subdomain nofollow_pages_to_subdomain redirect_pages_to_subdomain external_pages_to_subdomain external_nofollow_pages_to_subdomain
		external_redirect_pages_to_subdomain root_domains_to_subdomain nofollow_root_domains_to_subdomain
		pages_to_root_domain nofollow_pages_to_root_domain redirect_pages_to_root_domain external_pages_to_root_domain external_indirect_pages_to_root_domain
		external_nofollow_pages_to_root_domain external_redirect_pages_to_root_domain root_domains_to_root_domain indirect_root_domains_to_root_domain
		nofollow_root_domains_to_root_domain page_authority domain_authority`)
	distributions := strings.Fields(`root_domains_to_root_domain_by_root_domains nofollow_root_domains_to_root_domain_by_root_domains pages_to_root_domain_by_spam_score
		nofollow_pages_to_root_domain_by_spam_score root_domains_to_root_domain_by_spam_score nofollow_root_domains_to_root_domain_by_spam_score`)
	for _, name := range []string{"url_metrics", "top_pages"} {
		e := Endpoint(name)
		for _, series := range Series {
			want := counts
			if strings.HasSuffix(series, "values") {
				want = slices.Concat(counts, distributions)
			}
			if diff := cmp.Diff(want, e.Param(SeriesParam(series)).Values); diff != "" {
				t.Errorf("%s %s: %s", name, series, diff)
			}
		}
	}
}
