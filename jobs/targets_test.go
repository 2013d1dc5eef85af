package jobs

import (
	"fmt"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"backhaul/schemas/canon"
)

const fromCSV = "job: j\ntargets: {own: {file: t.csv}}\nextracts: [{name: x, endpoint: moz/links, targets: own}]\n"

func TestTargetsAreNormalisedAndKeepTheirSpelling(t *testing.T) {
	s := mustLoad(t, strings.Replace(minimal(), "[a.example]", "['HTTPS://Bücher.example/ü?utm_source=x', {target: B.example}]", 1))
	want := []Target{
		{"xn--bcher-kva.example/%C3%BC", "HTTPS://Bücher.example/ü?utm_source=x", "page", `{"target_scope":"page"}`},
		{"b.example", "B.example", "page", `{"target_scope":"page"}`},
	}
	if diff := cmp.Diff(want, s.Extracts[0].Targets); diff != "" {
		t.Error(diff)
	}
}

func TestCSVToleratesWhatSpreadsheetsWrite(t *testing.T) {
	for name, csv := range map[string]string{
		"plain":            "target,scope\na.example,\nb.example/x,root_domain\n",
		"no last line end": "target,scope\na.example,\nb.example/x,root_domain",
		"mark and \\r\\n":  byteOrderMark + "target,scope\r\na.example,\r\nb.example/x,root_domain\r\n",
		"quotes":           "\"target\",\"scope\"\n\"a.example\",\"\"\n\"b.example/x\",\"root_domain\"\n",
		"empty lines":      "\ntarget,scope\n\n , \na.example,\n,\nb.example/x,root_domain\n\n",
		"spaces":           " Target , SCOPE\n a.example ,\n b.example/x, root_domain \n",
		"short rows":       "target,scope\na.example\nb.example/x,root_domain\n",
		"nameless columns": "target,scope,,\na.example,,,\nb.example/x,root_domain,,\n",
		"other order":      "scope,target\n,a.example\nroot_domain,b.example/x\n",
		"exact name":       "target,target_scope\na.example,\nb.example/x,root_domain\n",
	} {
		t.Run(name, func(t *testing.T) {
			s, found := LoadFS(folderOf(fromCSV, "t.csv", csv), "job.yaml", fake)
			if Failed(found) {
				t.Fatal(lines(found))
			}
			wantTasks(t, s, `x a.example page {"target_scope":"page"}`, `x b.example/x root_domain {"target_scope":"root_domain"}`)
		})
	}
}

func TestDuplicatesMergeByTargetAndParameters(t *testing.T) {
	s, found := LoadFS(folderOf(`
job: j
targets:
  own: ['https://A.example/', a.example, {target: a.example, scope: root_domain}]
  more: [a.example, 'http://a.example/?gclid=1', b.example, {target: a.example, scope: page}]
extracts:
  - {name: x, endpoint: moz/links, targets: [own, more]}
  - {name: y, endpoint: moz/anchor_text, targets: more}
`), "job.yaml", fake)
	if Failed(found) {
		t.Fatal(lines(found))
	}
	wantTasks(t, s,
		`x a.example page {"target_scope":"page"}`,
		`x a.example root_domain {"target_scope":"root_domain"}`,
		`x b.example page {"target_scope":"page"}`,
		`y a.example page {"scope":"page"}`,
		`y b.example page {"scope":"page"}`)
	if got := s.Extracts[0].Sample().TargetAsGiven; got != "https://A.example/" {
		t.Errorf("the first spelling is lost: %q", got)
	}
	if s.Extracts[0].Merged != 4 || s.Extracts[1].Merged != 2 {
		t.Errorf("merged %d and %d", s.Extracts[0].Merged, s.Extracts[1].Merged)
	}
}

func TestMixedScopesWarnOncePerExtract(t *testing.T) {
	s, found := LoadFS(folderOf(fromCSV, "t.csv", "target,scope\na.example,page\nb.example,root_domain\n"), "job.yaml", fake)
	if s == nil || len(found) != 1 || !found[0].Warning || !strings.Contains(found[0].Text, "mixes scopes (page, root_domain)") {
		t.Fatal(lines(found))
	}
	if found[0].Place != (Place{"job.yaml", 3, 52}) {
		t.Error(found[0].Place)
	}
}

func TestEmptyCSVIsAWarning(t *testing.T) {
	s, found := LoadFS(folderOf(fromCSV, "t.csv", "target\n"), "job.yaml", fake)
	if s == nil || len(found) != 1 || found[0].String() != "t.csv:1:1: warning: the file has a header and no targets" {
		t.Error(lines(found))
	}
}

func TestHundredThousandTargetsAreHundredThousandLists(t *testing.T) {
	if n := mustLoad(t, fromCSV, "t.csv", manyTargets(100_000)).Count(); n != 100_000 {
		t.Errorf("%d tasks", n)
	}
}

// The time grows with the number of targets, not with its square: ns/target stay alike.
func BenchmarkTargetsOfAFile(b *testing.B) {
	for _, n := range []int{10_000, 100_000} {
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			csv := manyTargets(n)
			for b.Loop() {
				mustLoad(b, fromCSV, "t.csv", csv)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n), "ns/target")
		})
	}
}

