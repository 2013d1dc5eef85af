package emulator

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"backhaul/testdata/vendors"
)

func sample(t *testing.T, name string) (reply any) {
	t.Helper()
	vendors.Decode(t, "moz/"+name+".json", &reply)
	return reply
}

// shape lists the members of a reply as "path: type", those of all elements of an array together.
func shape(v any) []string {
	found := map[string]bool{}
	var visit func(path string, v any)
	visit = func(path string, v any) {
		switch v := v.(type) {
		case object:
			found[path+": object"] = true
			for name, member := range v {
				visit(path+"."+name, member)
			}
		case []any:
			found[path+": array"] = true
			for _, item := range v {
				visit(path+"[]", item)
			}
		default:
			found[fmt.Sprintf("%s: %T", path, v)] = true
		}
	}
	visit("", v)
	return slices.Sorted(maps.Keys(found))
}

func TestRepliesHaveTheMembersOfRecordedOnes(t *testing.T) {
	s := New(Options{})
	pair := []object{at("rivalgear.example", "root_domain"), at("summit-supply.example", "root_domain")}
	for file, body := range map[string]object{
		"anchor_text":             {"target": "rivalgear.example"},
		"links":                   {"target": "rivalgear.example"},
		"linking_root_domains":    {"target": "rivalgear.example"},
		"link_intersect":          {"positive_targets": pair, "negative_targets": pair[:1]},
		"link_status":             {"target": "rivalgear.example", "sources": []string{"tiny-tarps.example"}},
		"final_redirect":          {"page": "acme-outdoor.example"},
		"global_top_pages":        {},
		"global_top_root_domains": {},
		"index_metadata":          {},
		"top_pages":               {"target": "rivalgear.example"},
		"url_metrics":             {"targets": []string{"rivalgear.example"}},
		"usage_data":              {},
	} {
		t.Run(file, func(t *testing.T) {
			want := sample(t, "v2_"+file)
			if diff := cmp.Diff(shape(want), shape(decode[any](t, s, file, body))); diff != "" {
				t.Errorf("-recorded +ours:\n%s", diff)
			}
		})
	}
}

func TestResultsHaveTheMembersOfRecordedOnes(t *testing.T) {
	s := New(Options{Day: 40})
	site := siteOf("rivalgear.example", "domain")
	query := object{"site_query": site}
	pair := object{"source_site_query": siteOf("www.megamart.example/", "url"), "target_site_query": site}
	for _, test := range []struct {
		file, method string
		data         object
		part         int // of a file with several results; -1: the file is one
	}{
		{"anchor-text.list", "data.site.anchor-text.list", query, -1},
		{"link.list", "data.site.link.list", query, -1},
		{"link.filter.anchor.text", "data.site.link.filter.anchor.text", with(query, "anchor_text", "RivalGear"), -1},
		{"link.filter.domain", "data.site.link.filter.domain", with(query, "domain_site_query", siteOf("megamart.example", "domain"), "offset", object{"limit": 1}), -1},
		{"linking-domain.list", "data.site.linking-domain.list", query, -1},
		{"linking-domain.filter.recently-gained", "data.site.linking-domain.filter.recently-gained",
			with(query, "offset", object{"limit": 1}, "options", object{"begin_date": "2026-01-01", "end_date": "2026-02-10"}), -1},
		{"linking-domain.filter.recently-lost", "data.site.linking-domain.filter.recently-lost",
			with(query, "offset", object{"limit": 1}, "options", object{"begin_date": "2026-01-01", "end_date": "2026-02-10"}), -1},
		{"link.intersect.fetch", "data.site.link.intersect.fetch", object{"is_linking_to": []object{site}, "not_linking_to": []object{siteOf("tiny-tarps.example", "domain")}}, -1},
		{"link.status.fetch", "data.site.link.status.fetch", pair, -1},
		{"link.status.fetch.multiple", "data.site.link.status.fetch.multiple", object{"queries": []object{pair}}, 0},
		{"metadata.index.fetch", "metadata.index.fetch", object{}, -1},
		{"quota.lookup", "quota.lookup", object{"path": "api.limits.data.rows"}, -1},
		{"redirect.fetch", "data.site.redirect.fetch", object{"site_query": siteOf("acme-outdoor.example", "url")}, -1},
		{"site.metrics.distributions.fetch", "data.site.metrics.distributions.fetch", query, -1},
		{"site.metrics.histories.fetch", "data.site.metrics.histories.fetch", with(query, "get_monthly_history_values_for", []string{"page_authority"}), 0},
		{"site.metrics.histories.fetch", "data.site.metrics.histories.fetch", with(query, "get_monthly_history_deltas_for", []string{"page_authority"}), 1},
	} {
		t.Run(test.method, func(t *testing.T) {
			want := sample(t, "rpc_"+test.file)
			if test.part >= 0 {
				want = want.([]any)[test.part]
			}
			if diff := cmp.Diff(shape(want), shape(ok[any](t, s, test.method, test.data))); diff != "" {
				t.Errorf("-recorded +ours:\n%s", diff)
			}
		})
	}
}

func TestAnItemsErrorHasTheMembersOfARecordedOne(t *testing.T) {
	s := New(Options{Faults: Faults{Item: 1}})
	pair := object{"source_site_query": siteOf("www.megamart.example/", "url"), "target_site_query": siteOf("rivalgear.example", "domain")}
	want := sample(t, "rpc_link.status.fetch.multiple").([]any)[1].(object)["errors_by_query"]
	got := ok[object](t, s, "data.site.link.status.fetch.multiple", object{"queries": []object{pair}})["errors_by_query"]
	if diff := cmp.Diff(shape(want), shape(got)); diff != "" {
		t.Errorf("-recorded +ours:\n%s", diff)
	}
}
