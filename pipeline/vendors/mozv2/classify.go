package mozv2

import (
	"regexp"
	"strings"

	"backhaul/pipeline"
)

// Moz's "Common Errors" table could not be read, so neither the status nor the words of an exhausted row quota are
// known. Hence the words are many, and are looked for in every refusal that might mean it. They are read only to tell
// "no rows left this month", which stops the vendor, from "too fast" and "no access".
var (
	aboutQuota = regexp.MustCompile(`(?i)quota|allot(ment|ted)|billing period|out of rows|no (more )?rows|` +
		`\bmonth\w*\b.{0,40}\b(limit|allow|exceed|reach|used)|\b(limit|allow|exceed|reach|used)\w*\b.{0,40}\bmonth|` +
		`\brows?\b.{0,40}\b(limit|left|remain|exceed|exhaust|used|reach|allow|available)|` +
		`\b(limit|left|remain|exceed|exhaust|used|reach|maximum|insufficient|not enough)\w*\b.{0,40}\brows?\b|` +
		`\b(plan|usage|account|subscription) limit`)
	aboutPace = regexp.MustCompile(`(?i)per (second|minute|hour)|/ ?(s|sec|min)\b|rate.?limit|too many requests|too fast|slow down|throttl`)
	aboutRows = regexp.MustCompile(`(?i)\bmonth|billing period|\brows?\b`)
)

// classify finds exhausted quotas among the refusals that may be one. An HTML page is not Moz speaking.
func classify(status int, text string) (pipeline.Kind, bool) {
	switch status {
	case 402, 403, 429, 503:
	default:
		return 0, false
	}
	const enough = 4096
	text = text[:min(len(text), enough)]
	switch {
	case strings.HasPrefix(text, "<"), !aboutQuota.MatchString(text), aboutPace.MatchString(text) && !aboutRows.MatchString(text):
		return 0, false
	}
	return pipeline.Exhausted, true
}
