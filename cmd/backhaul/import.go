package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/oklog/ulid/v2"
	"github.com/spf13/cobra"

	"backhaul/jobs/archive"
	"backhaul/jobs/intake"
	"backhaul/jobs/ledger"
	"backhaul/jobs/run"
	"backhaul/pipeline/vendors"
	"backhaul/pipeline/words"
)

// importFlags are the flags of `import`.
type importFlags struct{ job, date, endpoint, target, mode string }

func (a *app) importCommand() *cobra.Command {
	var f importFlags
	cmd := &cobra.Command{
		Use:   "import SURFACE FILE...",
		Short: "Load archived replies as runs of their own: no request, no unit",
		Long: `Loads replies that were archived, by whatever program, through the same journal and the same
decoders as those that are bought. SURFACE is the API they came from: ` + a.archived() + `.

A file holds one reply or many, one a line or simply one after the other, in JSON; for ahrefs-v2 it
may be one reply in XML. It may be compressed with gzip or zstd. A reply is bare, as the vendor sent
it, or stands in a wrapper, of which only response is required:

  {"endpoint": "anchors", "target": "example.com", "mode": "domain",
   "fetched_at": "2025-01-31T04:00:00Z", "url": "https://…?from=anchors&target=…" or
   "request": {"target": …, "mode": …}, "response": {…} or "the reply's text"}

What neither the wrapper nor its request says is taken from the flags, then from the file's name,
ENDPOINT_TARGET[_MODE]_DATE[_NUMBER].json: anchors_example.com_domain_2025-01-31_0002.json.gz (the
slash of a target is %2F there). The endpoint of a bare reply is recognised by its rows, where only
one fits; one about several targets or sources at once needs its request, but for a reply of
url_metrics about one target, which --target or the file's name may tell. What cannot be found out
is an error, and so is a flag that contradicts the archive, but for --date: without it each reply
belongs to the day it was fetched. A reply of another surface or endpoint than it is said to be of is
refused: its rows would be mostly empty.

Replies about the same question, in one file or several, are parts of one list, in the order
given. All files are checked before anything is entered; problems are printed as file:line: text.
The same replies again change nothing; further ones go on where the list ended. An import never
joins a run that was bought. Credentials in archived requests are not kept.`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) < 2 {
				return usage("want a surface, one of %s, and at least one file; see `%s --help`", a.archived(), cmd.CommandPath())
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error { return a.importFiles(cmd, args[0], args[1:], f) },
	}
	cmd.Flags().StringVar(&f.job, "job", "import", "name of the runs")
	cmd.Flags().StringVar(&f.date, "date", "", "run date of all replies, YYYY-MM-DD (default the day each was fetched)")
	cmd.Flags().StringVar(&f.endpoint, "endpoint", "", "what the replies are of, where they do not say: anchors, links, …")
	cmd.Flags().StringVar(&f.target, "target", "", "what they are about, where they do not say")
	cmd.Flags().StringVar(&f.mode, "mode", "", "how wide the target was taken (Ahrefs: mode; Moz: scope), where they do not say")
	return cmd
}

// archived names the surfaces whose archives can be imported: ahrefs-v2.
func (a *app) archived() string {
	var names []string
	for _, s := range a.vendors {
		if s.Archives {
			names = append(names, surfaceName(s))
		}
	}
	return strings.Join(names, ", ")
}

// archiveReader returns a reader of a surface's archives.
func (a *app) archiveReader(name string, f importFlags) (*archive.Reader, error) {
	vendor, surface, _ := strings.Cut(name, "-")
	s, ok := a.vendors.Surface(vendor, surface)
	if !ok || !s.Archives {
		return nil, usage("archives of %q cannot be imported: want one of %s", name, a.archived())
	}
	given := archive.Given{Endpoint: f.endpoint, Target: f.target, Scope: f.mode}
	if f.date != "" {
		var err error
		if given.Date, err = runDate(f.date, a.now()); err != nil {
			return nil, err
		}
	}
	r := &archive.Reader{Sources: s.Offline(), NameOf: s.NameOf, Surface: name, Given: given}
	for _, other := range a.vendors {
		if called := surfaceName(other); called != name {
			r.Others = append(r.Others, archive.Surface{Name: called, Sources: other.Offline(), Archives: other.Archives})
		}
	}
	return r, nil
}

