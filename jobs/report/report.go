// Package report turns plans, runs and the ledger into summaries: values with JSON tags for programs, and text for people.
// It knows no terminal.
package report

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"backhaul/jobs/account"
	"backhaul/jobs/budget"
	"backhaul/jobs/ledger"
	"backhaul/jobs/plan"
	"backhaul/jobs/run"
	"backhaul/pipeline"
	"backhaul/pipeline/words"
)

// Summary is how a run went.
type Summary struct {
	RunID   string `json:"run_id"`
	Job     string `json:"job"`
	RunDate string `json:"run_date"`
	// State is complete or incomplete, or failed where an error ended the run before it could give its account.
	State      string `json:"state"`
	ExitStatus int    `json:"exit_status"`
	// Bought is what this execution bought.
	Bought pipeline.Cost `json:"bought"`
	// Saved is units not spent because an earlier answer would do.
	Saved pipeline.Units `json:"units_saved"`
	// Held is what the run holds in all, over all its executions.
	Held pipeline.Cost `json:"held"`
	// Retries counts requests that yielded no page and were tried again, over all executions.
	Retries int `json:"retries"`
	// Waste is rows bought again; MaybeUnits is what requests without an answer may have cost.
	Waste      int64          `json:"waste_rows"`
	MaybeUnits pipeline.Units `json:"maybe_units"`
	// HeldUnits is what of MaybeUnits is held still, until the vendor's count tells; Charged what of it was charged.
	HeldUnits pipeline.Units `json:"units_held"`
	Charged   pipeline.Units `json:"units_charged_unanswered"`
	// Over says what vendors charged beyond what their own prices allow.
	Over string `json:"overcharged,omitempty"`
	// Delays are what vendors have cost this execution in time.
	Delays []Delay `json:"delays"`
	// Settled are the ends of what was held for requests without an answer, of whatever run; Holds is what is held still.
	Settled []Settlement `json:"settled"`
	Holds   []plan.Hold  `json:"holds"`
	// Vendors is what of Held is whose, and Remaining what the budgets of months leave.
	Vendors    []VendorCost     `json:"vendors"`
	Remaining  []plan.Remaining `json:"budget_remaining"`
	Tasks      int              `json:"tasks"`
	Incomplete []Task           `json:"incomplete"`
	// Missing is what completing the rest is expected to cost; lists never read before count with one page. Null if that is not
	// known.
	Missing *pipeline.Cost `json:"missing"`
	// MissingUnknown is how many of the lists left are of unknown length. Where there are any, Missing is a floor.
	MissingUnknown int `json:"missing_unknown"`
	// Rejected counts rows that do not fit their table, of whichever execution; Rejections says which.
	Rejected   int64                `json:"rejected_rows"`
	Rejections []pipeline.Rejection `json:"rejections"`
	// Drift is how what this execution loaded differs from what its tables expect.
	Drift []account.Drift `json:"drift"`
	// Expectations are what the job expects against what this execution found.
	Expectations   []account.Finding        `json:"expectations"`
	Files          []run.File               `json:"files"`
	Reconciliation []account.Reconciliation `json:"reconciliation"`
	Seconds        float64                  `json:"seconds"`
	Stop           string                   `json:"stop,omitempty"`
	// Report is the file that tells people of the run, "" if none was written.
	Report string `json:"report,omitempty"`

	whole []*ledger.Task // as in run.Result
}

// VendorCost is what a run holds of a vendor, over all its executions.
type VendorCost struct {
	Vendor string `json:"vendor"`
	pipeline.Cost
}

// Delay is what a vendor has cost in time.
type Delay struct {
	Vendor string `json:"vendor"`
	// Refused is for how many seconds requests waited because others had been turned away, Silent for how many the vendor answered
	// nobody.
	Refused float64 `json:"turned_away_seconds"`
	Silent  float64 `json:"silent_seconds"`
	// PerSecond is the rate of requests that it was found to take; 0 if it is unlimited.
	PerSecond float64 `json:"requests_per_second"`
}

// delays are those of a second and more.
func delays(r *run.Result) []Delay {
	all := []Delay{}
	for _, vendor := range slices.Sorted(maps.Keys(r.Delays)) {
		if d := r.Delays[vendor]; d.Refused >= time.Second || d.Silent >= time.Second {
			all = append(all, Delay{vendor, d.Refused.Seconds(), d.Silent.Seconds(), d.PerSecond})
		}
	}
	return all
}

