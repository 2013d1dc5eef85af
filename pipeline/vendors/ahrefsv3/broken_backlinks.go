package ahrefsv3

// brokenBacklinks. Source: Ahrefs OpenAPI 3.0.0, site-explorer/broken-backlinks.
var brokenBacklinks = &Report{
	Name: "broken_backlinks", Path: "site-explorer/broken-backlinks", Envelope: "backlinks", Kind: List,
	Key: []string{"url_from", "url_to", "anchor"}, Ranks: []string{"traffic", "refdomains_source", "positions"}, Since: "first_seen_link", Grouped: true,
	Meaning:   "links to pages of the target that are broken",
	Unordered: []string{"http_code_target", "last_visited_target", "link_group_count"},
	Fields:    fieldsOf("broken_backlinks"),
	Filters: []Field{
		{Name: "is_homepage_link", Type: Boolean, Units: 1, Meaning: "link sits on the referring site home page"},
		{Name: "is_non_html", Type: Boolean, Units: 1, Meaning: "link points at non-HTML content"},
		{Name: "len_url_redirect", Type: Integer, Units: 1, Meaning: "number of URLs in the redirect chain"},
		{Name: "positions_source_domain", Type: Integer, Units: 1, Meaning: "top-100 keywords of the referring domain"},
	},
}
