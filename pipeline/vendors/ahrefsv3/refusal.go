package ahrefsv3

import (
	"regexp"
	"strings"

	"backhaul/pipeline"
)

var (
	noUnits   = regexp.MustCompile(`(?i)units? limit reached|units left`)
	noPlan    = regexp.MustCompile(`(?i)insufficient plan`)
	ofLimit   = regexp.MustCompile(`(?i)\blimit\b`)
	noRouting = regexp.MustCompile(`(?i)forbidden|unauthorized`)
)

// classify tells apart what Ahrefs answers with 403: no units left, an endpoint that the plan does not have, and a key
// that does not open the door, which is all the rest. Its errors have two shapes, {"error":"…"} and ["Error","…"]; of the
// former only the texts of the first are recorded. An HTML page is not Ahrefs speaking.
func classify(status int, text string) (pipeline.Kind, bool) {
	if status != 403 && status != 402 && status != 400 || strings.HasPrefix(text, "<") {
		return 0, false
	}
	switch {
	case noUnits.MatchString(text):
		return pipeline.Exhausted, true
	case status == 403 && noPlan.MatchString(text) && !noRouting.MatchString(text):
		return pipeline.Rejected, true
	}
	return 0, false
}

// plans are how many rows a request may ask for, by the plans. Source: Ahrefs, pricing, rows per request.
var plans = []int{500, 250, 100}

// lower says what to ask for after Ahrefs refused a limit, 0 if nothing less makes sense. That it refuses one beyond the
// plan's is one of two possibilities; the other is that it sends fewer rows: see visit.ends.
func lower(e *pipeline.Error, limit int) int {
	if e.Status != 400 || !ofLimit.MatchString(e.Message) {
		return 0
	}
	for _, n := range plans {
		if n < limit {
			return n
		}
	}
	return 0
}
