package jobs

import "math"

// Key is one key of a mapping in a spec. What is taken, what the JSON Schema allows and what help explains is this.
type Key struct {
	Name     string
	Required bool
	// Default is what holds where the key is absent, in words. Default "": nothing.
	Default string
	Meaning string

	form form
}

// Section is a mapping of the spec with a set of keys.
type Section struct {
	// Path leads to it: vendors.VENDOR. "" is the spec itself. Words in capitals stand for names, - for an entry of a list.
	Path    string
	Meaning string
	Keys    []Key
}

// Sections returns every mapping of a spec, in the order in which people should read them.
func Sections() []Section {
	return []Section{
		{"", "the job", specKeys},
		{"parameters.NAME", "one parameter, named a-z, 0-9 and _: ${NAME} stands for its value, in any value of the spec", parameterKeys},
		{"vendors.VENDOR", "how a vendor is spoken to", vendorKeys},
		{"budget.VENDOR", "what may be spent at a vendor, in its own units", budgetKeys},
		{"report", "how the reports about runs shall be", reportKeys},
		{"expect.-", "what an extract or table is to bring, checked before it is published: see `backhaul help expect`", expectKeys},
		{"notify.-", "who is told of a run, once for each change: one of webhook, email and command; `backhaul notify JOB --test` tries them", noticeKeys},
		{"notify.-.webhook", "a URL that is posted to, with three tries", webhookKeys},
		{"notify.-.email", "mail, handed in by SMTP with STARTTLS", emailKeys},
		{"targets.LIST", "one list of targets: their names, [example.com, {target: example.org, scope: page}], or a file of them", listKeys},
		{"tables.TABLE", "a list that the job brings along, for marts and queries: `backhaul tables user.TABLE` shows its columns", tableKeys},
		{"extracts.-", "what to buy: one endpoint, its targets and its parameters", extractKeys},
		{"extracts.-.targets", "targets that a query provides", queryKeys},
		{"extracts.-.inputs", "pairs of target and source, for endpoints that compare them", inputKeys},
	}
}

var specKeys = []Key{
	{Name: "job", Required: true, Meaning: "names the runs, with their date, and the rows", form: pattern("a-z, 0-9 and -", jobName.String(), maxName)},
	{Name: "parameters", Meaning: "what --set NAME=VALUE may set, so that one spec serves many", form: mappingOfNames(parameterName.String(), parameterKeys)},
	{Name: "vendors", Default: "what each vendor documents", Meaning: "how the vendors are spoken to", form: byVendor(vendorForm)},
	{Name: "budget", Default: "none", Meaning: "hard ceilings", form: byVendor(func(Registry, string) form { return mappingOf(budgetKeys) })},
	{Name: "confirm_over", Default: "never", Meaning: "on a terminal, ask before a run that may cost more units: by what is expected, or by the worst case where lists are of unknown length", form: byVendor(func(Registry, string) form { return count(0, maxUnits) })},
	{Name: "report", Default: "false", Meaning: "write a report about each run as HTML into the warehouse's folder reports; see `backhaul report`", form: reportForm()},
	{Name: "expect", Default: "nothing", Meaning: "what is checked before a table is published", form: expectEntries()},
	{Name: "notify", Default: "nobody", Meaning: "who is told how runs end", form: noticeEntries()},
	{Name: "retry_for", Default: "30m", Meaning: "how long a vendor that does not answer is asked again; 0s: only the usual few times", form: spanOrNone()},
	{Name: "targets", Meaning: "named lists of what to ask about", form: namedLists()},
	{Name: "tables", Meaning: "lists for marts and queries, kept night by night", form: userLists()},
	{Name: "extracts", Required: true, Meaning: "what to buy, a table each", form: extractEntries()},
}

var parameterKeys = []Key{
	{Name: "default", Meaning: "its value where nothing sets it; without one it must be set", form: scalar()},
	{Name: "meaning", Meaning: "what it is, for people", form: plainText("a string")},
	{Name: "same_run", Default: "false", Meaning: "true: another value edits the run of the job and date; else the job's name must hold the parameter, so that each value has runs of its own", form: truth()},
}

