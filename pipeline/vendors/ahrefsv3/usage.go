package ahrefsv3

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/go-json-experiment/json"

	"backhaul/pipeline"
	"backhaul/pipeline/vendors/internal/rows"
	"backhaul/pipeline/vendors/internal/wire"
)

var _ pipeline.Usage = (*Client)(nil)

// Usage asks limits-and-usage, which is free, for the units of the workspace, or of the key where a workspace is not told.
// Ahrefs counts from one billing period's start to the next, the last of which is all it tells: from and to are not sent,
// and the report's period is the vendor's own. Of workspace and key, the one with less left sets Limit and Remaining.
// Source: Ahrefs OpenAPI 3.0.0, subscription-info/limits-and-usage.
func (c *Client) Usage(ctx context.Context, _, _ time.Time) (pipeline.UsageReport, error) {
	var report pipeline.UsageReport
	resp, fail := c.wire.Do(ctx, "GET", limitsAndUsage.Path+"?output=json", nil)
	if fail != nil {
		return report, fail
	}
	reply, _ := rows.Scan(resp.Body, rows.Layout{One: true}) // what else is wrong with it readUsage finds
	has := min(wire.ContentOf(reply.Member(limitsAndUsage.Envelope)), wire.Blank)
	if fail := c.wire.Refusal(resp.Status, c.fault(reply, resp.Body), has); fail != nil {
		return report, fail
	}
	report.At, report.VendorTime = resp.At, resp.Date
	if err := readUsage(resp.Body, &report); err != nil {
		return report, &pipeline.Error{Kind: pipeline.Malformed, Status: resp.Status, Message: c.wire.Text("limits-and-usage: " + err.Error())}
	}
	return report, nil
}

// readUsage accepts one strict JSON object whose counts are whole numbers from 0. The end of the period is when usage is
// reset.
func readUsage(body []byte, report *pipeline.UsageReport) error {
	var reply struct {
		Usage *struct {
			LimitKey       *int64 `json:"units_limit_api_key"`
			LimitWorkspace *int64 `json:"units_limit_workspace"`
			Key            *int64 `json:"units_usage_api_key"`
			Workspace      *int64 `json:"units_usage_workspace"`
			Reset          string `json:"usage_reset_date"`
		} `json:"limits_and_usage"`
	}
	if err := json.Unmarshal(body, &reply); err != nil {
		return fmt.Errorf("not the JSON expected: %w", err)
	}
	u := reply.Usage
	if u == nil || u.Key == nil && u.Workspace == nil {
		return errors.New("it does not say what was used")
	}
	for _, n := range []*int64{u.LimitKey, u.LimitWorkspace, u.Key, u.Workspace} {
		if n != nil && *n < 0 {
			return fmt.Errorf("a count is %d, below zero", *n)
		}
	}
	used := u.Workspace
	if used == nil {
		used = u.Key
	}
	report.Units = pipeline.Units(*used)
	report.To = value{Raw: []byte(quote(u.Reset))}.time()
	bound(report, u.LimitWorkspace, u.Workspace)
	bound(report, u.LimitKey, u.Key)
	return nil
}

// bound takes over a limit if less is left of it.
func bound(report *pipeline.UsageReport, limit, used *int64) {
	if limit == nil || used == nil {
		return
	}
	left := pipeline.Units(max(0, *limit-*used))
	if report.Remaining == nil || left < *report.Remaining {
		most := pipeline.Units(*limit)
		report.Limit, report.Remaining = &most, &left
	}
}
