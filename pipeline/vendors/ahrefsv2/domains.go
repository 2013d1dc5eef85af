package ahrefsv2

var ahrefsRank = &Table{
	Name: "ahrefs_rank", Envelope: "pages", cost: ordinary,
	Columns: []Column{
		{Name: "url", Type: String, Use: Where | Having},
		{Name: "ahrefs_rank", Type: Integer, Use: Having},
	},
}

var domainRating = &Table{
	Name: "domain_rating", cost: ordinary,
	Columns: []Column{
		{Name: "domain_rating", Type: Integer, Use: Having},
	},
}

var linkedDomains = &Table{
	Name: "linked_domains", cost: ordinary,
	Columns: []Column{
		{Name: "domain_from", Type: String, Use: Having},
		{Name: "domain_to", Type: String, Use: Having},
		{Name: "links", Type: Integer, Use: Having},
		{Name: "unique_pages", Type: Integer, Use: Having},
		{Name: "domain_to_rating", Type: Integer, Use: Having},
	},
}

var refdomains = &Table{
	Name: "refdomains", Envelope: "refdomains", cost: ordinary,
	Columns: []Column{
		{Name: "url", Type: String, Use: Where},
		{Name: "ip", Type: String, Use: Where},
		{Name: "refdomain", Type: String, Use: Where | Having},
		{Name: "backlinks", Type: Integer, Use: Where | Having},
		{Name: "refpages", Type: Integer, Use: Where | Having},
		{Name: "first_seen", Type: Date, Use: Where | Having},
		{Name: "last_visited", Type: Date, Use: Where | Having},
		{Name: "domain_rating", Type: Integer, Use: Having},
	},
}

var refdomainsByType = &Table{
	Name: "refdomains_by_type", Envelope: "refdomains", cost: ordinary,
	Columns: []Column{
		{Name: "url", Type: String, Use: Where},
		{Name: "ip", Type: String, Use: Where},
		{Name: "refdomain", Type: String, Use: Where | Having},
		{Name: "all", Type: Boolean, Use: Where},
		{Name: "text", Type: Boolean, Use: Where},
		{Name: "image", Type: Boolean, Use: Where},
		{Name: "sitewide", Type: Boolean, Use: Where},
		{Name: "not_sitewide", Type: Boolean, Use: Where},
		{Name: "nofollow", Type: Boolean, Use: Where},
		{Name: "dofollow", Type: Boolean, Use: Where},
		{Name: "redirect", Type: Boolean, Use: Where},
		{Name: "canonical", Type: Boolean, Use: Where},
		{Name: "gov", Type: Boolean, Use: Where},
		{Name: "edu", Type: Boolean, Use: Where},
		{Name: "backlinks", Type: Integer, Use: Where | Having},
		{Name: "refpages", Type: Integer, Use: Where | Having},
		{Name: "first_seen", Type: Date, Use: Where | Having},
		{Name: "last_visited", Type: Date, Use: Where | Having},
		{Name: "domain_rating", Type: Integer, Use: Having},
	},
}

var refdomainsNewLost = &Table{
	Name: "refdomains_new_lost", cost: ordinary,
	Columns: []Column{
		{Name: "date", Type: Date, Use: Where | Having},
		{Name: "type", Type: String, Use: Where | Having},
		{Name: "refdomain", Type: String, Use: Where | Having},
		{Name: "domain_rating", Type: Integer, Use: Having},
	},
}

var refdomainsNewLostCounters = &Table{
	Name: "refdomains_new_lost_counters", Envelope: "counts", cost: ordinary,
	Columns: []Column{
		{Name: "date", Type: Date, Use: Where | Having},
		{Name: "type", Type: String, Use: Where},
		{Name: "refdomain", Type: String, Use: Where},
		{Name: "new", Type: Integer, Use: Having},
		{Name: "lost", Type: Integer, Use: Having},
		{Name: "new_total", Type: Integer, Use: Having},
		{Name: "lost_total", Type: Integer, Use: Having},
	},
}

var refips = &Table{
	Name: "refips", Envelope: "refdomains", cost: ordinary,
	Columns: []Column{
		{Name: "refip", Type: String, Use: Where | Having},
		{Name: "refdomain", Type: String, Use: Where | Having},
		{Name: "backlinks", Type: Integer, Use: Where | Having},
	},
}
