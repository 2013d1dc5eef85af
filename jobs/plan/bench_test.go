package plan

import (
	"strconv"
	"testing"

	"backhaul/pipeline"
)

// BenchmarkInputs plans one target with so many sources, and reports the time an input takes: planning is linear if that stays
// the same.
func BenchmarkInputs(b *testing.B) {
	status := &pipeline.Endpoint{Vendor: "moz", Surface: "v2", Name: "link_status", Asks: pipeline.AboutSources, PageSize: 50, UnitsPerRow: 2}
	for _, n := range []int{10_000, 100_000, 1_000_000} {
		inputs := make([]pipeline.Input, n)
		for i := range inputs {
			inputs[i].Source = "s" + strconv.Itoa(i) + ".example"
		}
		items := []Item{{Endpoint: status, PageSize: 50, Task: pipeline.Task{ID: "t", Extract: "x", Endpoint: "moz/link_status", Target: "a.example", Inputs: inputs}}}
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if p := Make(items, nil, nil); p.Extracts[0].Inputs != n {
					b.Fatalf("%+v", p.Extracts[0])
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/input")
		})
	}
}
