package plan

import (
	"iter"
	"runtime"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"

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
				if p := Make(Each(items), nil, nil); p.Extracts[0].Inputs != n {
					b.Fatalf("%+v", p.Extracts[0])
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/input")
		})
	}
}

// listed makes so many items, one after another, as a job's lists are planned.
func listed(n int) iter.Seq[*Item] {
	return func(yield func(*Item) bool) {
		it := item("a.example", 0, 0)
		for i := range n {
			it.Task.Target = targets[i%len(targets)]
			if !yield(&it) {
				return
			}
		}
	}
}

var targets = []string{"a.example", "b.example", "c.example"}

// BenchmarkTargets prices so many targets, and reports the time and the bytes that one takes.
func BenchmarkTargets(b *testing.B) {
	for _, n := range []int{10_000, 100_000, 1_000_000} {
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			before := allocated()
			for b.Loop() {
				Price(listed(n), nil, nil)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/target")
			b.ReportMetric(float64(allocated()-before)/float64(b.N)/float64(n), "B/target")
		})
	}
}

// allocated is how many bytes have been allocated so far, freed or not.
func allocated() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.TotalAlloc
}

func TestAPriceTakesNoRoomForItsTargets(t *testing.T) {
	const n = 20_000
	before := allocated()
	if p := Price(listed(n), nil, nil); p.Extracts[0].Targets != n {
		t.Fatalf("%+v", p.Extracts[0])
	}
	if each := float64(allocated()-before) / n; each > 1 {
		t.Errorf("%.1f bytes a target", each)
	}
}

func TestAPriceIsThatOfThePlan(t *testing.T) {
	half := item("half", 0, 0)
	half.Place = pipeline.Place{Pages: 2, ChainRows: 100, Rows: 100}
	items := []Item{half, item("bound", 0, 120), item("unknown", 5, 0)}
	known := histories(map[string]int64{"half": 180, "bound": 90})
	accounts := map[string]Account{"moz": {PerSecond: 2, Left: units(300)}}
	all := func(yield func(*Item) bool) {
		for i := range items {
			if !yield(&items[i]) {
				return
			}
		}
	}
	want := Make(Each(items), known, accounts)
	want.Work = nil
	if diff := cmp.Diff(want, Price(all, known, accounts), cmp.AllowUnexported(Plan{})); diff != "" {
		t.Error(diff)
	}
}
