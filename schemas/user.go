package schemas

// User tables are lists that a job brings along as CSV files, under `tables:` of its spec. Every run of the job keeps a
// snapshot of them, so that a list and what was bought for it can be read together, whichever night is asked about.
//
// Which of their columns a file brings is what [Table.Given] says; the columns that the program works out from one of those
// name it in [Column.From]; `extra` keeps what else the file has.

// userDoc is where the columns of a file come from.
const userDoc = "the job's file"

// userTable declares a user table: the run's columns, the line, the table's own columns, and the rest of the line.
func userTable(name, meaning string, own ...Column) *Table {
	line := Column{Name: "row", Type: Int64, Required: true, Unit: "line", Meaning: "the line in the file, from 1; the header is not counted", Source: userDoc}
	rest := Column{Name: ColExtra, Type: String, Format: FormatJSON, Meaning: "JSON object of the line's other columns, as texts; null if none has a value", Source: userDoc}
	t := &Table{Schema: userSchema, Name: name, Meaning: meaning, Source: "the job's file under tables: " + name, Key: []string{"row"}}
	t.Own = append(append(append(runColumns(), line), own...), rest)
	for i, c := range t.Own {
		switch {
		case c.Source != "":
		case c.From != "":
			t.Own[i].Source = userDoc + ", normalised"
		default:
			t.Own[i].Source = userDoc
		}
	}
	return t
}

// userPlacements is one row per link that was agreed on.
var userPlacements = userTable("placements", "one link that was paid for or promised: this page shall link to that one",
	Column{Name: "target", Type: String, Required: true, Meaning: "the page that shall be linked to, as given"},
	Column{Name: "source", Type: String, Required: true, Meaning: "the page that shall link, as given"},
	Column{Name: "target_page", Type: String, Required: true, From: "target", Meaning: "the page that shall be linked to, as sent to the vendor"},
	Column{Name: "source_page", Type: String, Required: true, From: "source", Meaning: "the page that shall link, as sent to the vendor"},
	Column{Name: "campaign", Type: String, Meaning: "what the link belongs to"},
	Column{Name: "contact", Type: String, Meaning: "whom to ask when it is not there"},
	Column{Name: "placed_on", Type: Date, Meaning: "since when the link should be there"},
)

// userLabels is one row per source somebody has looked at.
var userLabels = userTable("labels", "what somebody decided about one source of links",
	Column{Name: "source", Type: String, Required: true, Meaning: "a page, or a host for all its pages, as given"},
	Column{Name: "source_page", Type: String, Required: true, From: "source", Meaning: "the source as sent to the vendor"},
	Column{Name: "label", Type: String, Meaning: "the decision; ignore means that its links are not wanted"},
	Column{Name: "note", Type: String, Meaning: "why, or what to do next"},
)

// anchorKinds are the kinds of anchor texts a rule can name.
var anchorKinds = []string{"branded", "exact", "partial", "naked_url", "generic", "empty"}

// userAnchorRules is one row per rule.
var userAnchorRules = userTable("anchor_rules", "which kind the anchor texts are that look like this",
	Column{Name: "kind", Type: String, Required: true, Values: anchorKinds, Meaning: "branded, exact, partial, naked_url, generic, empty"},
	Column{Name: "pattern", Type: String, Required: true, Meaning: "the anchor text as a whole, in any case; * stands for any letters, ? for one"},
	Column{Name: "target", Type: String, Meaning: "the target whose anchors are meant, as given; null for all targets"},
	Column{Name: "target_page", Type: String, From: "target", Meaning: "the target as sent to the vendor; null for all targets"},
	Column{Name: "priority", Type: Int64, Meaning: "of the rules that fit, the one with the highest decides, then the first; null is 0"},
)

// UserTables returns the tables a job can bring along, sorted by name.
func UserTables() []*Table {
	var user []*Table
	for _, t := range All() {
		if t.Schema == userSchema {
			user = append(user, t)
		}
	}
	return user
}

// UserTable finds a table that a job can bring along by the name the spec gives it ("labels"), or nil.
func UserTable(name string) *Table { return Lookup(userSchema + "." + name) }

// Given returns the columns of a user table that its file brings under the same names, in their order: those that are Required
// must be in its header and have a value in every line. It is nil for all other tables.
func (t *Table) Given() []Column {
	if t.Schema != userSchema {
		return nil
	}
	var given []Column
	for _, c := range t.Own[len(runColumns())+1 : len(t.Own)-1] {
		if c.From == "" {
			given = append(given, c)
		}
	}
	return given
}
