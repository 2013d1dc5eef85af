package notify

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"backhaul/jobs"
	"backhaul/jobs/report"
	"backhaul/pipeline/words"
)

// Message is what one channel is told of one run. Its JSON is what webhooks and commands get.
type Message struct {
	// Event is the gravest of Events.
	Event  string   `json:"event"`
	Events []string `json:"events"`
	// Nights is how many nights in a row the event has shown.
	Nights int `json:"nights"`
	// Title is one line, Text the whole message for people.
	Title string `json:"title"`
	Text  string `json:"text"`
	// Changes are the largest changes of the night.
	Changes []Change       `json:"changes"`
	Summary report.Summary `json:"summary"`
}

// Change is how many things of one kind a night has changed: 40 links lost of one domain are one.
type Change struct {
	What   string `json:"what"`   // links, root domains, anchor texts
	Change string `json:"change"` // new, lost, changed
	Target string `json:"target"`
	// From is the one domain or text that all of them are of; "" if they are of several.
	From  string `json:"from,omitempty"`
	Count int64  `json:"count"`
}

func (c Change) text() string {
	text := fmt.Sprintf("%s %s %s", words.Count(c.Count), c.Change, c.What)
	if c.From != "" {
		text += " from " + oneLine(c.From)
	}
	if c.Target != "" {
		text += " of " + c.Target
	}
	return text
}

// MostChanges bounds the changes of a message.
const MostChanges = 10

// mostCauses bounds the lines about what is missing.
const mostCauses = 5

// headings are what a message says of an event.
var headings = map[string]string{
	jobs.EventFailed: "failed", jobs.EventStopped: "stopped before its time", jobs.EventIncomplete: "ended incomplete",
	jobs.EventBreach: "is not what is expected", jobs.EventRecovered: "is well again", jobs.EventComplete: "is complete",
}

// Compose puts what is due into words.
func Compose(d Due, s report.Summary, changes []Change) Message {
	changes = changes[:min(len(changes), MostChanges)]
	m := Message{Event: d.Events[0], Events: d.Events, Nights: d.Nights, Changes: append([]Change{}, changes...), Summary: s}
	m.Title = fmt.Sprintf("backhaul: job %s of %s %s", s.Job, s.RunDate, headings[m.Event])
	if bad(m.Event) && d.Nights > 1 {
		m.Title += fmt.Sprintf(", the %s night in a row", words.Ordinal(d.Nights))
	}
	m.Text = strings.Join(append([]string{m.Title}, lines(s, changes)...), "\n")
	return m
}

func lines(s report.Summary, changes []Change) (all []string) {
	if s.Stop != "" {
		all = append(all, oneLine(s.Stop))
	}
	for _, f := range s.Breaches() {
		all = append(all, f.Text())
	}
	all = append(all, causes(s.Incomplete)...)
	if s.Rejected > 0 {
		all = append(all, words.Plural(s.Rejected, "row")+" did not fit: see ops.rejected_rows")
	}
	if s.RunID != "" {
		all = append(all, fmt.Sprintf("it bought %s for %s in %s", words.Plural(s.Bought.Rows, "row"), words.Plural(s.Bought.Units, "unit"), words.Duration(s.Seconds)))
	}
	if s.Missing != nil && s.Missing.Units > 0 {
		all = append(all, "completing it is expected to cost "+report.MoreText(s.Missing.Units, s.MissingUnknown))
	}
	if len(changes) > 0 {
		all = append(all, "what changed most:")
	}
	for _, c := range changes {
		all = append(all, "  "+c.text())
	}
	if s.RunID != "" && bad(stateOf(s)) {
		all = append(all, fmt.Sprintf("see `backhaul status %s`", s.RunID))
	}
	return all
}

// causes are the incomplete tasks, one line for each extract and ending.
func causes(tasks []report.Task) (all []string) {
	type cause struct{ extract, ending string }
	count := map[cause]int{}
	example := map[cause]string{}
	for _, t := range tasks {
		c := cause{t.Extract, t.Ending}
		count[c]++
		example[c] = cmp.Or(example[c], t.Error)
	}
	keys := make([]cause, 0, len(count))
	for c := range count {
		keys = append(keys, c)
	}
	slices.SortFunc(keys, func(a, b cause) int {
		return cmp.Or(cmp.Compare(count[b], count[a]), cmp.Compare(a.extract, b.extract), cmp.Compare(a.ending, b.ending))
	})
	for i, c := range keys {
		if i == mostCauses {
			return append(all, "… and "+words.Plural(len(keys)-i, "more reason"))
		}
		line := fmt.Sprintf("%s of %s incomplete: %s", words.Plural(count[c], "task"), c.extract, c.ending)
		if example[c] != "" {
			line += ": " + strings.TrimPrefix(oneLine(example[c]), c.ending+": ")
		}
		all = append(all, line)
	}
	return all
}

// mostLine bounds a line, in characters: a vendor's message may be long.
const mostLine = 300

func oneLine(s string) string {
	r := []rune(strings.Join(strings.Fields(s), " "))
	if len(r) > mostLine {
		return string(r[:mostLine]) + "…"
	}
	return string(r)
}

// JSON is the message for programs.
func (m Message) JSON() ([]byte, error) { return json.Marshal(m) }
