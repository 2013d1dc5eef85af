package schemas

const martsSchema = "marts"

// changesTable declares what came and went between two whole nights of the same list, which is worked out once, when the later
// night is published.
func changesTable(name, meaning string, key []string, own ...Column) *Table {
	columns := []Column{
		{Name: "vendor", Type: String, Required: true, Meaning: "moz or ahrefs", Source: "job spec"},
		{Name: "job", Type: String, Required: true, Meaning: "the job", Source: "job spec"},
		{Name: "extract", Type: String, Required: true, Meaning: "the job's extract", Source: "job spec"},
		{Name: ColTarget, Type: String, Meaning: "the target as sent", Source: "job spec, normalised"},
		{Name: ColScope, Type: String, Meaning: "scope or mode of the target", Source: "job spec"},
		{Name: "previous_run_date", Type: Date, Required: true, Meaning: "the earlier of the two nights", Source: "backhaul"},
		{Name: ColRunDate, Type: Date, Required: true, Meaning: "the later of the two nights", Source: "backhaul"},
	}
	return &Table{Schema: martsSchema, Name: name, Meaning: meaning + "; only nights whose list was bought to its end are compared", Source: "worked out from the two nights",
		Key: key, Own: append(columns, own...)}
}

var martsAnchorChanges = changesTable("anchor_changes", "one anchor text that a target gained (new) or lost between two consecutive run dates of the same job and extract",
	[]string{"vendor", "anchor_text"},
	Column{Name: "change", Type: String, Required: true, Meaning: "new: on run_date but not on previous_run_date; lost: the reverse", Source: "backhaul"},
	Column{Name: "anchor_text", Type: String, Required: true, Meaning: "the text as the vendor gives it", Source: "vendor response"},
	Column{Name: "previous_external_root_domains", Type: Int64, Unit: "root domains", Meaning: "root domains linking with this text on previous_run_date; null if new; Ahrefs' refdomains", Source: "vendor response"},
	Column{Name: "external_root_domains", Type: Int64, Unit: "root domains", Meaning: "root domains linking with this text on run_date; null if lost; Ahrefs' refdomains", Source: "vendor response"},
	Column{Name: "previous_external_pages", Type: Int64, Unit: "pages", Meaning: "pages linking with this text on previous_run_date; null if new; Ahrefs' refpages", Source: "vendor response"},
	Column{Name: "external_pages", Type: Int64, Unit: "pages", Meaning: "pages linking with this text on run_date; null if lost; Ahrefs' refpages", Source: "vendor response"},
)

var martsDomainChanges = changesTable("domain_changes", "one root domain that began (new) or ceased (lost) to link to a target between two consecutive run dates of the same job and extract",
	[]string{"root_domain"},
	Column{Name: "change", Type: String, Required: true, Meaning: "new: links on run_date but not on previous_run_date; lost: the reverse", Source: "backhaul"},
	Column{Name: "root_domain", Type: String, Required: true, Meaning: "the linking root domain as Moz sees it", Source: "vendor response"},
	Column{Name: "previous_pages", Type: Int64, Unit: "pages", Meaning: "its pages that linked on previous_run_date; null if new", Source: "vendor response"},
	Column{Name: "pages", Type: Int64, Unit: "pages", Meaning: "its pages that link on run_date; null if lost", Source: "vendor response"},
	Column{Name: "domain_authority", Type: Int64, Unit: "score 1-100", Meaning: "Domain Authority of the linking root domain, as last known of the two nights", Source: "vendor response"},
	Column{Name: "spam_score", Type: Int64, Unit: "percent", Meaning: "Spam Score of the linking root domain, as last known of the two nights; null if none is known", Source: "vendor response"},
)

var martsLinkChanges = changesTable("link_changes", "one pair of pages whose link appeared, disappeared or changed between two consecutive run dates of the same job and extract",
	[]string{"source_page", "target_page"},
	Column{Name: "change", Type: String, Required: true, Meaning: "new: live on run_date but not on previous_run_date; lost: the reverse; changed: its texts or rel=nofollow differ", Source: "backhaul"},
	Column{Name: "source_page", Type: String, Required: true, Meaning: "the linking page", Source: "vendor response"},
	Column{Name: "target_page", Type: String, Meaning: "the page linked to", Source: "vendor response"},
	Column{Name: "source_root_domain", Type: String, Meaning: "root domain of the linking page, as Moz sees it", Source: "vendor response"},
	Column{Name: "previous_anchor_texts", Type: Strings, Meaning: "the texts of its links on previous_run_date; null if new", Source: "vendor response"},
	Column{Name: "anchor_texts", Type: Strings, Meaning: "the texts of its links on run_date; null if lost", Source: "vendor response"},
	Column{Name: "previous_nofollow", Type: Bool, Meaning: "all of its links were rel=nofollow on previous_run_date; null if new", Source: "vendor response"},
	Column{Name: "nofollow", Type: Bool, Meaning: "all of its links are rel=nofollow on run_date; null if lost", Source: "vendor response"},
	Column{Name: "date_first_seen", Type: Date, Meaning: "when Moz first saw one of its links", Source: "vendor response"},
	Column{Name: "source_page_authority", Type: Int64, Unit: "score 1-100", Meaning: "Page Authority of the linking page, as last known of the two nights", Source: "vendor response"},
	Column{Name: "source_domain_authority", Type: Int64, Unit: "score 1-100", Meaning: "Domain Authority of its root domain, as last known of the two nights", Source: "vendor response"},
	Column{Name: "source_spam_score", Type: Int64, Unit: "percent", Meaning: "Spam Score of its root domain, as last known of the two nights; null if none is known", Source: "vendor response"},
)

// martsWholeSpans says which nights can be compared. It is written with each night from ops.tasks, a year and job at a time, so that
// who asks which nights there are reads little, after years as well.
var martsWholeSpans = &Table{
	Schema: martsSchema, Name: "whole_spans", Meaning: "one span of days of a year on each of which the whole list of one target of one extract was bought, to its end, and can be compared",
	Source: "worked out from ops.tasks", Key: []string{"job", "extract", "question", "first_night"}, Bare: true, Yearly: true,
	Own: []Column{
		{Name: "job", Type: String, Required: true, Meaning: "the job", Source: "job spec"},
		{Name: "extract", Type: String, Required: true, Meaning: "the job's extract", Source: "job spec"},
		{Name: "endpoint", Type: String, Required: true, Meaning: "vendor and report: moz/links", Source: "job spec"},
		{Name: ColTarget, Type: String, Meaning: "the target as sent", Source: "job spec, normalised"},
		{Name: ColScope, Type: String, Meaning: "scope or mode of the target", Source: "job spec"},
		{Name: "question", Type: String, Required: true, Meaning: "what was asked, parameters included; nights with different ones are not compared", Source: "backhaul"},
		{Name: "first_night", Type: Date, Required: true, Meaning: "the first of these run dates", Source: "backhaul"},
		{Name: "last_night", Type: Date, Required: true, Meaning: "the last of them", Source: "backhaul"},
		{Name: ColRunDate, Type: Date, Required: true, Meaning: "the first day of the year", Source: "backhaul"},
	},
}

// WholeSpans returns the table of which nights can be compared.
func WholeSpans() *Table { return martsWholeSpans }

// Changes returns the tables of what came and went from night to night.
func Changes() []*Table { return []*Table{martsAnchorChanges, martsDomainChanges, martsLinkChanges} }
