package mozrpc

import (
	"strings"
	"testing"
	"time"

	"backhaul/pipeline"
)

func TestUsageIsTheQuotaOfTheBillingPeriod(t *testing.T) {
	c, seen := fake(t, 200, result(string(sample(t, "quota.lookup"))), "Date", "Thu, 27 Aug 2026 02:00:00 GMT")
	got, err := c.Usage(t.Context(), time.Date(2026, 8, 1, 0, 0, 0, 0, time.UTC), arrival)
	if err != nil || seen.method != "quota.lookup" || seen.data != `{"path":"api.limits.data.rows"}` {
		t.Fatalf("%+v, %v", seen, err)
	}
	if got.Units != 77 || got.Limit == nil || *got.Limit != 3000 || got.Remaining == nil || *got.Remaining != 2923 || !got.To.Equal(arrival) {
		t.Errorf("%+v", got)
	}
	if !got.From.Equal(time.Unix(1785567600, 0)) || got.VendorTime.Hour() != 2 || got.At.IsZero() || got.Lag != time.Hour {
		t.Errorf("%+v", got)
	}
}

func TestUsageBeyondTheQuotaLeavesNothing(t *testing.T) {
	c, _ := fake(t, 200, result(`{"quota":{"allotted":3000,"used":3001,"period_start":1785567600}}`))
	if got, err := c.Usage(t.Context(), time.Time{}, time.Time{}); err != nil || *got.Remaining != 0 || got.Units != 3001 || !got.To.IsZero() {
		t.Errorf("%+v, %v", got, err)
	}
	c, _ = fake(t, 200, result(`{"quota":{"allotted":null,"used":1,"period_start":1785567600}}`))
	if got, err := c.Usage(t.Context(), time.Time{}, time.Time{}); err != nil || got.Limit != nil || got.Remaining != nil {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestUsageKnowsNoPastPeriod(t *testing.T) {
	c, _ := fake(t, 200, result(`{"quota":{"allotted":3000,"used":77,"period_start":1785567600}}`))
	_, err := c.Usage(t.Context(), time.Time{}, time.Unix(1785567599, 0))
	if pipeline.KindOf(err) != pipeline.Rejected || err == nil || !strings.Contains(err.Error(), "2026-08-01T07:00:00Z") {
		t.Error(err)
	}
}

func TestUsageReadsNothingIntoAReplysFaults(t *testing.T) {
	for _, quota := range []string{
		`{}`, `{"used":7}`, `{"used":null,"period_start":1}`, `{"used":-1,"period_start":1}`, `{"used":1.5,"period_start":1}`, `{"used":"7","period_start":1}`,
		`{"used":7,"period_start":-1}`, `{"used":7,"period_start":1,"allotted":-1}`, `{"used":99999999999999999999,"period_start":1}`, `[7]`, `null`,
	} {
		c, _ := fake(t, 200, result(`{"quota":`+quota+`}`))
		if got, err := c.Usage(t.Context(), time.Time{}, time.Time{}); pipeline.KindOf(err) != pipeline.Malformed || err == nil || got.Units != 0 {
			t.Errorf("%s was read as %d units, %v", quota, got.Units, err)
		}
		s := named(t, Offline(), "usage_data")
		rows, rejected, err := decoded(t, s, s.Endpoint().Table, page(t, "quota.lookup", `{}`, "", result(`{"quota":`+quota+`}`)))
		if len(rows) > 0 || err == nil && len(rejected) == 0 {
			t.Errorf("%s was loaded as %v", quota, rows)
		}
	}
}

func TestIndexHasAName(t *testing.T) {
	c, seen := fake(t, 200, result(string(sample(t, "metadata.index.fetch"))))
	if id, err := c.IndexID(t.Context()); err != nil || id != "tD4grH2TmrmTfXW65xr+tg==" || seen.data != `{}` {
		t.Errorf("%q, %v", id, err)
	}
	for _, body := range []string{`{}`, `{"index_id":""}`, `{"index_id":null}`, `{"index_id":7}`, `[]`} {
		c, _ := fake(t, 200, result(body))
		if id, err := c.IndexID(t.Context()); pipeline.KindOf(err) != pipeline.Malformed || err == nil || id != "" {
			t.Errorf("%s: %q, %v", body, id, err)
		}
	}
	c, _ = fake(t, 401, fail(-32651, 401, "Missing or invalid authentication", ""))
	if _, err := c.IndexID(t.Context()); pipeline.KindOf(err) != pipeline.Denied {
		t.Error(err)
	}
}
