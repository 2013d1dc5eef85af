package jobs

import (
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow/memory"

	"backhaul/schemas"
)

// rowsOf fills a table as a run does and returns its rows as JSON lines.
func rowsOf(t *testing.T, table *UserTable) string {
	t.Helper()
	mem := memory.NewCheckedAllocator(memory.DefaultAllocator)
	defer mem.AssertSize(t, 0)
	b := schemas.NewBuilder(mem, table.Table())
	defer b.Release()
	for i := range table.Len() {
		row := b.Row()
		for _, name := range []string{"job", "run_id"} {
			row.SetString(table.Table().Index(name), name)
		}
		row.SetInt(table.Table().Index(schemas.ColRunDate), 0)
		table.Fill(i, row)
		b.Append()
	}
	batch := b.Batch()
	defer batch.Release()
	text, err := batch.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestListsThatAJobBringsAlongAreReadAsTheirTableSays(t *testing.T) {
	s := mustLoad(t, minimal()+"tables:\n  placements: {file: p.csv}\n",
		"p.csv", "Source,campaign,target,placed_on,owner\nhttps://Blog.example/a?utm_source=x,spring,http://www.A.example/,2026-11-03,ann\nb.example,,a.example/x,,\n")
	got := rowsOf(t, &s.Tables[0])
	for _, want := range []string{
		`"campaign":"spring","contact":null,"extra":"{\"owner\":\"ann\"}"`, `"placed_on":"2026-11-03","row":1`,
		`"source":"https://Blog.example/a?utm_source=x","source_page":"blog.example/a","target":"http://www.A.example/","target_page":"www.a.example"`,
		`"campaign":null,"contact":null,"extra":null`, `"placed_on":null,"row":2`, `"source_page":"b.example","target":"a.example/x","target_page":"a.example/x"`,
	} {
		if !strings.Contains(got, want) {
			t.Errorf("no %s in\n%s", want, got)
		}
	}
	if s.Tables[0].Name() != "placements" || s.Tables[0].Len() != 2 {
		t.Errorf("%s, %d rows", s.Tables[0].Name(), s.Tables[0].Len())
	}
}

func TestAnExportedListIsReadAsItWas(t *testing.T) {
	s := mustLoad(t, minimal()+"tables: {labels: {file: l.csv}}\n",
		"l.csv", "source,da,extra\na.example,,\"{\"\"since\"\":\"\"May\"\",\"\"da\"\":\"\"1\"\"}\"\nb.example,7,\"{\"\"da\"\":\"\"1\"\"}\"\nc.example,,null\nd.example,,words\n")
	got := rowsOf(t, &s.Tables[0])
	for _, want := range []string{`"{\"da\":\"1\",\"since\":\"May\"}"`, `"{\"da\":\"7\"}"`, `"{\"extra\":\"null\"}"`, `"{\"extra\":\"words\"}"`} {
		if !strings.Contains(got, `"extra":`+want) {
			t.Errorf("no %s in\n%s", want, got)
		}
	}
}

func TestWhatIsWrongWithAListIsSaidAtItsPlace(t *testing.T) {
	_, found := LoadFS(folderOf(minimal()+`tables:
  x: {file: labels.csv}
  labels: {file: labels.csv}
  placement: {file: labels.csv}
  placements: {file: placements.csv}
  anchor_rules: {file: rules.csv}
`, "labels.csv", "source,label\na@b.example,good\n", "placements.csv", "target,when\na.example,x\n",
		"rules.csv", "kind,pattern,priority\nbrand,acme*,1\nexact,,2\nexact,x,high\n"), "job.yaml", fake)
	want := []string{
		`job.yaml:9:3: unknown table "x"; the tables a job can bring along are: anchor_rules, labels, placements`,
		`job.yaml:11:3: unknown table "placement"; did you mean "placements"? the tables a job can bring along are: anchor_rules, labels, placements`,
		`labels.csv:2:1: the source is an e-mail address, not a host or page`,
		`placements.csv:1:1: no column "source"; the columns found are: target, when`,
		`rules.csv:2:1: kind of anchor_rules is "brand"; it must be one of: branded, exact, partial, naked_url, generic, empty`,
		`rules.csv:3:7: pattern of anchor_rules is empty: every row needs one`,
		`rules.csv:4:9: priority of anchor_rules is "high"; it must be a whole number of at least -1125899906842624 in plain digits`,
	}
	for _, w := range want {
		if !strings.Contains(lines(found), w) {
			t.Errorf("no %s", w)
		}
	}
}

func TestAnExtractMustNotBearTheNameOfATable(t *testing.T) {
	_, found := LoadFS(folderOf(strings.Replace(minimal(), "name: x", "name: labels", 1)+"tables: {labels: {file: l.csv}}\n", "l.csv", "source\na.example\n"), "job.yaml", fake)
	if got := lines(found); !strings.Contains(got, `job.yaml:5:5: extract "labels" has the name of a table on line 8`) {
		t.Error(got)
	}
}
