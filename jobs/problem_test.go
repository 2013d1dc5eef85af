package jobs

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// refusals are specs with what is said of them, all of it.
var refusals = []struct {
	name, spec string
	want       []string
}{
	{"empty", "", []string{`1:1: the file is empty: a job spec begins with job: NAME`}},
	{"comments alone", "# hello\n", []string{`1:1: the file is empty: a job spec begins with job: NAME`}},
	{"a list", "- a\n", []string{`1:1: a job spec is a mapping that begins with job: NAME, not a list`}},
	{"a word", "nightly\n", []string{`1:1: a job spec is a mapping that begins with job: NAME, not a string`}},
	{"two documents", "a: b\n---\nc: d\n", []string{`3:2: a second document begins here: one file is one job spec`}},
	{"binary", "job: a\n\x00", []string{`1:1: the file holds a NUL byte: it is not YAML text`}},
	{"Latin-1", "job: a\n# \xfc\n", []string{`2:3: the file is not valid UTF-8: save it as UTF-8`}},
	{"tab", "job: a\n\tb: c\n", []string{`2:1: YAML takes no tabs as indentation: use spaces`}},
	{"tab first", "\tjob: a\n", []string{`1:1: YAML takes no tabs as indentation: use spaces`}},
	{"open bracket", "job: a\nextracts: [\n", []string{`2:11: not valid YAML here: sequence end token ']' not found`}},
	{"tag", "job: !!str a\n", []string{`1:6: tags (!!str) are not supported in a job spec: write the value without`}},
	{"complex key", "? job\n: a\n", []string{`1:1: complex keys (?) are not supported in a job spec: write key: value`}},
	{"deep flow", "job: " + strings.Repeat("[", 100_000), []string{`1:38: brackets or dashes are nested more than 32 deep: a spec needs no more than six levels`}},
	{"deep dashes", strings.Repeat("- ", 100_000), []string{`1:65: brackets or dashes are nested more than 32 deep: a spec needs no more than six levels`}},
	{"deep blocks", deepBlocks(100), []string{`33:33: is nested more than 32 deep: a spec needs no more than six levels`}},
	{"too large", strings.Repeat("# padding\n", 500_000), []string{`1:1: cannot read the job spec: the file is larger than 4 MiB`}},
	{"too many keys", strings.Repeat("a:\n", maxKeys+1), []string{`20001:2: the file has more than 20000 keys: put long lists of targets into a CSV file`}},
	{"alias bomb", bomb(), []string{`6:9: stands for more than 500000 values when its aliases are written out: put long lists into a CSV file`}},
	{"alias of itself", "job: &a [*a]\n", []string{
		`1:1: the job spec has no extracts: add a list of what to buy`,
		`1:9: job must be a string, not a list`,
		`1:10: alias *a has no anchor &a before it`,
	}},
	{"merge key", minimal("params: &p {filter: follow}", "<<: *p"), []string{`9:5: merge keys (<<) are not supported: write the keys out, or alias the whole value`}},
	{"duplicate keys", minimal("max_rows: 1", "max_rows: 2"), []string{`9:5: key "max_rows" appears twice, first on line 8: keep one`}},
	{"nothing needed", "{}\n", []string{
		`1:1: the job spec has no extracts: add a list of what to buy`,
		`1:1: the job spec has no job: add job: nightly`,
	}},
	{"job's name", strings.Replace(minimal(), "job: j", "job: Nightly_1", 1), []string{`1:6: job "Nightly_1" may hold only a-z, 0-9 and -, and not be empty`}},
	{"job is a number", strings.Replace(minimal(), "job: j", "job: 12", 1), []string{`1:6: job must be a string: write it in quotes, "12"`}},
	{"unknown key", minimal() + "extract: []\n", []string{`8:1: unknown key "extract" of a job spec; did you mean "extracts"? it takes: job, parameters, vendors, budget, confirm_over, report, expect, notify, retry_for, targets, tables, extracts`}},
	{"expect", minimal() + `expect:
  - {extract: y, rows: {min: 5, max: 3}}
  - {table: moz.link, drift: {min: 0}, on_breach: stop}
  - {extract: x}
  - {rows: {}}
  - {extract: x, where: "rank > 1", rows: {min: 1}}
  - {table: marts.campaign, units: {max: 5}, on_breach: hold}
  - {table: "marts.campaign; x", rows: {max: 5}}
`, []string{
		`9:15: extract is "y"; did you mean "x"? it must be one of: x`,
		`9:18: rows has a min above its max`,
		`10:13: table is "moz.link"; it must be one of: nothing`, // the fake endpoints have none
		`10:31: unknown key "min" of drift; it takes: max`,
		`10:51: on_breach is "stop"; it must be one of: warn, hold`,
		`11:5: an entry of expect expects nothing: add one of rows, change, rejected_rows, drift, units, freshness`,
		`12:5: an entry of expect does not say what it is about: add extract: NAME, or table: VENDOR.NAME`,
		`12:12: rows sets no bound: it takes min, max`,
		`13:25: where counts rows of a mart: it goes with table: marts.NAME`,
		`14:29: units is not known of a mart: it is expected to have rows`,
		`14:46: a mart is worked out from what is published, and holds nothing back: its on_breach is warn`,
		`15:13: table is "marts.campaign; x"; it must be one of: nothing`,
	}},
	{"notify", minimal() + `notify:
  - {on: [faild], after: 400, webhook: {url_env: MOZ_TOKEN}}
  - {webhook: {url_env: HOOK_URL}, command: [mail]}
  - {on: failed, email: {host: h, from: b, to: [ops@example.com], user_env: SMTP_USER}}
`, []string{
		`9:11: an event is "faild"; did you mean "failed"? it must be one of: failed, stopped, incomplete, breach, recovered, complete`,
		`9:26: after is "400"; it must be a whole number from 1 to 365 in plain digits`,
		`9:50: url_env may name only variables meant for messages, whose names have HOOK, NOTIFY, SLACK, MAIL or SMTP in them: no other secret may leave by a spec`,
		`10:5: an entry of notify has no on: add on: [failed, recovered]`,
		`10:36: an entry of notify has webhook and command: make it two entries`,
		`11:25: email has one of user_env and password_env: give both, or none`,
		`11:41: from is "b", which is not a mail address`,
	}},
	{"key without value", minimal() + "budget:\n", []string{`8:1: key "budget" of a job spec has no value: give one, or remove the line`}},
	{"vendors", minimal() + `vendors:
  mos: {}
  moz: {surface: v3, requests_per_second: 2, requests_per_minute: 9, connections: 0, token_life: 3}
  ahrefs: {requests_per_second: 0, connections: "4", conections: 1}
`, []string{
		`9:3: unknown key "mos" of vendors; did you mean "moz"? it takes: moz, ahrefs`,
		`10:18: surface of moz is "v3"; did you mean "v2"? it must be one of: v2, rpc`,
		`10:46: moz has requests_per_second and requests_per_minute: keep one`,
		`10:83: connections is "0"; it must be a whole number from 1 to 1000 in plain digits`,
		`10:98: token_life must be a duration like 7d, 12h or 1d12h (units w d h m s), at most ten years`,
		`11:33: requests_per_second must be a number above 0, at most 1000000`,
		`11:49: connections must be a number: write 4 without quotes`,
		`11:54: unknown key "conections" of vendor ahrefs; did you mean "connections"? it takes: surface, requests_per_second, requests_per_minute, connections, token_life`,
	}},
	{"budgets", minimal() + "budget: {moz: {run: -1, month: 1.5, day: 3}, google: 1}\nconfirm_over: {moz: lots}\n", []string{
		`8:21: run is "-1"; it must be a whole number of at least 0 in plain digits`,
		`8:32: month is "1.5"; it must be a whole number of at least 0 in plain digits`,
		`8:37: unknown key "day" of the budget of moz; it takes: run, month, warehouse_month, month_starts_on`,
		`8:46: unknown key "google" of budget; it takes: moz, ahrefs`,
		`9:21: confirm_over of moz is "lots"; it must be a whole number of at least 0 in plain digits`,
	}},
	{"numbers that YAML bends", minimal("max_rows: 010", "max_units: 0x1F", "priority: 1e3"), []string{
		`8:15: max_rows is "010"; it must be a whole number of at least 1 in plain digits`,
		`9:16: max_units is "0x1F"; it must be a whole number of at least 0 in plain digits`,
		`10:15: priority is "1e3"; it must be a whole number from -1000000 to 1000000 in plain digits`,
	}},
	{"bounds of an extract", minimal("max_rows: 0", "max_age: 1 day", "only_if: changed", "priority: 99999999"), []string{
		`8:15: max_rows is "0"; it must be a whole number of at least 1 in plain digits`,
		`9:14: max_age must be a duration like 7d, 12h or 1d12h (units w d h m s), at most ten years`,
		`10:14: only_if is "changed"; did you mean "index_changed"? it must be one of: index_changed`,
		`11:15: priority is "99999999"; it must be a whole number from -1000000 to 1000000 in plain digits`,
	}},
	{"extracts are no list", "job: j\nextracts: {name: x}\n", []string{`2:11: extracts must be a list with at least one entry (- name: …), not a mapping`}},
	{"extract is a word", "job: j\nextracts: [x]\n", []string{`2:12: an extract must be a mapping (key: value), not a string`}},
	{"extract without anything", "job: j\nextracts:\n  - max_rows: 1\n", []string{
		`3:5: an extract has no name: add name: anchors`,
		`3:5: the extract has no endpoint: add endpoint: moz/anchor_text`,
	}},
	{"extract without targets", "job: j\nextracts:\n  - name: x\n    endpoint: moz/links\n", []string{
		`3:5: the extract has no targets: add targets: [NAME], the name of a list under targets`,
	}},
	{"names of extracts", minimal() + "  - {name: x, endpoint: moz/links, targets: own}\n  - {name: X y, endpoint: moz/links, targets: own}\n", []string{
		`8:12: extract "x" is defined twice, first on line 5: rename one`,
		`9:12: the name of an extract "X y" may hold only a-z, 0-9, _ and -, and not be empty`,
	}},
	{"endpoints", `
job: j
targets: {own: [a.example]}
extracts:
  - {name: a, endpoint: links, targets: own}
  - {name: b, endpoint: mox/links, targets: own}
  - {name: c, endpoint: moz/anchor_texts, targets: own}
  - {name: d, endpoint: moz/anchors, targets: own}
`, []string{
		`5:25: endpoint "links" must be VENDOR/NAME, like moz/anchor_text`,
		`6:25: unknown vendor "mox"; did you mean "moz"? the vendors are: moz, ahrefs`,
		`7:25: unknown endpoint "anchor_texts" of moz v2; did you mean "anchor_text"? it has: anchor_text, links, linking_root_domains, link_status, url_metrics, index_metadata, link_intersect`,
		`8:25: unknown endpoint "anchors" of moz v2; it has: anchor_text, links, linking_root_domains, link_status, url_metrics, index_metadata, link_intersect`,
	}},
	{"surface without endpoints", minimal() + "vendors: {moz: {surface: rpc}}\n", []string{
		`6:15: surface rpc of moz has no endpoints in this version: choose another under vendors`,
	}},
	{"parameters", minimal(`params:
      scop: page
      scope: page
      target: b.example
      next_token: x
      limit: 51
      target_scope: domain
      filter: [external, folow, external]
      anchor_text: 2024
      sort:`), []string{
		`9:7: unknown parameter "scop" of moz/links; did you mean "target_scope"? it takes: target_scope, filter, sort, anchor_text, subdomains_limited_to_one, limit`,
		`10:7: unknown parameter "scope" of moz/links; did you mean "target_scope"? it takes: target_scope, filter, sort, anchor_text, subdomains_limited_to_one, limit`,
		`11:7: parameter "target" of moz/links is filled in by the program: name targets under targets`,
		`12:7: parameter "next_token" of moz/links is filled in by the program: the program follows the vendor's list itself`,
		`13:14: parameter "limit" of moz/links is "51"; it must be a whole number from 1 to 50 in plain digits`,
		`14:21: parameter "target_scope" of moz/links is "domain"; did you mean "root_domain"? it must be one of: page, subdomain, root_domain`,
		`15:26: parameter "filter" of moz/links is "folow"; did you mean "follow"? it must be one of: external, follow, nofollow, not_deleted`,
		`15:33: parameter "filter" of moz/links names "external" twice: keep one`,
		`16:20: parameter "anchor_text" of moz/links must be a string: write it in quotes, "2024"`,
		`17:7: parameter "sort" of moz/links has no value: give one, or remove it`,
	}},
	{"types of parameters", `
job: j
targets: {own: [a.example]}
extracts:
  - {name: x, endpoint: ahrefs/anchors, targets: own, params: {history: yes, depth: 10, offset_days: x, since: 2026-02-30, select: [anchor, 1], country: [de]}}
`, []string{
		`5:73: parameter "history" of ahrefs/anchors must be true or false`,
		`5:85: parameter "depth" of ahrefs/anchors is "10"; it must be a whole number from 1 to 9 in plain digits`,
		`5:102: parameter "offset_days" of ahrefs/anchors is "x"; it must be a whole number in plain digits`,
		`5:112: parameter "since" of ahrefs/anchors must be a date, YYYY-MM-DD`,
		`5:141: parameter "select" of ahrefs/anchors must be a string: write it in quotes, "1"`,
		`5:154: parameter "country" of ahrefs/anchors must be a string, not a list`,
	}},
	{"combinations of parameters", minimal("params: {subdomains_limited_to_one: [b.example]}"), []string{
		`8:41: parameter "subdomains_limited_to_one" of moz/links: needs sort`,
	}},
	{"empty words", minimal("params: {filter: []}"), []string{
		`8:22: parameter "filter" of moz/links is an empty list: name one of external, follow, nofollow, not_deleted, or remove it`,
	}},
	{"names of lists", strings.Replace(minimal(), "targets: own\n", "targets: [own, onw, own, b.example]\n", 1), []string{
		`7:20: no target list is named "onw"; did you mean "own"? the lists are: own`,
		`7:25: target list "own" is named twice: keep one`,
		`7:30: no target list is named "b.example"; put the target into a list under targets: and name the list here; the lists are: own`,
	}},
	{"targets of an extract", strings.Replace(minimal(), "targets: own\n", "targets: {query: x}\n", 1), []string{
		`3:3: warning: target list "own" is used by no extract`,
		`7:14: targets of an extract has no sql: add sql: a query with a column target`,
		`7:15: unknown key "query" of targets of an extract; it takes: sql`,
	}},
	{"inline targets", `
job: j
targets:
  own: ['', 'a b.example', 12, [x], {scope: page}, {target: }, {target: c.example, scope: pge, colour: red, limit: 3}, {target: d.example, scope: page, target_scope: page}]
  none: []
  word: a.example
extracts:
  - {name: x, endpoint: moz/links, targets: [own, none, word]}
`, []string{
		`4:9: the target is empty: give a host or page, or remove the entry`,
		`4:13: target "a b.example" has a space inside: give one host or page, and write a space of a path as %20`,
		`4:28: a target must be a string: write it in quotes, "12"`,
		`4:32: a target must be a string, not a list`,
		`4:37: an entry of target list "own" has no target: write {target: example.com, …}`,
		`4:53: "target" has no value: give one, or remove it`,
		`4:91: parameter "target_scope" of moz/links is "pge"; did you mean "page"? it must be one of: page, subdomain, root_domain`,
		`4:96: key "colour" is not a parameter of moz/links, which extract "x" asks; it takes: target_scope, filter, sort, anchor_text, subdomains_limited_to_one, limit`,
		`4:109: limit is set per extract, under its params, not per target`,
		`4:153: "target_scope" sets parameter "target_scope", which this target sets already: keep one`,
		`5:9: target list "none" is empty: name a target, or remove the list`,
		`6:9: target list "word" must be a list or {file: NAME.csv}, not a string`,
	}},
	{"combinations of a row", strings.Replace(minimal("params: {sort: source_page_authority}"), "[a.example]", "[{target: a.example, subdomains_limited_to_one: [b.example]}]", 1) +
		"  - {name: y, endpoint: moz/links, targets: own}\n", []string{
		`3:56: parameter "subdomains_limited_to_one" of moz/links with the values of the target at job.yaml:3:18: needs sort`,
	}},
	{"passwords are not repeated", strings.Replace(minimal(), "[a.example]", "['https://me:hunter2@a']", 1), []string{
		`3:9: the target has a host without a dot: give the whole name, like example.com`,
	}},
	{"missing file", strings.Replace(minimal(), "[a.example]", "{file: none.csv}", 1), []string{
		`3:15: cannot read none.csv: file does not exist (paths are relative to the folder of the spec)`,
	}},
	{"list without file", strings.Replace(minimal(), "[a.example]", "{fil: none.csv}", 1), []string{
		`3:8: target list own has no file: add file: NAME.csv`,
		`3:9: unknown key "fil" of target list own; did you mean "file"? it takes: file`,
	}},
	{"targets and inputs", minimal("inputs: {sql: select 1}"), []string{`8:5: moz/links asks about targets, not about pairs: name them under targets`}},
	{"inputs", `
job: j
targets: {own: [a.example]}
extracts:
  - {name: a, endpoint: moz/link_status, inputs: {file: a.csv, sql: select 1}}
  - {name: b, endpoint: moz/link_status, targets: [own]}
  - {name: c, endpoint: moz/link_status, inputs: {sql: select 1}, max_rows: 4}
  - {name: d, endpoint: moz/link_status}
`, []string{
		`5:51: inputs has file and sql: keep one`,
		`6:42: moz/link_status compares targets with sources: give inputs, a file or query with columns target and source, instead of targets`,
		`7:77: max_rows is for lists: moz/link_status brings a fixed number of rows`,
		`8:5: the extract has no inputs: add inputs: {file: NAME.csv}, with columns target and source`,
	}},
	{"no targets", `
job: j
targets: {own: [a.example]}
extracts:
  - {name: a, endpoint: moz/index_metadata, targets: [own], params: {limit: 3}}
  - {name: b, endpoint: moz/link_intersect, targets: [own]}
  - {name: c, endpoint: moz/link_intersect, params: {positive_targets: [{target: a.example}, {target: "", scope: page}, {target: b.example, scope: site}]}}
  - {name: d, endpoint: moz/link_intersect, params: {positive_targets: a.example, filter: '{"and":'}}
`, []string{
		`5:45: moz/index_metadata takes no targets: it is about no target; remove the key`,
		`5:70: unknown parameter "limit" of moz/index_metadata; it takes: nothing`,
		`6:5: moz/link_intersect needs parameter "positive_targets": sites to link to`,
		`6:45: moz/link_intersect takes no targets: its targets are parameters; remove the key`,
		`7:73: an entry of parameter "positive_targets" of moz/link_intersect has no scope: add scope: root_domain`,
		`7:103: the target is empty: give a host or page, or remove the entry`,
		`7:148: scope of an entry of parameter "positive_targets" of moz/link_intersect is "site"; it must be one of: page, subdomain, root_domain`,
		`8:72: parameter "positive_targets" of moz/link_intersect must be a list of {target: example.com, scope: root_domain}, not a string`,
		`8:91: parameter "filter" of moz/link_intersect must be a mapping, or a string that holds JSON: unexpected end of JSON input`,
	}},
	{"sql", strings.Replace(minimal(), "targets: own\n", "targets: {sql: ' '}\n", 1), []string{
		`3:3: warning: target list "own" is used by no extract`,
		`7:20: sql is empty: write a query with a column target`,
	}},
	{"order", `
job: j
targets: {own: [a.example]}
extracts:
  - {name: a, endpoint: moz/links, targets: own, after: [c]}
  - {name: b, endpoint: moz/links, targets: own, after: [a, bb]}
  - {name: c, endpoint: moz/links, targets: own, after: b}
  - {name: d, endpoint: moz/links, targets: own, after: d}
`, []string{
		`6:58: extracts wait for each other: a after c after b after a; remove one of these`,
		`6:61: after names "bb", which is not an extract; did you mean "b"? the extracts are: a, b, c, d`,
		`8:57: extracts wait for each other: d after d; remove one of these`,
	}},
}

