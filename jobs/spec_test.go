package jobs

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"backhaul/pipeline"
)

func units(u pipeline.Units) *pipeline.Units { return &u }

func TestEveryKeyOfTheContractIsRead(t *testing.T) {
	s := mustLoad(t, `
job: nightly-2
vendors:
  moz:    {surface: v2, requests_per_second: 0.5, connections: 3, token_life: 1h30m}
  ahrefs: {surface: v3, requests_per_minute: 90, connections: 1}
budget:
  moz: {run: 0, month: 400000}
confirm_over: {moz: 10}
targets:
  own: [a.example]
extracts:
  - name: first_one
    endpoint: moz/anchor_text
    targets: [own]
    params: {scope: root_domain, limit: 20}
    max_rows: 5000
    max_units: 300
    max_age: 7d
    priority: -10
    only_if: index_changed
  - name: second
    endpoint: moz/links
    after: [first_one]
    targets: {sql: "select distinct page as target from first_one"}
  - name: third
    endpoint: moz/link_status
    inputs: {file: placements.csv}
`, "placements.csv", "target,source,campaign\nA.example/x,http://b.example/y,spring\na.example,c.example,\n")
	if s.Job != "nightly-2" || s.Path != "job.yaml" || s.Dir != "." || len(s.Hash) != 64 {
		t.Errorf("%q %q %q %q", s.Job, s.Path, s.Dir, s.Hash)
	}
	wantVendors := map[string]Vendor{
		"moz":    {Surface: "v2", RequestsPerSecond: 0.5, Connections: 3, TokenLife: 90 * time.Minute},
		"ahrefs": {Surface: "v3", RequestsPerSecond: 1.5, Connections: 1},
	}
	wantExtracts := []Extract{
		{
			Place: Place{"job.yaml", 12, 5}, Name: "first_one", Endpoint: &fake[0], MaxRows: 5000, Priority: -10, Limit: 20,
			MaxUnits: units(300), MaxAge: 7 * 24 * time.Hour, OnlyIf: IndexChanged, Scope: "root_domain", Params: `{"scope":"root_domain"}`,
			Targets: []Target{{"a.example", "a.example", "root_domain", `{"scope":"root_domain"}`}},
		},
		{
			Place: Place{"job.yaml", 21, 5}, Name: "second", Endpoint: &fake[1], After: []string{"first_one"},
			QueryPlace: Place{"job.yaml", 24, 20}, SQL: "select distinct page as target from first_one", Scope: "page", Params: `{"target_scope":"page"}`,
		},
		{
			Place: Place{"job.yaml", 25, 5}, Name: "third", Endpoint: &fake[3], Scope: "page", Params: `{"target_scope":"page"}`,
			Inputs: &Inputs{Compared: []Compared{
				{Target{"a.example/x", "A.example/x", "page", `{"target_scope":"page"}`}, []pipeline.Input{{Source: "b.example/y", SourceAsGiven: "http://b.example/y"}}},
				{Target{"a.example", "a.example", "page", `{"target_scope":"page"}`}, []pipeline.Input{{Source: "c.example", SourceAsGiven: "c.example"}}},
			}},
		},
	}
	pointers := cmp.Comparer(func(a, b *pipeline.Endpoint) bool { return a == b })
	for _, diff := range []string{
		cmp.Diff(wantVendors, s.Vendors),
		cmp.Diff(map[string]Budget{"moz": {Run: units(0), Month: units(400000), MonthStartsOn: 1}}, s.Budget),
		cmp.Diff(map[string]pipeline.Units{"moz": 10}, s.ConfirmOver),
		cmp.Diff(wantExtracts, s.Extracts, pointers, cmpopts.IgnoreUnexported(Extract{})),
	} {
		if diff != "" {
			t.Error(diff)
		}
	}
}

