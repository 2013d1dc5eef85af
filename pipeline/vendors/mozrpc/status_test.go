package mozrpc

import (
	"encoding/json"
	"strings"
	"testing"

	"backhaul/pipeline"
)

func TestRecordedStatusesBelongToTheirSources(t *testing.T) {
	var recorded []json.RawMessage
	if err := json.Unmarshal(sample(t, "link.status.fetch.multiple"), &recorded); err != nil {
		t.Fatal(err)
	}
	// In the order of Moz's example of a request, which is not that of its replies.
	asked := `{"queries":[{"target_site_query":{"query":"moz.com/blog","scope":"url"},"source_site_query":{"query":"facebook.com","scope":"domain"}},` +
		`{"target_site_query":{"query":"moz.com","scope":"domain"},"source_site_query":{"query":"facebook.com/about","scope":"url"}}]}`
	s := named(t, Offline(), "link_status")
	columns := []string{"source", "source_scope", "target_scope", "link_exists", "rank"}
	rows, rejected, err := decoded(t, s, s.Endpoint().Table, page(t, "data.site.link.status.fetch.multiple", asked, "", result(string(recorded[0]))))
	if err != nil || len(rejected) > 0 {
		t.Fatal(err, rejected)
	}
	same(t, own(rows, columns...), "facebook.com root_domain page false 1", "facebook.com/about page root_domain false 2")
	rows, rejected, err = decoded(t, s, s.Endpoint().Table, page(t, "data.site.link.status.fetch.multiple", asked, "", result(string(recorded[1]))))
	if err != nil || len(rejected) != 1 || rejected[0].Row != 1 || !strings.Contains(rejected[0].Reason, "UnhandledError") || !strings.Contains(string(rejected[0].JSON), "facebook.com/about") {
		t.Fatal(err, rejected)
	}
	same(t, own(rows, columns...), "facebook.com root_domain page true 1")
}

// What is told of a single pair is an element of the batch's results.
func TestRecordedStatusOfOnePair(t *testing.T) {
	body := result(`{"results_by_query":[` + string(sample(t, "link.status.fetch")) + `],"errors_by_query":[]}`)
	asked := `{"queries":[{"target_site_query":{"query":"latimes.com","scope":"domain"},"source_site_query":{"query":"moz.com","scope":"domain"}}]}`
	s := named(t, Offline(), "link_status")
	rows, rejected, err := decoded(t, s, s.Endpoint().Table, page(t, "data.site.link.status.fetch.multiple", asked, "", body))
	if err != nil || len(rejected) > 0 {
		t.Fatal(err, rejected)
	}
	same(t, own(rows, "source", "link_exists"), "moz.com true")
}

func TestStatusIsAskedSliceBySlice(t *testing.T) {
	c, seen := server(t, func(seen *got) (int, string) {
		var asked data
		if err := json.Unmarshal([]byte(seen.data), &asked); err != nil {
			return 500, err.Error()
		}
		var results []string
		for _, q := range asked.Queries {
			results = append(results, `{"source_site_query":{"query":"https://`+q.Source.Query+`"},"exists":`+map[bool]string{true: "true", false: "7"}[q.Source.Query != "c.com"]+`}`)
		}
		return 200, result(`{"results_by_query":[` + strings.Join(results, ",") + `]}`)
	})
	s := named(t, c.Sources(), "link_status")
	pages := buy(t, s, pipeline.Task{Target: "moz.com", Inputs: sourcesOf("a.com", "b.com", "c.com"), Params: `{"source_scope":"root_domain"}`}, 2)
	if len(pages) != 2 || seen.requests != 2 || pages[0].Units != 2 || pages[1].Units != 1 || pages[0].Next != "2" {
		t.Fatalf("%+v", pages)
	}
	rows, rejected := loaded(t, s, s.Endpoint().Table, pages)
	same(t, own(rows, "target", "source", "source_scope", "target_scope", "link_exists"), "moz.com a.com root_domain page true", "moz.com b.com root_domain page true")
	if len(rejected) != 1 || !strings.Contains(rejected[0].Reason, "true or false") {
		t.Error(rejected)
	}
}

func TestSourcesMozFailsAtAreAskedAgainWhenTheOthersAreDone(t *testing.T) {
	failing := map[string]int{"a.com": 1, "d.com": 2} // how often yet
	var calls []string
	c, _ := server(t, func(seen *got) (int, string) {
		var asked data
		if err := json.Unmarshal([]byte(seen.data), &asked); err != nil {
			return 500, err.Error()
		}
		calls = append(calls, strings.Join(asked.sources(), " "))
		var results, failures []string
		for _, q := range asked.Queries {
			echo := `{"source_site_query":{"query":"https://` + q.Source.Query + `"},`
			if failing[q.Source.Query]--; failing[q.Source.Query] >= 0 {
				failures = append(failures, echo+`"error":{"name":"UnhandledError","httpStatus":500}}`)
			} else {
				results = append(results, echo+`"exists":true}`)
			}
		}
		return 200, result(`{"results_by_query":[` + strings.Join(results, ",") + `],"errors_by_query":[` + strings.Join(failures, ",") + `]}`)
	})
	s := named(t, c.Sources(), "link_status")
	pages := buy(t, s, pipeline.Task{Target: "moz.com", Inputs: sourcesOf("a.com", "b.com", "c.com", "d.com", "e.com", "g.com")}, 3)
	if got := strings.Join(calls, "|"); got != "a.com b.com c.com|d.com e.com g.com|a.com d.com|d.com" {
		t.Errorf("asked %s", got)
	}
	if pages[0].Next != "3 again 0" || pages[1].Next != "6 again 0 3" {
		t.Errorf("%q, %q", pages[0].Next, pages[1].Next)
	}
	rows, rejected := loaded(t, s, s.Endpoint().Table, pages)
	same(t, own(rows, "source"), "b.com", "c.com", "e.com", "g.com", "a.com", "d.com")
	if len(rejected) > 0 {
		t.Errorf("rejected: %+v", rejected)
	}
}

func TestStatusesThatDoNotFitTheirSourcesAreMalformed(t *testing.T) {
	for name, body := range map[string]string{
		"missing":   `{"results_by_query":[],"errors_by_query":[]}`,
		"another's": `{"results_by_query":[{"source_site_query":{"query":"b.com"},"exists":true}]}`,
		"no list":   `{"results_by_query":{}}`,
		"errors":    `{"results_by_query":[],"errors_by_query":7}`,
		"both":      `{"results_by_query":[{"source_site_query":{"query":"a.com"},"exists":true}],"errors_by_query":[{"source_site_query":{"query":"a.com"},"error":{}}]}`,
	} {
		c, _ := fake(t, 200, result(body))
		p, err := named(t, c.Sources(), "link_status").Fetch(t.Context(), pipeline.Task{Target: "moz.com", Inputs: sourcesOf("a.com")}, pipeline.Ask{})
		if pipeline.KindOf(err) != pipeline.Malformed || err == nil || len(p.Body) == 0 {
			t.Errorf("%s: %v", name, err)
		}
	}
}
