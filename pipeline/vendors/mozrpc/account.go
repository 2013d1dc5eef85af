package mozrpc

import (
	"context"
	"fmt"
	"time"

	"github.com/go-json-experiment/json"

	"backhaul/pipeline"
)

// usageLag is how late Moz's count may be: what it documents for V2, whose meter this is.
const usageLag = time.Hour

var (
	_ pipeline.Usage = (*Client)(nil)
	_ pipeline.Index = (*Client)(nil)
)

// Usage asks quota.lookup, free of charge, for the rows that the account consumed in the billing period under way, whatever
// API it was. Moz tells of no other period: From is when it began, and a time to before that is refused. Source: Moz
// JSON-RPC, quota.lookup.
func (c *Client) Usage(ctx context.Context, from, to time.Time) (pipeline.UsageReport, error) {
	report := pipeline.UsageReport{From: from, To: to, Lag: usageLag}
	a, fail := c.ask(ctx, call{method: methods()["quota.lookup"], data: data{Path: rowsQuota}})
	if fail != nil {
		return report, fail
	}
	if a.none {
		return report, &pipeline.Error{Kind: pipeline.Denied, Status: a.resp.Status, Message: "quota.lookup: Moz knows no quota of rows for this token"}
	}
	report.At, report.VendorTime = a.resp.At, a.resp.Date
	q, err := readQuota(a.Member("result.quota"))
	if err != nil {
		return report, c.unreadable(a.resp, err)
	}
	if report.From = q.start(); !to.IsZero() && to.Before(report.From) {
		return report, &pipeline.Error{Kind: pipeline.Rejected, Message: fmt.Sprintf(
			"quota.lookup: the period asked for ends at %s, and Moz tells only of the one that began at %s",
			to.UTC().Format(time.RFC3339), report.From.Format(time.RFC3339))}
	}
	report.Units = pipeline.Units(*q.Used)
	if q.Allotted != nil {
		limit := pipeline.Units(*q.Allotted)
		remaining := max(0, limit-report.Units) // an account with overage may be beyond its limit
		report.Limit, report.Remaining = &limit, &remaining
	}
	return report, nil
}

// IndexID asks metadata.index.fetch, free of charge, for the index_id, an opaque string that changes when the index is
// updated. Source: Moz JSON-RPC, metadata.index.fetch.
func (c *Client) IndexID(ctx context.Context) (string, error) {
	a, fail := c.ask(ctx, call{method: methods()["metadata.index.fetch"]})
	if fail != nil {
		return "", fail
	}
	var id string
	if raw := a.Member("result.index_id"); raw == nil || json.Unmarshal(raw, &id) != nil || id == "" {
		return "", c.unreadable(a.resp, fmt.Errorf("metadata.index.fetch: want a text in result.index_id"))
	}
	return id, nil
}