func TestVendorsHaveDefaults(t *testing.T) {
	s := mustLoad(t, minimal())
	want := map[string]Vendor{
		"moz":    {Surface: "v2", RequestsPerSecond: 2, Connections: 8},
		"ahrefs": {Surface: "v3", RequestsPerSecond: 1, Connections: 4},
	}
	if diff := cmp.Diff(want, s.Vendors); diff != "" {
		t.Error(diff)
	}
	if len(s.Budget) != 0 || len(s.ConfirmOver) != 0 {
		t.Errorf("%v %v", s.Budget, s.ConfirmOver)
	}
	want = map[string]Vendor{
		"moz":    {Surface: "rpc", RequestsPerSecond: 3, Connections: 2, TokenLife: time.Hour},
		"ahrefs": {Surface: "v2", RequestsPerSecond: 5, Connections: 6},
	}
	rpc := registry{{Vendor: "moz", Surface: "rpc", Name: "links", PageSize: 50, UnitsPerRow: 1}}
	s, found := LoadFS(folderOf(minimal()+"vendors: {moz: {surface: rpc, connections: 2}, ahrefs: {surface: v2}}\n"), "job.yaml", rpc)
	if len(found) > 0 {
		t.Fatal(lines(found))
	}
	if diff := cmp.Diff(want, s.Vendors); diff != "" {
		t.Errorf("of the surface chosen: %s", diff)
	}
}

func TestTasksCarryTheWholeRequest(t *testing.T) {
	s := mustLoad(t, minimal("params: {filter: [external, follow], anchor_text: \"<\\0&ü\"}", "max_rows: 7", "priority: 3"))
	want := pipeline.Task{
		Extract: "x", Endpoint: "moz/links", Surface: "v2", Target: "a.example", TargetAsGiven: "a.example", Scope: "page",
		Params:  `{"anchor_text":"<\u0000&ü","filter":"external+follow","target_scope":"page"}`,
		MaxRows: 7, Priority: 3,
	}
	want.ID = pipeline.TaskID(want)
	if diff := cmp.Diff([]pipeline.Task{want}, slices.Collect(s.Tasks())); diff != "" {
		t.Error(diff)
	}
	if s.Extract("x") != &s.Extracts[0] || s.Extract("y") != nil {
		t.Error("Extract does not find by name")
	}
}

func TestWordsMayBeAListOrAString(t *testing.T) {
	for _, spelling := range []string{"[external, not_deleted]", "external+not_deleted", "\"external + not_deleted\""} {
		wantTasks(t, mustLoad(t, minimal("params: {filter: "+spelling+"}")),
			`x a.example page {"filter":"external+not_deleted","target_scope":"page"}`)
	}
}

func TestParametersKeepTheirTypesExactly(t *testing.T) {
	const values = `{"country":"no","depth":9,"history":false,"offset_days":-9007199254740993,"select":["anchor","refdomains"],"since":"2026-02-03"}`
	spec := "job: j\ntargets: {own: %s}\nextracts: [{name: x, endpoint: ahrefs/anchors, targets: own%s}]\n"
	inYAML := fmt.Sprintf(spec, "[a.example]",
		`, params: {since: 2026-02-03, offset_days: -9007199254740993, depth: 9, history: false, country: no, select: [anchor, refdomains]}`)
	wantTasks(t, mustLoad(t, inYAML), "x a.example  "+values)

	inCSV := "target,since,offset_days,depth,history,country,select\na.example,2026-02-03,-9007199254740993,9,FALSE,no,\"anchor, refdomains\"\n"
	wantTasks(t, mustLoad(t, fmt.Sprintf(spec, "{file: t.csv}", ""), "t.csv", inCSV), "x a.example  "+values)
}

func TestAnchorsAndAliasesShareValues(t *testing.T) {
	s := mustLoad(t, `
job: j
targets: {own: &own [a.example], again: *own}
extracts:
  - {name: x, endpoint: moz/links, targets: own, params: &p {target_scope: page, filter: follow}}
  - {name: y, endpoint: moz/linking_root_domains, targets: again, params: *p}
`)
	wantTasks(t, s,
		`x a.example page {"filter":"follow","target_scope":"page"}`,
		`y a.example page {"filter":"follow","target_scope":"page"}`)
}

