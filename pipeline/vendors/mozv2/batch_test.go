package mozv2

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"backhaul/pipeline"
)

func TestBatchesAreAskedPartByPart(t *testing.T) {
	task := pipeline.Task{Target: "moz.com", Scope: "page", Inputs: sourceBatch("a.com", "b.com", "c.com", "d.com", "e.com")}
	for _, tc := range []struct {
		cursor, next pipeline.Cursor
		limit        int
		reply        string
		units        pipeline.Units
		end          bool
	}{
		{"", "2", 2, `{"exists":[true,false]}`, 4, false},
		{"2", "4", 2, `{"exists":[true,false]}`, 4, false},
		{"4", "5", 2, `{"exists":[true]}`, 2, true},
		{"", "5", 0, `{"exists":[true,false,true,false,true]}`, 10, true},
	} {
		c, _ := fake(t, 200, tc.reply)
		page, err := named(t, c.Sources(), "link_status").Fetch(t.Context(), task, pipeline.Ask{Cursor: tc.cursor, Limit: tc.limit})
		if err != nil || page.Next != tc.next || page.End != tc.end || page.Units != tc.units || page.Rows != int(tc.units)/2 || page.Cursor != tc.cursor {
			t.Errorf("at %q: %+v, %v", tc.cursor, page, err)
		}
	}
}

func TestAReplyThatDoesNotFitItsBatchIsKeptAndNotRead(t *testing.T) {
	for name, tc := range map[string]struct {
		endpoint    string
		batch       []pipeline.Input
		reply, says string
	}{
		"an answer short":  {"link_status", sourceBatch("a.com", "b.com"), `{"exists":[true]}`, "1 answers for 2 sources"},
		"an answer more":   {"link_status", sourceBatch("a.com"), `{"exists":[true,false]}`, "2 answers for 1 sources"},
		"a result short":   {"url_metrics", targetBatch("a.com", "b.com"), `{"results":[{"page":"b.com/"}]}`, "1 results for 2 targets"},
		"a result more":    {"url_metrics", targetBatch("a.com"), `{"results":[{"page":"a.com/"},{"page":"a.com/"}]}`, "2 results for 1 targets"},
		"one of another":   {"url_metrics", targetBatch("a.com", "b.com"), `{"results":[{"page":"a.com/"},{"page":"c.com/"}]}`, `result 1 is about "c.com/", where "b.com"`},
		"the first, twice": {"url_metrics", targetBatch("a.com", "b.com"), `{"results":[{"page":"a.com/"},{"page":"a.com/"}]}`, `result 1 is about "a.com/", where "b.com"`},
	} {
		c, _ := fake(t, 200, tc.reply)
		s := named(t, c.Sources(), tc.endpoint)
		page, err := s.Fetch(t.Context(), pipeline.Task{Target: "moz.com", Inputs: tc.batch}, pipeline.Ask{})
		var e *pipeline.Error
		if !errors.As(err, &e) || e.Kind != pipeline.Malformed || !e.MaybeCharged || !strings.Contains(e.Message, tc.says) || strings.Contains(e.Message, "the reply says") || string(page.Body) != tc.reply {
			t.Errorf("%s: %s, %v", name, page.Body, err)
		}
		for _, table := range s.Endpoint().Tables() {
			if rows, rejected, err := decodedTo(t, s, table, page); err == nil || !strings.Contains(err.Error(), tc.says) || len(rows)+len(rejected) > 0 {
				t.Errorf("%s: %s: %v %v %v", name, table.FullName(), rows, rejected, err)
			}
		}
	}
}

func TestResultsInAnotherOrderAreGivenBackToTheirTargets(t *testing.T) {
	c, _ := fake(t, 200, `{"results":[{"page":"c.com/","page_authority":3},{"page":"www.a.com/","page_authority":1,"distributions":{"x":[1]}},{"page":"b.com/x/","page_authority":2}]}`)
	s := named(t, c.Sources(), "url_metrics")
	page, err := s.Fetch(t.Context(), pipeline.Task{Inputs: targetBatch("a.com", "b.com/x", "c.com")}, pipeline.Ask{})
	if err != nil || page.Rows != 3 || page.Units != 3 || !page.End {
		t.Fatalf("%+v, %v", page, err)
	}
	rows, rejected, err := decodedTo(t, s, s.Endpoint().Table, page)
	if err != nil || len(rejected) > 0 {
		t.Fatal(rejected, err)
	}
	var got []any
	for _, row := range rows {
		got = append(got, row["target"], row["page"], row["page_authority"], row["rank"])
	}
	if diff := cmp.Diff([]any{"a.com", "www.a.com/", int64(1), int64(1), "b.com/x", "b.com/x/", int64(2), int64(1), "c.com", "c.com/", int64(3), int64(1)}, got); diff != "" {
		t.Error(diff)
	}
	rows, _, err = decodedTo(t, s, s.Endpoint().Also[1], page)
	if err != nil || len(rows) != 1 || rows[0]["target"] != "a.com" || rows[0]["page"] != "www.a.com/" {
		t.Errorf("distributions: %v %v", rows, err)
	}
}

