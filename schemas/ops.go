package schemas

// opsRejectedRows keeps every vendor row that did not fit its table, so that nothing bought is dropped.
var opsRejectedRows = &Table{
	Schema: opsSchema, Name: "rejected_rows",
	Meaning: "one vendor row that did not fit its table, with its JSON and the reason",
	Source:  "backhaul",
	Key:     []string{"run_id", "task_id", "page_seq", "row"},
	Own: append(runColumns(),
		Column{Name: "table_name", Type: String, Required: true, Meaning: "the table the row was meant for", Source: "backhaul"},
		Column{Name: "extract", Type: String, Required: true, Meaning: "the job's extract", Source: "job spec"},
		Column{Name: "task_id", Type: String, Required: true, Meaning: "the task that bought the row", Source: "backhaul"},
		Column{Name: "target", Type: String, Meaning: "the target as sent", Source: "job spec, normalised"},
		Column{Name: "scope", Type: String, Meaning: "scope of the target", Source: "job spec"},
		Column{Name: "page_seq", Type: Int32, Required: true, Unit: "position", Meaning: "the place of the row's reply among its list's, from 0", Source: "backhaul"},
		Column{Name: "row", Type: Int32, Required: true, Unit: "position", Meaning: "the row's place in its reply, from 0", Source: "backhaul"},
		Column{Name: "reason", Type: String, Required: true, Meaning: "why the row does not fit", Source: "backhaul"},
		Column{Name: "json", Type: String, Required: true, Meaning: "the row exactly as received", Source: "vendor response"},
	),
}

// opsDrift is how the vendors' replies differ from what their tables expect.
var opsDrift = &Table{
	Schema: opsSchema, Name: "drift", Meaning: "one field of a vendor's replies, in one extract of a run, that its table does not expect", Source: "backhaul",
	Key: []string{"run_id", "table_name", "extract", "surface", "field", "kind"},
	Own: append(runColumns(),
		Column{Name: "table_name", Type: String, Required: true, Meaning: "the table, like moz.links", Source: "backhaul"},
		Column{Name: "extract", Type: String, Required: true, Meaning: "the job's extract", Source: "job spec"},
		Column{Name: "surface", Type: String, Required: true, Meaning: "the vendor's API that replied", Source: "job spec"},
		Column{Name: "field", Type: String, Required: true, Meaning: "the member of the reply; names within names are joined by dots", Source: "vendor response"},
		Column{Name: "kind", Type: String, Required: true, Values: []string{string(NewField), string(Misfit), string(Vanished)},
			Meaning: "new: it has no column, its values are in extra; misfit: values that do not fit its column, which are in extra; vanished: earlier answers to the same question had it", Source: "backhaul"},
		Column{Name: "rows", Type: Int64, Required: true, Unit: "rows", Meaning: "rows with such a value; of a field that vanished, rows without it", Source: "backhaul"},
		Column{Name: "example", Type: String, Meaning: "one of its values, as JSON, cut where it is long; null for a field that vanished", Source: "vendor response"},
	),
}

// opsExpectations is what jobs expect of their nights, against what was found.
var opsExpectations = &Table{
	Schema: opsSchema, Name: "expectations", Meaning: "one bound that a job sets to what a run brings, against what was found, as of the run's last loading", Source: "backhaul",
	Key: []string{"run_id", "about", "check_name"}, Coarse: true,
	Own: append(runColumns(),
		Column{Name: "about", Type: String, Required: true, Meaning: "the extract, or the table like moz.links", Source: "job spec"},
		Column{Name: "check_name", Type: String, Required: true, Values: []string{"rows", "change", "rejected_rows", "drift", "units", "freshness"},
			Meaning: "rows; change: of its rows against the last whole nights, in percent; rejected_rows; drift: fields; units; freshness: hours since the last whole night of its stalest list", Source: "job spec"},
		Column{Name: "found", Type: Int64, Unit: "as of check_name", Meaning: "what was found; null where there is nothing to compare with", Source: "backhaul"},
		Column{Name: "min", Type: Int64, Unit: "as of check_name", Meaning: "the least that is expected; null if nothing is", Source: "job spec"},
		Column{Name: "max", Type: Int64, Unit: "as of check_name", Meaning: "the most that is expected; null if nothing is", Source: "job spec"},
		Column{Name: "breached", Type: Bool, Required: true, Meaning: "what was found is not within the bounds", Source: "backhaul"},
		Column{Name: "held", Type: Bool, Required: true, Meaning: "the tables were not published for it", Source: "backhaul"},
	),
}

