package schemas

// ahrefsAnchors: a row with all its fields costs 15 units.
var ahrefsAnchors = ahrefsTable("anchors", "site-explorer/anchors",
	"one anchor text of links to the target", []string{"anchor"},
	[]Column{
		{Name: "anchor", Type: String, Price: 1, Meaning: "link text; may be empty"},
		{Name: "dofollow_links", Type: Int64, Price: 1, Meaning: "links with this text that are not nofollow"},
		{Name: "first_seen", Type: Timestamp, Price: 1, Meaning: "when a link with this text was first found"},
		{Name: "is_spam", Type: Bool, Price: 1, Meaning: "from a known-spam domain"},
		{Name: "last_seen", Type: Timestamp, Nullable: true, Telling: true, Price: 1, Meaning: "when the last link with this text was found lost; null while any is live"},
		{Name: "links_to_target", Type: Int64, Price: 1, Meaning: "links to the target with this text"},
		{Name: "lost_links", Type: Int64, Price: 1, Meaning: "links lost in the history window"},
		{Name: "new_links", Type: Int64, Price: 1, Meaning: "links found in the history window"},
		{Name: "refdomains", Type: Int64, Price: 5, Meaning: "unique linking domains"},
		{Name: "refpages", Type: Int64, Price: 1, Meaning: "pages holding the anchor"},
		{Name: "top_domain_rating", Type: Float64, Price: 1, Meaning: "highest DR among linking domains"},
		{Name: "last_visited", Type: Timestamp, Nullable: true, Meaning: "when a link with this text was last verified; only surface v2 has it", Source: ahrefsV2Doc("anchors")},
	})

// ahrefsLinkedAnchorsExternal: a row with all its fields costs 6 units.
var ahrefsLinkedAnchorsExternal = ahrefsTable("linked_anchors_external", "site-explorer/linked-anchors-external",
	"one anchor text of links from the target to other sites", []string{"anchor"},
	[]Column{
		{Name: "anchor", Type: String, Price: 1, Meaning: "link text; may be empty"},
		{Name: "dofollow_links", Type: Int64, Price: 1, Meaning: "links without nofollow"},
		{Name: "first_seen", Type: Timestamp, Price: 1, Meaning: "when a link with this text was first found on the target"},
		{Name: "linked_domains", Type: Int64, Price: 1, Meaning: "domains linked from the target with this text"},
		{Name: "linked_pages", Type: Int64, Price: 1, Meaning: "pages linked with this text"},
		{Name: "links_from_target", Type: Int64, Price: 1, Meaning: "links out of the target with this text"},
	})

// ahrefsAnchorsStats: what v2 says of the whole target beside its anchors, under v3's names.
var ahrefsAnchorsStats = &Table{
	Schema: "ahrefs", Name: "anchors_stats",
	Meaning: "the totals of the target whose anchors were asked for; only surface v2 has them",
	Source:  ahrefsV2Doc("anchors, stats"),
	Own: []Column{
		{Name: "links_to_target", Type: Int64, Unit: "links", Meaning: "links to the target, whatever their text; v2 calls them backlinks", Source: ahrefsV2Doc("anchors, stats")},
		{Name: "refpages", Type: Int64, Unit: "pages", Meaning: "pages that link to the target", Source: ahrefsV2Doc("anchors, stats")},
	},
}
