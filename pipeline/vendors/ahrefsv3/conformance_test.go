package ahrefsv3

import (
	"context"
	"testing"
	"time"

	"backhaul/pipeline"
	"backhaul/pipeline/emulator"
	"backhaul/pipeline/emulator/ahrefs"
	"backhaul/pipeline/sourcetest"
)

func TestSourcesKeepWhatTheyPromise(t *testing.T) {
	const period = `{"date_from":"2025-10-01","date_to":"2025-12-31"}`
	of := func(report, params string) pipeline.Task {
		tk := task(report, params)
		tk.Target = "summit-supply.example"
		return tk
	}
	batch := of("batch_analysis", `{"select":"domain_rating,url"}`)
	batch.Target, batch.Inputs = "", batchTask("summit-supply.example", "rivalgear.example", "nowhere.example").Inputs
	sourcetest.Run(t, sourcetest.Config{
		New: func(t testing.TB, s sourcetest.Server) sourcetest.Client {
			c, err := New(Config{BaseURL: s.URL, Key: key, HTTP: HTTP{Clock: s.Clock, MaxBody: s.MaxBody, Dial: s.Dial}})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(c.Close)
			return sourcetest.Client{Sources: c.Sources(), Calls: map[string]func(context.Context) error{
				"usage": func(ctx context.Context) error { _, err := c.Usage(ctx, time.Time{}, time.Time{}); return err },
			}}
		},
		Offline: Offline,
		Vendor:  emulator.New(emulator.Options{Ahrefs: ahrefs.Options{Key: key, RequestsPerMinute: 1_000_000}}),
		Path:    "/v3", Secrets: []string{key}, BillInHeaders: true,
		Cases: []sourcetest.Case{
			{Endpoint: "domain_rating", Task: of("domain_rating", `{"date":"2026-01-01"}`)},
			{Endpoint: "backlinks_stats", Task: of("backlinks_stats", `{"date":"2026-01-01"}`)},
			{Endpoint: "outlinks_stats", Task: of("outlinks_stats", "{}")},
			{Endpoint: "refdomains_history", Task: of("refdomains_history", period)},
			{Endpoint: "domain_rating_history", Task: of("domain_rating_history", period)},
			{Endpoint: "anchors", Task: of("anchors", `{"select":"anchor,refdomains,is_spam"}`), Limit: 100},
			{Endpoint: "all_backlinks", Task: of("all_backlinks", `{"select":"url_from,url_to,anchor","where":{"field":"domain_rating_source","is":["gte",40]}}`), Limit: 100},
			{Endpoint: "broken_backlinks", Task: of("broken_backlinks", "{}"), Limit: 50},
			{Endpoint: "refdomains", Task: of("refdomains", `{"where":{"field":"links_to_target","is":["gte",2]}}`), Limit: 100},
			{Endpoint: "linkeddomains", Task: of("linkeddomains", "{}"), Limit: 20},
			{Endpoint: "linked_anchors_external", Task: of("linked_anchors_external", "{}"), Limit: 20},
			{Endpoint: "pages_by_backlinks", Task: of("pages_by_backlinks", "{}"), Limit: 50},
			{Endpoint: "batch_analysis", Task: batch, Limit: 2},
			{Endpoint: "limits_and_usage", Task: of("limits_and_usage", "{}")},
		},
	})
}
