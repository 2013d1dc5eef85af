package ahrefsv2

import (
	"regexp"
	"strings"

	"backhaul/pipeline"
	"backhaul/pipeline/vendors/internal/wire"
)

// aboutClause is a message about a part of the request, whatever else it says. What v2 says when it refuses is known from two
// messages, the one of a wrong token and the one of an unknown column behind the name of its clause. Source of the two: a
// third-party client's recorded replies.
var aboutClause = regexp.MustCompile(`(?i)^\s*(select|where|having|order_by|limit|offset|target|mode|from|output)\s*:`)

// classify turns the text of a refusal into what to do about it. One whose words are none of the known is taken to be the
// request's fault.
func classify(text string) pipeline.Kind {
	kind, _ := wire.Meaning(text)
	if aboutClause.MatchString(text) || kind == pipeline.Stale { // v2 has no tokens that lead on
		return pipeline.Rejected
	}
	return kind
}

// classifyStatus finds used-up rows among the refusals that have a status, as a gateway may send them. An HTML page is
// neither the gateway nor Ahrefs speaking.
func classifyStatus(status int, text string) (pipeline.Kind, bool) {
	switch status {
	case 402, 403, 429, 503:
	default:
		return 0, false
	}
	kind, _ := wire.Meaning(text)
	return pipeline.Exhausted, kind == pipeline.Exhausted && !strings.HasPrefix(text, "<")
}
