package ahrefsv3

// domainRating: 2 units, so the least a request costs. Source: Ahrefs OpenAPI 3.0.0, site-explorer/domain-rating.
var domainRating = &Report{
	Name: "domain_rating", Path: "site-explorer/domain-rating", Envelope: "domain_rating", Kind: Single,
	Meaning: "Domain Rating of the target on a date",
	Fields:  fieldsOf("domain_rating"),
}

// backlinksStats: 12 units, so the least a request costs. Source: Ahrefs OpenAPI 3.0.0, site-explorer/backlinks-stats.
var backlinksStats = &Report{
	Name: "backlinks_stats", Path: "site-explorer/backlinks-stats", Envelope: "metrics", Kind: Single,
	Meaning: "how many links and linking domains the target has",
	Fields:  fieldsOf("backlinks_stats"),
}

// outlinksStats: 4 units, so the least a request costs. Source: Ahrefs OpenAPI 3.0.0, site-explorer/outlinks-stats.
var outlinksStats = &Report{
	Name: "outlinks_stats", Path: "site-explorer/outlinks-stats", Envelope: "metrics", Kind: Single,
	Meaning: "how many links and linked domains the target has",
	Fields:  fieldsOf("outlinks_stats"),
}

// limitsAndUsage is free. Source: Ahrefs OpenAPI 3.0.0, subscription-info/limits-and-usage; Ahrefs, limits and
// consumption.
var limitsAndUsage = &Report{
	Name: "limits_and_usage", Path: "subscription-info/limits-and-usage", Envelope: "limits_and_usage", Kind: Single,
	Meaning: "what the workspace and the key may use and have used",
	Free:    true,
	Fields:  fieldsOf("limits_and_usage"),
}
