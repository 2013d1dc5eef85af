package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/spf13/cobra"

	"backhaul/pipeline"
)

func (a *app) mcpCommand() *cobra.Command {
	var grants []string
	cmd := &cobra.Command{
		Use:   "mcp [JOB...]",
		Short: "Answer agents' questions from the bought warehouse, by the Model Context Protocol on stdin and stdout",
		Long: `Serves an agent until it closes stdin. It may list tables, ask the catalog in SQL, and see how runs went;
of the jobs that are named here it may ask what a run would cost. SQL reads the catalog and nothing else,
for half a minute and a gibibyte at most, and an answer has 100 KB at most.

It cannot spend anything, unless --grant says how many units of a vendor the agent may spend while this
server lives, all its runs together. The budgets of the job hold besides.`,
		Example: `  backhaul mcp --warehouse /srv/warehouse
  backhaul mcp nightly.yaml --grant moz=500`,
		RunE: func(cmd *cobra.Command, args []string) error {
			d := &desk{app: a, jobs: map[string]string{}, granted: map[string]pipeline.Units{}}
			if err := d.grant(grants); err != nil {
				return err
			}
			for _, path := range args {
				job, err := a.loadJob(cmd.Context(), path)
				if err != nil {
					return err
				}
				if _, twice := d.jobs[job.Job]; twice {
					return usage("two jobs are called %q", job.Job)
				}
				d.jobs[job.Job] = path
			}
			err := d.server().Run(cmd.Context(), &mcp.IOTransport{Reader: io.NopCloser(a.stdin), Writer: nopCloser{a.stdout}})
			if errors.Is(err, io.EOF) {
				return nil
			}
			return err
		},
	}
	a.specFlags(cmd)
	cmd.Flags().StringArrayVar(&grants, "grant", nil, "what the agent may spend at a vendor, as vendor=UNITS; may be repeated (default nothing)")
	return cmd
}

type nopCloser struct{ io.Writer }

func (nopCloser) Close() error { return nil }

// desk answers an agent: each of its tools is a command of this program, with the flags that bound it.
type desk struct {
	app  *app
	jobs map[string]string // paths by the jobs' names

	mu      sync.Mutex // one run at a time, so that a grant is not spent twice
	granted map[string]pipeline.Units
}

// grant reads --grant vendor=UNITS.
func (d *desk) grant(texts []string) error {
	for _, text := range texts {
		vendor, units, ok := vendorUnits(text)
		if !ok || !slices.Contains(d.app.vendors.Vendors(), vendor) {
			return usage("--grant wants vendor=UNITS with one of %s, got %q", strings.Join(d.app.vendors.Vendors(), ", "), text)
		}
		d.granted[vendor] = units
	}
	return nil
}

// What tools are asked with.
type (
	askTables struct {
		Table string `json:"table,omitempty" jsonschema:"schema.name of one table or view, for its columns; without it all are listed"`
	}
	askQuery struct {
		SQL string `json:"sql" jsonschema:"one SELECT in DuckDB's SQL, over tables such as moz.anchor_text and marts.anchors_current; say LIMIT"`
	}
	askStatus struct {
		Run string `json:"run,omitempty" jsonschema:"a run's id, or JOB/DATE; without it all runs are listed"`
	}
	askJob struct {
		Job string `json:"job" jsonschema:"the name of a job that this server knows"`
	}
)

