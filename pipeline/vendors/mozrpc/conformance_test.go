package mozrpc

import (
	"context"
	"testing"
	"time"

	"backhaul/pipeline"
	"backhaul/pipeline/emulator"
	"backhaul/pipeline/sourcetest"
)

func TestSourcesKeepWhatTheyPromise(t *testing.T) {
	const rival, small = "rivalgear.example", "tiny-tarps.example"
	about := func(target, params string) pipeline.Task { return pipeline.Task{Target: target, Params: params} }
	metrics := targetsOf(rival, small, "summit-supply.example")
	sourcetest.Run(t, sourcetest.Config{
		New: func(t testing.TB, s sourcetest.Server) sourcetest.Client {
			c := client(t, Config{BaseURL: s.URL, Token: token, HTTP: HTTP{Clock: s.Clock, MaxBody: s.MaxBody, Dial: s.Dial}})
			return sourcetest.Client{Sources: c.Sources(), Calls: map[string]func(context.Context) error{
				"usage": func(ctx context.Context) error { _, err := c.Usage(ctx, time.Time{}, time.Time{}); return err },
				"index": func(ctx context.Context) error { _, err := c.IndexID(ctx); return err },
			}}
		},
		Offline: Offline,
		Vendor:  emulator.New(emulator.Options{Day: 100, IndexDays: 1000, Token: token, NoPenalty: true}),
		Path:    "/jsonrpc", Secrets: []string{token}, Gone: pipeline.Stale,
		Cases: []sourcetest.Case{
			{Endpoint: "anchor_text", Task: about(small, `{"scope":"root_domain"}`), Limit: 5},
			{Endpoint: "links", Task: about(small, `{"target_scope":"root_domain"}`), Limit: 5},
			{Endpoint: "linking_root_domains", Task: about(small, `{"target_scope":"root_domain"}`), Limit: 7},
			{Endpoint: "link_intersect", Task: about("", `{"positive_targets":[{"target":"rivalgear.example","scope":"root_domain"},{"target":"pinecone-packs.example","scope":"root_domain"}],"source_scope":"root_domain"}`)},
			{Endpoint: "link_status", Task: pipeline.Task{Target: rival, Inputs: sourcesOf(small, "megamart.example", "nowhere.example"), Params: `{"target_scope":"root_domain","source_scope":"root_domain"}`}, Limit: 2},
			{Endpoint: "final_redirect", Task: about(rival, `{}`)},
			{Endpoint: "url_metrics", Task: pipeline.Task{Inputs: metrics, Params: `{}`}, Limit: 2},
			{Endpoint: "url_metrics", Task: pipeline.Task{Inputs: metrics, Params: `{"distributions":true,"monthly_history_values":["page_authority"]}`}, Limit: 2, Stages: true},
			{Endpoint: "top_pages", Task: about(rival, `{"scope":"root_domain"}`)},
			{Endpoint: "global_top_pages", Task: about("", `{}`)},
			{Endpoint: "global_top_root_domains", Task: about("", `{}`)},
			{Endpoint: "index_metadata", Task: about("", `{}`)},
			{Endpoint: "usage_data", Task: about("", `{}`)},
		},
	})
}
