package rows

import (
	"fmt"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow/memory"

	"backhaul/schemas"
)

const perPage = 50

func anchorPage() string {
	return page(`{"anchor_text":"the moz blog %d", "external_root_domains":1364, "external_pages":15525}`)
}

// linksPage has all 52 metrics twice, in the vendor's order.
func linksPage() string {
	var metrics []string
	for i, c := range schemas.MozMetricNames() {
		switch c {
		case "page", "subdomain", "root_domain", "title":
			metrics = append(metrics, fmt.Sprintf(`"%s":"blog.example.com/2026/some-post"`, c))
		case "last_crawled":
			metrics = append(metrics, `"last_crawled":"2026-01-14"`)
		case "link_propensity":
			metrics = append(metrics, `"link_propensity":0.09679271281`)
		default:
			metrics = append(metrics, fmt.Sprintf(`"%s":%d`, c, 1<<(i%34)))
		}
	}
	end := "{" + strings.Join(metrics, ", ") + "}"
	return page(`{"source":` + end + `, "target":` + end + `, "anchor_text":"moz %d", "date_first_seen":"2020-06-29", "date_last_seen":"2023-01-14", "date_disappeared":"", ` +
		`"nofollow":true, "redirect":false, "rel_canonical":false, "via_redirect":false, "via_rel_canonical":false}`)
}

func page(row string) string {
	list := make([]string, perPage)
	for i := range list {
		list[i] = fmt.Sprintf(row, i)
	}
	return `{"results":[` + strings.Join(list, ", ") + `], "next_token":"KIkQVg4s9ak8"}`
}

func anchorShape() *Shape { return MustCompile(schemas.Lookup("moz.anchor_text")) }

func linksShape() *Shape {
	return MustCompile(schemas.Lookup("moz.links"), Rule{Column: "source_*", Path: "source.*"}, Rule{Column: "target_*", Path: "target.*"})
}

func TestDecodingARowAllocatesNothing(t *testing.T) {
	for name, tc := range map[string]struct {
		shape *Shape
		page  string
	}{"anchor_text": {anchorShape(), anchorPage()}, "links": {linksShape(), linksPage()}} {
		r, err := Scan([]byte(tc.page), layout)
		if err != nil {
			t.Fatal(err)
		}
		b := schemas.NewBuilder(memory.DefaultAllocator, tc.shape.table)
		defer b.Release()
		d := decoder{shape: tc.shape}
		n := testing.AllocsPerRun(10, func() {
			for _, raw := range r.Rows() {
				if err := d.decode(raw, b.Row()); err != nil {
					t.Fatal(err)
				}
			}
		})
		if n > 2 { // the iteration itself
			t.Errorf("%s: %v allocations for %d rows", name, n, perPage)
		}
	}
}

func BenchmarkAnchorRow(b *testing.B) { benchmark(b, anchorShape(), anchorPage()) }
func BenchmarkLinksRow(b *testing.B)  { benchmark(b, linksShape(), linksPage()) }

// benchmark reports each step per row: checking the reply, converting the rows, and both with the Arrow batch.
func benchmark(b *testing.B, s *Shape, page string) {
	body := []byte(page)
	builder := schemas.NewBuilder(memory.DefaultAllocator, s.table)
	defer builder.Release()
	reply, err := Scan(body, layout)
	if err != nil {
		b.Fatal(err)
	}
	d := decoder{shape: s}
	perRow := func(name string, step func()) {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(body)))
			b.ReportAllocs()
			for b.Loop() {
				step()
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*perPage), "ns/row")
		})
	}
	perRow("check", func() { _, _ = Scan(body, layout) })
	perRow("convert", func() {
		for _, raw := range reply.Rows() {
			_ = d.decode(raw, builder.Row())
		}
	})
	perRow("load", func() {
		r, _ := Scan(body, layout)
		builder.Begin(schemas.Origin{Rank: 1})
		_ = s.Load(r, builder)
		if builder.Len() > 50_000 {
			builder.Batch().Release()
		}
	})
}
