package mozv2

import (
	"context"
	"testing"
	"time"

	"backhaul/pipeline"
	"backhaul/pipeline/emulator"
	"backhaul/pipeline/sourcetest"
)

const secretID, secretKey = "mozscape-s3cret/1", "k3y-of/the+test=="

// tried is the surface before an emulated vendor, with credentials of one kind.
func tried(credentials Config, secrets ...string) sourcetest.Config {
	const rival, small = "rivalgear.example", "tiny-tarps.example"
	about := func(target, params string) pipeline.Task { return pipeline.Task{Target: target, Params: params} }
	return sourcetest.Config{
		New: func(t testing.TB, s sourcetest.Server) sourcetest.Client {
			cfg := credentials
			cfg.BaseURL, cfg.HTTP = s.URL, HTTP{Clock: s.Clock, MaxBody: s.MaxBody, Dial: s.Dial}
			c, err := New(cfg)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(c.Close)
			return sourcetest.Client{Sources: c.Sources(), Calls: map[string]func(context.Context) error{
				"usage": func(ctx context.Context) error { _, err := c.Usage(ctx, time.Time{}, time.Time{}); return err },
				"index": func(ctx context.Context) error { _, err := c.IndexID(ctx); return err },
			}}
		},
		Offline: Offline,
		Vendor:  emulator.New(emulator.Options{Day: 100, IndexDays: 1000, Token: token, AccessID: secretID, SecretKey: secretKey}),
		Path:    "/v2", Secrets: secrets, Gone: pipeline.Stale,
		Cases: []sourcetest.Case{
			{Endpoint: "anchor_text", Task: about(small, `{"scope":"root_domain"}`), Limit: 5},
			{Endpoint: "links", Task: about(small, `{"target_scope":"root_domain"}`), Limit: 5},
			{Endpoint: "linking_root_domains", Task: about(small, `{"target_scope":"root_domain"}`), Limit: 7},
			{Endpoint: "link_intersect", Task: pipeline.Task{Params: `{"positive_targets":[{"target":"rivalgear.example","scope":"root_domain"},{"target":"pinecone-packs.example","scope":"root_domain"}],"source_scope":"root_domain"}`}},
			{Endpoint: "link_status", Task: pipeline.Task{Target: rival, Inputs: sourceBatch(small, "megamart.example", "nowhere.example"), Params: `{"target_scope":"root_domain","source_scope":"root_domain"}`}, Limit: 2},
			{Endpoint: "final_redirect", Task: about(rival, `{}`)},
			{Endpoint: "url_metrics", Task: pipeline.Task{Inputs: targetBatch(rival, small, "summit-supply.example"), Params: `{}`}, Limit: 2},
			{Endpoint: "url_metrics", Task: pipeline.Task{Inputs: targetBatch(rival, small, "summit-supply.example"), Params: `{"distributions":true,"monthly_history_values":["page_authority"]}`}, Limit: 2},
			{Endpoint: "top_pages", Task: about(rival, `{"scope":"root_domain"}`)},
			{Endpoint: "global_top_pages", Task: about("", `{}`)},
			{Endpoint: "global_top_root_domains", Task: about("", `{}`)},
			{Endpoint: "index_metadata", Task: about("", `{}`)},
			{Endpoint: "usage_data", Task: about("", `{}`)},
		},
	}
}

func TestSourcesKeepWhatTheyPromise(t *testing.T) {
	sourcetest.Run(t, tried(Config{Token: token}, token))
}

func TestIDAndSecretKeyAppearInNoError(t *testing.T) {
	cfg := tried(Config{AccessID: secretID, SecretKey: secretKey}, secretID, secretKey, "bW96c2NhcGUtczNjcmV0LzE6azN5LW9mL3RoZSt0ZXN0PT0=")
	cfg.Cases = cfg.Cases[:1]
	sourcetest.RunSecrets(t, cfg)
}