// opsRuns is how a run stands, as of its latest execution.
var opsRuns = &Table{
	Schema: opsSchema, Name: "runs", Meaning: "one run of a job for one run date, as of its latest execution", Source: "backhaul", Key: []string{"run_id"},
	Own: append(runColumns(),
		Column{Name: "state", Type: String, Required: true, Meaning: "complete, or incomplete: the same job and date again buys what is missing", Source: "backhaul"},
		Column{Name: "stop", Type: String, Meaning: "why it ended before its time; null if it did not", Source: "backhaul"},
		Column{Name: "started_at", Type: Timestamp, Required: true, Meaning: "when its first execution began, UTC", Source: "backhaul"},
		Column{Name: "ended_at", Type: Timestamp, Required: true, Meaning: "when its latest execution ended, UTC", Source: "backhaul"},
		Column{Name: "tasks", Type: Int64, Required: true, Unit: "tasks", Meaning: "what it intended", Source: "job spec"},
		Column{Name: "tasks_complete", Type: Int64, Required: true, Unit: "tasks", Meaning: "what it holds whole", Source: "backhaul"},
		Column{Name: "pages", Type: Int64, Required: true, Unit: "replies", Meaning: "replies bought", Source: "backhaul"},
		Column{Name: "rows", Type: Int64, Required: true, Unit: "rows", Meaning: "rows held", Source: "backhaul"},
		Column{Name: "units", Type: Int64, Required: true, Unit: "vendor units", Meaning: "units charged", Source: "vendor price"},
		Column{Name: "waste_rows", Type: Int64, Required: true, Unit: "rows", Meaning: "rows bought again", Source: "backhaul"},
		Column{Name: "maybe_units", Type: Int64, Required: true, Unit: "vendor units", Meaning: "what requests without an answer may have cost, when they were made", Source: "vendor price"},
		Column{Name: "charged_units", Type: Int64, Unit: "vendor units", Meaning: "what of maybe_units was charged, by the vendor's count", Source: "vendor response"},
		Column{Name: "held_units", Type: Int64, Unit: "vendor units", Meaning: "what of maybe_units is held still, until the vendor's count tells", Source: "ledger"},
		Column{Name: "rejected_rows", Type: Int64, Required: true, Unit: "rows", Meaning: "rows that did not fit their table", Source: "backhaul"},
	),
}

