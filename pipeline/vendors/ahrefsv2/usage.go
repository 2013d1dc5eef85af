package ahrefsv2

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

// Usage asks subscription_info how many rows the plan has and how many are left, which costs nothing. It knows the current
// month only, whatever period is asked for. Source: Ahrefs API v2 documentation, subscription_info.
func (c *Client) Usage(ctx context.Context, _, _ time.Time) (pipeline.UsageReport, error) {
	var report pipeline.UsageReport
	resp, fail := c.wire.Do(ctx, "GET", "?from=subscription_info&output=json", nil)
	if fail != nil {
		return report, fail
	}
	reply, _ := rows.Scan(resp.Body, rows.Layout{One: true}) // what else is wrong with it readInfo finds
	has := min(wire.ContentOf(reply.Member(subscriptionInfo.Envelope)), wire.Blank)
	if fail := c.wire.Refusal(resp.Status, refusal(c.wire, reply, resp), has); fail != nil {
		return report, fail
	}
	limit, left, err := readInfo(resp.Body)
	if err != nil {
		return report, &pipeline.Error{Kind: pipeline.Malformed, Status: resp.Status, Message: c.wire.Text("subscription_info: " + err.Error())}
	}
	report.At, report.VendorTime = resp.At, resp.Date
	report.Limit, report.Remaining, report.Units = &limit, &left, max(0, limit-left)
	return report, nil
}

// readInfo accepts one strict JSON object with both numbers in it.
func readInfo(body []byte) (limit, left pipeline.Units, err error) {
	var reply struct {
		Info struct {
			Left  *int64 `json:"rows_left"`
			Limit *int64 `json:"rows_limit"`
		} `json:"info"`
	}
	if err := json.Unmarshal(body, &reply); err != nil {
		return 0, 0, fmt.Errorf("not the JSON expected: %w", err)
	}
	if reply.Info.Left == nil || reply.Info.Limit == nil {
		return 0, 0, errors.New("rows_left or rows_limit is missing")
	}
	return pipeline.Units(*reply.Info.Limit), pipeline.Units(*reply.Info.Left), nil
}
