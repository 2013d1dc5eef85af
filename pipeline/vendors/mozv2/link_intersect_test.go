package mozv2

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"backhaul/pipeline"
)

func TestMatchingTargetsAreNamed(t *testing.T) {
	s := named(t, Offline(), "link_intersect")
	rows, rejected, err := decoded(t, s, []byte(`{"results":[
		{"page":"x.com/","title":"X","domain_authority":40,"spam_score":-1,"matching_target_indexes":[0,1]},
		{"page":"y.com","title":"","domain_authority":30,"spam_score":2,"matching_target_indexes":[1],"matching_source_pages":[{"page":"y.com/a","page_authority":20}]},
		{"page":"z.com"}, {"page":"none.com","matching_target_indexes":[]}, {"page":"w.com/","matching_target_indexes":[2]}, {"page":"v.com/","matching_target_indexes":[0,-1]}],"next_token":"t"}`))
	if err != nil {
		t.Fatal(err)
	}
	var got []map[string]string
	for i, row := range rows {
		cells := texts(s.Endpoint().Table, row)
		if extra, ok := row["extra"].(string); ok {
			cells["extra"] = extra
		}
		if cells["positive_targets"] != `["a.com","b.com/x"]` || cells["negative_targets"] != `["own.com"]` || row["rank"] != int64(i+1) {
			t.Errorf("%v", row)
		}
		delete(cells, "positive_targets")
		delete(cells, "negative_targets")
		got = append(got, cells)
	}
	want := []map[string]string{
		{"page": "x.com/", "title": "X", "domain_authority": "40", "matching_target_indexes": "[0,1]", "matching_targets": `["a.com","b.com/x"]`},
		{"page": "y.com", "title": "", "domain_authority": "30", "spam_score": "2", "matching_target_indexes": "[1]", "matching_targets": `["b.com/x"]`, "extra": `{"matching_source_pages":[{"page":"y.com/a","page_authority":20}]}`},
		{"page": "z.com"},
		{"page": "none.com", "matching_target_indexes": "[]", "matching_targets": "[]"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	var reasons []string
	for _, r := range rejected {
		reasons = append(reasons, r.Reason)
	}
	if diff := cmp.Diff([]string{"matching_target_indexes: 2 is not a place among 2 positive_targets", "matching_target_indexes: -1 is not a place among 2 positive_targets"}, reasons); diff != "" {
		t.Error(diff)
	}
}

func TestWithoutNegativeTargetsTheirColumnIsEmpty(t *testing.T) {
	s := named(t, Offline(), "link_intersect")
	rows, _, err := decodedTo(t, s, s.Endpoint().Table, pipeline.Page{Request: []byte(`{"positive_targets":[{"target":"a.com","scope":"page"}]}`), Body: []byte(`{"results":[{"page":"x.com/","matching_target_indexes":[0]}]}`)})
	if err != nil || len(rows) != 1 || texts(s.Endpoint().Table, rows[0])["negative_targets"] != "[]" {
		t.Errorf("%v %v", rows, err)
	}
}

func TestAnIntersectionCostsFiveRowsAResult(t *testing.T) {
	c, _ := fake(t, 200, `{"results":[{"page":"x.com/"},{"page":"y.com/"}],"next_token":"t"}`)
	page, err := named(t, c.Sources(), "link_intersect").Fetch(t.Context(), pipeline.Task{Target: "own.com", Params: `{"positive_targets":[{"scope":"page","target":"a.com"}]}`}, pipeline.Ask{})
	if err != nil || page.Rows != 2 || page.Units != 10 || page.Next != "t" || page.End {
		t.Errorf("%+v, %v", page, err)
	}
}