// texts say what was lost, and by what.
func (d Delay) texts() (all []string) {
	if d.Refused >= 1 {
		text := fmt.Sprintf("%s turned requests away, which cost %s", d.Vendor, words.Duration(d.Refused))
		if d.PerSecond > 0 {
			text += fmt.Sprintf("; it was found to take %s a second", strconv.FormatFloat(d.PerSecond, 'g', 2, 64))
		}
		all = append(all, text)
	}
	if d.Silent >= 1 {
		all = append(all, fmt.Sprintf("%s answered no request for %s", d.Vendor, words.Duration(d.Silent)))
	}
	return all
}

// Settlement is the end of units that were held for requests of a run that got no answer.
type Settlement struct {
	RunID    string         `json:"run_id"`
	Vendor   string         `json:"vendor"`
	Month    string         `json:"month"`
	Held     pipeline.Units `json:"held"`
	Charged  pipeline.Units `json:"charged"`
	Released pipeline.Units `json:"released"`
	Why      string         `json:"why"`
}

// SettlementsOf are the ledger's settlements as reports tell them.
func SettlementsOf(all []ledger.Settlement) []Settlement {
	settled := make([]Settlement, len(all))
	for i, s := range all {
		settled[i] = Settlement{RunID: s.RunID, Vendor: s.Vendor, Month: s.Month, Held: s.Held, Charged: s.Charged, Released: s.Released(), Why: s.Why}
	}
	return settled
}

// Text says what became of the units.
func (s Settlement) Text() string {
	return fmt.Sprintf("%s: of %s held for run %s, %s were charged and %s are free again (%s)",
		s.Vendor, words.Plural(s.Held, "unit"), s.RunID, words.Count(s.Charged), words.Count(s.Released), s.Why)
}

// Task is a task that does not hold all it asks for.
type Task struct {
	Extract  string `json:"extract"`
	Endpoint string `json:"endpoint"`
	Target   string `json:"target"`
	Scope    string `json:"scope"`
	// About says what it is about where that is not a single target: "a batch of 27 targets from a.example to z.example".
	About  string         `json:"about,omitempty"`
	Ending string         `json:"ending"`
	Pages  int            `json:"pages"`
	Rows   int64          `json:"rows"`
	Units  pipeline.Units `json:"units"`
	Error  string         `json:"error,omitempty"`
}

// Summarize sums up a run that ended with the exit status after so long.
func Summarize(r *run.Result, exitStatus int, took time.Duration) Summary {
	s := Summary{
		RunID: r.Run.ID, Job: r.Run.Job, RunDate: r.Run.RunDate, State: string(r.Run.State), ExitStatus: exitStatus,
		Bought: r.Bought, Saved: r.Saved, Tasks: len(r.Tasks), Rejected: r.Rejected(), Files: r.Files,
		Rejections: append([]pipeline.Rejection{}, r.Rejections...), Drift: append([]account.Drift{}, r.Drift...), Expectations: append([]account.Finding{}, r.Findings...),
		Seconds: took.Seconds(), HeldUnits: r.HeldUnits, Charged: r.Charged, Settled: SettlementsOf(r.Settled), Over: r.OverText(),
		Holds: append([]plan.Hold{}, r.Holds...), whole: r.Whole,
	}
	if s.Files == nil {
		s.Files = []run.File{}
	}
	if r.Stop != nil {
		s.Stop = r.Stop.Error()
	}
	if r.Missing != nil {
		needed := r.Missing.Needed()
		s.Missing, s.MissingUnknown = &needed, r.Missing.Unknown()
	}
	if r.Failed {
		s.State = failed
	}
	s.Reconciliation = append([]account.Reconciliation{}, r.Reconciled...)
	s.Delays = delays(r)
	s.Vendors, s.Remaining = vendorCosts(r.Tasks), append([]plan.Remaining{}, r.Remaining...)
	for _, v := range s.Vendors {
		s.Held.Add(v.Cost)
	}
	for _, t := range r.Tasks {
		s.Retries += retries(t)
		s.Waste += t.Waste
		s.MaybeUnits += t.MaybeUnits
	}
	open := r.Incomplete()
	s.Incomplete = make([]Task, len(open))
	for i, t := range open {
		s.Incomplete[i] = summarizeTask(t)
	}
	return s
}

// vendorCosts is what tasks hold, by vendor.
func vendorCosts(tasks []ledger.Task) []VendorCost {
	of := map[string]pipeline.Cost{}
	for _, t := range tasks {
		c := of[t.Vendor()]
		c.Add(pipeline.Cost{Pages: int64(t.Pages), Rows: t.Rows, Units: t.Units})
		of[t.Vendor()] = c
	}
	all := make([]VendorCost, 0, len(of))
	for _, vendor := range slices.Sorted(maps.Keys(of)) {
		all = append(all, VendorCost{vendor, of[vendor]})
	}
	return all
}