// server has the tools that the desk offers.
func (d *desk) server() *mcp.Server {
	s := mcp.NewServer(&mcp.Implementation{Name: "backhaul", Version: version}, &mcp.ServerOptions{Instructions: d.instructions()})
	looks := &mcp.ToolAnnotations{ReadOnlyHint: true}
	mcp.AddTool(s, &mcp.Tool{Name: "tables", Description: "What tables and views there are and what a row of each is, or the columns of one with their meanings, units and sources.", Annotations: looks},
		func(ctx context.Context, _ *mcp.CallToolRequest, in askTables) (*mcp.CallToolResult, any, error) {
			if in.Table == "" {
				return listed()
			}
			return d.answer(ctx, []string{"tables", "--json", in.Table})
		})
	mcp.AddTool(s, &mcp.Tool{Name: "query", Description: "Asks the bought data in SQL, read-only. The answer is an array of objects.", Annotations: looks},
		func(ctx context.Context, _ *mcp.CallToolRequest, in askQuery) (*mcp.CallToolResult, any, error) {
			return d.answer(ctx, []string{"query", "--format", "json", "--timeout", "30s", "--memory-limit", "1GiB", "--", in.SQL})
		})
	mcp.AddTool(s, &mcp.Tool{Name: "status", Description: "How runs went, the latest first: what is missing and why, and what was spent.", Annotations: looks},
		func(ctx context.Context, _ *mcp.CallToolRequest, in askStatus) (*mcp.CallToolResult, any, error) {
			if in.Run == "" {
				return d.latest(ctx)
			}
			return d.answer(ctx, []string{"status", "--json", in.Run})
		})
	if len(d.jobs) == 0 {
		return s
	}
	mcp.AddTool(s, &mcp.Tool{Name: "plan", Description: "What a run of a job would do and cost today. Buys nothing.", Annotations: looks},
		func(ctx context.Context, _ *mcp.CallToolRequest, in askJob) (*mcp.CallToolResult, any, error) {
			path, err := d.job(in.Job)
			if err != nil {
				return nil, nil, err
			}
			return d.answer(ctx, append([]string{"plan", "--json", path}, d.specArgs()...))
		})
	if len(d.granted) > 0 {
		mcp.AddTool(s, &mcp.Tool{Name: "run", Description: "Runs a job today, for what is left of the granted units. It costs money. The same again buys only what is missing."},
			func(ctx context.Context, _ *mcp.CallToolRequest, in askJob) (*mcp.CallToolResult, any, error) {
				return d.run(ctx, in.Job)
			})
	}
	return s
}

// listed says which tables and views there are, without their columns.
func listed() (*mcp.CallToolResult, any, error) {
	infos, err := allTables()
	if err != nil {
		return nil, nil, err
	}
	meanings := map[string]string{}
	for _, t := range infos {
		meanings[t.Table] = t.Meaning
	}
	text, err := json.Marshal(meanings)
	return says(string(text)), nil, err
}

// says is an answer.
func says(text string) *mcp.CallToolResult {
	return &mcp.CallToolResult{Content: []mcp.Content{&mcp.TextContent{Text: text}}}
}

// instructions is what an agent is told first.
func (d *desk) instructions() string {
	text := "Backlink data bought from Moz and Ahrefs, in DuckDB. Begin with the tool tables; marts.*_current is the latest whole list of each target, " +
		"marts.*_changes what came and went from night to night."
	if len(d.jobs) > 0 {
		text += " Jobs: " + strings.Join(slices.Sorted(maps.Keys(d.jobs)), ", ") + "."
	}
	if len(d.granted) == 0 {
		return text + " Nothing can be bought here."
	}
	for _, vendor := range slices.Sorted(maps.Keys(d.granted)) {
		text += fmt.Sprintf(" At most %d units of %s may be spent, all runs together.", d.granted[vendor], vendor)
	}
	return text
}

// job returns where a job's spec is.
func (d *desk) job(name string) (path string, err error) {
	path, ok := d.jobs[name]
	if !ok {
		return "", fmt.Errorf("no job %q here: there are %s", name, strings.Join(slices.Sorted(maps.Keys(d.jobs)), ", "))
	}
	return path, nil
}

// specArgs hand on what the server was told about specs.
func (d *desk) specArgs() (args []string) {
	for _, s := range d.app.set {
		args = append(args, "--set", s)
	}
	for _, dir := range d.app.allowed {
		args = append(args, "--allow-path", dir)
	}
	return args
}

// mostAnswered is how many bytes an answer may have.
const mostAnswered = 100_000

