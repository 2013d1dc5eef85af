package mozv2

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"backhaul/pipeline"
	"backhaul/testdata/vendors"
)

const threeAnchors = `{"results":[{"anchor_text":"moz", "external_root_domains":2026, "external_pages":7162}, {"anchor_text":"", "external_root_domains":5, "external_pages":9}, 17]`

// whateverAsked is a reply that no endpoint takes for cut or misses the list in.
const whateverAsked = `{"results":[],"exists":[],"page":"","index_id":"x","rows_consumed":1}`

func targetBatch(names ...string) []pipeline.Input {
	inputs := make([]pipeline.Input, len(names))
	for i, name := range names {
		inputs[i].Target = name
	}
	return inputs
}

func sourceBatch(names ...string) []pipeline.Input {
	inputs := make([]pipeline.Input, len(names))
	for i, name := range names {
		inputs[i].Source = name
	}
	return inputs
}

func TestRequestBodies(t *testing.T) {
	for name, tc := range map[string]struct {
		endpoint string
		task     pipeline.Task
		ask      pipeline.Ask
		want     string
	}{
		"scope of the task": {"anchor_text", pipeline.Task{Target: "moz.com", Scope: "root_domain", Params: `{}`}, pipeline.Ask{},
			`{"limit":50,"scope":"root_domain","target":"moz.com"}`},
		"scope among the parameters": {"anchor_text", pipeline.Task{Target: "moz.com/blog", Scope: "subdomain", Params: `{"scope":"subdomain"}`}, pipeline.Ask{Limit: 5},
			`{"limit":5,"scope":"subdomain","target":"moz.com/blog"}`},
		"default scope": {"links", pipeline.Task{Target: "moz.com"}, pipeline.Ask{}, `{"limit":50,"target":"moz.com","target_scope":"page"}`},
		"next page": {"links", pipeline.Task{Target: "moz.com", Params: `{"filter":"external+not_deleted","sort":"source_domain_authority","subdomains_limited_to_one":["a.com","b.com"],"target_scope":"page"}`},
			pipeline.Ask{Cursor: "AVvpJ4gPPvOY", Limit: 1},
			`{"filter":"external+not_deleted","limit":1,"next_token":"AVvpJ4gPPvOY","sort":"source_domain_authority","subdomains_limited_to_one":["a.com","b.com"],"target":"moz.com","target_scope":"page"}`},
		"links without text":      {"links", pipeline.Task{Target: "moz.com", Params: `{"anchor_text":""}`}, pipeline.Ask{}, `{"anchor_text":"\u0000","limit":50,"target":"moz.com","target_scope":"page"}`},
		"links with a text":       {"links", pipeline.Task{Target: "moz.com", Params: `{"anchor_text":"møz \"blog\""}`}, pipeline.Ask{}, `{"anchor_text":"møz \"blog\"","limit":50,"target":"moz.com","target_scope":"page"}`},
		"limit beyond the vendor": {"linking_root_domains", pipeline.Task{Target: "moz.com"}, pipeline.Ask{Limit: 51}, `{"limit":50,"target":"moz.com","target_scope":"page"}`},
		"dates": {"linking_root_domains", pipeline.Task{Target: "moz.com", Params: `{"begin_date":"2026-01-01","sort":"date_gained","target_scope":"root_domain"}`}, pipeline.Ask{},
			`{"begin_date":"2026-01-01","limit":50,"sort":"date_gained","target":"moz.com","target_scope":"root_domain"}`},
		"two targets and one to be away": {"link_intersect", pipeline.Task{Target: "moz.com", Scope: "page", Params: `{"min_matching_targets":2,"negative_targets":[{"scope":"root_domain","target":"moz.com"}],"positive_targets":[{"scope":"root_domain","target":"latimes.com"},{"scope":"subdomain","target":"blog.nytimes.com"}],"sort":"source_domain_authority"}`}, pipeline.Ask{Limit: 1, Cursor: "AcmY"},
			`{"limit":1,"min_matching_targets":2,"negative_targets":[{"scope":"root_domain","target":"moz.com"}],"next_token":"AcmY","positive_targets":[{"scope":"root_domain","target":"latimes.com"},{"scope":"subdomain","target":"blog.nytimes.com"}],"sort":"source_domain_authority","source_scope":"page"}`},
		"sources": {"link_status", pipeline.Task{Target: "moz.com/blog", Params: `{"source_scope":"root_domain","target_scope":"page"}`, Inputs: sourceBatch("twitter.com", "linkedin.com")}, pipeline.Ask{},
			`{"source_scope":"root_domain","sources":["twitter.com","linkedin.com"],"target":"moz.com/blog","target_scope":"page"}`},
		"the rest of the sources": {"link_status", pipeline.Task{Target: "moz.com", Scope: "root_domain", Inputs: sourceBatch("a.com", "b.com", "c.com")}, pipeline.Ask{Cursor: "1", Limit: 1},
			`{"source_scope":"page","sources":["b.com"],"target":"moz.com","target_scope":"root_domain"}`},
		"a page's redirects": {"final_redirect", pipeline.Task{Target: "seomoz.org/blog", Params: `{}`}, pipeline.Ask{Limit: 1}, `{"page":"seomoz.org/blog"}`},
		"targets":            {"url_metrics", pipeline.Task{Inputs: targetBatch("moz.com", "nytimes.com"), Params: `{}`}, pipeline.Ask{}, `{"targets":["moz.com","nytimes.com"]}`},
		"targets with a past": {"url_metrics", pipeline.Task{Inputs: targetBatch("moz.com"), Params: `{"distributions":true,"monthly_history_values":["page_authority"]}`}, pipeline.Ask{},
			`{"distributions":true,"monthly_history_values":["page_authority"],"targets":["moz.com"]}`},
		"top pages":           {"top_pages", pipeline.Task{Target: "moz.com"}, pipeline.Ask{Limit: 5}, `{"limit":5,"scope":"root_domain","target":"moz.com"}`},
		"top pages of a host": {"top_pages", pipeline.Task{Target: "moz.com", Scope: "subdomain", Params: `{"filter":"status_4xx","scope":"subdomain","sort":"root_domains_to_page"}`}, pipeline.Ask{Cursor: "x"}, `{"filter":"status_4xx","limit":50,"next_token":"x","scope":"subdomain","sort":"root_domains_to_page","target":"moz.com"}`},
		"top of the web":      {"global_top_pages", pipeline.Task{Params: `{}`}, pipeline.Ask{Limit: 5, Cursor: "x"}, `{"limit":5,"next_token":"x"}`},
		"domains of the web":  {"global_top_root_domains", pipeline.Task{}, pipeline.Ask{}, `{"limit":50}`},
		"nothing to say":      {"index_metadata", pipeline.Task{Params: `{}`}, pipeline.Ask{Limit: 1}, `{}`},
		"a month of usage":    {"usage_data", pipeline.Task{Params: `{}`}, pipeline.Ask{Limit: 1}, `{}`},
		"a period of usage":   {"usage_data", pipeline.Task{Params: `{"end":"1635466367","start":"18374"}`}, pipeline.Ask{}, `{"end":"1635466367","start":"18374"}`},
	} {
		c, seen := fake(t, 200, whateverAsked)
		page, err := named(t, c.Sources(), tc.endpoint).Fetch(t.Context(), tc.task, tc.ask)
		batched := named(t, c.Sources(), tc.endpoint).Endpoint().Asks.Batched() // nothing is no answer to it
		if (err != nil) != batched || seen.body != tc.want || string(page.Request) != tc.want {
			t.Errorf("%s: sent %s\n kept %s\n want %s\n %v", name, seen.body, page.Request, tc.want, err)
		}
		if seen.path != "POST /v2/"+tc.endpoint || seen.header.Get("Content-Type") != "application/json" {
			t.Errorf("%s: %s %v", name, seen.path, seen.header)
		}
	}
}