func TestAResultThatIsNoneIsRejectedUnderItsTarget(t *testing.T) {
	s := named(t, Offline(), "url_metrics")
	rows, rejected, err := decoded(t, s, []byte(`{"results":[{"error":"no such page"},{"page":"b.com/x","page_authority":2}]}`))
	if err != nil || len(rows) != 1 || rows[0]["target"] != "b.com/x" {
		t.Fatal(rows, err)
	}
	if len(rejected) != 1 || rejected[0].Origin.Target != "a.com" || rejected[0].Row != 0 || rejected[0].Reason != "page: missing" {
		t.Errorf("%+v", rejected)
	}
	rows, rejected, err = decoded(t, named(t, Offline(), "link_status"), []byte(`{"exists":[true,"yes",false]}`))
	if err != nil || len(rows) != 2 || rows[1]["source"] != "c.com" || rows[1]["link_exists"] != false || len(rejected) != 1 {
		t.Fatal(rows, rejected, err)
	}
	if r := rejected[0]; r.Row != 1 || r.Reason != `exists: want true or false for b.com, got "yes"` || string(r.JSON) != `"yes"` {
		t.Errorf("%+v", r)
	}
}

func TestLinkStatusTellsItsIndexIfMozDoes(t *testing.T) {
	s := named(t, Offline(), "link_status")
	for body, want := range map[string]any{`{"exists":[true,true,true],"index_id":"NE+l=="}`: "NE+l==", `{"exists":[true,true,true],"index_id":7}`: nil} {
		rows, _, err := decoded(t, s, []byte(body))
		if err != nil || len(rows) != 3 || rows[2]["index_id"] != want {
			t.Errorf("%s: %v %v", body, rows, err)
		}
	}
}

func TestWhatIsLeftOfABatchHasItsPrice(t *testing.T) {
	many := make([]string, 120)
	for i := range many {
		many[i] = "a.com"
	}
	for _, tc := range []struct {
		endpoint, params string
		batch            []pipeline.Input
		at               pipeline.Cursor
		worst            pipeline.Units
		pages            int64
		units            pipeline.Units
	}{
		{"link_status", "", sourceBatch(many...), "", 100, 3, 240},
		{"link_status", "", sourceBatch(many...), "100", 40, 1, 40},
		{"url_metrics", "", targetBatch("a.com", "b.com", "c.com"), "", 3, 1, 3},
		{"url_metrics", `{"distributions":true,"daily_history_values":["page_authority","domain_authority"]}`, targetBatch("a.com", "b.com", "c.com"), "1", 8, 1, 8},
	} {
		e := named(t, Offline(), tc.endpoint).Endpoint()
		task := pipeline.Task{Inputs: tc.batch, Params: tc.params}
		p, err := e.PriceOf(task, pipeline.Ask{Cursor: tc.at, Limit: 50})
		if err != nil || p.Worst(50) != tc.worst {
			t.Errorf("%s at %q: %d, want %d (%v)", tc.endpoint, tc.at, p.Worst(50), tc.worst, err)
		}
		if pages, units, ok := e.Estimate(task, tc.at); !ok || pages != tc.pages || units != tc.units {
			t.Errorf("%s at %q: %d pages, %d units, %v; want %d, %d", tc.endpoint, tc.at, pages, units, ok, tc.pages, tc.units)
		}
	}
	e := named(t, Offline(), "url_metrics").Endpoint()
	for name, cursor := range map[string]pipeline.Cursor{"behind": "1", "beyond": "2", "no place": "x"} {
		if p, err := e.PriceOf(pipeline.Task{Inputs: targetBatch("a.com")}, pipeline.Ask{Cursor: cursor}); err == nil {
			t.Errorf("%s has a price: %+v", name, p)
		}
	}
	if pages, units, ok := e.Estimate(pipeline.Task{Inputs: targetBatch("a.com")}, "1"); pages != 0 || units != 0 || !ok {
		t.Errorf("behind the batch: %d pages, %d units, %v", pages, units, ok)
	}
}

func TestTheListsOverTheWebCostWhatFiveHundredRowsDo(t *testing.T) {
	for _, name := range []string{"global_top_pages", "global_top_root_domains"} {
		e := named(t, Offline(), name).Endpoint()
		if pages, units, ok := e.Estimate(pipeline.Task{}, ""); pages != 10 || units != 500 || !ok {
			t.Errorf("%s: %d pages, %d units, %v", name, pages, units, ok)
		}
		if pages, units, ok := e.Estimate(pipeline.Task{MaxRows: 60}, ""); pages != 2 || units != 60 || !ok {
			t.Errorf("60 rows of %s: %d pages, %d units, %v", name, pages, units, ok)
		}
	}
}
