package emulator

import (
	"slices"

	"backhaul/pipeline/emulator/graph"
	"backhaul/pipeline/emulator/internal/quote"
)

// histories are the modifiers of url_metrics and top_pages. A nil one asks for nothing.
type histories struct {
	DailyDeltas, DailyValues, MonthlyDeltas, MonthlyValues []string `json:",omitempty"`
	Distributions                                          bool     `json:",omitempty"`
}

// historyFields are the parameters, in the documented order; each reply has a key of the same name (from V3's text; invented for V2).
var historyFields = []struct {
	name            string
	monthly, deltas bool
	of              func(*histories) *[]string
}{
	{"daily_history_deltas", false, true, func(h *histories) *[]string { return &h.DailyDeltas }},
	{"daily_history_values", false, false, func(h *histories) *[]string { return &h.DailyValues }},
	{"monthly_history_deltas", true, true, func(h *histories) *[]string { return &h.MonthlyDeltas }},
	{"monthly_history_values", true, false, func(h *histories) *[]string { return &h.MonthlyValues }},
}

// histories reads the modifiers. A metric named twice in one array is refused (chosen).
func (f *fields) histories(q *query, distributions bool) {
	var h histories
	for _, field := range historyFields {
		names := field.of(&h)
		f.take(field.name, names, "an array of strings")
		if len(slices.Compact(slices.Sorted(slices.Values(*names)))) != len(*names) {
			f.fail("%s must name each metric once", field.name)
		}
	}
	if distributions {
		f.take("distributions", &h.Distributions, "true or false")
	}
	if h.modifiers() > 0 {
		q.Histories = &h
	}
}

// modifiers counts what is billed beside the result itself: each history entry, and the distributions.
func (h *histories) modifiers() (n int) {
	if h == nil {
		return 0
	}
	for _, field := range historyFields {
		n += len(*field.of(h))
	}
	if h.Distributions {
		n++
	}
	return n
}

// invalid returns a name that has no history, "" if there is none.
func (h *histories) invalid() string {
	if h == nil {
		return ""
	}
	for _, field := range historyFields {
		for _, name := range *field.of(h) {
			if !hasHistory(name, field.deltas) {
				return name
			}
		}
	}
	return ""
}

// appendHistories adds the histories of a page to its metrics, just written: keys after the 52, in the documented order, each a map
// from metric to series, and last "distributions", a map from name to array. That they hang there is chosen.
func appendHistories(buf []byte, v *graph.View, name string, h *histories) []byte {
	if h == nil {
		return buf
	}
	c := newChronicle(v, name, "page")
	buf = buf[:len(buf)-1] // the metrics' closing brace
	for _, field := range historyFields {
		names := *field.of(h)
		if len(names) == 0 {
			continue
		}
		buf = append(buf, `, "`...)
		buf = append(buf, field.name...)
		buf = append(buf, `":{`...)
		for i, metric := range names {
			if i > 0 {
				buf = append(buf, ", "...)
			}
			buf = append(quote.Append(buf, metric), ':')
			buf = c.appendSeries(buf, metric, field.monthly, field.deltas)
		}
		buf = append(buf, '}')
	}
	if h.Distributions {
		buf = c.appendDistributions(append(buf, `, "distributions":`...))
	}
	return append(buf, '}')
}
