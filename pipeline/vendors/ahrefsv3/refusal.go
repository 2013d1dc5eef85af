package ahrefsv3

import (
	"bytes"
	"maps"
	"regexp"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"backhaul/pipeline"
	"backhaul/pipeline/vendors/internal/rows"
	"backhaul/pipeline/vendors/internal/wire"
)

var (
	noUnits = regexp.MustCompile(`(?i)units? limit reached|units left`)
	noPlan  = regexp.MustCompile(`(?i)insufficient plan`)
	ofLimit = regexp.MustCompile(`(?i)\blimit\b`)
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
	case status == 403 && noPlan.MatchString(text):
		return pipeline.Rejected, true
	}
	return 0, false
}

// fault finds an error in a reply with status 200, of which no document tells: in one of its two shapes, or another that is
// usual. The words decide what it asks of the caller, those of the refusals that are known first.
func (c *Client) fault(reply rows.Reply, body []byte) *wire.Fault {
	f := c.wire.Fault(reply.Members())
	if list := listed(body); list != nil {
		f = c.wire.Fault(maps.All(map[string][]byte{"errors": list}))
	}
	if f == nil {
		return nil
	}
	if kind, ok := classify(403, f.Text); ok {
		f.Kind = kind
	}
	return f
}

// listed is what stands behind the word in a reply ["Error", …], nil if the reply is not one.
func listed(body []byte) jsontext.Value {
	if body = bytes.TrimLeft(body, " \t\r\n"); !bytes.HasPrefix(body, []byte("[")) {
		return nil
	}
	var parts []jsontext.Value
	var word string
	if json.Unmarshal(body, &parts) != nil || len(parts) == 0 || json.Unmarshal(parts[0], &word) != nil || !strings.EqualFold(word, "error") {
		return nil
	}
	rest, err := json.Marshal(parts[1:])
	if err != nil || len(parts) == 1 {
		return parts[0]
	}
	return rest
}

// plans are how many rows a request may ask for, by the plans. Source: Ahrefs, pricing, rows per request.
var plans = []int{500, 250, 100}

// lower says what to ask for after Ahrefs refused a limit, 0 if nothing less makes sense. That it refuses one beyond the
// plan's is one of two possibilities; the other is that it sends fewer rows: see visit.ends.
func lower(e *pipeline.Error, limit int) int {
	if e.Kind != pipeline.Rejected || e.Status != 400 && e.Status != 200 || !ofLimit.MatchString(e.Message) {
		return 0
	}
	for _, n := range plans {
		if n < limit {
			return n
		}
	}
	return 0
}
