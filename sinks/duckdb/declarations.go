package duckdb

import (
	"embed"
	"fmt"
	"io/fs"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/zeebo/xxh3"

	"backhaul/schemas"
)

// marts are the views and macros of schema marts, read in the order of their files' names. They name tables and each other; see
// inlined. Views of schema helper are what they share: they are not made, only put into the others.
//
//go:embed marts/*.sql
var marts embed.FS

// declarations are all a catalog declares, in an order in which each can be made.
type declarations struct {
	schemas []string
	all     []*declaration
	byName  map[string]*declaration
	names   *regexp.Regexp // of what is declared, in SQL
}

// declaration is one view or macro, and what is said about it.
type declaration struct {
	name  string         // marts.anchor_changes
	head  string         // CREATE VIEW marts.anchor_changes AS; empty for what is not made
	table *schemas.Table // whose rows it is; nil for what is derived

	// The query, which names others, and what is said about it. Those of tables are long, and look into the lake, and most
	// questions are about few: they are worked out where they are needed.
	body, comments func() string
	whole          string                                       // the query naming no other, once it was needed
	narrow         func(wanted func(column string) bool) string // of a table: the query with the wanted columns alone
}

// fixed is a text that is there.
func fixed(text string) func() string { return func() string { return text } }

// declare returns the declarations of the tables and of all that is derived from them.
func declare(tables []*schemas.Table, from source) (*declarations, error) {
	d := &declarations{schemas: []string{"marts", "ops"}, byName: map[string]*declaration{}}
	for _, t := range tables {
		d.schemas = append(d.schemas, t.Schema)
		rows := func(wanted func(string) bool) string { return selected(t, from(t, false), wanted) }
		d.add(declaration{name: t.FullName(), head: "CREATE VIEW " + name(t) + " AS", table: t,
			body: func() string { return rows(everything) }, narrow: rows, comments: func() string { return comments(t) }})
		rowsOfMonths := func(wanted func(string) bool) string { return monthly(t, from, wanted) }
		d.add(declaration{name: monthlyName(t), table: t,
			body: func() string { return rowsOfMonths(everything) }, narrow: rowsOfMonths, comments: fixed("")})
	}
	slices.Sort(d.schemas)
	d.schemas = slices.Compact(d.schemas)
	d.names = regexp.MustCompile(`(?i)\b"?(` + strings.Join(d.schemas, "|") + `)"?\s*\.\s*"?(\w+)`)
	shared, err := derived()
	for _, one := range shared {
		d.add(one)
	}
	return d, err
}

// derived are the views and macros of the embedded files, which are read once.
var derived = sync.OnceValues(func() (all []declaration, err error) {
	d := &declarations{byName: map[string]*declaration{}}
	files, err := fs.Glob(marts, "marts/*.sql")
	if err != nil {
		return nil, err
	}
	for _, file := range files {
		text, err := marts.ReadFile(file)
		if err != nil {
			return nil, err
		}
		if err := d.derive(string(text)); err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
	}
	for _, one := range d.all {
		all = append(all, *one)
	}
	return all, nil
})

// helping is the schema of views that nobody sees.
const helping = "helper."

// monthlyName is what views call a table with the column month.
func monthlyName(t *schemas.Table) string { return helping + "monthly_" + t.Schema + "_" + t.Name }

func (d *declarations) add(one declaration) {
	d.all, d.byName[one.name] = append(d.all, &one), &one
}

var (
	creation = regexp.MustCompile(`(?s)^(CREATE (?:VIEW|MACRO) (\w+\.\w+)(?:\([^)]*\))? AS(?: TABLE)?)\s+(.*)$`)
	remark   = regexp.MustCompile(`^COMMENT ON (?:VIEW|COLUMN|MACRO TABLE) (\w+\.\w+)`)
)

// derive adds the views and macros that statements make, and what they say about them.
func (d *declarations) derive(text string) error {
	for _, s := range statements(text) {
		if m := creation.FindStringSubmatch(s); m != nil {
			d.add(declaration{name: m[2], head: m[1], body: fixed(m[3]), comments: fixed("")})
			continue
		}
		m := remark.FindStringSubmatch(s)
		if m == nil || d.byName[m[1]] == nil {
			return fmt.Errorf("neither a view nor a macro nor a comment on one: %s", s)
		}
		one := d.byName[m[1]]
		one.comments = fixed(one.comments() + s + ";\n")
	}
	return nil
}

// relation is a table or view where a query reads from, a macro with its parenthesis, or a text or comment, which names none.
var relation = regexp.MustCompile(`'[^']*'|--[^\n]*|\b(FROM|JOIN)\s+("?\w+"?\.\w+)\b(\s*\()?`)