// opsTasks says for every target how its list ended, so that "no rows" can be told from "not fetched".
var opsTasks = &Table{
	Schema: opsSchema, Name: "tasks", Meaning: "one extract for one target of a run, and how its list ended", Source: "backhaul", Key: []string{"run_id", "task_id"},
	Own: append(runColumns(),
		Column{Name: "task_id", Type: String, Required: true, Meaning: "the same from run to run while what is asked stays the same", Source: "backhaul"},
		Column{Name: "extract", Type: String, Required: true, Meaning: "the job's extract", Source: "job spec"},
		Column{Name: "endpoint", Type: String, Required: true, Meaning: "vendor and report: moz/anchor_text", Source: "job spec"},
		Column{Name: "surface", Type: String, Required: true, Meaning: "the vendor's API", Source: "job spec"},
		Column{Name: "target", Type: String, Meaning: "the target as sent", Source: "job spec, normalised"},
		Column{Name: "target_as_given", Type: String, Meaning: "the target as the spec spelled it", Source: "job spec"},
		Column{Name: "scope", Type: String, Meaning: "scope of the target", Source: "job spec"},
		Column{Name: "inputs", Type: Int64, Unit: "targets or sources", Meaning: "how many targets or sources it asks about at once; null where it is about one target, or none", Source: "job spec"},
		Column{Name: "complete", Type: Bool, Required: true, Meaning: "everything asked for is held; where false, missing rows mean nothing", Source: "backhaul"},
		Column{Name: "published", Type: Bool, Required: true, Meaning: "its rows are in the lake as of this run; a run that was interrupted publishes nothing", Source: "backhaul"},
		Column{Name: "ending", Type: String, Required: true, Meaning: "end of list, max_rows, index unchanged, not reached, interrupted, budget, quota, denied, unreachable, stale, repeats, fault", Source: "backhaul"},
		Column{Name: "error", Type: String, Meaning: "why it is not complete", Source: "vendor response"},
		Column{Name: "pages", Type: Int64, Required: true, Unit: "replies", Meaning: "replies bought", Source: "backhaul"},
		Column{Name: "rows", Type: Int64, Required: true, Unit: "rows", Meaning: "rows in its endpoint's table; where published is false, rows held", Source: "backhaul"},
		Column{Name: "rejected_rows", Type: Int64, Unit: "rows", Meaning: "rows that did not fit their table: a list with some is not whole; null in runs of earlier versions", Source: "backhaul"},
		Column{Name: "question", Type: String, Meaning: "what was asked about the target, parameters included: nights with different ones cannot be compared; null in runs of earlier versions", Source: "backhaul"},
		Column{Name: "windowed", Type: Bool, Meaning: "the list is over a moving window of time: what leaves it is not lost; null in runs of earlier versions", Source: "job spec"},
		Column{Name: "units", Type: Int64, Required: true, Unit: "vendor units", Meaning: "units charged", Source: "vendor price"},
		Column{Name: "waste_rows", Type: Int64, Required: true, Unit: "rows", Meaning: "rows bought again", Source: "backhaul"},
		Column{Name: "maybe_units", Type: Int64, Required: true, Unit: "vendor units", Meaning: "what requests without an answer may have cost", Source: "vendor price"},
		Column{Name: "attempts", Type: Int64, Required: true, Unit: "requests", Meaning: "requests that brought no reply of use", Source: "backhaul"},
		Column{Name: "missing_units", Type: Int64, Unit: "vendor units", Meaning: "what completing it is expected to cost beyond that, from earlier nights; null if complete or unknown", Source: "backhaul"},
		Column{Name: "reused_from", Type: String, Meaning: "the run whose replies were taken over instead of bought, or archive for replies that were imported; null if it bought its own", Source: "backhaul"},
		Column{Name: "saved_units", Type: Int64, Required: true, Unit: "vendor units", Meaning: "what was not spent because an earlier answer would do", Source: "vendor price"},
		Column{Name: "index_id", Type: String, Meaning: "the vendor's index the answer comes from, where the job asked for it", Source: "vendor response"},
		Column{Name: "ended_at", Type: Timestamp, Meaning: "when it ended, UTC", Source: "backhaul"},
	),
}

// opsPages is every page of a run: what was sent, what it cost, how large it was.
var opsPages = &Table{
	Schema: opsSchema, Name: "pages", Meaning: "one paid response of a run", Source: "backhaul", Key: []string{"run_id", "task_id", "page_seq"},
	Own: append(runColumns(),
		Column{Name: "task_id", Type: String, Required: true, Meaning: "the task that bought the reply", Source: "backhaul"},
		Column{Name: "extract", Type: String, Required: true, Meaning: "the job's extract", Source: "job spec"},
		Column{Name: "target", Type: String, Meaning: "the target as sent", Source: "job spec, normalised"},
		Column{Name: "scope", Type: String, Meaning: "scope of the target", Source: "job spec"},
		Column{Name: "page_seq", Type: Int32, Required: true, Unit: "position", Meaning: "the reply's place among its task's, from 0", Source: "backhaul"},
		Column{Name: "chain", Type: Int32, Required: true, Unit: "restarts", Meaning: "how often the list had been restarted", Source: "backhaul"},
		Column{Name: "repeated", Type: Bool, Required: true, Meaning: "the list had brought every row of the reply before", Source: "backhaul"},
		Column{Name: "last", Type: Bool, Required: true, Meaning: "the vendor's list ends with this reply", Source: "vendor response"},
		Column{Name: "request", Type: String, Required: true, Meaning: "what was sent, without credentials", Source: "backhaul"},
		Column{Name: "status", Type: Int32, Required: true, Unit: "HTTP status", Meaning: "status of the response", Source: "vendor response"},
		Column{Name: "fetched_at", Type: Timestamp, Required: true, Meaning: "when the response had arrived, UTC", Source: "backhaul"},
		Column{Name: "rows", Type: Int64, Required: true, Unit: "rows", Meaning: "rows in the response", Source: "vendor response"},
		Column{Name: "overlap_rows", Type: Int64, Required: true, Unit: "rows", Meaning: "rows of it that the reply before had brought: what a continuation without a cursor costs", Source: "backhaul"},
		Column{Name: "units", Type: Int64, Required: true, Unit: "vendor units", Meaning: "units charged", Source: "vendor price"},
		Column{Name: "listed_units", Type: Int64, Unit: "vendor units", Meaning: "the price by the vendor's rule, charged or not; null where the vendor does not state it", Source: "vendor response"},
		Column{Name: "cache", Type: String, Meaning: "what the vendor says of its cache: hit, miss, no_cache; null if nothing", Source: "vendor response"},
		Column{Name: "bytes", Type: Int64, Required: true, Unit: "bytes", Meaning: "size of the response", Source: "vendor response"},
	),
}