var vendorKeys = []Key{
	{Name: "surface", Default: "the vendor's first", Meaning: "which of its APIs is asked; `backhaul endpoints` lists them", form: plainText("the name of a surface")},
	{Name: "requests_per_second", Default: "the surface's limit", Meaning: "bounds the rate", form: fraction(maxPerSecond)},
	{Name: "requests_per_minute", Default: "the surface's limit", Meaning: "the same in minutes; one of both", form: fraction(maxPerSecond * 60)},
	{Name: "connections", Default: "the surface's limit", Meaning: "bounds the requests in flight", form: count(1, maxConnections)},
	{Name: "token_life", Default: "until the vendor refuses it", Meaning: "how long a cursor of the vendor is trusted", form: span()},
}

var budgetKeys = []Key{
	{Name: "run", Default: "none", Meaning: "ceiling of one execution", form: count(0, maxUnits)},
	{Name: "month", Default: "none", Meaning: "ceiling of the job's runs in a month", form: count(0, maxUnits)},
	{Name: "warehouse_month", Default: "none", Meaning: "ceiling of a month for all jobs of the warehouse, and whoever else uses the key", form: count(0, maxUnits)},
	{Name: "month_starts_on", Default: "1", Meaning: "the day on which the account's month begins", form: count(1, 28)},
}

// bound is a key of a check.
func bound(name, meaning string) Key {
	return Key{Name: name, Meaning: meaning, form: count(0, math.MaxInt64)}
}

// boundKeys are the bounds of each check.
var boundKeys = map[string][]Key{
	"rows":          {bound("min", "the fewest"), bound("max", "the most")},
	"change":        {bound("max_percent", "more or fewer, in percent of the last whole nights")},
	"rejected_rows": {bound("max", "the most")},
	"drift":         {bound("max", "the most fields")},
	"units":         {bound("max", "the most of the vendor's units")},
}

var expectKeys = []Key{
	{Name: "extract", Meaning: "the extract it is about; one of extract and table", form: filled("the name of an extract")},
	{Name: "table", Meaning: "the table it is about, like moz.links, whichever extracts of the job fill it, or a mart, like marts.campaign", form: filled("VENDOR.NAME")},
	{Name: "where", Default: "all rows", Meaning: "the condition in SQL of the rows of a mart that are counted", form: filled("a condition")},
	{Name: "rows", Meaning: "{min: N, max: N}: how many rows", form: mappingOf(boundKeys["rows"])},
	{Name: "change", Meaning: "{max_percent: N}: by how much the rows may differ from the last whole night of each list", form: mappingOf(boundKeys["change"])},
	{Name: "rejected_rows", Meaning: "{max: N}: rows that do not fit their table", form: mappingOf(boundKeys["rejected_rows"])},
	{Name: "drift", Meaning: "{max: N}: fields of the replies that the table does not expect", form: mappingOf(boundKeys["drift"])},
	{Name: "units", Meaning: "{max: N}: what the run has spent on it", form: mappingOf(boundKeys["units"])},
	{Name: "freshness", Meaning: "how old the last whole night of each list may be", form: span()},
	{Name: "on_breach", Default: "warn", Meaning: "hold: its table is not published until run --accept, which buys nothing again", form: oneOf(warnOnBreach, holdOnBreach)},
}

// noticeWays are the ways to tell somebody.
var noticeWays = []string{"webhook", "email", "command"}

var noticeKeys = []Key{
	{Name: "on", Required: true, Meaning: "failed, stopped (by a budget, a quota or somebody), incomplete, breach (of what the spec expects), recovered, complete (each night); a state that lasts is told once", form: wordOrWords(Events())},
	{Name: "after", Default: "1", Meaning: "tell a bad state from its Nth night in a row on", form: count(1, maxNights)},
	{Name: "webhook", Meaning: "{url_env: HOOK_URL}", form: mappingOf(webhookKeys)},
	{Name: "email", Meaning: "{host: smtp.example.com, from: …, to: […]}", form: mappingOf(emailKeys)},
	{Name: "command", Meaning: "a program and its arguments, without a shell, that gets the notice as JSON on its standard input; $BACKHAUL_ALLOW_COMMANDS must list the program", form: argv()},
}

