package ahrefsv3

// domainRating: 2 units, so the least a request costs. Source: Ahrefs OpenAPI 3.0.0, site-explorer/domain-rating.
var domainRating = &Report{
	Name: "domain_rating", Path: "site-explorer/domain-rating", Envelope: "domain_rating", Kind: Single,
	Meaning: "Domain Rating of the target on a date",
	Fields: []Field{
		{Name: "ahrefs_rank", Type: Integer, Nullable: true, Units: 1, Meaning: "global rank, 1 is strongest"},
		{Name: "domain_rating", Type: Float, Units: 1, Meaning: "DR 0-100"},
	},
}

// backlinksStats: 12 units, so the least a request costs. Source: Ahrefs OpenAPI 3.0.0, site-explorer/backlinks-stats.
var backlinksStats = &Report{
	Name: "backlinks_stats", Path: "site-explorer/backlinks-stats", Envelope: "metrics", Kind: Single,
	Meaning: "how many links and linking domains the target has",
	Fields: []Field{
		{Name: "all_time", Type: Integer, Units: 1, Meaning: "backlinks ever seen"},
		{Name: "all_time_refdomains", Type: Integer, Units: 5, Meaning: "referring domains ever seen"},
		{Name: "live", Type: Integer, Units: 1, Meaning: "live backlinks"},
		{Name: "live_refdomains", Type: Integer, Units: 5, Meaning: "live referring domains"},
	},
}

// outlinksStats: 4 units, so the least a request costs. Source: Ahrefs OpenAPI 3.0.0, site-explorer/outlinks-stats.
var outlinksStats = &Report{
	Name: "outlinks_stats", Path: "site-explorer/outlinks-stats", Envelope: "metrics", Kind: Single,
	Meaning: "how many links and linked domains the target has",
	Fields: []Field{
		{Name: "linked_domains", Type: Integer, Units: 1, Meaning: "root domains linked from the target"},
		{Name: "linked_domains_dofollow", Type: Integer, Units: 1, Meaning: "root domains linked with dofollow links"},
		{Name: "outgoing_links", Type: Integer, Units: 1, Meaning: "links to other domains"},
		{Name: "outgoing_links_dofollow", Type: Integer, Units: 1, Meaning: "dofollow links to other domains"},
	},
}

// limitsAndUsage is free. Source: Ahrefs OpenAPI 3.0.0, subscription-info/limits-and-usage; Ahrefs, limits and
// consumption.
var limitsAndUsage = &Report{
	Name: "limits_and_usage", Path: "subscription-info/limits-and-usage", Envelope: "limits_and_usage", Kind: Single,
	Meaning: "what the workspace and the key may use and have used",
	Free:    true,
	Fields: []Field{
		{Name: "api_key_expiration_date", Type: DateTime, Units: 1, Meaning: "key expiry"},
		{Name: "subscription", Type: String, Units: 1, Meaning: "plan name"},
		{Name: "units_limit_api_key", Type: Integer, Nullable: true, Units: 1, Meaning: "cap of this key, null = none"},
		{Name: "units_limit_workspace", Type: Integer, Nullable: true, Units: 1, Meaning: "workspace units"},
		{Name: "units_usage_api_key", Type: Integer, Units: 1, Meaning: "units used by this key"},
		{Name: "units_usage_workspace", Type: Integer, Nullable: true, Units: 1, Meaning: "workspace units used"},
		{Name: "usage_reset_date", Type: Date, Units: 1, Meaning: "start of the next billing period; declared a date, seen as a date-time"},
	},
}
