package wire

import (
	"iter"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"backhaul/pipeline"
)

// Fault is what a reply says went wrong, although its status does not.
type Fault struct {
	// Kind is what the words ask of the caller, else what the status does that the reply states, else Rejected: asking again
	// costs at least what asking did.
	Kind pipeline.Kind
	// Text is the vendor's word, fit to be shown.
	Text string
	// Note: it stands in the member message alone, where a reply that is an answer may have a remark.
	Note bool
}

// faultNames are the members of a reply that say what went wrong, statusNames those of its error that may state the status
// it stands for.
var (
	faultNames  = []string{"error", "error_message", "errors"}
	statusNames = []string{"status", "code", "httpStatus", "statusCode", "status_code"}
)

const note = "message"

// Fault finds what a reply says went wrong, or returns nil. members are those of the reply's outermost object, as received.
func (c *Client) Fault(members iter.Seq2[string, []byte]) *Fault {
	said, stated := map[string]any{}, map[string]any{}
	for name, raw := range members {
		switch {
		case name == note || slices.Contains(faultNames, name):
			if v := valueOf(raw); says(v) {
				said[name], stated[name] = v, v
			}
		case slices.Contains(statusNames, name):
			stated[name] = valueOf(raw)
		}
	}
	if len(said) == 0 {
		return nil
	}
	f := &Fault{Kind: kindOf(said, stated), Text: c.Text(spoken(said))}
	f.Note = len(said) == 1 && said[note] != nil
	return f
}

// Says reports whether a value says something: null, false, 0, blank texts, and objects and lists of nothing else do not.
func Says(raw []byte) bool { return says(valueOf(raw)) }

func says(v any) bool {
	switch v := v.(type) {
	case nil:
		return false
	case bool:
		return v
	case float64:
		return v != 0
	case string:
		return strings.TrimSpace(v) != ""
	case []any:
		for _, item := range v {
			if says(item) {
				return true
			}
		}
	case map[string]any:
		for _, item := range v {
			if says(item) {
				return true
			}
		}
	}
	return false
}

// valueOf reads leniently: that something is said counts, not how.
func valueOf(raw []byte) (v any) {
	if json.Unmarshal(raw, &v, jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true)) != nil {
		return nil
	}
	return v
}

// spoken is the text of the members that say something: that of the error before that of the message beside it.
func spoken(said map[string]any) string {
	for _, name := range append(slices.Clone(faultNames), note) {
		switch v := said[name].(type) {
		case string:
			return v
		case map[string]any:
			if s := find(v, 8); s != "" {
				return s
			}
		}
	}
	if s := strings.Join(texts(said), ": "); s != "" {
		return s
	}
	raw, _ := json.Marshal(said, json.Deterministic(true)) // numbers and truth values always encode
	return string(raw)
}

// texts are all strings within a value, by the order of the names, which are left out.
func texts(v any) (all []string) {
	switch v := v.(type) {
	case string:
		all = append(all, v)
	case []any:
		for _, item := range v {
			all = append(all, texts(item)...)
		}
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(v)) {
			all = append(all, texts(v[name])...)
		}
	}
	return all
}

func kindOf(said, stated map[string]any) pipeline.Kind {
	for _, text := range texts(said) {
		if kind, ok := Meaning(text); ok {
			return kind
		}
	}
	if status := statusIn(stated); status != 0 {
		return KindOf(status, false)
	}
	return pipeline.Rejected
}

// statusIn is the status of a refusal that a value states under one of the usual names, 0 if it states none.
func statusIn(object map[string]any) int {
	for _, name := range statusNames {
		if n, ok := object[name].(float64); ok && n >= 400 && n < 600 {
			return int(n)
		}
	}
	for _, name := range faultNames {
		if inner, ok := object[name].(map[string]any); ok {
			if status := statusIn(inner); status != 0 {
				return status
			}
		}
	}
	return 0
}

// The words by which vendors' refusals are told apart. None of the vendors documents its own for all of them, so they are
// many.
var (
	aboutPlace = regexp.MustCompile(`(?i)\b(next|page|offset|cursor)[ _-]?token\b|\bcursor\b.{0,30}\b(expired|invalid|unknown)`)
	aboutPace  = regexp.MustCompile(`(?i)\bper (second|minute|hour)\b|/ ?(s|sec|min)\b|rate.?limit|too many requests|too fast|slow down|throttl`)
	aboutQuota = regexp.MustCompile(`(?i)\bquota|\ballot(ment|ted)|\bbilling period|\bout of (rows|units)|\bno (more )?(rows|units)|` +
		`\bmonth\w*\b.{0,40}\b(limit|allow|exceed|reach|used)|\b(limit|allow|exceed|reach|used)\w*\b.{0,40}\bmonth|` +
		`\b(rows?|units?)\b.{0,40}\b(limit|left|remain|exceed|exhaust|used|reach|allow|available)|` +
		`\b(limit|left|remain|exceed|exhaust|used|reach|maximum|insufficient|not enough)\w*\b.{0,40}\b(rows?|units?)\b|` +
		`\b(plan|usage|account|subscription|monthly) limit`)
	aboutRows  = regexp.MustCompile(`(?i)\bmonth|\bbilling period|\b(rows?|units?)\b`)
	aboutToken = regexp.MustCompile(`(?i)\b(invalid|missing|expired|revoked|unknown|wrong|bad|no) (api |access |auth\w* )?(token|key|credentials?)\b|` +
		`\b(token|key|credentials?)\b.{0,20}\b(invalid|missing|expired|revoked|required|unknown|disabled)|\bunauthori[sz]ed|\bnot authori[sz]ed|` +
		`\b(invalid|missing|failed|required)\b.{0,20}\bauthenticat|\bauthenticat\w*\b.{0,20}\b(invalid|missing|failed|required)|\bforbidden|` +
		`\baccess denied|\bno access\b|\bsubscription\b.{0,30}\b(expired|inactive|required|ended)`)
	aboutEnd   = regexp.MustCompile(`(?i)\bdiscontinued\b|\bshut ?down\b|\bsunset|\bno longer (available|supported)|\bretired\b`)
	aboutFault = regexp.MustCompile(`(?i)\binternal\b.{0,20}\berror|\btimed? ?out\b|\btemporar|\btry again\b|\bunavailable\b|\boverload|\bmaintenance\b`)
)

// Meaning tells from the text of a refusal what it asks of the caller; ok is false where no word decides. A place in a list
// that is gone (Stale) is told before credentials, since both are called a token; a pace (Throttled) from rows that are used
// up (Exhausted) by rows and months, which only the latter has; a service that was shut down is Denied.
func Meaning(text string) (kind pipeline.Kind, ok bool) {
	const enough = 4096
	text = text[:min(len(text), enough)]
	switch {
	case aboutPlace.MatchString(text):
		return pipeline.Stale, true
	case aboutPace.MatchString(text) && !(aboutQuota.MatchString(text) && aboutRows.MatchString(text)):
		return pipeline.Throttled, true
	case aboutQuota.MatchString(text):
		return pipeline.Exhausted, true
	case aboutToken.MatchString(text), aboutEnd.MatchString(text):
		return pipeline.Denied, true
	case aboutFault.MatchString(text):
		return pipeline.Transient, true
	}
	return pipeline.Rejected, false
}
