package ahrefsv2

import (
	"backhaul/pipeline"
	"backhaul/schemas"
)

// linkAliases are those of the tables whose rows are links. v2's first_seen is of the link, as a later column of its
// replies, url_from_first_seen, is of the page. Its ahrefs_rank is what v3 calls URL Rating. Its redirect is 0 where there is
// none.
var linkAliases = []alias{
	{"url_rating_source", "ahrefs_rank"}, {"domain_rating_source", "domain_rating"}, {"ip_source", "ip_from"},
	{"first_seen_link", "first_seen"}, {"first_seen", "url_from_first_seen"},
	{"is_nofollow", "nofollow"}, {"is_ugc", "ugc"}, {"is_sponsored", "sponsored"},
	{"redirect_code", "redirect"}, {"snippet_left", "text_pre"}, {"snippet_right", "text_post"}, {"link_group_count", "total_backlinks"},
}

// declarations say which tables of v2 have a successor among the reports of v3, and so a table of ours. Which is whose
// successor is inferred from names and descriptions.
func declarations() []*report {
	return []*report{
		{
			endpoint: &pipeline.Endpoint{Name: "anchors", Meaning: "anchor texts of links to the target, and the totals of the target"},
			tables:   []variant{{"", anchors}},
			aliases:  []alias{{"links_to_target", "backlinks"}},
			also:     []side{{member: "stats", table: schemas.Lookup("ahrefs.anchors_stats")}},
		},
		{
			endpoint: &pipeline.Endpoint{Name: "all_backlinks", Meaning: "links to the target"},
			choice:   "aggregation", tables: []variant{{"all", backlinks}, {"1_per_domain", backlinksOnePerDomain}},
			aliases: linkAliases,
		},
		{
			endpoint: &pipeline.Endpoint{Name: "broken_backlinks", Meaning: "links to pages of the target that are broken"},
			tables:   []variant{{"", brokenBacklinks}},
			aliases:  append([]alias{{"http_code", ""}}, linkAliases...), // the status of which of the two pages, nobody says
		},
		{
			endpoint: &pipeline.Endpoint{Name: "refdomains", Meaning: "domains that link to the target"},
			choice:   "from", tables: []variant{
				{"refdomains", refdomains}, {"refdomains_by_type", refdomainsByType}, {"anchors_refdomains", anchorsRefdomains}, {"refips", refips},
			},
			aliases: []alias{{"domain", "refdomain"}, {"links_to_target", "backlinks"}, {"dofollow_links", "backlinks_dofollow"}, {"ip_source", "refip"}},
		},
		{
			endpoint: &pipeline.Endpoint{Name: "linkeddomains", Meaning: "domains the target links to"},
			tables:   []variant{{"", linkedDomains}},
			aliases:  []alias{{"domain", "domain_to"}, {"links_from_target", "links"}, {"domain_rating", "domain_to_rating"}},
		},
		{
			endpoint: &pipeline.Endpoint{Name: "pages_by_backlinks", Meaning: "pages of the target, with the links to them"},
			choice:   "from", tables: []variant{{"pages_extended", pagesExtended}, {"pages", pages}},
			aliases: []alias{
				{"url_to", "url"}, {"url_rating_target", "ahrefs_rank"}, {"last_visited_target", "last_visited"}, {"http_code_target", "http_code"},
				{"title_target", "title"}, {"links_to_target", "backlinks"}, {"dofollow_to_target", "dofollow"}, {"nofollow_to_target", "nofollow"},
				{"redirects_to_target", "redirects"}, {"refdomains_target", "refdomains"},
			},
		},
		{
			endpoint: &pipeline.Endpoint{Name: "backlinks_stats", Meaning: "how many links and linking domains the target has"},
			choice:   "from", tables: []variant{{"metrics_extended", metricsExtended}, {"metrics", metrics}}, // the latter without live_refdomains
			aliases: []alias{{"live", "backlinks"}, {"live_refdomains", "refdomains"}},
			one:     true,
		},
		{
			endpoint: &pipeline.Endpoint{Name: "domain_rating", Meaning: "the Domain Rating of the target"},
			tables:   []variant{{"", domainRating}},
			one:      true,
		},
	}
}
