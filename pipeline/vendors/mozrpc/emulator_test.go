package mozrpc

import (
	"fmt"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/google/go-cmp/cmp"

	"backhaul/pipeline"
	"backhaul/pipeline/emulator"
	"backhaul/pipeline/vendors/mozv2"
	"backhaul/schemas"
)

// surfaces are the two APIs over one web on one day.
func surfaces(t *testing.T, o emulator.Options) (v2, rpc []pipeline.Source, s *emulator.Server) {
	t.Helper()
	s = emulator.New(o)
	srv := httptest.NewServer(s)
	t.Cleanup(srv.Close)
	old, err := mozv2.New(mozv2.Config{BaseURL: srv.URL + "/v2", Token: emulator.DefaultToken})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(old.Close)
	return old.Sources(), client(t, Config{BaseURL: srv.URL + "/jsonrpc", Token: emulator.DefaultToken}).Sources(), s
}

// bought is the table that a task becomes, page after page as a run loads it, without what says how and when it came.
func bought(t *testing.T, s pipeline.Source, table *schemas.Table, task pipeline.Task, pages []pipeline.Page) (rows []map[string]any) {
	t.Helper()
	b := schemas.NewBuilder(memory.DefaultAllocator, table)
	defer b.Release()
	origin := schemas.Origin{Task: task.ID, Target: task.Target, TargetAsGiven: task.TargetAsGiven, Scope: task.Scope, Rank: 1}
	for _, p := range pages {
		origin.FetchedAt = p.FetchedAt
		b.Begin(origin)
		if err := s.Decode(p, b); err != nil {
			t.Fatal(err)
		}
		origin.Rank = b.NextRank()
	}
	if bad := b.Rejected(); len(bad) > 0 {
		t.Errorf("%s: %d rejected: %s %s", s.Endpoint(), len(bad), bad[0].Reason, bad[0].JSON)
	}
	batch := b.Batch()
	defer batch.Release()
	for i := range int(batch.NumRows()) {
		row := map[string]any{}
		for j, c := range table.Columns() {
			if column := batch.Column(j); column.IsValid(i) && c.Name != "fetched_at" && c.Name != "page_seq" {
				row[c.Name] = fmt.Sprint(column.GetOneForMarshal(i))
			}
		}
		rows = append(rows, row)
	}
	return rows
}

