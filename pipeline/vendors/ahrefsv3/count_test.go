package ahrefsv3

import (
	"testing"

	"backhaul/pipeline"
)

func TestAListIsCountedByTheStatisticsOfItsTarget(t *testing.T) {
	row := map[string]int64{"live": 700, "all_time": 900, "live_refdomains": 400, "all_time_refdomains": 500}
	for _, c := range []struct {
		report *Report
		params string
		want   int64 // -1: nothing tells
	}{
		{refdomains, `{"history":"live"}`, 400},
		{refdomains, `{"mode":"domain"}`, 500},
		{refdomains, `{"history":"since:2026-01-01"}`, -1},
		{refdomains, `{"history":"live","where":"{}"}`, -1},
		{anchors, `{"history":"live"}`, 400},
		{anchors, `{"history":"live","order_by":["refdomains:desc"],"select":["anchor","refdomains"]}`, 400},
		{anchors, `{"history":"live","order_by":["first_seen"],"select":["anchor","refdomains"]}`, -1},
		{anchors, `{"history":"live","order_by":["refdomains:asc"],"select":["anchor","refdomains"]}`, -1},
		{anchors, `{"history":"live","select":["anchor","refpages"]}`, -1},
		{allBacklinks, `{"history":"live"}`, -1},
		{allBacklinks, `{"aggregation":"all","history":"live"}`, 700},
		{allBacklinks, `{"aggregation":"1_per_domain","history":"all_time"}`, 500},
		{brokenBacklinks, `{"history":"live"}`, -1},
	} {
		count, ok := c.report.countOf(pipeline.Task{Scope: "domain", Params: c.params})
		if got := count.Of(row); ok != (c.want >= 0) || ok && got != c.want {
			t.Errorf("%s %s: %d, %v; want %d", c.report.Name, c.params, got, ok, c.want)
		}
		if ok && (!count.ByDate || count.Params["mode"] != "domain" || tableOf(count.Endpoint).Index(count.Plus[0]) < 0) {
			t.Errorf("%s %s: asked as %v", c.report.Name, c.params, count)
		}
	}
}
