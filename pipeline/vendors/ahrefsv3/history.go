package ahrefsv3

// refdomainsHistory: 6 units a date. Source: Ahrefs OpenAPI 3.0.0, site-explorer/refdomains-history.
var refdomainsHistory = &Report{
	Name: "refdomains_history", Path: "site-explorer/refdomains-history", Envelope: "refdomains", Kind: Series,
	Meaning: "how many domains linked to the target over time",
	Fields:  fieldsOf("refdomains_history"),
}

// domainRatingHistory: 2 units a date. Source: Ahrefs OpenAPI 3.0.0, site-explorer/domain-rating-history.
var domainRatingHistory = &Report{
	Name: "domain_rating_history", Path: "site-explorer/domain-rating-history", Envelope: "domain_ratings", Kind: Series,
	Meaning: "Domain Rating of the target over time",
	Fields:  fieldsOf("domain_rating_history"),
}
