package archive

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"backhaul/testdata/vendors"
)

// recorded are replies that the vendors gave, and the surface that gave them; what is in XML is alone in its file.
var recorded = []struct {
	surface string
	names   []string
}{
	{"moz-v2", []string{
		"v2_anchor_text.json", "v2_anchor_text.one.json", "v2_final_redirect.json", "v2_global_top_pages.json", "v2_global_top_root_domains.json",
		"v2_index_metadata.json", "v2_link_intersect.json", "v2_link_status.json", "v2_linking_root_domains.json", "v2_links.json",
		"v2_top_pages.json", "v2_url_metrics.json", "v2_usage_data.json",
	}},
	{"moz-rpc", []string{
		"rpc_anchor-text.list.json", "rpc_anchor-text.list.captured.json", "rpc_link.filter.anchor.text.json", "rpc_link.filter.domain.json",
		"rpc_link.intersect.fetch.json", "rpc_link.list.json", "rpc_link.status.fetch.json", "rpc_link.status.fetch.multiple.json",
		"rpc_linking-domain.filter.recently-gained.json", "rpc_linking-domain.filter.recently-lost.json", "rpc_linking-domain.list.json",
		"rpc_metadata.index.fetch.json", "rpc_quota.lookup.json", "rpc_redirect.fetch.json", "rpc_site.metrics.distributions.fetch.json",
		"rpc_site.metrics.histories.fetch.json",
	}},
	{"ahrefs-v3", []string{"v3_all-backlinks.json", "v3_backlinks-stats.json", "v3_domain-rating.json", "v3_domain-rating.free.json", "v3_limits-and-usage.json"}},
	{"ahrefs-v2", []string{
		"v2_anchors.json", "v2_anchors_refdomains.json", "v2_backlinks_one_per_domain.json", "v2_pages.json", "v2_positions_metrics.json",
		"v2_refdomains.json", "v2_refdomains_by_type.json", "v2_refdomains_new_lost_counters.json", "v2_subscription_info.json",
	}},
	{"ahrefs-v2", []string{"v2_refips.xml"}},
}

// reply is what a vendor sent of which a recording holds a part.
func reply(t *testing.T, surface, name string) string {
	t.Helper()
	vendor, _, _ := strings.Cut(surface, "-")
	content := vendors.Read(t, vendor+"/"+name)
	switch surface {
	case "moz-rpc":
		return `{"jsonrpc":"2.0","id":"1","result":` + string(content) + `}`
	case "ahrefs-v3":
		var exchange struct{ Body json.RawMessage }
		if err := json.Unmarshal(content, &exchange); err != nil {
			t.Fatal(err)
		}
		return string(exchange.Body)
	}
	return string(content)
}

func TestNoReplyIsTakenForOneOfAnotherSurface(t *testing.T) {
	t.Parallel()
	for _, r := range recorded {
		var replies []string
		for _, name := range r.names {
			replies = append(replies, reply(t, r.surface, name))
		}
		file := write(t, "replies", strings.Join(replies, "\n"))
		for _, s := range surfaces {
			for _, endpoint := range append([]string{""}, endpoints(s)...) {
				if s.Name == r.surface {
					continue
				}
				lines, _, problems := readAll(t, reader(s.Name, given(s, endpoint)), file)
				if len(lines) > 0 || len(problems) != len(replies) {
					t.Errorf("%s of %s for %s, --endpoint %q: read %q, %d problems", r.names, r.surface, s.Name, endpoint, lines, len(problems))
				}
			}
		}
	}
}

func endpoints(s Surface) (names []string) {
	for _, source := range s.Sources {
		names = append(names, source.Endpoint().Name)
	}
	return names
}

func given(s Surface, endpoint string) Given {
	scope := "domain"
	if strings.HasPrefix(s.Name, "moz") {
		scope = "root_domain"
	}
	return Given{Target: "example.com", Scope: scope, Date: day, Endpoint: endpoint}
}

