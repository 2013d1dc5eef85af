package moz

import (
	"math"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"

	"backhaul/schemas"
)

// Distributions are the names of the distributions of a page, ten buckets each. Source: Moz JSON-RPC,
// data.site.metrics.distributions.fetch; V2's names are taken to be the same.
var Distributions = []string{
	"root_domains_to_page_by_root_domains", "root_domains_to_root_domain_by_root_domains", "nofollow_root_domains_to_root_domain_by_root_domains",
	"root_domains_to_page_by_domain_authority", "root_domains_to_subdomain_by_domain_authority", "root_domains_to_root_domain_by_domain_authority",
	"nofollow_root_domains_to_root_domain_by_domain_authority",
	"pages_to_root_domain_by_spam_score", "nofollow_pages_to_root_domain_by_spam_score", "root_domains_to_page_by_spam_score",
	"root_domains_to_subdomain_by_spam_score", "root_domains_to_root_domain_by_spam_score", "nofollow_root_domains_to_root_domain_by_spam_score",
}

// buckets is how many numbers a documented distribution has.
const buckets = 10

// LoadDistributions appends the distributions of a page to a builder of moz.url_metrics_distribution: every member of
// object, which is checked JSON, is one, in the order of the reply. What cannot be read is rejected; place is that of the page
// in its reply.
func LoadDistributions(b *schemas.Builder, place int, page string, object []byte) {
	members, err := membersOf(object)
	if err != nil {
		b.Reject(place, object, &schemas.FieldError{Field: "distributions", Problem: err.Error()})
	}
	for _, m := range members {
		loadDistribution(b, place, page, m)
	}
}

// LoadDistributionsAmong is LoadDistributions for an object that has other members, too: it reads those that Distributions
// names, and those of its member distributions.
func LoadDistributionsAmong(b *schemas.Builder, place int, page string, object []byte) {
	members, err := membersOf(object)
	if err != nil {
		return // the row of metrics says so
	}
	for _, m := range members {
		switch {
		case m.name == "distributions" && m.value.Kind() != 'n':
			LoadDistributions(b, place, page, m.value)
		case slices.Contains(Distributions, m.name):
			loadDistribution(b, place, page, m)
		}
	}
}

func loadDistribution(b *schemas.Builder, place int, page string, m member) {
	var numbers []int64
	if m.value.Kind() != '[' || json.Unmarshal(m.value, &numbers) != nil {
		b.Reject(place, m.value, &schemas.FieldError{Field: m.name, Problem: "want integers, got " + brief(m.value)})
		return
	}
	appendDistribution(b, page, m.name, numbers)
}

func appendDistribution(b *schemas.Builder, page, series string, numbers []int64) {
	t := b.Table()
	for i, n := range numbers {
		row := b.Row()
		row.SetString(t.Index("page"), page)
		row.SetString(t.Index("series"), series)
		row.SetInt(t.Index("bucket"), int64(i))
		if lower, upper, known := bounds(series, i, len(numbers)); known {
			row.SetInt(t.Index("lower"), lower)
			if upper < math.MaxInt64 {
				row.SetInt(t.Index("upper"), upper)
			}
		}
		row.SetInt(t.Index("value"), n)
		b.Append()
	}
}

// bounds returns what a bucket counts: linking domains 0, 1-9, 10-99 and so on up to 100000000 and more, or a score of
// 1-10, 11-20 and so on. Source: as of Distributions.
func bounds(series string, bucket, of int) (lower, upper int64, known bool) {
	switch {
	case of != buckets || !slices.Contains(Distributions, series):
		return 0, 0, false
	case !strings.HasSuffix(series, "_by_root_domains"):
		return int64(10*bucket + 1), int64(10*bucket + 10), true
	case bucket == 0:
		return 0, 0, true
	}
	lower = 1
	for range bucket - 1 {
		lower *= 10
	}
	if bucket == buckets-1 {
		return lower, math.MaxInt64, true
	}
	return lower, 10*lower - 1, true
}