func TestRequestsThatCannotBeMadeAreRejectedUnsent(t *testing.T) {
	const seven = `[{"scope":"page","target":"a.com"},{"scope":"page","target":"b.com"},{"scope":"page","target":"c.com"},{"scope":"page","target":"d.com"},{"scope":"page","target":"e.com"},{"scope":"page","target":"f.com"},{"scope":"page","target":"g.com"}]`
	for name, tc := range map[string]struct {
		endpoint string
		task     pipeline.Task
		cursor   pipeline.Cursor
	}{
		"no target":             {"links", pipeline.Task{Params: `{}`}, ""},
		"no JSON":               {"links", pipeline.Task{Target: "moz.com", Params: `{"a":`}, ""},
		"no object":             {"links", pipeline.Task{Target: "moz.com", Params: `null`}, ""},
		"duplicate":             {"links", pipeline.Task{Target: "moz.com", Params: `{"a":1,"a":2}`}, ""},
		"a limit of its own":    {"links", pipeline.Task{Target: "moz.com", Params: `{"limit":10}`}, ""},
		"a token of its own":    {"links", pipeline.Task{Target: "moz.com", Params: `{"next_token":"x"}`}, ""},
		"no page":               {"final_redirect", pipeline.Task{}, ""},
		"a page of its own":     {"final_redirect", pipeline.Task{Target: "moz.com", Params: `{"page":"x"}`}, ""},
		"no batch":              {"url_metrics", pipeline.Task{Target: "moz.com"}, ""},
		"an empty batch":        {"url_metrics", pipeline.Task{Inputs: []pipeline.Input{}}, ""},
		"a batch of nothing":    {"url_metrics", pipeline.Task{Inputs: sourceBatch("a.com")}, ""},
		"targets of its own":    {"url_metrics", pipeline.Task{Inputs: targetBatch("a.com"), Params: `{"targets":["b.com"]}`}, ""},
		"behind the batch":      {"url_metrics", pipeline.Task{Inputs: targetBatch("a.com")}, "1"},
		"off the batch":         {"url_metrics", pipeline.Task{Inputs: targetBatch("a.com")}, "x"},
		"not a price":           {"url_metrics", pipeline.Task{Inputs: targetBatch("a.com"), Params: `{"distributions":"yes"}`}, ""},
		"no sources":            {"link_status", pipeline.Task{Target: "moz.com"}, ""},
		"no target for sources": {"link_status", pipeline.Task{Inputs: sourceBatch("a.com")}, ""},
		"no targets to meet":    {"link_intersect", pipeline.Task{Target: "moz.com", Params: `{}`}, ""},
		"too many to meet":      {"link_intersect", pipeline.Task{Target: "moz.com", Params: `{"positive_targets":` + seven + `}`}, ""},
	} {
		c, seen := fake(t, 200, whateverAsked)
		_, err := named(t, c.Sources(), tc.endpoint).Fetch(t.Context(), tc.task, pipeline.Ask{Cursor: tc.cursor})
		if pipeline.KindOf(err) != pipeline.Rejected || seen.path != "" {
			t.Errorf("%s: %v, %s", name, err, seen.path)
		}
	}
}

