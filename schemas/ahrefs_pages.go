package schemas

// ahrefsPagesByBacklinks: a row with all its fields costs 25 units.
var ahrefsPagesByBacklinks = ahrefsTable("pages_by_backlinks", "site-explorer/pages-by-backlinks",
	"one page of the target that has links, or had", []string{"url_to"},
	[]Column{
		{Name: "dofollow_to_target", Type: Int64, Price: 1, Meaning: "dofollow links to the page"},
		{Name: "first_seen_link", Type: Timestamp, Price: 1, Meaning: "when a link to the page was first found"},
		{Name: "http_code_target", Type: Int64, Nullable: true, Price: 1, Meaning: "HTTP status of the target page at crawl"},
		{Name: "is_spam", Type: Bool, Price: 1, Meaning: "from a known-spam domain"},
		{Name: "languages_target", Type: Strings, Price: 1, Meaning: "languages of the target page"},
		{Name: "last_seen", Type: Timestamp, Nullable: true, Telling: true, Price: 1, Meaning: "when the page lost its last live link; null while any is live"},
		{Name: "last_visited_source", Type: Timestamp, Price: 1, Meaning: "last verification of a live link to the page"},
		{Name: "last_visited_target", Type: Timestamp, Nullable: true, Price: 1, Meaning: "last crawl of the target page"},
		{Name: "links_to_target", Type: Int64, Price: 1, Meaning: "links to the page"},
		{Name: "lost_links_to_target", Type: Int64, Price: 1, Meaning: "links lost in window"},
		{Name: "new_links_to_target", Type: Int64, Price: 1, Meaning: "links found in window"},
		{Name: "nofollow_to_target", Type: Int64, Price: 1, Meaning: "nofollow links"},
		{Name: "powered_by_target", Type: Strings, Price: 1, Meaning: "technologies of the target page"},
		{Name: "redirects_to_target", Type: Int64, Price: 1, Meaning: "inbound redirects"},
		{Name: "refdomains_target", Type: Int64, Price: 5, Meaning: "referring domains of the page"},
		{Name: "target_redirect", Type: String, Nullable: true, Price: 1, Meaning: "where the page redirects to, if it does"},
		{Name: "title_target", Type: String, Nullable: true, Price: 1, Meaning: "title of the target page"},
		{Name: "top_domain_rating_source", Type: Float64, Price: 1, Meaning: "highest DR among linking domains"},
		{Name: "url_rating_target", Type: Float64, Nullable: true, Price: 1, Meaning: "UR of the target page"},
		{Name: "url_to", Type: String, Format: FormatURL, Price: 1, Meaning: "the page linked to"},
		{Name: "url_to_plain", Type: String, Price: 1, Meaning: "normalised url_to for filtering"},
	})