// A job that moves from one surface to the other by one line gets the same tables: on the same web and day, every task is
// answered with equal rows in equal order, in its side tables, too. What differs is named.
func TestTheSameTaskBringsTheSameTablesAsOnV2(t *testing.T) {
	const hub, rival, small = "acme-outdoor.example", "rivalgear.example", "tiny-tarps.example"
	of := func(target, scope, params string) pipeline.Task {
		return pipeline.Task{Target: target, TargetAsGiven: target, Scope: scope, Params: params}
	}
	v2, rpc, server := surfaces(t, emulator.Options{Day: 100, IndexDays: 1000, RefuseUnknownFields: true, MatchingSourcePages: true})
	// column is a column of what a task brings on V2, to ask about next.
	column := func(endpoint, name string, task pipeline.Task) (values []string) {
		s := named(t, v2, endpoint)
		for _, row := range bought(t, s, s.Endpoint().Table, task, buy(t, s, task, 50)) {
			values = append(values, row[name].(string))
		}
		if len(values) == 0 {
			t.Fatalf("%s brings nothing to ask about", endpoint)
		}
		return values
	}
	linking := column("linking_root_domains", "root_domain", of(rival, "root_domain", `{"target_scope":"root_domain","filter":"external+not_deleted"}`))[:70]
	text := column("anchor_text", "anchor_text", of(rival, "root_domain", `{"scope":"root_domain"}`))[0]
	moved := column("top_pages", "page", of(rival, "root_domain", `{"filter":"status_301"}`))[0]
	allSeries := `{"daily_history_deltas":["pages_to_page","root_domains_to_root_domain"],"daily_history_values":["page_authority"],` +
		`"monthly_history_deltas":["external_pages_to_subdomain"],"monthly_history_values":["domain_authority","pages_to_root_domain_by_spam_score"],"distributions":true}`
	for name, tc := range map[string]struct {
		endpoint string
		task     pipeline.Task
		rows     int // at least
		// but are columns that differ.
		but []string
	}{
		"anchors of a domain":     {"anchor_text", of(rival, "root_domain", `{"scope":"root_domain"}`), 500, nil},
		"anchors of a host":       {"anchor_text", of(small, "subdomain", `{"scope":"subdomain"}`), 1, nil},
		"anchors of nobody":       {"anchor_text", of("quietpeak.example", "root_domain", `{"scope":"root_domain"}`), 0, nil},
		"links":                   {"links", of(small, "root_domain", `{"target_scope":"root_domain","filter":"external+not_deleted","sort":"source_domain_authority"}`), 5, nil},
		"links of all kinds":      {"links", of("pinecone-packs.example", "root_domain", `{"target_scope":"root_domain"}`), 50, nil},
		"links, one a domain":     {"links", of("pinecone-packs.example", "root_domain", `{"target_scope":"root_domain","source_scope":"root_domain"}`), 10, nil},
		"links of hosts":          {"links", of(small, "page", `{"target_scope":"page","source_scope":"subdomain"}`), 1, nil},
		"links without a text":    {"links", of(rival, "root_domain", `{"target_scope":"root_domain","anchor_text":""}`), 1, nil},
		"domains":                 {"linking_root_domains", of(small, "root_domain", `{"target_scope":"root_domain"}`), 10, nil},
		"followed domains":        {"linking_root_domains", of("pinecone-packs.example", "subdomain", `{"target_scope":"subdomain","filter":"external+follow","sort":"source_link_propensity"}`), 10, nil},
		"gained domains":          {"linking_root_domains", of(rival, "root_domain", `{"target_scope":"root_domain","sort":"date_gained","filter":"external+gained_last_60_days"}`), 1, nil},
		"lost domains":            {"linking_root_domains", of(rival, "root_domain", `{"target_scope":"root_domain","sort":"date_lost","filter":"external+lost_last_60_days","begin_date":"2026-03-01"}`), 1, nil},
		"intersect of pages":      {"link_intersect", of("", "page", `{"positive_targets":[{"target":"`+hub+`","scope":"root_domain"},{"target":"`+rival+`","scope":"subdomain"}],"negative_targets":[{"target":"`+small+`","scope":"root_domain"}],"source_scope":"page","min_matching_targets":2}`), 1, nil},
		"intersect of domains":    {"link_intersect", of("", "root_domain", `{"positive_targets":[{"target":"`+rival+`","scope":"root_domain"},{"target":"pinecone-packs.example","scope":"root_domain"}],"source_scope":"root_domain","sort":"source_domain_authority"}`), 50, nil},
		"links of a text":         {"links", of(rival, "root_domain", `{"target_scope":"root_domain","anchor_text":"`+text+`","sort":"source_domain_authority","filter":"external+follow"}`), 1, nil},
		"links of a source":       {"links", of(rival, "root_domain", `{"target_scope":"root_domain","source_root_domain":"`+linking[0]+`","filter":"external+follow"}`), 1, nil},
		"status":                  {"link_status", pipeline.Task{Target: rival, Scope: "root_domain", Inputs: sourcesOf(append(linking, "no-such.example", small)...), Params: `{"target_scope":"root_domain","source_scope":"root_domain"}`}, 72, nil},
		"status of pages":         {"link_status", pipeline.Task{Target: hub, Scope: "page", Inputs: sourcesOf(rival, rival+"/blog", small), Params: `{}`}, 3, nil},
		"a redirect":              {"final_redirect", of(moved, "", `{}`), 1, nil},
		"metrics":                 {"url_metrics", pipeline.Task{Inputs: targetsOf(hub, rival+"/", small, "www."+rival), Params: `{}`}, 3, nil},
		"metrics and their past":  {"url_metrics", pipeline.Task{Inputs: targetsOf(hub, rival, small), Params: allSeries}, 3, nil},
		"top pages":               {"top_pages", of(rival, "root_domain", `{"scope":"root_domain"}`), 5, nil},
		"top pages, found":        {"top_pages", of(rival, "subdomain", `{"scope":"subdomain","filter":"status_200","sort":"external_pages_to_page"}`), 1, nil},
		"no redirect":             {"final_redirect", of(hub, "", `{}`), 1, nil},
		"pages of the web":        {"global_top_pages", of("", "", `{}`), 100, nil},
		"root domains of the web": {"global_top_root_domains", of("", "", `{}`), 100, []string{"to_target_pages", "to_target_nofollow_pages", "to_target_redirect_pages", "to_target_deleted_pages"}}, // zeros on V2
		"index":                   {"index_metadata", of("", "", `{}`), 1, []string{"spam_score_update_days"}},                                                                                        // V2's alone
	} {
		t.Run(name, func(t *testing.T) {
			old, now := named(t, v2, tc.endpoint), named(t, rpc, tc.endpoint)
			oldPages := buy(t, old, tc.task, old.Endpoint().PageSize)
			before := server.Meter().Rows
			pages := buy(t, now, tc.task, now.Endpoint().PageSize)
			for _, table := range now.Endpoint().Tables() {
				want, got := bought(t, old, table, tc.task, oldPages), bought(t, now, table, tc.task, pages)
				for _, row := range append(want, got...) {
					for _, column := range tc.but {
						delete(row, column)
					}
				}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("%s: %d rows on V2, %d here: %.3000s", table.FullName(), len(want), len(got), diff)
				}
				if aside := table != now.Endpoint().Table; len(want) < tc.rows && !(aside && tc.task.Params == "{}") {
					t.Errorf("%s: only %d rows to compare", table.FullName(), len(want))
				}
			}
			var units pipeline.Units
			for _, p := range pages {
				units += p.Units
			}
			if billed := server.Meter().Rows - before; int64(units) != int64(billed) {
				t.Errorf("%d units by the prices, %d by the vendor's meter", units, billed)
			}
		})
	}
}

