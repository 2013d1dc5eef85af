package mozv2

import (
	"strings"

	"backhaul/pipeline"
	"backhaul/pipeline/vendors/internal/wire"
)

// classify finds exhausted quotas among the refusals that may be one. Moz's "Common Errors" table could not be read, so neither
// the status nor the words of an exhausted row quota are known. The words are read only to tell "no rows left this month", which
// stops the vendor, from "too fast" and "no access". An HTML page is not Moz speaking.
func classify(status int, text string) (pipeline.Kind, bool) {
	switch status {
	case 402, 403, 429, 503:
	default:
		return 0, false
	}
	kind, _ := wire.Meaning(text)
	return pipeline.Exhausted, kind == pipeline.Exhausted && !strings.HasPrefix(text, "<")
}
