package ahrefsv2

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
	of := func(params string) pipeline.Task {
		return pipeline.Task{Target: "summit-supply.example", Params: params}
	}
	sourcetest.Run(t, sourcetest.Config{
		New: func(t testing.TB, s sourcetest.Server) sourcetest.Client {
			c, err := New(Config{BaseURL: s.URL, Token: token, HTTP: HTTP{Clock: s.Clock, MaxBody: s.MaxBody, Dial: s.Dial}})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(c.Close)
			return sourcetest.Client{Sources: c.Sources(), Calls: map[string]func(context.Context) error{
				"usage": func(ctx context.Context) error { _, err := c.Usage(ctx, time.Time{}, time.Time{}); return err },
			}}
		},
		Offline: Offline,
		Vendor:  emulator.New(emulator.Options{Ahrefs: ahrefs.Options{V2Token: token, RequestsPerMinute: 1_000_000}}),
		Path:    "/ahrefs-v2", Secrets: []string{token},
		Cases: []sourcetest.Case{
			{Endpoint: "anchors", Task: of(`{}`), Limit: 300},
			{Endpoint: "all_backlinks", Task: of(`{"aggregation":"1_per_domain"}`), Limit: 300},
			{Endpoint: "broken_backlinks", Task: of(`{}`), Limit: 50},
			{Endpoint: "refdomains", Task: of(`{"having":"domain_rating>20"}`), Limit: 100},
			{Endpoint: "linkeddomains", Task: of(`{}`), Limit: 20},
			{Endpoint: "pages_by_backlinks", Task: of(`{}`), Limit: 50},
			{Endpoint: "backlinks_stats", Task: of(`{}`)},
			{Endpoint: "domain_rating", Task: of(`{}`)},
		},
	})
}
