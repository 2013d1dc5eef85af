package report

import (
	"fmt"
	"regexp"
	"strings"

	"backhaul/jobs/run"
)

// mostQueries is how many queries a summary suggests.
const mostQueries = 2

// questions are what to ask of a table that a run has published rows of, each with a place for the night.
var questions = map[string]string{
	"moz.anchor_text":          "select target, anchor_text, external_root_domains from moz.anchor_text where run_date = '%s' order by external_root_domains desc limit 20",
	"moz.link_intersect":       "select page, domain_authority, matching_targets from moz.link_intersect where run_date = '%s' order by rank limit 20",
	"moz.link_status":          "select target, source, link_exists from moz.link_status where run_date = '%s' order by link_exists limit 20",
	"moz.linking_root_domains": "select root_domain, domain_authority, to_target_pages, target from moz.linking_root_domains where run_date = '%s' order by domain_authority desc limit 20",
	"moz.links":                "select target, count(*) links, count(*) filter (where not nofollow) followed from moz.links where run_date = '%s' group by target order by links desc",
}

// current are the views that show a table's lists where they are whole.
var current = map[string]string{
	"moz.anchor_text": "marts.anchors_current", "moz.linking_root_domains": "marts.domains_current", "moz.links": "marts.links_current",
}

// Queries suggests queries over what the run has published. Each has rows to show that night.
func (s Summary) Queries() (queries []string) {
	if s.State == failed {
		return nil // before ops was published
	}
	for _, f := range s.Files {
		if q := s.query(f); q != "" {
			queries = append(queries, q)
		}
	}
	queries = append(queries, fmt.Sprintf("select extract, target, ending, rows, units from ops.tasks where run_date = '%s' order by rows desc", s.RunDate))
	return queries[:min(mostQueries, len(queries))]
}

// query is the question to ask of one table, "" if there is none.
func (s Summary) query(f run.File) string {
	question, known := questions[f.Table]
	if !known || f.Rows == 0 {
		return ""
	}
	if view := current[f.Table]; view != "" {
		if target := s.wholeTarget(f.Table); target != "" {
			return fmt.Sprintf("from %s where target = '%s' limit 20", view, target)
		}
	}
	return fmt.Sprintf(question, s.RunDate)
}

// plain are targets that mean nothing else to SQL or a shell.
var plain = regexp.MustCompile(`^[\pL\pN./:_-]+$`)

// wholeTarget returns a target whose whole list the table has got rows of; "" if there is none, or not all rows fitted.
func (s Summary) wholeTarget(table string) string {
	for _, r := range s.Rejections {
		if r.Table == table {
			return ""
		}
	}
	for _, t := range s.whole {
		if strings.Replace(t.Endpoint, "/", ".", 1) == table && t.Rows > 0 && plain.MatchString(t.Target) {
			return t.Target
		}
	}
	return ""
}