// Breaches are those of the expectations that are not met.
func (s Summary) Breaches() []account.Finding {
	return slices.DeleteFunc(slices.Clone(s.Expectations), func(f account.Finding) bool { return !f.Breached })
}

// failed is the state of a run that an error ended before it could give its account.
const failed = "failed"

// retries is how many of the requests of a task that yielded no page were tried again. Of the last one of a task that is not
// complete that is not known, and mostly untrue: it is what ended the task.
func retries(t ledger.Task) int {
	if t.Ending.Complete() {
		return t.Attempts
	}
	return max(0, t.Attempts-1)
}

func summarizeTask(t *ledger.Task) Task {
	ending := string(t.Ending)
	switch {
	case isUnderWay(*t):
		ending = underWay
	case ending == "":
		ending = string(pipeline.EndNotReached)
	}
	about := t.About()
	if about == t.Target {
		about = ""
	}
	return Task{Extract: t.Extract, Endpoint: t.Endpoint, Target: t.Target, Scope: t.Scope, About: about, Ending: ending,
		Pages: t.Pages, Rows: t.Rows, Units: t.Units, Error: t.Error}
}

// mostShown bounds lists of failures for people; programs get them all.
const mostShown = 10

// Text writes the summary for people.
func (s Summary) Text(w io.Writer) error {
	p := &printer{w: w}
	p.line("run %s of job %s for %s: %s in %s", s.RunID, s.Job, s.RunDate, s.State, words.Duration(s.Seconds))
	if s.Bought.Pages == 0 && s.State == string(ledger.Complete) {
		p.line("  nothing was missing: no request, no unit")
	}
	p.line("  bought    %s", boughtText(s.Bought))
	if s.Saved > 0 {
		p.line("  saved     %s: earlier answers will do", words.Plural(s.Saved, "unit"))
	}
	if s.Held != s.Bought {
		p.line("  holds     %s, earlier executions included", boughtText(s.Held))
	}
	p.line("  tasks     %d of %d complete, %s tried again", s.Tasks-len(s.Incomplete), s.Tasks, words.Plural(s.Retries, "request"))
	if s.Waste > 0 {
		p.line("  waste     %s bought again", words.Plural(s.Waste, "row"))
	}
	if s.Over != "" {
		p.line("  over      %s", s.Over)
	}
	for _, d := range s.Delays {
		for _, text := range d.texts() {
			p.line("  delay     %s", text)
		}
	}
	for _, x := range s.Settled {
		p.line("  settled   %s", x.Text())
	}
	if len(s.Holds) > 0 {
		p.line("  held      %s: see `backhaul reconcile`", budget.HeldText(s.Holds))
	}
	for _, c := range s.Reconciliation {
		p.line("  %-9s counted %s meanwhile, the ledger %s: %s", c.Vendor, words.Plural(c.VendorUnits, "unit"), words.Count(c.LedgerUnits), c.Explanation)
	}
	if s.Rejected > 0 {
		p.line("  rejected  %s did not fit: see ops.rejected_rows", words.Plural(s.Rejected, "row"))
		for _, r := range s.Rejections {
			p.line("            %s", RejectionText(r))
		}
	}
	for _, d := range byField(s.Drift) {
		p.line("  drift     %s", d.Text())
	}
	for _, f := range s.Breaches() {
		p.line("  breach    %s", f.Text())
	}
	for _, f := range s.Files {
		p.line("  %-28s %12s rows %10s  %s", f.Table, words.Count(f.Rows), words.Bytes(f.Bytes), f.Path)
	}
	if s.Report != "" {
		p.line("  report    %s", s.Report)
	}
	if len(s.Incomplete) > 0 {
		text := words.Plural(len(s.Incomplete), "task")
		if s.Missing != nil {
			text += "; completing them is expected to cost " + MoreText(s.Missing.Units, s.MissingUnknown)
		}
		p.line("  left out  %s", text)
	}
	s.failures(p)
	return p.err
}

// boughtText says what was bought, and for how much.
func boughtText(c pipeline.Cost) string {
	return fmt.Sprintf("%s for %s in %s", words.Plural(c.Rows, "row"), words.Plural(c.Units, "unit"), words.Plural(c.Pages, "request"))
}

// causesShown is how many causes a brief tells.
const causesShown = 3

