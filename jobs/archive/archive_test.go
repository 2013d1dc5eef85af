package archive

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/zstd"

	"backhaul/pipeline"
	"backhaul/pipeline/vendors/ahrefsv2"
	"backhaul/pipeline/vendors/ahrefsv3"
	"backhaul/pipeline/vendors/mozrpc"
	"backhaul/pipeline/vendors/mozv2"
	"backhaul/testdata/vendors"
)

// surfaces are those of the program.
var surfaces = []Surface{
	{"moz-v2", mozv2.Offline(), true}, {"moz-rpc", mozrpc.Offline(), false},
	{"ahrefs-v3", ahrefsv3.Offline(), true}, {"ahrefs-v2", ahrefsv2.Offline(), true},
}

func reader(surface string, given Given) *Reader {
	r := &Reader{Surface: surface, Given: given}
	for _, s := range surfaces {
		if s.Name == surface {
			r.Sources = s.Sources
		} else {
			r.Others = append(r.Others, s)
		}
	}
	return r
}

func ahrefs(given Given) *Reader {
	r := reader("ahrefs-v2", given)
	r.NameOf = ahrefsv2.EndpointOf
	return r
}

func ahrefs3(given Given) *Reader { return reader("ahrefs-v3", given) }

func moz(given Given) *Reader { return reader("moz-v2", given) }

