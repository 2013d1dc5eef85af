package plan_test

import (
	"fmt"

	"backhaul/jobs/plan"
	"backhaul/pipeline"
)

// Two lists are asked for, of which one was read to its end before. What is known is expected again; the other is counted
// with one page, and said to be unknown.
func ExampleMake() {
	anchors := &pipeline.Endpoint{Vendor: "moz", Surface: "v2", Name: "anchor_text", PageSize: 50, UnitsPerRow: 1}
	var items []plan.Item
	for _, target := range []string{"read-before.example", "new.example"} {
		t := pipeline.Task{Extract: "anchors", Endpoint: anchors.String(), Surface: anchors.Surface, Target: target, Params: "{}"}
		t.ID = pipeline.TaskID(t)
		items = append(items, plan.Item{Task: t, Endpoint: anchors, PageSize: anchors.PageSize})
	}
	histories := map[string]pipeline.History{items[0].Task.Request(): {Rows: 120}}

	p := plan.Make(plan.Each(items), histories, map[string]plan.Account{"moz": {PerSecond: 2, Connections: 8}})
	for _, work := range p.Work["moz"] {
		missing := work.Missing
		fmt.Println(work.Task.Target, missing.Pages, "pages,", missing.Units, "units, known:", missing.Known)
	}
	fmt.Println(p.Expected().Units, "units expected,", p.Unknown(), "list of unknown length")
	// Output:
	// new.example 1 pages, 50 units, known: false
	// read-before.example 3 pages, 120 units, known: true
	// 170 units expected, 1 list of unknown length
}