// opsAttempts is every request of a run that yielded no page.
var opsAttempts = &Table{
	Schema: opsSchema, Name: "attempts", Meaning: "one request of a run that brought no reply of use", Source: "backhaul", Key: []string{"run_id", "task_id", "no"},
	Own: append(runColumns(),
		Column{Name: "no", Type: Int64, Required: true, Unit: "position", Meaning: "its place among the run's, from 1", Source: "backhaul"},
		Column{Name: "task_id", Type: String, Required: true, Meaning: "the task that asked", Source: "backhaul"},
		Column{Name: "extract", Type: String, Required: true, Meaning: "the job's extract", Source: "job spec"},
		Column{Name: "target", Type: String, Meaning: "the target as sent", Source: "job spec, normalised"},
		Column{Name: "page_seq", Type: Int32, Required: true, Unit: "position", Meaning: "the place of the reply that was asked for", Source: "backhaul"},
		Column{Name: "at", Type: Timestamp, Required: true, Meaning: "when it failed, UTC", Source: "backhaul"},
		Column{Name: "kind", Type: String, Required: true, Meaning: "transient, throttled, exhausted, denied, rejected, stale, malformed", Source: "backhaul"},
		Column{Name: "status", Type: Int32, Unit: "HTTP status", Meaning: "status of the response; null if none arrived", Source: "vendor response"},
		Column{Name: "maybe_units", Type: Int64, Required: true, Unit: "vendor units", Meaning: "what it may have cost all the same", Source: "vendor price"},
		Column{Name: "message", Type: String, Required: true, Meaning: "what was found", Source: "vendor response"},
		Column{Name: "bytes", Type: Int64, Unit: "bytes", Meaning: "size of the response that is kept because it could not be read; see `backhaul status --replies`; null if none is", Source: "vendor response"},
	),
}

// opsSpend is what a run spent, by the day its pages arrived.
var opsSpend = &Table{
	Schema: opsSchema, Name: "spend", Meaning: "what a run spent on one target of one extract on one day", Source: "backhaul", Key: []string{"run_id", "vendor", "extract", "target", "scope", "day"},
	Own: append(runColumns(),
		Column{Name: "vendor", Type: String, Required: true, Meaning: "the vendor", Source: "job spec"},
		Column{Name: "endpoint", Type: String, Required: true, Meaning: "vendor and report", Source: "job spec"},
		Column{Name: "extract", Type: String, Required: true, Meaning: "the job's extract", Source: "job spec"},
		Column{Name: "target", Type: String, Meaning: "the target as sent", Source: "job spec, normalised"},
		Column{Name: "scope", Type: String, Meaning: "scope of the target", Source: "job spec"},
		Column{Name: "day", Type: Date, Required: true, Meaning: "the day the replies arrived, UTC", Source: "backhaul"},
		Column{Name: "pages", Type: Int64, Required: true, Unit: "replies", Meaning: "replies bought", Source: "backhaul"},
		Column{Name: "rows", Type: Int64, Required: true, Unit: "rows", Meaning: "rows bought, waste included", Source: "vendor response"},
		Column{Name: "units", Type: Int64, Required: true, Unit: "vendor units", Meaning: "units charged", Source: "vendor price"},
		Column{Name: "maybe_units", Type: Int64, Required: true, Unit: "vendor units", Meaning: "what requests without an answer may have cost beyond that", Source: "vendor price"},
		Column{Name: "saved_units", Type: Int64, Required: true, Unit: "vendor units", Meaning: "what was not spent because an earlier answer would do", Source: "vendor price"},
	),
}

