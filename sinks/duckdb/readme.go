package duckdb

import (
	"bytes"
	_ "embed"
	"fmt"
	"path/filepath"
	"text/template"
)

//go:embed readme.md
var readmeText string

var readme = template.Must(template.New("README.md").Parse(readmeText))

// FirstQuery is a question that somebody new to a warehouse has.
type FirstQuery struct{ Asks, SQL string }

// FirstQueries are those of a warehouse's README. They ask about example.com, and November 2026.
var FirstQueries = []FirstQuery{
	{"What was run, and did it end well?", `SELECT run_date, job, state, tasks, tasks_complete, rows, units FROM ops.runs ORDER BY run_date DESC LIMIT 20`},
	{"What was spent on what, by month?", `SELECT date_trunc('month', day) AS month, vendor, endpoint, sum(units) AS units FROM ops.spend GROUP BY ALL ORDER BY ALL`},
	{"With which texts is a site linked to?", `FROM marts.anchors_current WHERE target = 'example.com'`},
	{"Which pages link to it?", `FROM marts.links_current WHERE target = 'example.com' LIMIT 100`},
	{"Which domains do?", `FROM marts.domains_current WHERE target = 'example.com' LIMIT 100`},
	{"Which texts came and went in the last week?", `FROM marts.anchor_changes WHERE target = 'example.com' AND run_date > current_date - 7 ORDER BY run_date DESC, change`},
	{"How many domains came and went, night by night?", `SELECT run_date, target, change, count(*) AS domains FROM marts.domain_changes GROUP BY ALL ORDER BY run_date DESC, target, change`},
	{"Which good links were lost?", `SELECT run_date, target, source_page, target_page, source_domain_authority FROM marts.link_changes
WHERE change = 'lost' ORDER BY run_date DESC, source_domain_authority DESC NULLS LAST LIMIT 100`},
	{"What has changed between two dates?", `FROM marts.anchors_between('example.com', DATE '2026-11-01', DATE '2026-11-30')`},
	{"How has one text gone, night by night?", `SELECT run_date, job, scope, rank, external_root_domains, external_pages FROM moz.anchor_text
WHERE target = 'example.com' AND anchor_text = 'example' ORDER BY run_date, job`},
}

// Readme returns what the README of the warehouse at root, an absolute path, says. It is the same for the same root and program.
func Readme(root string) string {
	var b bytes.Buffer
	err := readme.Execute(&b, struct {
		Root    string
		Open    []string
		Queries []FirstQuery
	}{root, []string{
		fmt.Sprintf("ATTACH %s AS catalog (READ_ONLY)", quote(filepath.Join(root, "catalog.duckdb"))),
		"USE catalog",
		"SET VARIABLE backhaul_warehouse = " + quote(root),
	}, FirstQueries})
	if err != nil {
		panic(fmt.Sprintf("README of a warehouse: %v", err)) // a template and values of this file
	}
	return b.String()
}
