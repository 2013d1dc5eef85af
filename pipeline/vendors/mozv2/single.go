package mozv2

import (
	"errors"
	"fmt"
	"strconv"
	"time"

	"backhaul/pipeline"
	"backhaul/pipeline/vendors/internal/rows"
	"backhaul/schemas"
)

// finalRedirect: Moz answers "" where no redirect is known.
func finalRedirect() *report {
	r := single("final_redirect", "page", rows.Rule{Column: "final_page", Path: "page"})
	r.about = "page"
	return r
}

func indexMetadata() *report { return single("index_metadata", "index_id") }

// usageData: the reply is a number; the period is that of the request, or by Moz's default from the start of the month until
// the reply.
func usageData() *report {
	r := single("usage_data", "rows_consumed", rows.Rule{Column: "period_*", Later: true})
	t := r.endpoint.Table
	r.load = func(p pipeline.Page, reply rows.Reply, b *schemas.Builder) error {
		start, end, err := periodOf(p)
		if err != nil {
			return err
		}
		return r.shape.LoadEach(reply, b, func(_ int, row *schemas.Row) (bool, error) {
			row.SetTime(t.Index("period_start"), start)
			row.SetTime(t.Index("period_end"), end)
			return true, nil
		})
	}
	return r
}

// periodOf returns the period that a page of usage_data is about.
func periodOf(p pipeline.Page) (start, end time.Time, err error) {
	request, err := asked[struct {
		Start string `json:"start"`
		End   string `json:"end"`
	}](p)
	if err != nil {
		return start, end, err
	}
	at := p.FetchedAt.UTC()
	if at.IsZero() && (request.Start == "" || request.End == "") {
		return start, end, errors.New("the page does not say when it arrived")
	}
	start, err = unix(request.Start, time.Date(at.Year(), at.Month(), 1, 0, 0, 0, 0, time.UTC))
	if err != nil {
		return start, end, fmt.Errorf("start: %w", err)
	}
	if end, err = unix(request.End, at); err != nil {
		return start, end, fmt.Errorf("end: %w", err)
	}
	return start, end, nil
}

func unix(text string, otherwise time.Time) (time.Time, error) {
	if text == "" {
		return otherwise, nil
	}
	seconds, err := strconv.ParseInt(text, 10, 64)
	return time.Unix(seconds, 0).UTC(), err
}
