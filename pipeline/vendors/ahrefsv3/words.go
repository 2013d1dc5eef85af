package ahrefsv3

// The words of fields that have a closed list of them. Source: Ahrefs OpenAPI 3.0.0, descriptions of `where`.
var (
	// discoveries: how a link was found on the last crawl.
	discoveries = []string{"pagefound", "linkfound", "linkrestored"}
	// dropReasons: why Ahrefs removed a link from its index; the spelling is Ahrefs'.
	dropReasons = []string{"manual", "noratingunused", "notop", "tooold", "oldunavailable", "rescursive", "duplicate", "nxdomain", "malformed", "blockedport", "disallowed", "unlinked", "lowvalue"}
	// linkTypes: kinds of links.
	linkTypes = []string{"redirect", "frame", "text", "form", "canonical", "alternate", "rss", "image"}
	// lostReasons: why a link was lost on the last crawl.
	lostReasons = []string{"removedfromhtml", "notcanonical", "noindex", "pageredirected", "pageerror", "lostredirect", "notfound"}
	// redirectBreaks: why a redirect counts as broken.
	redirectBreaks = []string{"droppedmanual", "droppedtooold", "dropped", "codechanged", "nxdomain", "robotsdisallowed", "curlerror", "invalidtarget", "nomorecanonical", "isnowparked", "targetchanged"}
	// tldClasses: kinds of top-level domains.
	tldClasses = []string{"gov", "edu", "normal"}
)
