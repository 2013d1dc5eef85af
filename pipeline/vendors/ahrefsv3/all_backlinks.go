package ahrefsv3

// allBacklinks: a whole row costs 116 units. Source: Ahrefs OpenAPI 3.0.0, site-explorer/all-backlinks.
var allBacklinks = &Report{
	Name: "all_backlinks", Path: "site-explorer/all-backlinks", Envelope: "backlinks", Kind: List,
	Key: []string{"url_from", "url_to", "anchor"}, Ranks: []string{"traffic", "refdomains_source", "positions"}, Since: "first_seen_link", History: true, Grouped: true,
	Meaning:   "links to the target",
	Unordered: []string{"link_group_count"},
	Fields:    fieldsOf("all_backlinks"),
	Filters: []Field{
		{Name: "is_homepage_link", Type: Boolean, Units: 1, Meaning: "link sits on the referring site home page"},
		{Name: "is_non_html", Type: Boolean, Units: 1, Meaning: "link points at non-HTML content"},
		{Name: "len_url_redirect", Type: Integer, Units: 1, Meaning: "number of URLs in the redirect chain"},
		{Name: "positions_source_domain", Type: Integer, Units: 1, Meaning: "top-100 keywords of the referring domain"},
	},
}