// latest are the latest runs, as many as an answer may have.
func (d *desk) latest(ctx context.Context) (*mcp.CallToolResult, any, error) {
	out, said, status := d.ask(ctx, []string{"status", "--json"})
	var runs []json.RawMessage
	if err := json.Unmarshal(out.Bytes(), &runs); status != exitComplete || err != nil {
		return answered(out, said, status)
	}
	all, size := len(runs), 0
	for i, r := range runs {
		if size += len(r) + 1; size > mostAnswered-1000 {
			runs = runs[:i]
			break
		}
	}
	text, err := json.Marshal(runs)
	if len(runs) < all {
		text = fmt.Appendf(text, "\nThese are the latest %d of %d runs; ops.runs has all.", len(runs), all)
	}
	return says(string(text)), nil, err
}

// answer runs a command and returns what it prints. What goes wrong is told to the agent, which may ask better.
func (d *desk) answer(ctx context.Context, args []string) (*mcp.CallToolResult, any, error) {
	return answered(d.ask(ctx, args))
}

// ask runs a command.
func (d *desk) ask(ctx context.Context, args []string) (out, said *bytes.Buffer, status int) {
	out, said = new(bytes.Buffer), new(bytes.Buffer)
	e := d.app.environment
	e.stdin, e.attended, e.stdout, e.stderr = strings.NewReader(""), false, out, said
	if d.app.warehouseDir != "" {
		args = append([]string{"--warehouse", d.app.warehouseDir}, args...)
	}
	e.args = args
	return out, said, Main(ctx, e)
}

func answered(out, said *bytes.Buffer, status int) (*mcp.CallToolResult, any, error) {
	switch {
	case out.Len() > mostAnswered:
		return nil, nil, fmt.Errorf("the answer has %d bytes, of at most %d: add a LIMIT, fewer columns, or sum up", out.Len(), mostAnswered)
	case status != exitComplete && out.Len() == 0:
		return nil, nil, errors.New(strings.TrimSpace(said.String()))
	case status != exitComplete:
		fmt.Fprintf(out, "\n%s", finalLine(said.String()))
	}
	answer := says(out.String())
	answer.IsError = status != exitComplete
	return answer, nil, nil
}

func finalLine(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return lines[len(lines)-1]
}

// run runs a job for what is left of the grants, and takes from them what that may have cost.
func (d *desk) run(ctx context.Context, name string) (*mcp.CallToolResult, any, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	path, err := d.job(name)
	if err != nil {
		return nil, nil, err
	}
	job, err := d.app.loadJob(ctx, path)
	if err != nil {
		return nil, nil, err
	}
	args := append([]string{"run", path, "--json", "--yes"}, d.specArgs()...)
	for _, vendor := range job.sellers() {
		args = append(args, "--max-units", fmt.Sprintf("%s=%d", vendor, d.granted[vendor]))
	}
	before, err := d.spent(ctx)
	if err != nil {
		return nil, nil, err
	}
	result, structured, failed := d.answer(ctx, args)
	after, err := d.spent(ctx)
	if err != nil {
		clear(d.granted) // nobody can tell what is left of them
		return nil, nil, fmt.Errorf("what the run cost cannot be read, so that nothing more can be bought here: %w", err)
	}
	for vendor := range d.granted {
		d.granted[vendor] = max(0, d.granted[vendor]-max(0, after[vendor]-before[vendor]))
	}
	return result, structured, failed
}

// sellers are the vendors that a job buys from.
func (j *loadedJob) sellers() (vendors []string) {
	for i := range j.Extracts {
		vendors = append(vendors, j.Extracts[i].Endpoint.Vendor)
	}
	slices.Sort(vendors)
	return slices.Compact(vendors)
}

// spent is what all runs of the warehouse may have cost by now, by vendor. Another process that buys meanwhile is taken for the
// agent, which then gets less.
func (d *desk) spent(ctx context.Context) (map[string]pipeline.Units, error) {
	spent := map[string]pipeline.Units{}
	w, err := d.app.warehouse(ctx)
	if err != nil {
		return spent, err
	}
	if gone, err := d.app.books(w).LedgerGone(ctx); err != nil || gone {
		return spent, err
	}
	l, err := d.app.openLedger(ctx)
	if err != nil {
		return nil, err
	}
	defer l.Close()
	all, err := l.Spends(ctx, "")
	for _, s := range all {
		spent[s.Vendor] += s.Granted
	}
	return spent, err
}
