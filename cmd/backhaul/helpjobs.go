package main

import (
	"bytes"
	"fmt"
	"io/fs"
	"strings"

	"github.com/spf13/cobra"

	"backhaul/jobs"
)

// readyMade are the jobs that come with the program, in the order people should read them, each with the first questions
// to ask of what it brings, and those that take a second night to have an answer.
var readyMade = []struct {
	name, purpose    string
	questions, later []string
}{
	{"nightly", "who links to us and to our rivals, with which words, from which domains", []string{
		"select anchor_text, external_root_domains, external_pages from moz.anchor_text where target = 'acme-outdoor.example' order by run_date desc, rank limit 20",
		"select run_date, extract, target, ending, rows, units from ops.tasks where job = 'nightly' order by run_date desc, extract, target",
	}, []string{
		"select run_date, target, change, anchor_text from marts.anchor_changes order by run_date desc, greatest(coalesce(external_root_domains, 0), coalesce(previous_external_root_domains, 0)) desc limit 20",
	}},
	{"campaign", "the links that were paid for or promised: are they there, and are they still there?", []string{
		"select campaign, verdict, count(*) as placements from marts.campaign group by all order by all",
		"select contact, source, target, verdict, lost_on from marts.campaign where verdict in ('lost', 'missing', 'redirected') order by contact",
		"select source, target, first_seen_live, page_authority, domain_authority, spam_score from marts.campaign where live order by page_authority desc",
	}, nil},
	{"linkgap", "who links to our rivals and not to us?", []string{
		"select source, label, matching_targets, domain_authority, page_authority, spam_score, open_since from marts.prospects_review limit 50",
		"select month, open_before, opened, closed, lost, unknown, open_after, ignored from marts.gap_closure",
	}, []string{
		"select source_page, opened_on, left_on, linked_on from marts.gap_stays where outcome = 'closed' order by left_on desc",
	}},
	{"monitor", "what was won and lost, link by link and domain by domain, and with which words we are linked to", []string{
		"select target, kind, anchors, round(100 * domain_share, 1) as percent from marts.anchor_profile where job = 'monitor' qualify run_date = max(run_date) over (partition by target) order by target, percent desc",
		"select target, root_domain, domain_authority, date_lost from moz.linking_root_domains where extract = 'domains_lost' qualify run_date = max(run_date) over (partition by target) order by date_lost desc, domain_authority desc",
	}, []string{
		"select run_date, change, source_page, target_page, anchor_texts, previous_anchor_texts from marts.link_changes order by run_date desc, source_domain_authority desc limit 50",
	}},
}

// jobsTopic is not a command but what `backhaul help jobs` prints.
func (a *app) jobsTopic() *cobra.Command {
	return &cobra.Command{Use: "jobs", Short: "The ready-made jobs, and the first questions to ask of what they bring", Long: jobsText()}
}

func jobsText() string {
	var b strings.Builder
	b.WriteString(`The ready-made jobs. ` + "`backhaul init NAME`" + ` writes one with the lists it names into the current directory: put your own sites in.
To try it without a vendor, let another terminal run ` + "`backhaul emulate`" + ` and paste the lines it prints.
`)
	for _, j := range readyMade {
		fmt.Fprintf(&b, "\n%s: %s\n\n", j.name, j.purpose)
		for _, name := range append([]string{j.name + ".yaml"}, lists[j.name]...) {
			fmt.Fprintf(&b, "-- %s\n%s\n", name, strings.TrimRight(string(shipped(name)), "\n"))
		}
		writeQueries(&b, "First questions", j.questions)
		writeQueries(&b, "From the second night on", j.later)
	}
	b.WriteString(verdictsText)
	return b.String()
}

// shipped returns a file of a ready-made job as it is for a user's directory, where the schema lies beside it.
func shipped(name string) []byte {
	content, err := fs.ReadFile(jobs.Files, name)
	if err != nil {
		panic(fmt.Sprintf("read the embedded %s: %v", name, err)) // the files are part of the program
	}
	return bytes.Replace(content, []byte("$schema=../schemas/"), []byte("$schema="), 1)
}

func writeQueries(b *strings.Builder, title string, queries []string) {
	if len(queries) > 0 {
		fmt.Fprintf(b, "\n%s:\n", title)
	}
	for _, q := range queries {
		fmt.Fprintf(b, "  backhaul query \"%s\"\n", q)
	}
}

// lists are the files that the ready-made jobs name.
var lists = map[string][]string{
	"nightly": {"rivals.csv"}, "campaign": {"placements.csv"}, "linkgap": {"labels.csv"}, "monitor": {"anchor_rules.csv"},
}

const verdictsText = `
The verdicts of marts.campaign, as of the job's latest night:
  live                                     the source links to the target
  redirected                               it links to where the target redirects to; not to the target itself, or nobody asked
  not yet (index unchanged since placed)   never live, and Moz still answers from the index of the night of placing
  missing                                  never live, though the index has changed since
  lost? (index changed)                    was live, and the first answer of a new index says no: it may have a hole
  lost                                     the loss was confirmed on a further night or by a further index
  unknown (not fetched)                    nobody asked: the budget ended before, say; what was known stands beside it
`