func TestListEndsWhereTheTokenIsAbsentNullOrEmpty(t *testing.T) {
	for rest, end := range map[string]bool{`}`: true, `,"next_token":null}`: true, `,"next_token":""}`: true, `,"next_token":"x"}`: false, `,"next_token":" "}`: false} {
		c, _ := fake(t, 200, threeAnchors+rest)
		page, err := fetch(t, c, "anchor_text")
		if err != nil || page.End != end || end && page.Next != "" {
			t.Errorf("%s: %+v, %v", rest, page, err)
		}
	}
}

func TestMalformedPagesAreHandedOverWithTheError(t *testing.T) {
	for name, body := range map[string]string{
		"too deep":    `{"results":[` + strings.Repeat("[", 63) + strings.Repeat("]", 63) + `]}`,
		"no results":  `{"detail":"something is wrong"}`,
		"token":       `{"results":[],"next_token":1}`,
		"rows, error": threeAnchors + `,"next_token":"","error":"internal error"}`,
		"no token":    threeAnchors + `,"next_token":{},"error":"internal error"}`,
	} {
		c, _ := fake(t, 200, body)
		page, err := fetch(t, c, "anchor_text")
		var e *pipeline.Error
		if !errors.As(err, &e) || e.Kind != pipeline.Malformed || !e.MaybeCharged || e.Status != 200 {
			t.Errorf("%s: %v", name, err)
		}
		if !strings.HasPrefix(body, string(page.Body)) || len(page.Body) < len(body) || len(page.Request) == 0 || page.Status != 200 || page.FetchedAt.IsZero() {
			t.Errorf("%s: the page is lost: %d bytes", name, len(page.Body))
		}
		if name == "no results" && !strings.Contains(err.Error(), "something is wrong") {
			t.Errorf("%s: what the reply says is lost: %v", name, err)
		}
	}
}