func deepBlocks(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "%sa:\n", strings.Repeat(" ", i))
	}
	return b.String()
}

// bomb is a spec whose aliases stand for a million words.
func bomb() string {
	s := "a: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
	for i := range 9 {
		alias := fmt.Sprintf("*a%d", i)
		s += fmt.Sprintf("b%d: &a%d [%s]\n", i, i+1, strings.TrimSuffix(strings.Repeat(alias+", ", 10), ", "))
	}
	return s
}

func TestEveryProblemIsReportedAtItsPlace(t *testing.T) {
	for _, c := range refusals {
		t.Run(c.name, func(t *testing.T) {
			s, found := LoadFS(folderOf(c.spec), "job.yaml", fake)
			if s != nil {
				t.Error("a spec with problems is returned")
			}
			want := "job.yaml:" + strings.Join(c.want, "\njob.yaml:")
			if diff := cmp.Diff(want, lines(found)); diff != "" {
				t.Errorf("%s\n%s", lines(found), diff)
			}
		})
	}
}

func TestDamagedSheetsAreReportedAtTheirPlace(t *testing.T) {
	for name, c := range map[string]struct{ csv, want string }{
		"empty":           {"", `t.csv:1:1: the file is empty: its first row names the columns, one of them target`},
		"no target":       {"\nurl,scope\na.example,\n", `t.csv:2:1: no column "target"; the columns found are: url, scope`},
		"misspelt":        {"targt\na.example\n", `t.csv:1:1: no column "target"; the columns found are: targt; rename "targt"`},
		"semicolons":      {"target;scope\na.example;\n", `t.csv:1:1: no column "target"; the first row holds no comma: separate columns with commas`},
		"UTF-16":          {"\xff\xfet\x00", `t.csv:1:1: the file is not valid UTF-8: save it as CSV UTF-8`},
		"open quote":      {"target\na.example\n\"b.example\n", `t.csv:3:12: not valid CSV here: extraneous or missing " in quoted-field; a cell with a quote or comma is written in quotes, with its quotes doubled`},
		"stray quote":     {"target\na\"b\n", `t.csv:2:2: not valid CSV here: bare " in non-quoted-field; a cell with a quote or comma is written in quotes, with its quotes doubled`},
		"twice":           {"target,scope,Scope\na.example,,\n", `t.csv:1:14: column "scope" appears twice: keep one`},
		"nameless":        {"target,,\na.example,,x\n", `t.csv:1:9: column 3 holds values but has no name`},
		"unknown column":  {"target,scop\na.example,\nb.example,page\nc.example,page\n", `t.csv:1:8: column "scop" is not a parameter of moz/links, which extract "x" asks; did you mean "target_scope"? it takes: target_scope, filter, sort, anchor_text, subdomains_limited_to_one, limit`},
		"after Unicode":   {"target,scope\nbücher.example,\"é\"\n", `t.csv:2:16: parameter "target_scope" of moz/links is "é"; it must be one of: page, subdomain, root_domain`},
		"cell of 2 lines": {"target,anchor_text,scope\na.example,\"b\nc\", d\n", `t.csv:3:5: parameter "target_scope" of moz/links is "d"; it must be one of: page, subdomain, root_domain`},
	} {
		t.Run(name, func(t *testing.T) {
			s, found := LoadFS(folderOf(fromCSV, "t.csv", c.csv), "job.yaml", fake)
			if diff := cmp.Diff(c.want, lines(found)); s != nil || diff != "" {
				t.Errorf("%s\n%s", lines(found), diff)
			}
		})
	}
}

