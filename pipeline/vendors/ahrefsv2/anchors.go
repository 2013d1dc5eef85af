package ahrefsv2

var anchors = &Table{
	Name: "anchors", Envelope: "anchors", cost: ordinary,
	Columns: []Column{
		{Name: "anchor", Type: String, Use: Where | Having},
		{Name: "backlinks", Type: Integer, Use: Where | Having},
		{Name: "refpages", Type: Integer, Use: Where | Having},
		{Name: "refdomain", Type: String, Use: Where},
		{Name: "refdomains", Type: Integer, Use: Having},
		{Name: "first_seen", Type: Date, Use: Where | Having},
		{Name: "last_visited", Type: Date, Use: Where | Having},
	},
}

var anchorsRefdomains = &Table{
	Name: "anchors_refdomains", Envelope: "refdomains", cost: ordinary,
	Columns: []Column{
		{Name: "anchor", Type: String, Use: Where},
		{Name: "anchors", Type: Integer, Use: Having},
		{Name: "backlinks", Type: Integer, Use: Where | Having},
		{Name: "refdomain", Type: String, Use: Where | Having},
	},
}

var linkedAnchors = &Table{
	Name: "linked_anchors", Envelope: "anchors", cost: ordinary,
	Columns: []Column{
		{Name: "anchor", Type: String, Use: Where | Having},
		{Name: "links_internal", Type: Integer, Use: Where | Having},
		{Name: "links_external", Type: Integer, Use: Where | Having},
		{Name: "url_from", Type: String, Use: Where},
		{Name: "url_to", Type: String, Use: Where},
		{Name: "ahrefs_rank", Type: Integer, Use: Where},
		{Name: "domain_rating", Type: Integer, Use: Where},
		{Name: "ip", Type: String, Use: Where},
		{Name: "page_size", Type: Integer, Use: Where},
		{Name: "encoding", Type: String, Use: Where},
		{Name: "title", Type: String, Use: Where},
		{Name: "first_seen", Type: Date, Use: Where},
		{Name: "last_visited", Type: Date, Use: Where},
		{Name: "prev_visited", Type: Date, Use: Where},
		{Name: "sitewide", Type: Boolean, Use: Where},
		{Name: "original", Type: Boolean, Use: Where},
		{Name: "link_type", Type: String, Use: Where},
		{Name: "redirect", Type: Integer, Use: Where},
		{Name: "nofollow", Type: Boolean, Use: Where},
		{Name: "alt", Type: String, Use: Where},
		{Name: "text_pre", Type: String, Use: Where},
		{Name: "text_post", Type: String, Use: Where},
	},
}