func manyTargets(n int) string {
	var csv strings.Builder
	csv.WriteString("target,scope\n")
	for i := range n {
		csv.WriteString("https://www.Shop" + strconv.Itoa(i) + ".example/a/b?utm_source=x,root_domain\n")
	}
	return csv.String()
}

func TestRowsWithOneMistakeEachAreAllReported(t *testing.T) {
	_, found := LoadFS(folderOf(fromCSV, "t.csv", "target,scope\na.example,domain\nb,\n,page\nc.example,root_domian\nd.example,page,extra\n"), "job.yaml", fake)
	want := []string{
		`t.csv:2:11: parameter "target_scope" of moz/links is "domain"; did you mean "root_domain"? it must be one of: page, subdomain, root_domain`,
		`t.csv:3:1: target "b" has a host without a dot: give the whole name, like example.com`,
		`t.csv:4:1: the target is empty: give a host or page, or remove the entry`,
		`t.csv:5:11: parameter "target_scope" of moz/links is "root_domian"; did you mean "root_domain"? it must be one of: page, subdomain, root_domain`,
		`t.csv:6:16: the row has more cells than the header, which has 2: quote a cell that holds a comma`,
	}
	if diff := cmp.Diff(strings.Join(want, "\n"), lines(found)); diff != "" {
		t.Error(diff)
	}
}

func TestAListIsHeldInLittleMoreThanItsFile(t *testing.T) {
	const n = 50_000
	var targets, pairs strings.Builder
	targets.WriteString("target,scope\n")
	pairs.WriteString("target,source\n")
	for i := range n {
		fmt.Fprintf(&targets, "https://www.shop%d.example/a/b?utm_source=x,root_domain\n", i)
		fmt.Fprintf(&pairs, "a.example,https://www.blog%d.example/a?utm_source=x\n", i)
	}
	for name, c := range map[string]struct {
		spec, file, content string
		tasks               int
	}{
		"targets": {fromCSV, "t.csv", targets.String(), n},
		"pairs":   {"job: j\nextracts: [{name: x, endpoint: moz/link_status, inputs: {file: p.csv}}]\n", "p.csv", pairs.String(), 1},
	} {
		folder := folderOf(c.spec, c.file, c.content)
		before := held()
		s, found := LoadFS(folder, "job.yaml", fake)
		if s == nil || s.Count() != c.tasks {
			t.Fatalf("%s: %v", name, found)
		}
		each := float64(held()-before-int64(len(c.content))) / n
		t.Logf("%s: %.0f bytes each beside the file", name, each)
		if each > 100 {
			t.Errorf("%s: %.0f bytes each beside the file", name, each)
		}
		runtime.KeepAlive(folder)
		runtime.KeepAlive(s)
	}
}

// held is how many bytes are in use.
func held() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// byHost is fake, but for anchor_text, which looks at hosts at the scope subdomain.
func byHost() registry {
	r := slices.Clone(fake)
	r[0].Means = func(target, scope string) string {
		if scope == "subdomain" {
			return canon.HostOf(target)
		}
		return target
	}
	return r
}

func TestTargetsThatMeanTheSameAreAskedAboutOnce(t *testing.T) {
	for _, given := range []string{"a.example/x?utm_source=1, a.example, b.example, 'https://a.example/blog'", "'https://a.example/blog', b.example, a.example/x, a.example"} {
		s, found := LoadFS(folderOf("job: j\ntargets: {all: ["+given+"]}\nextracts:\n"+
			"  - {name: x, endpoint: moz/anchor_text, targets: all, params: {scope: subdomain}}\n  - {name: y, endpoint: moz/anchor_text, targets: all}\n"), "job.yaml", byHost())
		if s == nil || len(found) != 1 || !strings.Contains(found[0].Text, `extract "x": 2 targets are bought with others that mean the same at their scope: at subdomain, a.example stands for 3 targets`) {
			t.Fatal(lines(found))
		}
		var asked []string
		for task := range s.Extracts[0].Tasks() {
			asked = append(asked, task.Target)
			if task.Target == "a.example" && len(strings.Fields(task.TargetAsGiven)) != 3 {
				t.Errorf("spellings are lost: %q", task.TargetAsGiven)
			}
		}
		slices.Sort(asked)
		if !slices.Equal(asked, []string{"a.example", "b.example"}) || s.Extracts[0].Merged != 2 || s.Extracts[1].Count() != 4 {
			t.Errorf("asked about %v, %d merged; at page scope %d", asked, s.Extracts[0].Merged, s.Extracts[1].Count())
		}
	}
}

func TestOfThousandsOfSpellingsARowKeepsAFew(t *testing.T) {
	csv := "target\n"
	for n := range 1000 {
		csv += fmt.Sprintf("a.example/%d\n", n)
	}
	s, found := LoadFS(folderOf(strings.Replace(fromCSV, "moz/links", "moz/anchor_text, params: {scope: subdomain}", 1), "t.csv", csv), "job.yaml", byHost())
	if s == nil || s.Extracts[0].Count() != 1 || s.Extracts[0].Merged != 999 {
		t.Fatal(lines(found))
	}
	if text := s.Extracts[0].Sample().TargetAsGiven; len(text) > 200 || !strings.HasSuffix(text, " and 990 more") {
		t.Error(text)
	}
}