func TestMissingSpecSaysSo(t *testing.T) {
	_, found := LoadFS(folderOf(""), "other/job.yaml", fake)
	if got := lines(found); got != "other/job.yaml:1:1: cannot read the job spec: file does not exist" {
		t.Error(got)
	}
	if _, found = Load(t.TempDir(), fake, Access{}); len(found) != 1 {
		t.Error(lines(found))
	}
}

func TestProblemsOfTheSpecComeFirst(t *testing.T) {
	spec := strings.Replace(fromCSV, "t.csv", "a.csv", 1) + "what: 1\n"
	_, found := LoadFS(folderOf(spec, "a.csv", "target\nb\n"), "job.yaml", fake)
	if len(found) != 2 || found[0].File != "job.yaml" || found[1].File != "a.csv" {
		t.Error(lines(found))
	}
}

func TestDistanceCountsSlips(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want int
	}{{"", "", 0}, {"scope", "scope", 0}, {"scop", "scope", 1}, {"socpe", "scope", 1}, {"scoope", "scope", 1}, {"xcope", "scope", 1}, {"", "abc", 3}, {"kitten", "sitting", 3}} {
		if got := distance(c.a, c.b); got != c.want {
			t.Errorf("distance(%q, %q) = %d, want %d", c.a, c.b, got, c.want)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, c := range refusals {
		if len(c.spec) < 2000 {
			f.Add(c.spec, "target,scope\na.example,page\n")
		}
	}
	f.Add(fromCSV, "target,scope\n\"a.example\",é\n")
	ready, err := Files.ReadFile("nightly.yaml")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(string(ready), "target\n")
	f.Fuzz(func(t *testing.T, spec, csv string) {
		s, found := LoadFS(folderOf(spec, "t.csv", csv, "rivals.csv", csv), "job.yaml", fake)
		if (s == nil) != Failed(found) {
			t.Fatalf("spec %v with problems\n%s", s, lines(found))
		}
		for _, p := range found {
			if p.Line < 1 || p.Column < 1 || p.Text == "" || strings.Contains(p.Text, "\n") {
				t.Fatalf("a problem without a place or on two lines: %q", p)
			}
		}
		if s != nil && (s.Job == "" || len(s.Extracts) == 0) {
			t.Fatalf("an empty spec is valid: %v", s)
		}
		if s == nil {
			return // of aliases that multiply, say, which the schema's reader would write out
		}
		if err := bySchema(spec); err != nil && !errors.Is(err, errNoYAML) {
			t.Fatalf("the schema has something against a valid spec: %v", err)
		}
	})
}
