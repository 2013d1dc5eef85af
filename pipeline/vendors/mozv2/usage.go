package mozv2

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/go-json-experiment/json"

	"backhaul/pipeline"
)

// usageLag is how late Moz's count may be. Source: Moz, usage_data.
const usageLag = time.Hour

var _ pipeline.Usage = (*Client)(nil)

// Usage asks usage_data for the rows consumed by V1 and V2 together, weights included. start and end go out as texts of
// Unix seconds, start before end. What the call itself costs on V2 is not documented; it is free in Moz's successor API
// (quota.lookup), and is taken to be so here. Source: Moz, usage_data.
func (c *Client) Usage(ctx context.Context, from, to time.Time) (pipeline.UsageReport, error) {
	report := pipeline.UsageReport{From: from, To: to, Lag: usageLag}
	request, err := usageRequest(from, to)
	if err != nil {
		return report, &pipeline.Error{Kind: pipeline.Rejected, Message: err.Error()}
	}
	resp, err := c.about(ctx, "usage_data", "rows_consumed", request)
	if err != nil {
		return report, err
	}
	report.At, report.VendorTime = resp.At, resp.Date
	if report.Units, err = readUsage(resp.Body); err != nil {
		return report, &pipeline.Error{Kind: pipeline.Malformed, Status: resp.Status, Message: c.wire.Text("usage_data: " + err.Error())}
	}
	return report, nil
}

func usageRequest(from, to time.Time) ([]byte, error) {
	period := map[string]string{}
	if !from.IsZero() {
		period["start"] = strconv.FormatInt(from.Unix(), 10)
	}
	if !to.IsZero() {
		period["end"] = strconv.FormatInt(to.Unix(), 10)
	}
	if !from.IsZero() && !to.IsZero() && from.Unix() >= to.Unix() {
		return nil, fmt.Errorf("usage_data: the period must begin before it ends: %s, %s", from.UTC().Format(time.RFC3339), to.UTC().Format(time.RFC3339))
	}
	return json.Marshal(period, json.Deterministic(true))
}

// readUsage accepts one strict JSON object whose rows_consumed is a whole number from 0. Members it does not know are
// left alone.
func readUsage(body []byte) (pipeline.Units, error) {
	var reply struct {
		RowsConsumed *int64 `json:"rows_consumed"`
	}
	if err := json.Unmarshal(body, &reply); err != nil {
		return 0, fmt.Errorf("not the JSON expected: %w", err)
	}
	switch {
	case reply.RowsConsumed == nil:
		return 0, errors.New("rows_consumed: missing")
	case *reply.RowsConsumed < 0:
		return 0, fmt.Errorf("rows_consumed: %d is below zero", *reply.RowsConsumed)
	}
	return pipeline.Units(*reply.RowsConsumed), nil
}