func TestRefusals(t *testing.T) {
	for name, tc := range map[string]struct {
		status int
		body   string
		want   pipeline.Kind
	}{
		"stale token":         {410, `{"message":"The next token has expired"}`, pipeline.Stale},
		"bad parameter":       {400, `{"message":"begin_date needs a date sort"}`, pipeline.Rejected},
		"rows in a 400":       {400, `{"message":"limit: at most 50 rows"}`, pipeline.Rejected},
		"no access":           {403, `{"message":"Forbidden"}`, pipeline.Denied},
		"plan lacks it":       {403, `{"error":"your plan does not include the Links API"}`, pipeline.Denied},
		"quota, 403":          {403, `{"message":"Monthly row limit exceeded"}`, pipeline.Exhausted},
		"quota, 402":          {402, ``, pipeline.Exhausted},
		"quota, 429":          {429, `{"error":{"message":"You have used all rows of your quota"}}`, pipeline.Exhausted},
		"rows, 429":           {429, `No rows remaining in this billing period`, pipeline.Exhausted},
		"rows, 503":           {503, `{"message":"row limit reached"}`, pipeline.Exhausted},
		"pace":                {429, `{"message":"Too many requests"}`, pipeline.Throttled},
		"pace, in quota talk": {429, `{"message":"Rate limit: request quota per second exceeded"}`, pipeline.Throttled},
		"maintenance":         {503, `{"message":"down for monthly maintenance"}`, pipeline.Transient},
		"proxy's page":        {503, `<html><div class="row">limit</div>`, pipeline.Transient},
		"server":              {500, `{"message":"oops"}`, pipeline.Transient},
	} {
		c, _ := fake(t, tc.status, tc.body)
		page, err := fetch(t, c, "anchor_text")
		if err == nil || pipeline.KindOf(err) != tc.want || page.Body != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// The requests that brought the recorded replies are made again, member for member.
func TestRecordedRequestsAreMadeAlike(t *testing.T) {
	var sent map[string]map[string]any
	vendors.Decode(t, "moz/v2_requests.json", &sent)
	if len(sent) != len(Surface().Endpoints()) {
		t.Errorf("%d requests for %d endpoints", len(sent), len(Surface().Endpoints()))
	}
	for endpoint, want := range sent {
		task, ask := pipeline.Task{}, pipeline.Ask{}
		params := map[string]any{}
		for name, value := range want {
			switch name {
			case "target", "page":
				task.Target = value.(string)
			case "targets":
				task.Inputs = targetBatch(strs(value)...)
			case "sources":
				task.Inputs = sourceBatch(strs(value)...)
			case "limit":
				ask.Limit = int(value.(float64))
			default:
				params[name] = value
			}
		}
		encoded, err := json.Marshal(params)
		if err != nil {
			t.Fatal(err)
		}
		task.Params = string(encoded)
		question, err := buying(t, endpoint).ask(task, ask)
		if err != nil {
			t.Error(err)
			continue
		}
		var got map[string]any
		if err := json.Unmarshal(question.body, &got); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", endpoint, diff)
		}
	}
}

func strs(list any) (out []string) {
	for _, item := range list.([]any) {
		out = append(out, item.(string))
	}
	return out
}