// TestAReplyIsOfNoEndpointWhoseColumnsItLacks says of each reply which endpoints of its own surface it may be imported as:
// those whose rows cannot be told from its own.
func TestAReplyIsOfNoEndpointWhoseColumnsItLacks(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"moz-v2 v2_anchor_text.json":                 "anchor_text",
		"moz-v2 v2_links.json":                       "links",
		"moz-v2 v2_top_pages.json":                   "top_pages global_top_pages",
		"moz-v2 v2_url_metrics.json":                 "top_pages global_top_pages",
		"moz-v2 v2_linking_root_domains.json":        "linking_root_domains global_top_root_domains",
		"moz-v2 v2_index_metadata.json":              "index_metadata",
		"moz-v2 v2_final_redirect.json":              "final_redirect",
		"ahrefs-v3 v3_all-backlinks.json":            "all_backlinks",
		"ahrefs-v3 v3_backlinks-stats.json":          "backlinks_stats",
		"ahrefs-v2 v2_anchors.json":                  "anchors",
		"ahrefs-v2 v2_refdomains.json":               "refdomains",
		"ahrefs-v2 v2_refdomains_by_type.json":       "refdomains",
		"ahrefs-v2 v2_positions_metrics.json":        "",
		"ahrefs-v2 v2_subscription_info.json":        "",
		"ahrefs-v2 v2_backlinks_one_per_domain.json": "all_backlinks",
	} {
		surface, recording, _ := strings.Cut(name, " ")
		file := write(t, "replies", reply(t, surface, recording))
		s := surfaces[slices.IndexFunc(surfaces, func(s Surface) bool { return s.Name == surface })]
		var got []string
		for _, endpoint := range endpoints(s) {
			if lines, _, _ := readAll(t, reader(surface, given(s, endpoint)), file); len(lines) > 0 {
				got = append(got, endpoint)
			}
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s: taken for %q, want %q", name, got, want)
		}
	}
}

func TestItIsSaidWhereAReplyBelongs(t *testing.T) {
	t.Parallel()
	v2, moz := given(surfaces[3], ""), given(surfaces[0], "")
	links := moz
	links.Endpoint = "links"
	gap := given(surfaces[0], "link_intersect")
	pages := given(surfaces[3], "pages_by_backlinks")
	for name, tc := range map[string]struct {
		surface       string
		given         Given
		file, content string
		want          string
	}{
		"of a surface without archives": {"moz-v2", moz, "x", reply(t, "moz-rpc", "rpc_anchor-text.list.json"),
			"it looks like a reply of moz-rpc, anchor_text: archives of moz-rpc cannot be imported"},
		"of the vendor's other surface": {"ahrefs-v2", v2, "x", anchors3,
			"it looks like a reply of ahrefs-v3, anchors, not of anchors: import it with `backhaul import ahrefs-v3`"},
		"of another vendor": {"ahrefs-v3", v2, "x", texts, "it looks like a reply of moz-v2, anchor_text: import it with `backhaul import moz-v2`"},
		"of another endpoint, by a flag": {"moz-v2", links, "x", texts,
			"it looks like a reply of anchor_text, not of links, as --endpoint says: give --endpoint anchor_text"},
		"of another endpoint, by the file's name": {"moz-v2", moz, "links_example.com_2025-01-31.json", texts,
			"it looks like a reply of anchor_text, not of links, as the file's name says: give --endpoint anchor_text"},
		"of another endpoint, by its wrapper": {"moz-v2", moz, "x", `{"endpoint":"links","response":` + texts + `}`,
			"it looks like a reply of anchor_text, not of links, as the archive says: correct the archive"},
		"of a list, for a batch": {"moz-v2", moz, "x", `{"endpoint":"url_metrics","request":{"targets":["a.example"]},"response":` + texts + `}`,
			"it looks like a reply of anchor_text, not of url_metrics, as the archive says: correct the archive"},
		"an intersection without its request": {"moz-v2", gap, "x", reply(t, "moz-v2", "v2_link_intersect.json"),
			`what a reply of moz/link_intersect is about stands in its request: it needs one, as {"request": {…}, "response": …}`},
		"of none, as far as its members go": {"ahrefs-v2", pages, "x", `{"things":[{"colour":"red"}]}`,
			"nothing in it is of ahrefs/pages_by_backlinks, as --endpoint says: no column knows a member of its rows"},
		"of none, as far as its values go": {"moz-v2", links, "x", `{"results":["red"],"next_token":""}`,
			"no row of it fits moz/links, as --endpoint says: want an object, got \"red\""},
	} {
		_, pages, problems := readAll(t, reader(tc.surface, tc.given), write(t, tc.file, tc.content))
		if want := fmt.Sprintf("%s:1: %s", tc.file, tc.want); len(pages) > 0 || len(problems) != 1 || problems[0] != want {
			t.Errorf("%s: %d pages, %q, want %q", name, len(pages), problems, want)
		}
	}
}

// TestAMemberThatNobodyKnowsIsNoReasonToRefuse: vendors add fields.
func TestAMemberThatNobodyKnowsIsNoReasonToRefuse(t *testing.T) {
	t.Parallel()
	content := strings.ReplaceAll(texts, `"anchor_text":"a"`, `"anchor_text":"a","colour":"red","taste":{"a":1}`)
	for _, endpoint := range []string{"", "anchor_text"} {
		if _, pages, problems := readAll(t, reader("moz-v2", given(surfaces[0], endpoint)), write(t, "x", content)); len(pages) != 1 {
			t.Errorf("--endpoint %q: %q", endpoint, problems)
		}
	}
}
