package jobs

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"backhaul/pipeline"
)

// about says what a task asks: target, params and what is in its batch.
func about(t *testing.T, task pipeline.Task) string {
	t.Helper()
	var of []string
	for _, in := range task.Inputs {
		of = append(of, in.Target+in.Source)
	}
	return strings.TrimSpace(fmt.Sprintf("%s %s %s", task.Target, task.Params, strings.Join(of, ",")))
}

func expect(t *testing.T, tasks []pipeline.Task, want ...string) {
	t.Helper()
	var got []string
	seen := map[string]bool{}
	for _, task := range tasks {
		got = append(got, about(t, task))
		if seen[task.ID] || task.ID != pipeline.TaskID(task) {
			t.Errorf("%s has the id %s", about(t, task), task.ID)
		}
		seen[task.ID] = true
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestTargetsAreAskedAboutInBatchesSortedAndWithoutDuplicates(t *testing.T) {
	s := mustLoad(t, `
job: j
targets:
  a: [d.example, b.example, "http://B.example/", {target: c.example, distributions: true}]
  b: [a.example, e.example]
extracts: [{name: m, endpoint: moz/url_metrics, targets: [a, b]}]
`)
	expect(t, slices.Collect(s.Tasks()), "{} a.example,b.example", "{} d.example,e.example", `{"distributions":true} c.example`)
	inputs := slices.Collect(s.Tasks())[1].Inputs
	if inputs[0].TargetAsGiven != "d.example" {
		t.Errorf("%+v", inputs)
	}
}

func TestPairsAreAskedAboutByTarget(t *testing.T) {
	s, found := LoadFS(folderOf(`
job: j
extracts: [{name: s, endpoint: moz/link_status, inputs: {file: p.csv}}]
`, "p.csv", "source,target,target_scope,contact\nx.example,a.example,,ann\ny.example,b.example,,\nhttps://X.example/,a.example,,bob\nz.example,a.example,root_domain,\nw.example,a.example,,\n"), "job.yaml", fake)
	if len(found) != 1 || !strings.Contains(found[0].Text, "mixes scopes (page, root_domain)") {
		t.Errorf("%v", found)
	}
	expect(t, slices.Collect(s.Tasks()),
		`a.example {"target_scope":"page"} w.example,x.example`,
		`b.example {"target_scope":"page"} y.example`,
		`a.example {"target_scope":"root_domain"} z.example`)
	if s.Extracts[0].Merged != 1 {
		t.Errorf("%d merged", s.Extracts[0].Merged)
	}
}

func TestEndpointsWithoutTargetsAreOneTask(t *testing.T) {
	s, found := LoadFS(folderOf(`
job: j
extracts:
  - {name: i, endpoint: moz/index_metadata}
  - name: g
    endpoint: moz/link_intersect
    params:
      positive_targets: [{target: "https://R.example/", scope: root_domain}, {target: q.example, scope: page}]
      filter: {and: [{field: x, is: [gt, 3]}, {field: y, is: is_null}]}
`), "job.yaml", fake)
	if want := `job.yaml:5:5: warning: extract "g" mixes scopes (page, root_domain): their numbers do not compare; one extract per scope keeps them apart`; lines(found) != want {
		t.Errorf("%s\nwant\n%s", lines(found), want)
	}
	expect(t, slices.Collect(s.Tasks()), "{}", `r.example+q.example {"filter":{"and":[{"field":"x","is":["gt",3]},{"field":"y","is":"is_null"}]},`+
		`"positive_targets":[{"scope":"root_domain","target":"r.example"},{"scope":"page","target":"q.example"}]}`)
}

func texts(values ...string) []*string {
	row := make([]*string, len(values))
	for i := range values {
		if values[i] != "null" {
			row[i] = &values[i]
		}
	}
	return row
}

func TestWhatAQueryReturnsBecomesTasks(t *testing.T) {
	s := mustLoad(t, `
job: j
targets: {a: [a.example]}
extracts:
  - {name: first, endpoint: moz/anchor_text, targets: [a]}
  - {name: next, endpoint: moz/url_metrics, after: [first], targets: {sql: "select page as target from first"}}
  - {name: pairs, endpoint: moz/link_status, after: [first], inputs: {sql: "select 1"}}
`)
	expect(t, slices.Collect(s.Extract("next").Tasks()))
	x := s.Extract("next")
	rows := [][]*string{texts("b.example", "9"), texts("null", "9"), texts("localhost", "1"), texts("a.example/", "1"), texts("a.example", "2")}
	tasks, problems, err := x.Resolve([]string{"Target", "links"}, rows, nil)
	if err != nil || len(problems) != 1 || !strings.Contains(problems[0].Text, "localhost") {
		t.Errorf("%v, %v", problems, err)
	}
	expect(t, tasks, "{} a.example,b.example")

	more := append(rows, texts("c.example", "1"))
	again, _, err := x.Resolve([]string{"target", "links"}, more, tasks)
	if err != nil {
		t.Fatal(err)
	}
	expect(t, again, "{} a.example,b.example", "{} c.example")

	if _, _, err := x.Resolve([]string{"page"}, nil, nil); err == nil || !strings.Contains(err.Error(), "no column target") {
		t.Errorf("%v", err)
	}
	pairs := s.Extract("pairs")
	first, _, err := pairs.Resolve([]string{"target", "source"}, [][]*string{texts("a.example", "x.example")}, nil)
	if err != nil {
		t.Fatal(err)
	}
	second, _, err := pairs.Resolve([]string{"target", "source"}, [][]*string{texts("a.example", "x.example"), texts("a.example", "y.example")}, first)
	if err != nil {
		t.Fatal(err)
	}
	expect(t, second, `a.example {"target_scope":"page"} x.example`, `a.example {"target_scope":"page"} y.example`)
}

func TestAQueryThatReadsAnExtractItDoesNotWaitForIsWarnedOf(t *testing.T) {
	_, found := LoadFS(folderOf(`
job: j
targets: {own: [a.example]}
extracts:
  - {name: a, endpoint: moz/links, targets: [own]}
  - {name: b, endpoint: moz/links, after: [a], targets: {sql: select target from a}}
  - {name: c, endpoint: moz/links, after: [b], targets: {sql: select target from a join moz.b using (x) where b}}
  - {name: d, endpoint: moz/links, targets: {sql: select target from "a"}}
`), "job.yaml", fake)
	if want := `job.yaml:8:5: warning: sql of extract "d" reads a without waiting for it: add after: [a]`; lines(found) != want {
		t.Errorf("%s\nwant\n%s", lines(found), want)
	}
}

func TestWhatHasNoPriceIsRefusedBeforeItIsSent(t *testing.T) {
	known := slices.Clone(fake)
	known[0].Price = func(task pipeline.Task, _ pipeline.Ask) (pipeline.Price, error) {
		return pipeline.Price{}, errors.New("price moz/anchor_text: who knows")
	}
	_, found := LoadFS(folderOf(`
job: j
targets: {own: [a.example, {target: b.example, scope: root_domain}]}
extracts:
  - {name: a, endpoint: moz/anchor_text, targets: [own], params: {scope: page}}
`), "job.yaml", known)
	if got := lines(found); !strings.Contains(got, "job.yaml:5:66: price moz/anchor_text: who knows") {
		t.Error(got)
	}
}

func TestWhatWasBoughtStaysHoweverTheListIsCutToday(t *testing.T) {
	list := func(targets, limit string) *Extract {
		s := mustLoad(t, "job: j\ntargets: {a: ["+targets+"]}\nextracts: [{name: m, endpoint: moz/url_metrics, targets: [a]"+limit+"}]\n")
		return &s.Extracts[0]
	}
	bought := slices.Collect(list("b.example, c.example, d.example", "").Tasks())[:1]
	for _, tc := range []struct {
		targets, limit string
		want           []string
	}{
		{"b.example, c.example, d.example", "", []string{"{} b.example,c.example", "{} d.example"}},
		{"a.example, b.example, c.example, d.example", "", []string{"{} b.example,c.example", "{} a.example,d.example"}},
		{"d.example, c.example", ", params: {limit: 1}", []string{"{} b.example,c.example", "{} d.example"}},
		{"http://C.example/, b.example", "", []string{"{} b.example,c.example"}},
		{"x.example", "", []string{"{} x.example"}}, // nothing of it is wanted any more
	} {
		expect(t, list(tc.targets, tc.limit).Beside(bought), tc.want...)
	}
	respelled := slices.Collect(list("HTTP://b.example, c.example/", "").Tasks())
	if respelled[0].ID != bought[0].ID || respelled[0].Request() != bought[0].Request() {
		t.Error("another spelling of a target is another task")
	}
}

func TestAnAnswerOfWhichNothingCanBeAskedIsAnError(t *testing.T) {
	s := mustLoad(t, "job: j\nextracts: [{name: x, endpoint: moz/links, targets: {sql: select 1}}, {name: y, endpoint: moz/link_status, inputs: {sql: select 1}}]\n")
	text := func(s string) *string { return &s }
	for name, c := range map[string]struct {
		extract int
		columns []string
		rows    [][]*string
		want    string // of the error; "" means no error
	}{
		"no rows":        {0, []string{"target"}, nil, ""},
		"some":           {0, []string{"target"}, [][]*string{{text("b")}, {text("a.example")}, {nil}}, ""},
		"none":           {0, []string{"target"}, [][]*string{{text("b")}, {text("c d")}}, `returned 2 rows, and none can be asked about: target "b" has a host without a dot: give the whole name, like example.com; target "c d" has a space`},
		"null":           {0, []string{"target"}, [][]*string{{nil}, {text("")}}, "returned 2 rows, and none can be asked about: target is empty in all of them"},
		"many":           {0, []string{"target"}, [][]*string{{text("b")}, {text("c")}, {text("d")}, {text("e")}, {text("f")}}, "; and 2 more"},
		"pairs, none":    {1, []string{"target", "source"}, [][]*string{{text("a.example"), text("b")}}, "returned 1 row,"},
		"pairs, null":    {1, []string{"target", "source"}, [][]*string{{text("a.example"), nil}}, "target or source is empty"},
		"pairs, no rows": {1, []string{"target", "source"}, nil, ""},
	} {
		_, _, err := s.Extracts[c.extract].Resolve(c.columns, c.rows, nil)
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
