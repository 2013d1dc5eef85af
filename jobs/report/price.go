package report

import (
	"fmt"
	"strings"

	"backhaul/pipeline"
	"backhaul/pipeline/words"
)

// PriceText spells the rule by which a request is charged: "15 units a row, at least 50 a request".
func PriceText(p pipeline.Price) string {
	if p.Free {
		return "free"
	}
	var parts []string
	part := func(units pipeline.Units, of string) {
		if units > 0 {
			parts = append(parts, words.Plural(units, "unit")+" "+of)
		}
	}
	part(p.PerRequest, "a request")
	part(p.PerInput, "a target or source")
	if p.Every > 1 {
		part(p.PerRow, fmt.Sprintf("for every %d rows", p.Every))
	} else {
		part(p.PerRow, "a row")
	}
	if len(parts) == 0 && p.Least == 0 {
		return "free"
	}
	text := strings.Join(parts, " and ")
	if p.Least > 0 {
		text += fmt.Sprintf(", at least %s a request", words.Count(p.Least))
	}
	text = strings.TrimPrefix(text, ", ")
	if p.Assumed != "" {
		text += " (assumed: " + p.Assumed + ")"
	}
	return text
}
