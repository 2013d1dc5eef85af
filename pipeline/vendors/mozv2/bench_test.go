package mozv2

import (
	"fmt"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow/memory"

	"backhaul/pipeline"
	"backhaul/schemas"
)

// BenchmarkDecode reads whole pages of 50 rows into Arrow builders, batches included.
func BenchmarkDecode(b *testing.B) {
	var metrics []string
	for i, name := range schemas.MozMetricNames()[6:] {
		metrics = append(metrics, fmt.Sprintf(`"%s":%d`, name, 1<<(i%34)))
	}
	end := `{"page":"blog.example.com/2026/post", "subdomain":"blog.example.com", "root_domain":"example.com", "title":"A post", "last_crawled":"2026-01-14", "http_code":200, ` + strings.Join(metrics, ", ") + `}`
	for endpoint, row := range map[string]string{
		"anchor_text":          `{"anchor_text":"the moz blog", "external_root_domains":1364, "external_pages":15525}`,
		"linking_root_domains": `{"root_domain":"github.com", "root_domains_to_root_domain":2948013, "domain_authority":96, "link_propensity":0.09679271281, "spam_score":2, "to_target":{"pages":12, "nofollow_pages":12, "redirect_pages":0, "deleted_pages":0}}`,
		"url_metrics":          end,
		"links":                `{"source":` + end + `, "target":` + end + `, "anchor_text":"moz", "date_first_seen":"2020-06-29", "date_last_seen":"2023-01-14", "date_disappeared":"", "nofollow":true, "redirect":false, "rel_canonical":false, "via_redirect":false, "via_rel_canonical":false}`,
	} {
		page := pipeline.Page{Body: []byte(`{"results":[` + strings.Repeat(row+", ", pageSize-1) + row + `], "next_token":"KIkQVg4s9ak8"}`)}
		page.Request = []byte(`{"targets":["blog.example.com/2026/post"` + strings.Repeat(`,"blog.example.com/2026/post"`, pageSize-1) + `]}`)
		s := named(b, Offline(), endpoint)
		b.Run(endpoint, func(b *testing.B) {
			builder := schemas.NewBuilder(memory.DefaultAllocator, s.Endpoint().Table)
			defer builder.Release()
			b.SetBytes(int64(len(page.Body)))
			b.ReportAllocs()
			for b.Loop() {
				builder.Begin(schemas.Origin{Rank: 1, Target: "moz.com"})
				if err := s.Decode(page, builder); err != nil {
					b.Fatal(err)
				}
				if builder.Len() >= 10_000 {
					builder.Batch().Release()
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*pageSize), "ns/row")
		})
	}
}