func write(t testing.TB, name, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// readAll returns a page a line, as "endpoint target scope date rows", and the problems without the file's folder.
func readAll(t testing.TB, r *Reader, path string) (lines []string, pages []Page, problems []string) {
	t.Helper()
	for p, err := range r.Pages(path) {
		if err != nil {
			problems = append(problems, strings.TrimPrefix(err.Error(), filepath.Dir(path)+"/"))
			continue
		}
		pages = append(pages, p)
		lines = append(lines, fmt.Sprintf("%s %s %s %s %d", p.Task.Endpoint, p.Task.Target, p.Task.Scope, p.Date.Format(time.DateOnly), p.Page.Rows))
	}
	if problems == nil {
		sameAgain(t, r, path, pages)
	}
	return lines, pages, problems
}

// sameAgain fails unless the file again says the same of its replies, but for their rows.
func sameAgain(t testing.TB, r *Reader, path string, want []Page) {
	t.Helper()
	var got []Page
	for p, err := range r.Again(path) {
		if err != nil {
			t.Fatal(err)
		}
		if p.Page.Rows != 0 {
			t.Errorf("%d rows were read again", p.Page.Rows)
		}
		p.Page.Rows = want[len(got)].Page.Rows
		got = append(got, p)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("again: %s", diff)
	}
}

const (
	anchors   = `{"anchors":[{"anchor":"a","backlinks":2,"refpages":1},{"anchor":"b","backlinks":1,"refpages":1}],"stats":{"backlinks":3,"refpages":2}}`
	backlinks = `{"refpages":[{"url_from":"http://a.example/","url_to":"http://b.example/","anchor":"x"}]}`
	anchors3  = `{"anchors":[{"anchor":"a","links_to_target":2,"last_seen":null},{"anchor":"b","links_to_target":1,"last_seen":"2025-01-01T00:00:00Z"}]}`
	texts     = `{"results":[{"anchor_text":"a","external_root_domains":1,"external_pages":2}],"next_token":""}`
)

var day = time.Date(2025, 1, 31, 0, 0, 0, 0, time.UTC)

func TestEveryReplyIsPlacedByWhatIsSaidOfIt(t *testing.T) {
	full := Given{Target: "Example.com/", Scope: "domain", Date: day}
	for name, tc := range map[string]struct {
		reader        *Reader
		file, content string
		want          []string
	}{
		"bare, by flags":           {ahrefs(full), "x.json", anchors, []string{"ahrefs/anchors example.com domain 2025-01-31 2"}},
		"bare, by name":            {ahrefs(Given{}), "anchors_example.com_domain_2024-12-01.json", anchors, []string{"ahrefs/anchors example.com domain 2024-12-01 2"}},
		"by name, mode by flag":    {ahrefs(Given{Scope: "exact"}), "anchors_example.com%2Fa_b_2024-12-01_0007.json", anchors, []string{"ahrefs/anchors example.com/a_b exact 2024-12-01 2"}},
		"v2's own name":            {ahrefs(Given{}), "backlinks_one_per_domain_example.com_domain_2024-12-01.json", backlinks, []string{"ahrefs/all_backlinks example.com domain 2024-12-01 1"}},
		"flags before the name":    {ahrefs(full), "anchors_other.example_exact_2024-12-01.json", anchors, []string{"ahrefs/anchors example.com domain 2025-01-31 2"}},
		"one a line":               {ahrefs(full), "x.ndjson", anchors + "\n" + anchors + "\n\n", []string{"ahrefs/anchors example.com domain 2025-01-31 2", "ahrefs/anchors example.com domain 2025-01-31 2"}},
		"XML":                      {ahrefs(full), "x.xml", "\ufeff\n<AhrefsApiResponse><anchors><anchor><anchor>a</anchor></anchor></anchors></AhrefsApiResponse>", []string{"ahrefs/anchors example.com domain 2025-01-31 1"}},
		"wrapper":                  {ahrefs(Given{}), "x.json", `{"endpoint":"ahrefs/anchors","target":"a.example","mode":"prefix","fetched_at":"2025-02-03T04:05:06+02:00","response":` + anchors + `}`, []string{"ahrefs/anchors a.example prefix 2025-02-03 2"}},
		"wrapper with a text":      {ahrefs(Given{Date: day}), "x.json", `{"endpoint":"anchors","target":"a.example","mode":"prefix","response":"<AhrefsApiResponse><anchors/></AhrefsApiResponse>"}`, []string{"ahrefs/anchors a.example prefix 2025-01-31 0"}},
		"wrapper with a URL":       {ahrefs(Given{Date: day}), "x.json", `{"url":"https://apiv2.ahrefs.com/?token=s3cret&from=backlinks&target=a.example&mode=exact&limit=5","response":` + backlinks + `}`, []string{"ahrefs/all_backlinks a.example exact 2025-01-31 1"}},
		"a request without a mode": {ahrefs(Given{Date: day}), "x.json", `{"request":{"from":"anchors","target":"a.example"},"response":` + anchors + `}`, []string{"ahrefs/anchors a.example subdomains 2025-01-31 2"}},
		"the date of a wrapper":    {ahrefs(full), "x.json", `{"date":"2025-05-05","target":"https://example.com","response":` + anchors + `}`, []string{"ahrefs/anchors example.com domain 2025-01-31 2"}},
		"v3, by its rows":          {ahrefs3(full), "x.json", anchors3, []string{"ahrefs/anchors example.com domain 2025-01-31 2"}},
		"v3, by its path":          {ahrefs3(Given{Date: day}), "x.json", `{"url":"https://api.ahrefs.com/v3/site-explorer/all-backlinks?select=url_from&target=a.example","response":{"backlinks":[{"url_from":"http://b.example/"}]}}`, []string{"ahrefs/all_backlinks a.example subdomains 2025-01-31 1"}},
		"v3, by name":              {ahrefs3(Given{}), "refdomains_a.example_exact_2025-01-31.json", `{"refdomains":[]}`, []string{"ahrefs/refdomains a.example exact 2025-01-31 0"}},
		"moz, by its rows":         {moz(Given{Target: "a.example", Scope: "page", Date: day}), "x.json", texts, []string{"moz/anchor_text a.example page 2025-01-31 1"}},
		"moz, targets":             {moz(Given{Date: day}), "x.json", `{"url":"https://lsapi.seomoz.com/v2/url_metrics","request":{"targets":["b.example","a.example/x"]},"response":{"results":[{"page":"b.example/","title":"B"},{"page":"a.example/x","title":"A"}]}}`, []string{"moz/url_metrics   2025-01-31 2"}},
		"moz, one target":          {moz(Given{Date: day, Endpoint: "url_metrics", Target: "https://B.example"}), "x.json", `{"results":[{"page":"b.example/","title":"B"}]}`, []string{"moz/url_metrics   2025-01-31 1"}},
		"moz, one target, by name": {moz(Given{}), "url_metrics_b.example_2025-01-31.json", `{"results":[{"page":"b.example/","title":"B"}]}`, []string{"moz/url_metrics   2025-01-31 1"}},
		"moz, one target, wrapped": {moz(Given{Date: day}), "x.json", `{"endpoint":"url_metrics","target":"b.example","response":{"results":[{"page":"b.example/","title":"B"}]}}`, []string{"moz/url_metrics   2025-01-31 1"}},
		"moz, sources":             {moz(Given{Date: day}), "x.json", `{"endpoint":"link_status","request":{"target":"t.example","target_scope":"root_domain","source_scope":"page","sources":["b.example/1","b.example/2"]},"response":{"exists":[true,false]}}`, []string{"moz/link_status t.example root_domain 2025-01-31 2"}},
		"moz, an intersection":     {moz(Given{Date: day}), "x.json", `{"endpoint":"link_intersect","request":{"positive_targets":[{"target":"a.example","scope":"root_domain"},{"target":"b.example","scope":"root_domain"}],"negative_targets":[{"target":"own.example","scope":"root_domain"}],"source_scope":"root_domain","minimum_matching_targets":2},"response":{"results":[]}}`, []string{"moz/link_intersect own.example root_domain 2025-01-31 0"}},
		"moz, by its path":         {moz(Given{Date: day}), "x.json", `{"url":"https://lsapi.seomoz.com/v2/anchor_text","request":{"target":"a.example","scope":"root_domain","limit":50},"response":` + texts + `}`, []string{"moz/anchor_text a.example root_domain 2025-01-31 1"}},
		"moz, by name":             {moz(Given{}), "anchor_text_a.example_root_domain_2025-01-31.json", texts, []string{"moz/anchor_text a.example root_domain 2025-01-31 1"}},
	} {
		lines, _, problems := readAll(t, tc.reader, write(t, tc.file, tc.content))
		if diff := cmp.Diff(tc.want, lines); diff != "" || problems != nil {
			t.Errorf("%s: %v %s", name, problems, diff)
		}
	}
}

func TestWhatIsMissingOrContradictsIsAProblemWithItsPlace(t *testing.T) {
	full := Given{Target: "example.com", Scope: "domain", Date: day}
	without := func(change func(*Given)) *Reader {
		given := full
		change(&given)
		return ahrefs(given)
	}
	wrapped := func(members string) string { return `{` + members + `,"response":` + anchors + `}` }
	for name, tc := range map[string]struct {
		reader        *Reader
		content, want string
	}{
		"empty":                  {ahrefs(full), "", "x.json:1: the file is empty"},
		"spaces":                 {ahrefs(full), " \n\n", "x.json:1: the file is empty"},
		"no target":              {without(func(g *Given) { g.Target = "" }), anchors, "x.json:1: it does not say what it is about: name it with --target"},
		"no mode":                {without(func(g *Given) { g.Scope = "" }), anchors, "x.json:1: it does not say how wide the target was taken: give --mode, one of exact, prefix, domain, subdomains"},
		"no date":                {without(func(g *Given) { g.Date = time.Time{} }), anchors, "x.json:1: it does not say when it was fetched: give --date"},
		"bad mode":               {without(func(g *Given) { g.Scope = "wide" }), anchors, `x.json:1: mode "wide" is not one of exact`},
		"bad target":             {without(func(g *Given) { g.Target = "a b" }), anchors, "x.json:1: the target has a space inside"},
		"other target":           {ahrefs(full), wrapped(`"target":"other.example"`), `x.json:1: the archive says target "other.example", --target says "example.com"`},
		"other mode":             {ahrefs(full), wrapped(`"mode":"exact"`), `x.json:1: the archive says mode "exact", --mode says "domain"`},
		"other endpoint":         {without(func(g *Given) { g.Endpoint = "refdomains" }), wrapped(`"endpoint":"anchors"`), "x.json:1: the archive says it is of anchors, --endpoint says refdomains"},
		"endpoint of no table":   {ahrefs(full), wrapped(`"endpoint":"broken_links"`), `x.json:1: the archive says it is of "broken_links", which this program does not read; it reads anchors, all_backlinks`},
		"no such endpoint":       {without(func(g *Given) { g.Endpoint = "nothing" }), anchors, `x.json:1: --endpoint "nothing" is not one that this program reads`},
		"wrong endpoint":         {without(func(g *Given) { g.Endpoint = "refdomains" }), anchors, "x.json:1: it looks like a reply of anchors, not of refdomains, as --endpoint says: give --endpoint anchors"},
		"recognised by nobody":   {ahrefs(full), `{"positions":[]}`, "x.json:1: no endpoint recognises it; name one with --endpoint"},
		"rows of another table":  {ahrefs(full), `{"anchors":[{"anchor":"a","links_internal":1,"links_external":2}]}`, "x.json:1: no endpoint recognises it"},
		"a refusal":              {ahrefs(full), `{"error":"invalid token"}`, "x.json:1: no endpoint recognises it (it says: invalid token)"},
		"moz, nothing to go by":  {moz(Given{Target: "a.example", Scope: "page", Date: day}), `{"results":[]}`, "x.json:1: it may be of anchor_text or links or "},
		"v3 taken for v2":        {ahrefs(full), anchors3, "x.json:1: it looks like a reply of ahrefs-v3, anchors, not of anchors: import it with `backhaul import ahrefs-v3`"},
		"v2 taken for v3":        {ahrefs3(full), anchors, "x.json:1: it looks like a reply of ahrefs-v2, anchors, not of anchors: import it with `backhaul import ahrefs-v2`"},
		"v3, two that fit":       {ahrefs3(full), `{"backlinks":[{"url_from":"http://a.example/"}]}`, "x.json:1: it may be of all_backlinks or broken_backlinks: say which with --endpoint"},
		"v3, a batch":            {ahrefs3(full), `{"endpoint":"batch-analysis","response":{"targets":[]}}`, "x.json:1: whose rows a reply of ahrefs/batch_analysis has stands in the targets of its request"},
		"moz, a batch of whom":   {moz(Given{Date: day, Endpoint: "url_metrics"}), `{"results":[{"page":"b.example/"}]}`, "x.json:1: whose rows a reply of moz/url_metrics has stands in the targets of its request"},
		"moz, two of one target": {moz(Given{Date: day, Endpoint: "url_metrics", Target: "b.example"}), `{"results":[{"page":"b.example/"},{"page":"a.example/"}]}`, "x.json:1: read a page of moz/url_metrics: results: 2 results for 1 targets"},
		"moz, another's":         {moz(Given{Date: day, Endpoint: "url_metrics", Target: "b.example"}), `{"results":[{"page":"a.example/"}]}`, "x.json:1: read a page of moz/url_metrics: results: result 0 is about \"a.example/\", where \"b.example\" was asked about"},
		"moz, too few results":   {moz(Given{Date: day, Endpoint: "url_metrics"}), `{"request":{"targets":["a.example","b.example"]},"response":{"results":[{"page":"b.example/"}]}}`, "x.json:1: read a page of moz/url_metrics: results: "},
		"moz, an intersection":   {moz(Given{Date: day, Endpoint: "link_intersect"}), `{"results":[]}`, "x.json:1: what a reply of moz/link_intersect is about stands in its request"},
		"a list":                 {ahrefs(full), "\n[" + anchors + "]", "x.json:2: a list: want replies one after the other"},
		"a value":                {ahrefs(full), `"anchors"`, "x.json:1: a single value"},
		"cut":                    {ahrefs(full), anchors + "\n" + anchors[:40], "x.json:2: the JSON breaks off"},
		"broken":                 {ahrefs(full), anchors + "\n{\n\"anchors\": [}\n", "x.json:3: not strict JSON: "},
		"PHP":                    {ahrefs(full), `a:1:{s:7:"anchors";a:0:{}}`, "x.json:1: not strict JSON: "},
		"a name twice":           {ahrefs(full), `{"anchors":[],"anchors":[]}`, "x.json:1: not strict JSON: "},
		"XML of something else":  {ahrefs(full), "<html/>", "x.json:1: no endpoint recognises it"},
		"a response of nothing":  {ahrefs(full), `{"response":[]}`, "x.json:1: response: want the reply"},
		"a time that is none":    {ahrefs(full), wrapped(`"fetched_at":"yesterday"`), `x.json:1: fetched_at: want a day, 2025-01-31, or a time`},
		"a wrapper of its own":   {ahrefs(full), wrapped(`"target":5`), "x.json:1: the wrapper of the reply: "},
		"a request that is none": {ahrefs(full), wrapped(`"request":5`), "x.json:1: request: want an object"},
	} {
		lines, _, problems := readAll(t, tc.reader, write(t, "x.json", tc.content))
		if len(problems) != 1 || !strings.HasPrefix(problems[0], tc.want) {
			t.Errorf("%s: %v, want %q", name, problems, tc.want)
		}
		if len(lines) > 0 && !strings.HasPrefix(tc.content, anchors) {
			t.Errorf("%s: read %v all the same", name, lines)
		}
	}
}

func TestBehindABadReplyTheOthersAreExamined(t *testing.T) {
	_, pages, problems := readAll(t, ahrefs(Given{Target: "example.com", Scope: "domain", Date: day}), write(t, "x.ndjson",
		anchors+"\n"+`{"target":"other.example","response":`+anchors+"}\n\n"+`{"error":"invalid token"}`+"\n  "+anchors))
	if len(pages) != 2 || pages[0].Line != 1 || pages[1].Line != 5 || len(problems) != 2 ||
		!strings.HasPrefix(problems[0], "x.ndjson:2: ") || !strings.HasPrefix(problems[1], "x.ndjson:4: ") {
		t.Errorf("%d pages, problems %q", len(pages), problems)
	}
}

func TestCompressedFilesAreKnownByTheirContent(t *testing.T) {
	var gz, zst bytes.Buffer
	z := gzip.NewWriter(&gz)
	z.Write([]byte(anchors + "\n" + anchors))
	z.Close()
	s, err := zstd.NewWriter(&zst)
	if err != nil {
		t.Fatal(err)
	}
	s.Write([]byte(anchors + "\n" + anchors))
	s.Close()
	given := Given{Target: "example.com", Scope: "domain", Date: day}
	for name, content := range map[string]string{"a.json.gz": gz.String(), "a.json.zst": zst.String(), "a.json": gz.String()} {
		if _, pages, problems := readAll(t, ahrefs(given), write(t, name, content)); len(pages) != 2 || problems != nil || string(pages[0].Page.Body) != anchors {
			t.Errorf("%s: %d pages, %v", name, len(pages), problems)
		}
	}
	for name, content := range map[string]string{"cut.gz": gz.String()[:30], "cut.zst": zst.String()[:20]} {
		if _, pages, problems := readAll(t, ahrefs(given), write(t, name, content)); len(pages) != 0 || len(problems) != 1 {
			t.Errorf("%s: %d pages, %v", name, len(pages), problems)
		}
	}
	if _, _, problems := readAll(t, ahrefs(given), filepath.Join(t.TempDir(), "none.json")); len(problems) != 1 || !strings.Contains(problems[0], "no such file") {
		t.Errorf("no file: %v", problems)
	}
}

func TestAReplyIsKeptAsItWasAndItsRequestWithoutKeys(t *testing.T) {
	const body = "{ \"anchors\" : [ ] }"
	_, pages, problems := readAll(t, ahrefs(Given{Date: day}), write(t, "x.json", `{"url":"https://gateway.example/v2?token=s3cret&api_key=s3cret&from=anchors&target=A.example&mode=exact&offset=50&where=refpages%3E1",
		"headers":{"Authorization":"Bearer s3cret"},"status":203,"fetched_at":"2025-01-30T23:00:00-02:00","response":`+body+`}`))
	if len(pages) != 1 {
		t.Fatal(problems)
	}
	p := pages[0]
	if string(p.Page.Body) != body || p.Page.Status != 203 || !p.Page.FetchedAt.Equal(day.Add(time.Hour)) || !p.Date.Equal(day) {
		t.Errorf("%+v", p)
	}
	if got, want := string(p.Page.Request), `{"from":"anchors","mode":"exact","offset":"50","target":"A.example","where":"refpages>1"}`; got != want {
		t.Errorf("request %s, want %s", got, want)
	}
	want := pipeline.Task{Extract: "anchors", Endpoint: "ahrefs/anchors", Surface: "v2", Target: "a.example", TargetAsGiven: "A.example", Scope: "exact",
		Params: `{"from":"anchors","mode":"exact","where":"refpages>1"}`}
	want.ID = pipeline.TaskID(want)
	if diff := cmp.Diff(want, p.Task); diff != "" {
		t.Error(diff)
	}
	if strings.Contains(fmt.Sprintf("%+v", p), "s3cret") {
		t.Error("a key is kept")
	}
}

func TestRecordedRepliesAreRecognised(t *testing.T) {
	ofMoz := Given{Target: "example.com", Scope: "root_domain", Date: day}
	ofAhrefs := Given{Target: "example.com", Scope: "domain", Date: day}
	for file, tc := range map[string]struct {
		reader *Reader
		want   string // "" for a problem
	}{
		"ahrefs/v2_anchors.json":                      {ahrefs(ofAhrefs), "anchors 2"},
		"ahrefs/v2_refdomains.json":                   {ahrefs(ofAhrefs), "refdomains 3"},
		"ahrefs/v2_anchors_refdomains.json":           {ahrefs(ofAhrefs), "refdomains 3"},
		"ahrefs/v2_refips.xml":                        {ahrefs(ofAhrefs), "refdomains 3"},
		"ahrefs/v2_backlinks_one_per_domain.json":     {ahrefs(ofAhrefs), "all_backlinks 1"},
		"ahrefs/v2_positions_metrics.json":            {ahrefs(ofAhrefs), ""},
		"ahrefs/v2_refdomains_new_lost_counters.json": {ahrefs(ofAhrefs), ""},
		"ahrefs/v2_error_invalid_token.http":          {ahrefs(ofAhrefs), ""},
		"moz/v2_anchor_text.json":                     {moz(ofMoz), "anchor_text 3"},
		"moz/v2_links.json":                           {moz(ofMoz), "links 1"},
	} {
		var got string
		_, pages, problems := readAll(t, tc.reader, write(t, "x", string(vendors.Read(t, file))))
		for _, p := range pages {
			got = fmt.Sprintf("%s %d", p.Task.Extract, p.Page.Rows)
		}
		if got != tc.want || (tc.want == "") != (len(problems) == 1) {
			t.Errorf("%s: %q, %v, want %q", file, got, problems, tc.want)
		}
	}
}

// FuzzPages holds the reader against what it promises: whatever a file holds, it ends, with pages that have all they need or
// with problems that have a place.
func FuzzPages(f *testing.F) {
	for _, seed := range []string{anchors, anchors + "\n" + backlinks, `{"response":"{}"}`, `{"response":` + anchors + `,"url":"?from=anchors"}`, "<AhrefsApiResponse/>", "\x1f\x8b", "\x28\xb5\x2f\xfd", "[", "\ufeff "} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		path := filepath.Join(t.TempDir(), "x.json")
		if err := os.WriteFile(path, content, 0o644); err != nil {
			t.Fatal(err)
		}
		r := ahrefs(Given{Target: "example.com", Scope: "domain", Date: day})
		n := 0
		for p, err := range r.Pages(path) {
			n++
			problem, placed := err.(*Problem)
			switch {
			case err == nil && (p.Line < 1 || p.Task.ID == "" || p.Date.IsZero() || p.Page.FetchedAt.IsZero() || p.Page.Rows < 0):
				t.Fatalf("%+v", p)
			case err != nil && (!placed || problem.Line < 1 || problem.Line > 1+bytes.Count(content, []byte("\n")) && !bytes.HasPrefix(content, []byte("\x1f\x8b")) && !bytes.HasPrefix(content, []byte("\x28\xb5"))):
				t.Fatalf("%v", err)
			}
		}
		if n == 0 {
			t.Fatal("nothing was said of the file")
		}
	})
}

func TestRowsThatDoNotFitAreCountedAsRowsOfTheirReply(t *testing.T) {
	misfit := `{"results":[{"anchor_text":"a","external_root_domains":1,"external_pages":2},{"anchor_text":"b","external_root_domains":1,"external_pages":"many"}],"next_token":""}`
	given := Given{Endpoint: "anchor_text", Target: "a.example", Scope: "page", Date: day}
	lines, _, problems := readAll(t, moz(given), write(t, "x.json", misfit))
	if diff := cmp.Diff([]string{"moz/anchor_text a.example page 2025-01-31 2"}, lines); diff != "" || problems != nil {
		t.Errorf("%v %s", problems, diff)
	}
}

func TestABatchIsTakenWithAllThatWasSentOrNotAtAll(t *testing.T) {
	reply := `{"endpoint":"url_metrics","request":{"targets":[7,"b.example"]},"response":{"results":[{"page":"b.example/","title":"B"}]}}`
	lines, _, problems := readAll(t, moz(Given{Date: day}), write(t, "x.json", reply))
	if lines != nil || len(problems) != 1 || !strings.Contains(problems[0], "a list of texts") {
		t.Errorf("%v, %v", lines, problems)
	}
}