// opsReconciliation holds the vendor's own account against the ledger.
var opsReconciliation = &Table{
	Schema: opsSchema, Name: "reconciliation", Meaning: "a vendor's own account against the ledger, over the executions of a run", Source: "backhaul", Key: []string{"run_id", "vendor", "account_month"},
	Own: append(runColumns(),
		Column{Name: "vendor", Type: String, Required: true, Meaning: "the vendor", Source: "job spec"},
		Column{Name: "account_month", Type: String, Required: true, Meaning: "the month of the vendor's meter, YYYY-MM", Source: "backhaul"},
		Column{Name: "first_asked_at", Type: Timestamp, Required: true, Meaning: "when the vendor was asked first, UTC", Source: "backhaul"},
		Column{Name: "last_asked_at", Type: Timestamp, Required: true, Meaning: "when the vendor was asked last, UTC", Source: "backhaul"},
		Column{Name: "vendor_units_before", Type: Int64, Required: true, Unit: "vendor units", Meaning: "consumed in the month, as the vendor said first", Source: "vendor response"},
		Column{Name: "vendor_units_after", Type: Int64, Required: true, Unit: "vendor units", Meaning: "consumed in the month, as the vendor said last", Source: "vendor response"},
		Column{Name: "ledger_units", Type: Int64, Required: true, Unit: "vendor units", Meaning: "known to have been spent meanwhile by all runs of this warehouse", Source: "ledger"},
		Column{Name: "maybe_units", Type: Int64, Required: true, Unit: "vendor units", Meaning: "what requests without an answer may have cost meanwhile", Source: "ledger"},
		Column{Name: "settled_units", Type: Int64, Unit: "vendor units", Meaning: "what was held for requests without an answer, of whatever run, and is settled by the vendor's count", Source: "ledger"},
		Column{Name: "charged_units", Type: Int64, Unit: "vendor units", Meaning: "what of settled_units the vendor's count says was charged; the rest is free again", Source: "vendor response"},
		Column{Name: "others_units", Type: Int64, Unit: "vendor units", Meaning: "what others have used of the account in the month, at the least", Source: "vendor response"},
		Column{Name: "difference", Type: Int64, Required: true, Unit: "vendor units", Meaning: "what the vendor counted beyond the ledger; below zero if it lags", Source: "backhaul"},
		Column{Name: "explanation", Type: String, Required: true, Meaning: "what accounts for the difference", Source: "backhaul"},
	),
}

// runColumns begin every ops table: which run speaks.
func runColumns() []Column {
	return []Column{
		{Name: "job", Type: String, Required: true, Meaning: "the job", Source: "job spec"},
		{Name: "run_id", Type: String, Required: true, Meaning: "the run", Source: "backhaul"},
		{Name: ColRunDate, Type: Date, Required: true, Meaning: "the logical date of the run", Source: "command line"},
	}
}

// tables is every table of the warehouse.
var tables = []*Table{
	mozAnchorText, mozLinks, mozLinkingRootDomains, mozLinkIntersect, mozLinkStatus, mozFinalRedirect,
	mozURLMetrics, mozURLMetricsHistory, mozURLMetricsDistribution, mozTopPages,
	mozGlobalTopPages, mozGlobalTopRootDomains, mozIndexMetadata, mozUsageData,
	ahrefsAnchors, ahrefsAnchorsStats, ahrefsLinkedAnchorsExternal, ahrefsAllBacklinks, ahrefsBrokenBacklinks, ahrefsRefdomains, ahrefsLinkeddomains,
	ahrefsPagesByBacklinks, ahrefsDomainRating, ahrefsBacklinksStats, ahrefsOutlinksStats, ahrefsLimitsAndUsage, ahrefsRefdomainsHistory,
	ahrefsDomainRatingHistory, ahrefsBatchAnalysis,
	opsRuns, opsTasks, opsPages, opsAttempts, opsSpend, opsReconciliation, opsRejectedRows, opsDrift, opsExpectations,
	martsWholeSpans, martsAnchorChanges, martsDomainChanges, martsLinkChanges,
	userAnchorRules, userLabels, userPlacements,
}
