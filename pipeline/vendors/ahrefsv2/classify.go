package ahrefsv2

import (
	"regexp"
	"strings"

	"backhaul/pipeline"
)

// What v2 says when it refuses is known from two messages, the one of a wrong token and the one of an unknown column
// behind the name of its clause; that of used-up rows is not. Hence the words are many, and a refusal that has none of
// them is taken to be the request's fault. Source of the two: a third-party client's recorded replies.
var (
	// aboutClause is a message about a part of the request, whatever else it says.
	aboutClause = regexp.MustCompile(`(?i)^\s*(select|where|having|order_by|limit|offset|target|mode|from|output)\s*:`)
	aboutToken  = regexp.MustCompile(`(?i)\b(invalid|missing|expired|revoked|unknown|wrong|bad|no) (api |access |auth\w* )?(token|key)\b|` +
		`\b(token|key)\b.{0,20}\b(invalid|missing|expired|revoked|required|unknown|disabled)|\bunauthori[sz]ed|\bnot authori[sz]ed|\bforbidden|` +
		`\baccess denied|\bno access\b|\bsubscription\b.{0,30}\b(expired|inactive|required|ended)`)
	// aboutEnd is the API being shut down, which may be said here too.
	aboutEnd   = regexp.MustCompile(`(?i)\bdiscontinued\b|\bshut ?down\b|\bsunset|\bno longer (available|supported)|\bretired\b`)
	aboutQuota = regexp.MustCompile(`(?i)\bquota\b|\bout of rows|\bno (more )?rows|` +
		`\brows?\b.{0,40}\b(limit|left|remain|exceed|exhaust|used|reach|available)|` +
		`\b(limit|left|remain|exceed|exhaust|used|reach|insufficient|not enough)\w*\b.{0,40}\brows?\b|\b(plan|usage|account|subscription|monthly) limit`)
	aboutPace  = regexp.MustCompile(`(?i)\bper (second|minute|hour)\b|rate.?limit|too many requests|too fast|slow down|throttl`)
	aboutFault = regexp.MustCompile(`(?i)\binternal\b.{0,20}\berror|\btimed? ?out\b|\btemporar|\btry again\b|\bunavailable\b|\boverload`)
)

// classify turns the text of a refusal into what to do about it.
func classify(text string) pipeline.Kind {
	switch {
	case aboutClause.MatchString(text):
		return pipeline.Rejected
	case aboutToken.MatchString(text), aboutEnd.MatchString(text):
		return pipeline.Denied
	case aboutPace.MatchString(text):
		return pipeline.Throttled
	case aboutQuota.MatchString(text):
		return pipeline.Exhausted
	case aboutFault.MatchString(text):
		return pipeline.Transient
	}
	return pipeline.Rejected
}

// classifyStatus finds used-up rows among the refusals that have a status, as a gateway may send them. An HTML page is
// neither the gateway nor Ahrefs speaking.
func classifyStatus(status int, text string) (pipeline.Kind, bool) {
	switch status {
	case 402, 403, 429, 503:
	default:
		return 0, false
	}
	if strings.HasPrefix(text, "<") || aboutPace.MatchString(text) || !aboutQuota.MatchString(text) {
		return 0, false
	}
	return pipeline.Exhausted, true
}