func TestLineEndsAndByteOrderMarkDoNotMatter(t *testing.T) {
	plain := minimal("# a comment", "params: {filter: follow} # another")
	want := tasksOf(mustLoad(t, plain))
	for _, ends := range []string{"\r\n", "\r"} {
		s, found := LoadFS(folderOf(byteOrderMark+strings.ReplaceAll(plain, "\n", ends)), "job.yaml", fake)
		if len(found) != 0 {
			t.Fatal(lines(found))
		}
		if diff := cmp.Diff(want, tasksOf(s)); diff != "" {
			t.Error(diff)
		}
	}
}

func TestHashFollowsTheContentOfAllFiles(t *testing.T) {
	spec := "job: j\ntargets: {own: {file: t.csv}}\nextracts: [{name: x, endpoint: moz/links, targets: own}]\n"
	one := mustLoad(t, spec, "t.csv", "target\na.example\n").Hash
	if again := mustLoad(t, spec, "t.csv", "target\na.example\n").Hash; again != one {
		t.Error("the same content has two hashes")
	}
	if other := mustLoad(t, spec, "t.csv", "target\nb.example\n").Hash; other == one {
		t.Error("another list has the same hash")
	}
	if other := mustLoad(t, spec+"# c\n", "t.csv", "target\na.example\n").Hash; other == one {
		t.Error("another spec has the same hash")
	}
}

func TestLoadReadsFilesBesideTheSpec(t *testing.T) {
	dir := t.TempDir()
	write := func(name, content string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	spec := filepath.Join(dir, "job.yaml")
	write("job.yaml", "job: j\ntargets: {own: {file: t.csv}}\nextracts: [{name: x, endpoint: moz/links, targets: own}]\n")
	write("t.csv", "target\na.example\n")
	s, found := Load(spec, fake, Access{})
	if len(found) != 0 {
		t.Fatal(lines(found))
	}
	wantTasks(t, s, `x a.example page {"target_scope":"page"}`)
	if s.Dir != dir || s.Path != spec {
		t.Errorf("%q %q", s.Dir, s.Path)
	}
	write("t.csv", "target\na\n")
	if _, found = Load(spec, fake, Access{}); len(found) != 1 || found[0].Place != (Place{filepath.Join(dir, "t.csv"), 2, 1}) {
		t.Error(lines(found))
	}
}

func TestReadyMadeJobsAreValid(t *testing.T) {
	s, found := LoadFS(Files, "nightly.yaml", fake)
	if len(found) != 0 {
		t.Fatal(lines(found))
	}
	if len(s.Extracts) != 3 {
		t.Fatalf("%d extracts", len(s.Extracts))
	}
	for _, x := range s.Extracts {
		if len(x.Targets) < 4 || x.Targets[0].Target != "acme-outdoor.example" || x.Merged != 0 {
			t.Errorf("%s: %v", x.Name, x.Targets)
		}
		for _, target := range x.Targets {
			if target.Scope != "root_domain" {
				t.Errorf("%s: %v", x.Name, target)
			}
		}
	}
}

func TestAReportIsWrittenWhereTheSpecSaysSo(t *testing.T) {
	for text, want := range map[string]*Report{
		"": nil, "report: false\n": nil, "report: true\n": {Rows: 25}, "report: {}\n": {Rows: 25}, "report: {rows: 7}\n": {Rows: 7},
		"parameters: {on: {default: true, same_run: true}}\nreport: ${on}\n": {Rows: 25},
	} {
		if s := mustLoad(t, minimal()+text); !cmp.Equal(s.Report, want) {
			t.Errorf("%q: %+v", text, s.Report)
		}
	}
}