// Brief writes, in at most eight lines, what somebody must know of a run that did not go well.
func (s Summary) Brief(w io.Writer) error {
	p := &printer{w: w}
	rest := ""
	if len(s.Incomplete) > 0 && s.Missing != nil && s.Missing.Units > 0 {
		rest = ", completing them is expected to cost " + MoreText(s.Missing.Units, s.MissingUnknown)
	}
	p.line("job %s for %s: %s, %d of %s complete%s; bought %s for %s (run %s)", s.Job, s.RunDate, s.State, s.Tasks-len(s.Incomplete), words.Plural(s.Tasks, "list"), rest,
		words.Plural(s.Bought.Rows, "row"), words.Plural(s.Bought.Units, "unit"), s.RunID)
	all := s.causes()
	for i, c := range all {
		if i == causesShown {
			p.line("  … for %d more reasons: see `backhaul status %s`", len(all)-i, s.RunID)
			break
		}
		p.line("  %s of %s: %s", words.Plural(len(c), "list"), c[0].vendor(), c[0].cause())
	}
	if s.Rejected > 0 {
		p.line("  %s did not fit: see ops.rejected_rows", words.Plural(s.Rejected, "row"))
	}
	if breaches := s.Breaches(); len(breaches) > 0 {
		text := breaches[0].Text()
		if more := len(breaches) - 1; more > 0 {
			text += fmt.Sprintf(", and %s more: see ops.expectations", words.Count(more))
		}
		p.line("  breach: %s", text)
	}
	if len(s.Holds) > 0 {
		p.line("  %s: see `backhaul reconcile`", budget.HeldText(s.Holds))
	}
	return p.err
}

// group puts tasks together that are of one vendor and not complete for one cause, in the order of their first.
func group(tasks []Task) (all [][]Task) {
	at := map[[2]string]int{}
	for _, t := range tasks {
		cause := [2]string{t.vendor(), t.cause()}
		i, ok := at[cause]
		if !ok {
			i = len(all)
			at[cause], all = i, append(all, nil)
		}
		all[i] = append(all[i], t)
	}
	return all
}

// causes are why the run's lists are not complete, those of most lists first.
func (s Summary) causes() [][]Task {
	all := group(s.Incomplete)
	slices.SortStableFunc(all, func(a, b []Task) int { return cmp.Compare(len(b), len(a)) })
	return all
}

// failures lists the tasks that ended by themselves, those of one cause in one line; those the run never came to are only counted.
func (s Summary) failures(p *printer) {
	var ended []Task // of a million that were not reached few
	for i := range s.Incomplete {
		if s.Incomplete[i].Ending != string(pipeline.EndNotReached) {
			ended = append(ended, s.Incomplete[i])
		}
	}
	all := group(ended)
	shown := all[:min(len(all), mostShown)]
	rest := len(ended)
	for _, like := range shown {
		first := like[0]
		if more := len(like) - 1; more > 0 {
			p.line("  incomplete: %s and %s more: %s", first.name(), words.Count(more), first.cause())
		} else {
			p.line("  incomplete: %s: %s", first.name(), first.outcome())
		}
		rest -= len(like)
	}
	if rest > 0 {
		p.line("  … and %d more", rest)
	}
	if len(ended) > len(shown) {
		p.line("  each of them: `backhaul status %s`", s.RunID)
	}
	if notReached := len(s.Incomplete) - len(ended); notReached > 0 {
		p.line("  not reached: %s", words.Plural(notReached, "task"))
	}
}

// name is what a task is called among people.
func (t Task) name() string {
	text := t.Extract
	if about := cmp.Or(t.About, t.Target); about != "" {
		text += " of " + about
	}
	text += " (" + t.Endpoint
	if t.Scope != "" {
		text += ", " + t.Scope
	}
	return text + ")"
}

func (t Task) vendor() string {
	vendor, _, _ := strings.Cut(t.Endpoint, "/")
	return vendor
}

// outcome is how a task ended, and why.
func (t Task) outcome() string {
	return strings.TrimSuffix(fmt.Sprintf("%s after %s: %s", t.Ending, words.Plural(t.Rows, "row"), t.why()), ": ")
}

// cause is what has ended a task, whatever it held by then.
func (t Task) cause() string { return strings.TrimSuffix(t.Ending+": "+t.why(), ": ") }

// why is the error that ended a task, in one line, without the vendor and the ending.
func (t Task) why() string {
	text := strings.TrimPrefix(strings.ReplaceAll(t.Error, "\n", "; "), t.vendor()+": ")
	return strings.TrimPrefix(text, t.Ending+": ")
}

// printer keeps the first error of many writes.
type printer struct {
	w   io.Writer
	err error
}

func (p *printer) line(format string, args ...any) {
	if p.err == nil {
		_, p.err = fmt.Fprintf(p.w, format+"\n", args...)
	}
}
