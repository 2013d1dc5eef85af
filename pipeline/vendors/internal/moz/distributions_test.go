package moz

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"backhaul/schemas"
	"backhaul/testdata/vendors"
)

func TestTheDistributionsThatMozPrintsAreRead(t *testing.T) {
	var reply struct {
		Distributions json.RawMessage `json:"site_metrics_distributions"`
	}
	vendors.Decode(t, "moz/rpc_site.metrics.distributions.fetch.json", &reply)
	got, rejected := loaded(t, "moz.url_metrics_distribution", func(b *schemas.Builder) { LoadDistributions(b, 0, "moz.com/", reply.Distributions) })
	var numbers map[string][]int
	if err := json.Unmarshal(reply.Distributions, &numbers); err != nil || len(numbers) != len(Distributions) || len(rejected) > 0 {
		t.Fatal(err, len(numbers), rejected)
	}
	bounds := map[string][]string{"domains": {"0 0", "1 9", "10 99", "100 999", "1000 9999", "10000 99999", "100000 999999", "1000000 9999999", "10000000 99999999", "100000000 -"},
		"scores": {"1 10", "11 20", "21 30", "31 40", "41 50", "51 60", "61 70", "71 80", "81 90", "91 100"}}
	var want []string
	for i, name := range Distributions {
		kind := "scores"
		if i < 3 {
			kind = "domains"
		}
		for bucket, n := range numbers[name] {
			want = append(want, fmt.Sprintf("moz.com/ %s %d %s %d -", name, bucket, bounds[kind][bucket], n))
		}
	}
	if diff := cmp.Diff(want, got); diff != "" || len(got) != 130 {
		t.Error(diff)
	}
}

func TestDistributionsAreFoundBesideAndBelowTheMetrics(t *testing.T) {
	for name, object := range map[string]string{
		"beside": `{"page":"a.com/","root_domains_to_page":7,"root_domains_to_page_by_spam_score":[1,0,0,0,0,0,0,0,0,9]}`,
		"below":  `{"page":"a.com/","root_domains_to_page":7,"distributions":{"root_domains_to_page_by_spam_score":[1,0,0,0,0,0,0,0,0,9]}}`,
	} {
		got, rejected := loaded(t, "moz.url_metrics_distribution", func(b *schemas.Builder) { LoadDistributionsAmong(b, 0, "a.com/", []byte(object)) })
		if len(got) != 10 || len(rejected) > 0 || got[9] != "a.com/ root_domains_to_page_by_spam_score 9 91 100 9 -" {
			t.Errorf("%s: %v, rejected %v", name, got, rejected)
		}
	}
}

func TestADistributionMozDoesNotDocumentHasNoBounds(t *testing.T) {
	got, rejected := loaded(t, "moz.url_metrics_distribution", func(b *schemas.Builder) {
		LoadDistributions(b, 2, "a.com/", []byte(`{"new":[1,2],"root_domains_to_page_by_spam_score":[4],"odd":[1,"x"],"none":null}`))
	})
	want := []string{"a.com/ new 0 - - 1 -", "a.com/ new 1 - - 2 -", "a.com/ root_domains_to_page_by_spam_score 0 - - 4 -"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{`2: odd: want integers, got [1,"x"]: [1,"x"]`, `2: none: want integers, got null: null`}, rejected); diff != "" {
		t.Error(diff)
	}
}
