package report

import (
	"fmt"
	"slices"
	"strings"

	"backhaul/jobs/account"
	"backhaul/pipeline"
	"backhaul/pipeline/words"
)

// RejectionText says of which field how many rows did not fit.
func RejectionText(r pipeline.Rejection) string {
	return fmt.Sprintf("%s of %s: %s", words.Plural(r.Rows, "row"), r.Table, r.Reason)
}

// RejectedText says which rows of a run do not fit their tables, and what to do about it.
func RejectedText(runID string, all []pipeline.Rejection) string {
	texts := make([]string, 0, mostShown)
	for _, r := range all[:min(len(all), mostShown)] {
		texts = append(texts, RejectionText(r))
	}
	if more := len(all) - len(texts); more > 0 {
		texts = append(texts, fmt.Sprintf("%d fields more", more))
	}
	return fmt.Sprintf("%s did not fit: %s; ops.rejected_rows keeps them, and they are not bought again: `backhaul replay %s` loads those that the program fits once it has been updated",
		words.Plural(rowsOf(all), "row"), strings.Join(texts, "; "), runID)
}

func rowsOf(all []pipeline.Rejection) (rows int64) {
	for _, r := range all {
		rows += r.Rows
	}
	return rows
}

// byField adds up drift that several extracts and surfaces have alike.
func byField(all []account.Drift) []account.Drift {
	fields := []account.Drift{}
	for _, d := range all {
		d.Extract, d.Surface = "", ""
		same := func(x account.Drift) bool { return x.Table == d.Table && x.Field == d.Field && x.Kind == d.Kind }
		if i := slices.IndexFunc(fields, same); i >= 0 {
			fields[i].Rows += d.Rows
			continue
		}
		fields = append(fields, d)
	}
	return fields
}
