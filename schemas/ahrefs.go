package schemas

// ahrefsDoc names where Ahrefs documents a report of API v3.
func ahrefsDoc(path string) string { return "Ahrefs OpenAPI 3.0.0, " + path }

// ahrefsV2Doc names where Ahrefs documented a table of API v2.
func ahrefsV2Doc(table string) string { return "Ahrefs API v2, " + table }

// ahrefsTable declares a table of what a report of API v3 answers with: its fields, types, enumerations and prices are
// those of the OpenAPI document, the meanings are restated. No column is Required, as a request chooses the fields it
// pays for, and those it leaves out are null; that a field is Nullable is said of those it chose. A column without a
// price is not v3's.
func ahrefsTable(name, path, meaning string, key []string, own []Column) *Table {
	t := &Table{Schema: "ahrefs", Name: name, Meaning: meaning, Source: ahrefsDoc(path), Key: key, Own: own}
	for i := range own {
		if own[i].Source == "" {
			own[i].Source = t.Source
		}
	}
	return t
}

// coarse says of a table that a list may hold several rows under its key.
func coarse(t *Table) *Table {
	t.Coarse = true
	return t
}

// The words of columns that have a closed list of them. Source: Ahrefs OpenAPI 3.0.0, descriptions of `where`.
var (
	// ahrefsDiscoveries: how a link was found on the last crawl.
	ahrefsDiscoveries = []string{"pagefound", "linkfound", "linkrestored"}
	// ahrefsDropReasons: why Ahrefs removed a link from its index; the spelling is Ahrefs'.
	ahrefsDropReasons = []string{"manual", "noratingunused", "notop", "tooold", "oldunavailable", "rescursive", "duplicate", "nxdomain", "malformed", "blockedport", "disallowed", "unlinked", "lowvalue"}
	// ahrefsLinkTypes: kinds of links.
	ahrefsLinkTypes = []string{"redirect", "frame", "text", "form", "canonical", "alternate", "rss", "image"}
	// ahrefsLostReasons: why a link was lost on the last crawl.
	ahrefsLostReasons = []string{"removedfromhtml", "notcanonical", "noindex", "pageredirected", "pageerror", "lostredirect", "notfound"}
	// ahrefsRedirectBreaks: why a redirect counts as broken.
	ahrefsRedirectBreaks = []string{"droppedmanual", "droppedtooold", "dropped", "codechanged", "nxdomain", "robotsdisallowed", "curlerror", "invalidtarget", "nomorecanonical", "isnowparked", "targetchanged"}
	// ahrefsTLDClasses: kinds of top-level domains.
	ahrefsTLDClasses = []string{"gov", "edu", "normal"}
)