// views are the declared views, macros aside, by their names.
func (d *declarations) views() (all []*declaration) {
	for _, one := range d.all {
		if strings.HasPrefix(one.head, "CREATE VIEW") && !strings.HasPrefix(one.name, helping) {
			all = append(all, one)
		}
	}
	slices.SortFunc(all, func(a, b *declaration) int { return strings.Compare(a.name, b.name) })
	return all
}

// unnamed is where a query in lower case may take all columns of a relation without naming them.
var unnamed = regexp.MustCompile(`\*|(^|\(|\ball|\bname)\s*from\b|\bnatural\b`)

// words are those of a text of SQL, names of columns among them.
var words = regexp.MustCompile(`\w+`)

// namedIn reports which columns a query may want of the relations it reads from: of tables with dozens of columns, and of both
// vendors', most questions are about a few, and each column takes DuckDB its time whenever the question is asked.
func namedIn(query string) func(column string) bool {
	query = strings.ReplaceAll(strings.ToLower(query), "count(*)", "")
	if unnamed.MatchString(query) {
		return everything
	}
	named := map[string]bool{}
	for _, word := range words.FindAllString(query, -1) {
		named[word] = true
	}
	return func(column string) bool { return named[column] }
}

// inlined returns the query of a view or macro with what others are made of in the place of their names.
func (d *declarations) inlined(one *declaration) string {
	if one.whole == "" {
		body := one.body()
		named := namedIn(body)
		one.whole = d.replaced(body, func(other *declaration) string {
			if other.narrow != nil { // a table
				return other.narrow(named)
			}
			return d.inlined(other)
		})
	}
	return one.whole
}

// replaced returns a query with others in the place of the relations that it reads from; by returns "" for one that stays.
func (d *declarations) replaced(query string, by func(other *declaration) string) string {
	return relation.ReplaceAllStringFunc(query, func(found string) string {
		m := relation.FindStringSubmatch(found)
		if other := d.found(m); other != nil {
			if text := by(other); text != "" {
				return m[1] + " (" + text + "\n)"
			}
		}
		return found
	})
}

// found returns which view a match of relation names; nil for a column, as in IS NOT DISTINCT FROM n.target, a macro, or a text.
func (d *declarations) found(match []string) *declaration {
	if match[3] != "" {
		return nil
	}
	return d.byName[strings.ReplaceAll(match[2], `"`, "")]
}

// statements returns the statements that make what is wanted; with what is said about it if wanted too.
func (d *declarations) statements(wanted func(name string) bool, comments bool) []string {
	var all []string
	for _, schema := range d.schemas {
		all = append(all, "CREATE SCHEMA "+ident(schema))
	}
	for _, one := range d.all {
		if strings.HasPrefix(one.name, helping) || !wanted(one.name) {
			continue
		}
		all = append(all, one.head+" "+d.inlined(one))
		if !comments {
			continue
		}
		if said := one.comments(); said != "" {
			all = append(all, said)
		}
	}
	return all
}

// making is the statements that make what is wanted in a database of its own in memory, which becomes the default.
func (d *declarations) making(wanted func(name string) bool, comments bool) []string {
	return append([]string{"ATTACH ':memory:' AS " + catalogName, "USE " + catalogName}, d.statements(wanted, comments)...)
}

func everything(string) bool { return true }

// about are words of statements that look at the catalog itself.
var about = regexp.MustCompile(`(?i)duckdb_|information_schema|pg_catalog|pragma|sqlite_|\bshow\b|query`)

// mentioned returns what a statement names, to be wanted.
func (d *declarations) mentioned(statement string) func(name string) bool {
	if about.MatchString(statement) {
		return everything
	}
	found := map[string]bool{}
	for _, m := range d.names.FindAllStringSubmatch(statement, -1) {
		found[strings.ToLower(m[1]+"."+m[2])] = true
	}
	return func(name string) bool { return found[name] }
}

// inlining is counted up when inlined puts the same texts together in another way, so that catalogs made in the last one are written
// anew.
const inlining = 2

// hash identifies all that is declared.
func (d *declarations) hash() string {
	h := xxh3.New()
	_, _ = fmt.Fprintln(h, inlining)
	for _, one := range d.all {
		_, _ = fmt.Fprintln(h, one.head, one.body(), one.comments())
	}
	return fmt.Sprintf("%016x", h.Sum64())
}

// statements splits a text of SQL at its semicolons.
func statements(text string) (all []string) {
	begin := 0
	for i := 0; i < len(text); {
		next, _ := token(text, i)
		if text[i] == ';' {
			all = append(all, trim(text[begin:i]))
			begin = next
		}
		i = next
	}
	if rest := trim(text[begin:]); rest != "" {
		all = append(all, rest)
	}
	return all
}

var leading = regexp.MustCompile(`(?s)^(\s+|--[^\n]*\n|/\*.*?\*/)*`)

// trim cuts white space and the comments before a statement.
func trim(s string) string { return strings.TrimSpace(leading.ReplaceAllString(s, "")) }
