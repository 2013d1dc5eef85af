package schemas

// ahrefsRefdomains: a row with all its fields costs 28 units.
var ahrefsRefdomains = ahrefsTable("refdomains", "site-explorer/refdomains",
	"one domain that links to the target", []string{"domain"},
	[]Column{
		{Name: "dofollow_linked_domains", Type: Int64, Price: 1, Meaning: "root domains the referring domain links to without nofollow"},
		{Name: "dofollow_links", Type: Int64, Price: 1, Meaning: "links without nofollow"},
		{Name: "dofollow_refdomains", Type: Int64, Price: 5, Meaning: "domains that link to the referring domain without nofollow"},
		{Name: "domain", Type: String, Price: 1, Meaning: "the referring domain"},
		{Name: "domain_rating", Type: Float64, Price: 1, Meaning: "DR 0-100 of the referring domain"},
		{Name: "first_seen", Type: Timestamp, Price: 1, Meaning: "when a link from the domain was first found"},
		{Name: "ip_source", Type: String, Nullable: true, Price: 1, Meaning: "IP of the referring domain"},
		{Name: "is_root_domain", Type: Bool, Price: 1, Meaning: "domain is a root domain"},
		{Name: "is_spam", Type: Bool, Price: 1, Meaning: "from a known-spam domain"},
		{Name: "last_seen", Type: Timestamp, Nullable: true, Telling: true, Price: 1, Meaning: "when the last live link from the domain was found lost; null while any is live"},
		{Name: "links_to_target", Type: Int64, Price: 1, Meaning: "links from the domain to the target"},
		{Name: "lost_links", Type: Int64, Price: 1, Meaning: "links lost in the history window"},
		{Name: "new_links", Type: Int64, Price: 1, Meaning: "links found in the history window"},
		{Name: "positions_source_domain", Type: Int64, Price: 1, Meaning: "top-100 keywords of the referring domain"},
		{Name: "traffic_domain", Type: Int64, Price: 10, Meaning: "organic traffic estimate of the referring domain"},
	})

// ahrefsLinkeddomains: a row with all its fields costs 23 units.
var ahrefsLinkeddomains = ahrefsTable("linkeddomains", "site-explorer/linkeddomains",
	"one domain the target links to", []string{"domain"},
	[]Column{
		{Name: "dofollow_linked_domains", Type: Int64, Price: 1, Meaning: "root domains the linked domain links to without nofollow"},
		{Name: "dofollow_links", Type: Int64, Price: 1, Meaning: "links without nofollow"},
		{Name: "dofollow_refdomains", Type: Int64, Price: 5, Meaning: "domains that link to the linked domain without nofollow"},
		{Name: "domain", Type: String, Price: 1, Meaning: "the linked domain"},
		{Name: "domain_rating", Type: Float64, Price: 1, Meaning: "DR 0-100 of the linked domain"},
		{Name: "first_seen", Type: Timestamp, Price: 1, Meaning: "when a link to the domain was first found"},
		{Name: "is_root_domain", Type: Bool, Price: 1, Meaning: "domain is a root domain"},
		{Name: "linked_domain_traffic", Type: Int64, Price: 10, Meaning: "organic traffic estimate of the linked domain"},
		{Name: "linked_pages", Type: Int64, Price: 1, Meaning: "pages of the domain that are linked"},
		{Name: "links_from_target", Type: Int64, Price: 1, Meaning: "links from the target to the domain"},
	})
