package mozv2

import (
	"fmt"
	"testing"

	"backhaul/pipeline"
	"backhaul/pipeline/vendors/internal/rows"
)

func TestTheTailIsWhatTheLastRowWasSortedBy(t *testing.T) {
	for body, want := range map[string]float64{
		`{"results":[{"anchor_text":"a","external_root_domains":90,"external_pages":1},{"anchor_text":"b","external_root_domains":17,"external_pages":99}],"next_token":"x"}`: 17,
		`{"results":[{"root_domain":"a.example","domain_authority":55,"spam_score":99}],"next_token":"x"}`:                                                                    55,
		`{"results":[{"source":{"page":"a.example/","page_authority":31},"target":{"page_authority":90}}],"next_token":"x"}`:                                                  31,
		`{"results":[{"page":"a.example/","page_authority":40,"domain_authority":90}],"next_token":"x"}`:                                                                      40,
		`{"results":[],"next_token":"x"}`:                                 0,
		`{"results":[{"external_root_domains":"many"}],"next_token":"x"}`: 0,
	} {
		reply, err := rows.Scan([]byte(body), rows.Layout{List: "results", Token: "next_token"})
		if err != nil {
			t.Fatal(err)
		}
		if got := tail(reply); got != want {
			t.Errorf("%s: %v, want %v", body, got, want)
		}
	}
}

func TestOnlyTheFirstPageOfALongerListTellsItsTail(t *testing.T) {
	source := named(t, Offline(), "anchor_text")
	body := `{"results":[{"anchor_text":"a","external_root_domains":90,"external_pages":1}],"next_token":%q}`
	for _, c := range []struct {
		cursor pipeline.Cursor
		token  string
		want   float64
	}{{"", "x", 90}, {"y", "x", 0}, {"", "", 0}} {
		page, err := source.Read(pipeline.Task{Target: "moz.com"}, pipeline.Ask{}, pipeline.Page{Cursor: c.cursor, Status: 200, Body: fmt.Appendf(nil, body, c.token)})
		if err != nil || page.Tail != c.want {
			t.Errorf("%+v: tail %v, %v", c, page.Tail, err)
		}
	}
}