func TestAListOfAReplacedIndexIsStale(t *testing.T) {
	_, rpc, server := surfaces(t, emulator.Options{})
	s := named(t, rpc, "anchor_text")
	task := pipeline.Task{Target: "acme-outdoor.example", Params: `{"scope":"root_domain"}`}
	first, err := s.Fetch(t.Context(), task, pipeline.Ask{})
	if err != nil || first.End {
		t.Fatal(first.End, err)
	}
	server.SetDay(30)
	if _, err := s.Fetch(t.Context(), task, pipeline.Ask{Cursor: first.Next}); pipeline.KindOf(err) != pipeline.Stale {
		t.Error(err)
	}
}

func TestTheVendorsMeterIsRead(t *testing.T) {
	server := emulator.New(emulator.Options{Quota: 120})
	srv := httptest.NewServer(server)
	defer srv.Close()
	c := client(t, Config{BaseURL: srv.URL + "/jsonrpc", Token: emulator.DefaultToken})
	s := named(t, c.Sources(), "anchor_text")
	task := pipeline.Task{Target: "acme-outdoor.example", Params: `{"scope":"root_domain"}`}
	for _, left := range []pipeline.Units{70, 20, 0} {
		if _, err := s.Fetch(t.Context(), task, pipeline.Ask{}); err != nil {
			t.Fatal(err)
		}
		if got, err := c.Usage(t.Context(), time.Time{}, time.Time{}); err != nil || *got.Limit != 120 || *got.Remaining != left {
			t.Errorf("%+v, %v", got, err)
		}
	}
	if _, err := s.Fetch(t.Context(), task, pipeline.Ask{}); pipeline.KindOf(err) != pipeline.Exhausted {
		t.Error(err)
	}
}

// V2 has a row of zeros for a site it has never heard of. Here that is an error of the site's own, and no row: neither here
// nor in the side tables, nor one that is rejected.
func TestASiteWithoutARecordHasNoRow(t *testing.T) {
	_, rpc, server := surfaces(t, emulator.Options{Day: 100})
	s := named(t, rpc, "url_metrics")
	task := pipeline.Task{Inputs: targetsOf("no-such.example", "rivalgear.example"), Params: `{"distributions":true}`}
	pages := buy(t, s, task, 50)
	for _, table := range s.Endpoint().Tables() {
		for _, row := range bought(t, s, table, task, pages) {
			if row["target"] != "rivalgear.example" {
				t.Errorf("%s: %v", table.FullName(), row)
			}
		}
	}
	if rows := server.Meter().Rows; rows != 2 || len(pages) != 2 {
		t.Errorf("%d rows billed for %d pages", rows, len(pages))
	}
}