// surfaceName is what an import calls a surface: ahrefs-v2.
func surfaceName(s vendors.Surface) string { return s.Vendor + "-" + s.Name }

func (a *app) importFiles(cmd *cobra.Command, surface string, files []string, f importFlags) error {
	r, err := a.archiveReader(surface, f)
	if err != nil {
		return err
	}
	w, err := a.warehouse(cmd.Context())
	if err != nil {
		return err
	}
	lake, err := a.openLake(w)
	if err != nil {
		return err
	}
	defer lake.close()
	all, err := run.ImportArchives(cmd.Context(), run.Import{
		Job: f.job, Archive: intake.Archive{Files: files, Pages: r.Pages, Again: r.Again}, Sources: decoders(a.vendors).source, NewID: func() string { return ulid.Make().String() },
	}, run.Options{Warehouse: w, Books: a.books(w), Lake: lake, Now: a.now})
	if err != nil {
		return a.importFailed(err)
	}
	return a.printImported(all)
}

// importFailed prints what is wrong with the files, one problem a line.
func (a *app) importFailed(err error) error {
	var bad *intake.Error
	if !errors.As(err, &bad) {
		return err
	}
	for _, problem := range bad.Problems {
		fmt.Fprintln(a.stderr, problem)
	}
	text := words.Plural(len(bad.Problems), "problem")
	if bad.More {
		text = "at least " + text
	}
	return &exitError{status: exitUsage, err: fmt.Errorf("%s in the files: nothing was imported", text)}
}

// imported is one run of an import, for programs.
type imported struct {
	RunID    string       `json:"run_id"`
	Job      string       `json:"job"`
	RunDate  string       `json:"run_date"`
	State    ledger.State `json:"state"`
	Pages    int          `json:"pages"`
	Rows     int64        `json:"rows"`
	Known    int          `json:"pages_known"`
	Rejected int64        `json:"rejected_rows"`
	Files    []run.File   `json:"files"`
}

func (a *app) printImported(all []run.Imported) error {
	var rejected int64
	out := []imported{}
	for _, one := range all {
		rejected += one.Rejected()
		out = append(out, imported{RunID: one.Run.ID, Job: one.Run.Job, RunDate: one.Run.RunDate, State: one.Run.State,
			Pages: one.Pages, Rows: one.Rows, Known: one.Known, Rejected: one.Rejected(), Files: append([]run.File{}, one.Files...)})
	}
	if a.json {
		if err := a.printJSON(out); err != nil {
			return err
		}
	} else if err := a.printImports(out); err != nil {
		return err
	}
	if rejected > 0 {
		return &exitError{status: exitTasksFailed, err: fmt.Errorf("%s did not fit: see ops.rejected_rows", words.Plural(rejected, "row"))}
	}
	return nil
}

func (a *app) printImports(all []imported) error {
	for _, one := range all {
		known := ""
		if one.Known > 0 {
			known = ", " + words.Count(one.Known) + " imported before"
		}
		if _, err := fmt.Fprintf(a.stdout, "run %s of job %s for %s: %s with %s%s; no request, no unit\n", one.RunID, one.Job, one.RunDate,
			words.Plural(one.Pages, "new reply"), words.Plural(one.Rows, "row"), known); err != nil {
			return err
		}
		for _, f := range one.Files {
			if _, err := fmt.Fprintf(a.stdout, "  %-28s %12s rows %10s  %s\n", f.Table, words.Count(f.Rows), words.Bytes(f.Bytes), f.Path); err != nil {
				return err
			}
		}
	}
	return nil
}
