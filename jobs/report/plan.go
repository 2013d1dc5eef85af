package report

import (
	"fmt"
	"io"
	"strings"

	"backhaul/jobs/budget"
	"backhaul/jobs/plan"
	"backhaul/pipeline"
	"backhaul/pipeline/words"
)

// PlanText writes a plan for people.
func PlanText(w io.Writer, job, runDate string, plans *plan.Plan) error {
	p := &printer{w: w}
	for _, v := range plans.Vendors {
		if v.Scarce {
			p.line("%s will stop this run: it leaves %s, and all of it is expected to take %s%s%s", ceilingText(v.Ceiling), words.Plural(*v.Allowed, v.Vendor+" unit"),
				AtLeast(v.Unknown), words.Count(v.Needed.Units), unknownText(v.Unknown))
		}
	}
	p.line("job %s for %s", job, runDate)
	for _, x := range plans.Extracts {
		p.line("%s", ExtractText(x))
	}
	for _, v := range plans.Vendors {
		p.line("  %s: expected %s%s%s; worst case %s; %s", v.Vendor, AtLeast(v.Unknown), costText(v.Expected), ofText(v.Expected, v.Needed), worstText(v.Worst), rateText(v))
		p.line("  %s: %s", v.Vendor, budgetText(v))
		if len(v.Held) > 0 {
			p.line("  %s: %s", v.Vendor, budget.HeldText(v.Held))
		}
	}
	if unread := plans.Unread(); unread > 0 {
		p.line("  %s never read before: unknown lengths are counted with one request each", words.Plural(unread, "list"))
	}
	if open := plans.Open(); open > 0 {
		p.line("  %s not counted yet: other extracts or a query provide the targets", words.Are(open, "extract"))
	}
	return p.err
}

// AtLeast is said before what is expected where that many lists of unknown length make it a floor.
func AtLeast(unknown int) string {
	if unknown > 0 {
		return "at least "
	}
	return ""
}

// MoreText says what completing a run is expected to cost, of which so many lists are of unknown length.
func MoreText(units pipeline.Units, unknown int) string {
	return AtLeast(unknown) + words.Plural(units, "unit") + " more" + unknownText(unknown)
}

func unknownText(lists int) string {
	if lists == 0 {
		return ""
	}
	return ", with " + words.Plural(lists, "list") + " of unknown length"
}

// ExtractText is the line of a plan about one extract.
func ExtractText(x plan.Extract) string {
	return fmt.Sprintf("  %-20s %-28s %s", x.Extract, x.Endpoint, extractText(x))
}

// pendingText is for an extract whose targets others will provide.
func pendingText(x plan.Extract) string {
	text := "after " + strings.Join(x.After, " and ")
	if len(x.After) == 0 {
		text = "targets from SQL"
	}
	if x.AtMost != nil {
		text += ", at most " + words.Plural(*x.AtMost, "target")
	}
	if x.Targets > 0 {
		text += fmt.Sprintf(", expected %s as last time: %s%s", words.Plural(x.Targets, "target"), costText(x.Expected), ofText(x.Expected, x.Needed))
	}
	return text + boundsText(x)
}

func extractText(x plan.Extract) string {
	if x.After != nil {
		return pendingText(x)
	}
	text := words.Plural(x.Targets, "target")
	if x.Inputs > 0 {
		text = fmt.Sprintf("%s in %s", words.Plural(x.Inputs, "input"), words.Plural(x.Targets, "task"))
	}
	if x.Merged > 0 {
		text += fmt.Sprintf(" (%s merged)", words.Plural(x.Merged, "duplicate"))
	}
	if x.Done > 0 {
		text += fmt.Sprintf(" (%d done)", x.Done)
	}
	if x.Reused > 0 {
		text += fmt.Sprintf(" (%d taken over from recent runs)", x.Reused)
	}
	if x.Unchanged > 0 {
		text += fmt.Sprintf(" (%d skipped, the index is unchanged)", x.Unchanged)
	}
	if x.Stuck > 0 {
		text += fmt.Sprintf(" (%d stuck: see `backhaul status`; only `run --again` asks for them)", x.Stuck)
	}
	text += ", expected " + AtLeast(x.Unknown) + costText(x.Expected) + ofText(x.Expected, x.Needed)
	if x.Unknown > 0 {
		text += fmt.Sprintf(", %d of unknown length", x.Unknown)
	}
	if x.Counted > 0 {
		text += fmt.Sprintf(", %d as the probe found", x.Counted)
	}
	return text + boundsText(x)
}

// boundsText says what an extract costs at most and at least.
func boundsText(x plan.Extract) string {
	text := ""
	if x.IfIndexChanged > 0 {
		text += ", nothing if the vendor's index is unchanged (a run asks)"
	}
	if x.MaxUnits != nil {
		text += ", at most " + words.Plural(*x.MaxUnits, "unit")
	}
	return text + ", worst case " + worstText(x.Worst)
}

// ofText says of how much an expected cost is what a ceiling leaves room for.
func ofText(expected, needed pipeline.Cost) string {
	if expected.Units >= needed.Units {
		return ""
	}
	return fmt.Sprintf(" of the %s that all of it is expected to take", words.Count(needed.Units))
}

func costText(c pipeline.Cost) string {
	return strings.Join([]string{words.Plural(c.Rows, "row"), words.Plural(c.Pages, "request"), words.Plural(c.Units, "unit")}, ", ")
}

func worstText(c *pipeline.Cost) string {
	if c == nil {
		return "unbounded (no max_rows)"
	}
	return words.Plural(c.Units, "unit")
}

func rateText(v plan.Vendor) string {
	switch {
	case v.PerSecond == 0:
		return "no rate limit"
	case v.Seconds == 0:
		return "nothing to ask"
	}
	if v.Seconds < 1 {
		return "less than a second at the vendor's rate"
	}
	return "at least " + words.Duration(v.Seconds) + " at the vendor's rate"
}

func budgetText(v plan.Vendor) string {
	if v.Allowed == nil {
		return "no budget"
	}
	text := fmt.Sprintf("%s leaves %s", ceilingText(v.Ceiling), words.Plural(*v.Allowed, "unit"))
	switch {
	case v.Ceiling == plan.OfWarehouse && (v.Others > 0 || len(v.Used) > 0):
		text += " (" + budget.UsedText(v.Used, v.Others) + ")"
	case v.Uncounted:
		text += " (by this warehouse's own account: the vendor has not been asked yet what others use of the key, a run does)"
	}
	if v.Scarce {
		text += ": not enough for all, so the cheapest targets come first"
	}
	return text
}

func ceilingText(c plan.Ceiling) string {
	switch c {
	case plan.OfRun:
		return "the job's budget for one run"
	case plan.OfFlag:
		return "--max-units"
	case plan.OfWarehouse:
		return "the month's budget of all jobs"
	case plan.OfMonth:
		return "the job's own budget for the month"
	case plan.OfQuota:
		return "the vendor's own quota for the month"
	}
	return "the budget"
}