var webhookKeys = []Key{
	{Name: "url_env", Required: true, Meaning: "the variable with the URL, which is a secret; it is one of the environment, or a file that X_FILE names", form: variableName()},
	{Name: "format", Default: JSONFormat, Meaning: "json: the notice and the run's summary; slack: a message for Slack", form: oneOf(JSONFormat, SlackFormat)},
	{Name: "secret_env", Default: "unsigned", Meaning: "the variable with a key: the header X-Backhaul-Signature is then sha256=, and the HMAC-SHA256 of the body in hexadecimal", form: variableName()},
}

var emailKeys = []Key{
	{Name: "host", Required: true, Meaning: "the server of outgoing mail", form: filled("a host")},
	{Name: "port", Default: "587", Meaning: "465: TLS from the first byte on", form: count(1, math.MaxUint16)},
	{Name: "from", Required: true, Meaning: "whom the mail is from", form: filled("a mail address")},
	{Name: "to", Required: true, Meaning: "whom it goes to", form: filledOrList("a mail address, or a list of them")},
	{Name: "user_env", Meaning: "the variable with the user's name", form: variableName()},
	{Name: "password_env", Meaning: "the variable with the password", form: variableName()},
}

// fileKey names a CSV file.
func fileKey(required bool, columns string) Key {
	return Key{Name: "file", Required: required, Meaning: "a CSV file in the spec's folder or below, " + columns, form: filled("a file's name")}
}

var (
	listKeys  = []Key{fileKey(true, "with a header and a column target; other columns override parameters of their row")}
	tableKeys = []Key{fileKey(true, "with a header")}
	queryKeys = []Key{
		{Name: "sql", Required: true, Meaning: "a query with a column target, over the catalog, the job's tables and the extracts named under after", form: filled("SQL")},
	}
	inputKeys = []Key{
		fileKey(false, "with columns target and source; others that have a parameter's name override it"),
		{Name: "sql", Meaning: "a query with columns target and source; one of file and sql", form: filled("SQL")},
	}
	scopedKeys = []Key{
		{Name: "target", Required: true, form: filled("a host or page")},
		{Name: "scope", Required: true, form: plainText("a scope")},
	}
)

var extractKeys = []Key{
	{Name: "name", Required: true, Meaning: "unique in the job; queries of later extracts read its rows under it", form: pattern("a-z, 0-9, _ and -", extractName.String(), maxName)},
	{Name: "endpoint", Required: true, Meaning: "VENDOR/NAME, as `backhaul endpoints` lists them", form: endpointName()},
	{Name: "targets", Meaning: "the lists to ask about, by name, or {sql: …}; for endpoints that ask about targets", form: chosenLists()},
	{Name: "inputs", Meaning: "{file: …} or {sql: …}; for endpoints that compare targets with sources", form: inputsForm()},
	{Name: "params", Meaning: "the vendor's own parameters: `backhaul endpoints NAME` lists them", form: parameters()},
	{Name: "max_rows", Default: "until the list ends", Meaning: "bounds the rows of each target", form: count(1, math.MaxInt64)},
	{Name: "max_units", Default: "none", Meaning: "ceiling of the extract in one execution, in the vendor's units", form: count(0, maxUnits)},
	{Name: "max_age", Default: "buy anew", Meaning: "take over a complete answer of any job that is not older, for nothing", form: span()},
	{Name: "priority", Default: "0", Meaning: "higher is bought first when the budget is short", form: count(-maxPriority, maxPriority)},
	{Name: "after", Meaning: "extracts that must be complete first", form: nameOrNames()},
	{Name: "only_if", Meaning: "index_changed: skip while the vendor's index is that of the last complete run", form: oneOf(IndexChanged)},
}

// Takes says what may stand under the key: "a whole number from 1 to 1000".
func (k Key) Takes() string { return k.form.takes }

// namesOf are the names of keys.
func namesOf(keys []Key) []string {
	names := make([]string, len(keys))
	for i, k := range keys {
		names[i] = k.Name
	}
	return names
}

// named makes keys of names that somebody else knows, as vendors.
func named(names []string) []Key {
	keys := make([]Key, len(names))
	for i, name := range names {
		keys[i] = Key{Name: name}
	}
	return keys
}
