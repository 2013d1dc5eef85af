package moz

import (
	"testing"

	"backhaul/pipeline"
)

func TestAListIsCountedByTheMetricsOfItsTarget(t *testing.T) {
	row := map[string]int64{"external_pages_to_root_domain": 100, "deleted_pages_to_root_domain": 20, "external_nofollow_pages_to_root_domain": 30,
		"root_domains_to_root_domain": 50, "deleted_root_domains_to_root_domain": 5, "nofollow_root_domains_to_root_domain": 8}
	for _, c := range []struct {
		count  func(pipeline.Task) (pipeline.Count, bool)
		params string
		want   int64 // -1: nothing tells
	}{
		{countLinks, `{"target_scope":"root_domain"}`, 120},
		{countLinks, `{"filter":"external","sort":"source_spam_score","target_scope":"root_domain"}`, 120},
		{countLinks, `{"filter":"external+not_deleted"}`, 100},
		{countLinks, `{"filter":"external+follow+not_deleted"}`, 70},
		{countLinks, `{"filter":"external+follow"}`, -1},
		{countLinks, `{"filter":"redirect"}`, -1},
		{countLinks, `{"anchor_text":"moz"}`, -1},
		{countLinks, `{"source_scope":"root_domain"}`, -1},
		{countDomains, `{}`, 55},
		{countDomains, `{"filter":"external+not_deleted"}`, 50},
		{countDomains, `{"filter":"external+follow+not_deleted"}`, 42},
		{countDomains, `{"begin_date":"2026-01-01"}`, -1},
		{countAnchors, `{"scope":"root_domain"}`, 42},
	} {
		count, ok := c.count(pipeline.Task{Scope: "root_domain", Params: c.params})
		if got := count.Of(row); ok != (c.want >= 0) || ok && got != c.want {
			t.Errorf("%s: %d, %v; want %d", c.params, got, ok, c.want)
		}
		for _, name := range count.Columns() {
			if table("url_metrics").Index(name) < 0 {
				t.Errorf("%s is no column of url_metrics", name)
			}
		}
	}
}
