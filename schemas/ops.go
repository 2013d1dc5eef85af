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
		Column{Name: "page_seq", Type: Int32, Required: true, Unit: "position", Meaning: "the row's page in its chain, from 0", Source: "backhaul"},
		Column{Name: "row", Type: Int32, Required: true, Unit: "position", Meaning: "the row's place in its page, from 0", Source: "backhaul"},
		Column{Name: "reason", Type: String, Required: true, Meaning: "why the row does not fit", Source: "backhaul"},
		Column{Name: "json", Type: String, Required: true, Meaning: "the row exactly as received", Source: "vendor response"},
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
var tables = []*Table{mozAnchorText, mozLinks, mozLinkingRootDomains, opsRejectedRows}
