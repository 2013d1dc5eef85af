package schemas

// ahrefsDomainRating: a row with all its fields costs 2 units.
var ahrefsDomainRating = ahrefsTable("domain_rating", "site-explorer/domain-rating",
	"the Domain Rating of the target on a date", nil,
	[]Column{
		{Name: "ahrefs_rank", Type: Int64, Nullable: true, Price: 1, Meaning: "global rank, 1 is strongest"},
		{Name: "domain_rating", Type: Float64, Price: 1, Meaning: "DR 0-100"},
	})

// ahrefsBacklinksStats: a row with all its fields costs 12 units.
var ahrefsBacklinksStats = ahrefsTable("backlinks_stats", "site-explorer/backlinks-stats",
	"how many links and linking domains the target has", nil,
	[]Column{
		{Name: "all_time", Type: Int64, Price: 1, Meaning: "backlinks ever seen"},
		{Name: "all_time_refdomains", Type: Int64, Price: 5, Meaning: "referring domains ever seen"},
		{Name: "live", Type: Int64, Price: 1, Meaning: "live backlinks"},
		{Name: "live_refdomains", Type: Int64, Price: 5, Meaning: "live referring domains"},
	})

// ahrefsOutlinksStats: a row with all its fields costs 4 units.
var ahrefsOutlinksStats = ahrefsTable("outlinks_stats", "site-explorer/outlinks-stats",
	"how many links and linked domains the target has", nil,
	[]Column{
		{Name: "linked_domains", Type: Int64, Price: 1, Meaning: "root domains linked from the target"},
		{Name: "linked_domains_dofollow", Type: Int64, Price: 1, Meaning: "root domains linked with dofollow links"},
		{Name: "outgoing_links", Type: Int64, Price: 1, Meaning: "links to other domains"},
		{Name: "outgoing_links_dofollow", Type: Int64, Price: 1, Meaning: "dofollow links to other domains"},
	})

// ahrefsLimitsAndUsage: it is free; what its fields add to a price is declared all the same.
var ahrefsLimitsAndUsage = ahrefsTable("limits_and_usage", "subscription-info/limits-and-usage",
	"what the workspace and the key may use and have used", nil,
	[]Column{
		{Name: "api_key_expiration_date", Type: Timestamp, Price: 1, Meaning: "key expiry"},
		{Name: "subscription", Type: String, Price: 1, Meaning: "plan name"},
		{Name: "units_limit_api_key", Type: Int64, Nullable: true, Price: 1, Meaning: "cap of this key, null = none"},
		{Name: "units_limit_workspace", Type: Int64, Nullable: true, Price: 1, Meaning: "workspace units"},
		{Name: "units_usage_api_key", Type: Int64, Price: 1, Meaning: "units used by this key"},
		{Name: "units_usage_workspace", Type: Int64, Nullable: true, Price: 1, Meaning: "workspace units used"},
		{Name: "usage_reset_date", Type: Date, Price: 1, Meaning: "start of the next billing period; declared a date, seen as a date-time"},
	})

// ahrefsRefdomainsHistory: a row with all its fields costs 6 units.
var ahrefsRefdomainsHistory = ahrefsTable("refdomains_history", "site-explorer/refdomains-history",
	"how many domains linked to the target at one date", []string{"date"},
	[]Column{
		{Name: "date", Type: Date, Price: 1, Meaning: "bucket date"},
		{Name: "refdomains", Type: Int64, Price: 5, Meaning: "domains linking to the target on the date"},
	})

// ahrefsDomainRatingHistory: a row with all its fields costs 2 units.
var ahrefsDomainRatingHistory = ahrefsTable("domain_rating_history", "site-explorer/domain-rating-history",
	"the Domain Rating of the target at one date", []string{"date"},
	[]Column{
		{Name: "date", Type: Date, Price: 1, Meaning: "bucket date"},
		{Name: "domain_rating", Type: Float64, Price: 1, Meaning: "DR 0-100 on the date"},
	})
