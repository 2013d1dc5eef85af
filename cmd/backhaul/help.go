package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"

	"backhaul/jobs"
)

// helpCommand is cobra's, but that a topic which is not there is a mistake.
func (a *app) helpCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "help [COMMAND or TOPIC]",
		Short: "Explain a command or a topic",
		ValidArgsFunction: func(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			var names []string
			if at, _, err := cmd.Root().Find(args); err == nil {
				for _, c := range at.Commands() {
					names = append(names, c.Name())
				}
			}
			return names, cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			at, rest, err := cmd.Root().Find(args)
			if err != nil || len(rest) > 0 {
				word := args[len(args)-max(1, len(rest))]
				return usage("no command or topic %q%s; see `backhaul help`", word, suggestion(cmd.Root(), word))
			}
			at.InitDefaultHelpFlag()
			return at.Help()
		},
	}
}

// topics are not commands but what `backhaul help TOPIC` prints.
func (a *app) topics() []*cobra.Command {
	return []*cobra.Command{
		a.jobsTopic(),
		{Use: "job", Short: "Every key of a job", Long: jobText()},
		{Use: "expect", Short: "What a job may expect of its nights, and what happens when it is not so", Long: expectText},
		{Use: "telemetry", Short: "Who else can be told how runs go: OpenTelemetry, Prometheus, OpenLineage", Long: telemetryText()},
		{Use: "credentials", Short: "How the program learns credentials, and where it never puts them", Long: a.credentialsText()},
		{Use: "database", Short: "One account of money and pages for many hosts, in PostgreSQL", Long: databaseText},
		{Use: "temporal", Short: "Runs that workers on many hosts carry out, by Temporal", Long: temporalText},
		{Use: "fleet", Short: "From one machine to many: what is needed first, what it brings and costs", Long: fleetText},
		{Use: "lake", Short: "A warehouse in an object store, whose tables are Iceberg tables", Long: lakeText},
		{Use: "config", Short: "A file of settings for each client: warehouse, URLs, where credentials are", Long: a.configText()},
	}
}

// jobText explains every key of a spec, from what validate reads.
func jobText() string {
	const indent = "                       " // below what a key takes
	var b strings.Builder
	b.WriteString(`A job is a YAML file that says what to buy, from whom and within which budget. ` + "`backhaul init`" + ` writes one to begin
with, ` + "`backhaul validate`" + ` checks it, and ` + "`backhaul schema job`" + ` is for editors. VENDOR, LIST, NAME and TABLE stand for names, - for each
entry of a list.
`)
	for _, s := range jobs.Sections() {
		title := s.Path
		if title == "" {
			title = "the file"
		}
		fmt.Fprintf(&b, "\n%s\n", text.WrapSoft(title+": "+s.Meaning, 110))
		for _, k := range s.Keys {
			meaning := strings.ReplaceAll(strings.TrimSpace(text.WrapSoft(k.Meaning, 88)), "\n", "\n"+indent)
			fmt.Fprintf(&b, "  %-20s %s%s\n%s%s\n", k.Name, k.Takes(), absent(k), indent, meaning)
		}
	}
	return b.String()
}

// absent says what holds where a key is absent.
func absent(k jobs.Key) string {
	switch {
	case k.Required:
		return "; required"
	case k.Default != "":
		return "; default: " + k.Default
	}
	return ""
}

// expectText is what `backhaul help expect` says.
const expectText = `A job says under expect what its extracts are to bring. That is checked when all is bought, before anything is
published, of marts once that is done, and kept in ops.expectations.

  expect:
    - {extract: anchors, rows: {min: 100, max: 9000}, change: {max_percent: 50}, on_breach: hold}
    - {table: moz.links, rejected_rows: {max: 0}, drift: {max: 0}, units: {max: 5000}, freshness: 2d}
    - {table: marts.campaign, where: "verdict = 'lost'", rows: {max: 0}}

  rows           how many rows it has; of a mart, those for which the condition where is true, and nothing else is checked
  change         by how many percent they differ from the last whole night before, of the lists that had one
  rejected_rows  how many rows do not fit their table
  drift          how many fields of the replies the table does not expect
  units          what the run has spent on it
  freshness      how old the last whole night of its stalest list is, 0 where all are whole now

A breach is told in the summary, in ops.expectations and as the event breach of notify. With on_breach: warn, the default,
that is all. With hold the table of the extract, and those beside it, are not published; the run is incomplete
(status 3), and the same run again holds them again. ` + "`backhaul run --accept`" + ` with the same --date publishes them as they
are. Neither buys anything twice: what was bought is in the journal. Extracts of one table are held together. Marts hold
nothing: they are worked out from what is published.
`

// credentialsText says which variables there are, of all surfaces.
func (a *app) credentialsText() string {
	var b strings.Builder
	b.WriteString(`Credentials come from the environment, and are never written to a log, an error, a file of the warehouse or a report.

`)
	for _, s := range a.vendors {
		fmt.Fprintf(&b, "  %-10s %s\n%13s%s, where it is; default %s\n", s.Vendor+" "+s.Name, s.Credentials, "", s.URL, s.DefaultURL)
	}
	b.WriteString(`
Each variable X can be given as X_FILE, a file that holds the value alone, on one line; or as X_COMMAND, a command
for sh that prints the value alone: MOZ_TOKEN_COMMAND='pass show moz'. X goes first, then X_FILE. They may stand in a
file of settings: see ` + "`backhaul help config`" + `.
`)
	return b.String()
}

// manCommand is for whoever packages the program.
func (a *app) manCommand() *cobra.Command {
	return &cobra.Command{
		Use:    "man DIR",
		Short:  "Write a manual page for every command into a directory",
		Hidden: true,
		Args:   exactly(1, "one directory"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := os.MkdirAll(args[0], 0o755); err != nil {
				return err
			}
			header := doc.GenManHeader{Title: "BACKHAUL", Section: "1", Source: "backhaul " + version, Manual: "backhaul"}
			if err := doc.GenManTree(cmd.Root(), &header, args[0]); err != nil {
				return err
			}
			pages, err := filepath.Glob(filepath.Join(args[0], "backhaul*.1"))
			if err == nil {
				fmt.Fprintf(a.stderr, "%d manual pages in %s\n", len(pages), args[0])
			}
			return err
		},
	}
}
