package jobs

import (
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

// compiled is the schema of jobs for the fake endpoints, read by a validator that shares nothing with its generator.
var compiled = sync.OnceValues(func() (*jsonschema.Schema, error) {
	text, err := Schema(fake)
	if err != nil {
		return nil, err
	}
	doc, err := jsonschema.UnmarshalJSON(strings.NewReader(string(text)))
	if err != nil {
		return nil, err
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("job.schema.json", doc); err != nil {
		return nil, err
	}
	return c.Compile("job.schema.json")
})

var errNoYAML = errors.New("no YAML that decodes to JSON")

// bySchema says what the schema has against a spec.
func bySchema(spec string) error {
	s, err := compiled()
	if err != nil {
		return err
	}
	var value any
	if err := yaml.Unmarshal([]byte(spec), &value); err != nil {
		return errNoYAML
	}
	text, err := json.Marshal(value)
	if err != nil {
		return errNoYAML
	}
	doc, err := jsonschema.UnmarshalJSON(strings.NewReader(string(text)))
	if err != nil {
		return errNoYAML
	}
	return s.Validate(doc)
}

// asking is a spec of one extract that asks no list: name and endpoint, and further keys in flow style.
func asking(endpoint, keys string) string {
	return "job: j\nextracts: [{name: x, endpoint: " + endpoint + keys + "}]\n"
}

// listing is a spec with one list, which its one extract asks about.
func listing(list, endpoint, keys string) string {
	return "job: j\ntargets: {own: " + list + "}\nextracts: [{name: x, endpoint: " + endpoint + ", targets: own" + keys + "}]\n"
}

// expecting is a spec with one entry of expect.
func expecting(entry string) string { return minimal() + "expect: [" + entry + "]\n" }

// notifying is a spec with one entry of notify.
func notifying(entry string) string { return minimal() + "notify: [" + entry + "]\n" }

var sound = []string{
	minimal(),
	minimal("max_rows: 1"), minimal("max_rows: 9223372036854775807"), minimal("max_units: 0"), minimal("max_units: 1125899906842624"),
	minimal("max_age: 1d12h"), minimal("max_age: 0d1s"), minimal("priority: -1000000"), minimal("priority: 1000000"), minimal("only_if: index_changed"),
	minimal("after: []"), minimal("params: {}"), minimal("params: {limit: 50}"), minimal("params: {limit: 1}"),
	minimal("params: {target_scope: root_domain}"), minimal("params: {filter: external}"), minimal("params: {filter: 'external + follow'}"),
	minimal("params: {filter: [external, not_deleted]}"), minimal("params: {anchor_text: ''}"), minimal("params: {anchor_text: '12'}"),
	minimal("params: {sort: source_page_authority, subdomains_limited_to_one: b.example}"),
	minimal("params: {sort: source_page_authority, subdomains_limited_to_one: [b.example, c.example]}"),
	minimal("params: {sort: source_page_authority, subdomains_limited_to_one: []}"),
	minimal() + "  - {name: y, endpoint: moz/anchor_text, targets: [own], after: x}\n",
	minimal() + "  - {name: y, endpoint: moz/anchor_text, targets: [own], after: [x, x]}\n",
	minimal() + "vendors: {}\n", minimal() + "vendors: {moz: {}, ahrefs: {surface: v3}}\n", minimal() + "vendors: {moz: {surface: v2, requests_per_second: 0.5}}\n",
	minimal() + "vendors: {ahrefs: {requests_per_minute: 60, connections: 1000, token_life: 1h}}\n",
	minimal() + "budget: {}\n", minimal() + "budget: {moz: {run: 0, month: 5, month_starts_on: 28}}\n", minimal() + "confirm_over: {moz: 0}\n",
	minimal() + "retry_for: 30m\n", minimal() + "retry_for: 0s\n", minimal() + "retry_for: 1h30m\n",
	minimal() + "parameters: {rows: {default: 5, meaning: how many}}\n", minimal() + "parameters: {on: {default: true, same_run: true}}\n",
	minimal() + "report: true\n", minimal() + "report: false\n", minimal() + "report: {}\n", minimal() + "report: {rows: 1000}\n",
	expecting("{extract: x, rows: {min: 100, max: 5000}, change: {max_percent: 50}, rejected_rows: {max: 0}, drift: {max: 0}, units: {max: 9}, freshness: 2d, on_breach: hold}"),
	expecting("{extract: x, freshness: 12h, on_breach: warn}"), expecting("{table: marts.campaign, where: verdict = 'lost', rows: {max: 0}}"),
	notifying("{on: failed, webhook: {url_env: HOOK_URL}}"), notifying("{on: [failed, breach, recovered], webhook: {url_env: HOOK_URL, format: slack}}"),
	notifying("{on: [stopped, incomplete], after: 3, webhook: {url_env: HOOK_URL, format: json, secret_env: HOOK_SECRET}}"),
	notifying("{on: complete, email: {host: smtp.example.com, from: b@example.com, to: ops@example.com}}"),
	notifying("{on: complete, email: {host: h, port: 465, from: 'B <b@example.com>', to: [ops@example.com], user_env: SMTP_USER, password_env: SMTP_PASSWORD}}"),
	notifying("{on: failed, command: [mail, -s, backhaul, ops]}"),
	listing("['https://A.example/x?y#z', {target: b.example}]", "moz/links", ""),
	listing("[{target: b.example, scope: page, filter: [external], anchor_text: x}]", "moz/links", ""),
	listing("&own [a.example]", "moz/anchor_text", ", params: {scope: page}"),
	listing("[a.example]", "moz/url_metrics", ", params: {distributions: true}"),
	listing("[a.example]", "ahrefs/anchors", ", params: {history: false, depth: 9, offset_days: -5, since: 2026-02-03, country: de, select: [anchor], limit: 1000}"),
	listing("[a.example]", "ahrefs/anchors", ", params: {since: ' 2026-02-03 ', select: refdomains}"),
	asking("moz/links", ", targets: {sql: select 1 as target}"),
	asking("moz/url_metrics", ", targets: {sql: select 1 as target}, priority: 4"),
	asking("moz/index_metadata", ""), asking("moz/index_metadata", ", only_if: index_changed, params: {}"),
	asking("moz/link_status", ", inputs: {sql: select 1}, params: {source_scope: page, target_scope: page}"),
	asking("moz/link_intersect", ", params: {positive_targets: [{target: a.example, scope: page}], filter: {and: [1, null, {x: 2.5}]}}"),
	asking("moz/link_intersect", ", max_rows: 3, params: {positive_targets: [{target: a.example, scope: page}], filter: '{\"a\": 1}', limit: 7}"),
}

var unsound = []string{
	"- a\n", "nightly\n", "{}\n", "job: j\n", "job: j\nextracts: []\n", "job: j\nextracts: x\n", "job: j\nextracts: [x]\n", "job: j\nextracts: [{}]\n",
	strings.Replace(minimal(), "job: j", "job: Nightly_1", 1), strings.Replace(minimal(), "job: j", "job: ''", 1), strings.Replace(minimal(), "job: j", "job: 12", 1),
	strings.Replace(minimal(), "job: j", "job: "+strings.Repeat("j", maxName+1), 1), strings.Replace(minimal(), "job: j\n", "", 1),
	minimal() + "extract: []\n", minimal() + "budget:\n",
	minimal("max_rows: 0"), minimal("max_rows: -4"), minimal("max_rows: 1.5"), minimal("max_rows: many"), minimal("max_rows: '5'"), minimal("max_rows: [5]"),
	minimal("max_units: -1"), minimal("max_units: 1125899906842625"), minimal("max_age: 1 day"), minimal("max_age: 3"), minimal("max_age: 0d"), minimal("max_age: -1d"),
	minimal("priority: 1000001"), minimal("priority: high"), minimal("only_if: changed"), minimal("only_if: true"), minimal("after: 3"), minimal("after: [3]"), minimal("after: {x: y}"),
	minimal("inputs: {sql: select 1}"), minimal("colour: red"), minimal("params:"), minimal("params: []"), minimal("params: {scop: page}"), minimal("params: {target: b.example}"),
	minimal("params: {limit: 51}"), minimal("params: {limit: 0}"), minimal("params: {limit: '5'}"), minimal("params: {target_scope: domain}"), minimal("params: {target_scope: [page]}"),
	minimal("params: {filter: folow}"), minimal("params: {filter: external+folow}"), minimal("params: {filter: [folow]}"), minimal("params: {filter: []}"), minimal("params: {filter: [external, external]}"),
	minimal("params: {filter: external,follow}"), minimal("params: {anchor_text: 2024}"), minimal("params: {anchor_text: }"), minimal("params: {anchor_text: [a]}"),
	minimal("params: {sort: source_page_authority, subdomains_limited_to_one: 5}"), minimal("params: {sort: source_page_authority, subdomains_limited_to_one: [5]}"),
	minimal() + "vendors: {mos: {}}\n", minimal() + "vendors: {moz: }\n", minimal() + "vendors: {moz: {surface: v3}}\n", minimal() + "vendors: {moz: {surface: rpc}}\n",
	minimal() + "vendors: {moz: {requests_per_second: 0}}\n", minimal() + "vendors: {moz: {requests_per_second: 1000001}}\n", minimal() + "vendors: {moz: {requests_per_second: fast}}\n",
	minimal() + "vendors: {moz: {requests_per_second: 1, requests_per_minute: 60}}\n", minimal() + "vendors: {moz: {connections: 0}}\n", minimal() + "vendors: {moz: {connections: 1001}}\n",
	minimal() + "vendors: {moz: {token_life: 5}}\n", minimal() + "vendors: {moz: {colour: red}}\n", minimal() + "vendors: [moz]\n",
	minimal() + "budget: {moz: 5}\n", minimal() + "budget: {google: {run: 1}}\n", minimal() + "budget: {moz: {run: -1}}\n", minimal() + "budget: {moz: {day: 1}}\n",
	minimal() + "budget: {moz: {month_starts_on: 29}}\n", minimal() + "budget: {moz: {month: 1.5}}\n", minimal() + "confirm_over: {moz: lots}\n", minimal() + "confirm_over: 5\n",
	minimal() + "retry_for: 30\n", minimal() + "retry_for: -1m\n", minimal() + "retry_for: soon\n", minimal() + "retry_for: [30m]\n",
	minimal() + "tables: {friends: {file: t.csv}}\n", minimal() + "tables: {labels: t.csv}\n", minimal() + "tables: {labels: {}}\n", minimal() + "tables: {labels: {file: ''}}\n",
	minimal() + "parameters: {Rows: {default: 1}}\n", minimal() + "parameters: {rows: 1}\n", minimal() + "parameters: {rows: {default: [1]}}\n", minimal() + "parameters: {rows: {default: 1, same_run: maybe}}\n",
	minimal() + "report: yes please\n", minimal() + "report:\n", minimal() + "report: [1]\n", minimal() + "report: 5\n", minimal() + "report: {rows: 0}\n",
	minimal() + "report: {rows: 1001}\n", minimal() + "report: {file: x.html}\n",
	minimal() + "expect: []\n", expecting("{rows: {min: 1}}"), expecting("{extract: x}"), expecting("{extract: x, table: moz.links, rows: {min: 1}}"), expecting("{extract: x, rows: {}}"),
	expecting("{extract: x, rows: {least: 1}}"), expecting("{extract: x, rows: {min: -1}}"), expecting("{extract: x, rows: 5}"), expecting("{extract: x, change: {max: 5}}"),
	expecting("{extract: x, freshness: 5}"), expecting("{extract: x, rows: {min: 1}, on_breach: stop}"),
	minimal() + "notify: {on: failed}\n", minimal() + "notify: []\n", notifying("{webhook: {url_env: HOOK_URL}}"), notifying("{on: failed}"), notifying("{on: [], command: [true]}"),
	notifying("{on: fail, command: [mail]}"), notifying("{on: [failed, 5], command: [mail]}"), notifying("{on: failed, after: 0, command: [mail]}"), notifying("{on: failed, command: mail}"),
	notifying("{on: failed, command: []}"), notifying("{on: failed, command: [mail], webhook: {url_env: HOOK_URL}}"), notifying("{on: failed, webhook: {}}"),
	notifying("{on: failed, webhook: {url: 'https://hooks.example/x'}}"), notifying("{on: failed, webhook: {url_env: 'https://hooks.example/x'}}"), notifying("{on: failed, webhook: {url_env: MOZ_TOKEN}}"),
	notifying("{on: failed, webhook: {url_env: HOOK_URL, format: teams}}"), notifying("{on: failed, webhook: {url_env: HOOK_URL, secret_env: AHREFS_API_KEY}}"),
	notifying("{on: failed, email: {from: b@example.com, to: ops@example.com}}"), notifying("{on: failed, email: {host: h, from: b@example.com, to: []}}"),
	notifying("{on: failed, email: {host: h, port: 70000, from: b@example.com, to: ops@example.com}}"),
	listing("[]", "moz/links", ""), listing("a.example", "moz/links", ""), listing("['']", "moz/links", ""), listing("[12]", "moz/links", ""), listing("[{scope: page}]", "moz/links", ""),
	listing("[{target: a.example, scope: }]", "moz/links", ""), listing("{fil: t.csv}", "moz/links", ""), listing("[[a.example]]", "moz/links", ""),
	listing("[a.example]", "links", ""), listing("[a.example]", "mox/links", ""), listing("[a.example]", "moz/anchor_texts", ""), listing("[a.example]", "5", ""),
	listing("[a.example]", "moz/index_metadata", ""), listing("[a.example]", "moz/link_status", ""), listing("[a.example]", "moz/url_metrics", ", max_rows: 5"),
	listing("[a.example]", "moz/url_metrics", ", params: {distributions: 'yes'}"), listing("[a.example]", "ahrefs/anchors", ", params: {depth: 10}"), listing("[a.example]", "ahrefs/anchors", ", params: {history: 1}"),
	listing("[a.example]", "ahrefs/anchors", ", params: {offset_days: x}"), listing("[a.example]", "ahrefs/anchors", ", params: {since: 03.02.2026}"), listing("[a.example]", "ahrefs/anchors", ", params: {select: [anchor, 1]}"),
	listing("[a.example]", "ahrefs/anchors", ", params: {country: [de]}"), listing("[a.example]", "ahrefs/anchors", ", params: {scope: page}"),
	asking("moz/links", ""), asking("moz/links", ", targets: []"), asking("moz/links", ", targets: {query: x}"), asking("moz/links", ", targets: {sql: ' '}"), asking("moz/links", ", targets: 5"),
	asking("moz/link_status", ""), asking("moz/link_status", ", inputs: {file: a.csv, sql: select 1}"), asking("moz/link_status", ", inputs: {}"), asking("moz/link_status", ", inputs: {sql: select 1}, max_rows: 4"),
	asking("moz/link_status", ", inputs: a.csv"), asking("moz/index_metadata", ", params: {limit: 3}"), asking("moz/index_metadata", ", max_rows: 3"), asking("moz/index_metadata", ", inputs: {sql: select 1}"),
	asking("moz/link_intersect", ""), asking("moz/link_intersect", ", params: {}"), asking("moz/link_intersect", ", params: {positive_targets: []}"), asking("moz/link_intersect", ", params: {positive_targets: a.example}"),
	asking("moz/link_intersect", ", params: {positive_targets: [a.example]}"), asking("moz/link_intersect", ", params: {positive_targets: [{target: a.example}]}"),
	asking("moz/link_intersect", ", params: {positive_targets: [{target: '', scope: page}]}"), asking("moz/link_intersect", ", params: {positive_targets: [{target: a.example, scope: site}]}"),
	asking("moz/link_intersect", ", params: {positive_targets: [{target: a.example, scope: page}], filter: }"),
}

// beyond are faults that no schema can tell.
var beyond = []string{
	expecting("{extract: x, rows: {min: 1}, where: rank > 1}"), expecting("{table: marts.campaign, drift: {max: 0}}"),
	expecting("{extract: y, rows: {min: 1}}"), expecting("{extract: x, rows: {min: 2, max: 1}}"),
	minimal("after: [y]"), minimal() + "  - {name: x, endpoint: moz/links, targets: own}\n", minimal("params: {subdomains_limited_to_one: [b.example]}"),
	strings.Replace(minimal(), "targets: own\n", "targets: onw\n", 1), strings.Replace(minimal(), "[a.example]", "[a]", 1), strings.Replace(minimal(), "[a.example]", "{file: none.csv}", 1),
	minimal("params: {filter: external+external}"), minimal("max_rows: 1.0"), minimal("max_rows: ${rows}"), listing("[a.example]", "ahrefs/anchors", ", params: {since: 2026-02-30}"),
	asking("moz/link_intersect", ", params: {positive_targets: [{target: a.example, scope: page}], filter: '{'}"), listing("[{target: a.example, colour: red}]", "moz/links", ""),
	notifying("{on: failed, email: {host: h, from: nobody, to: ops@example.com}}"), notifying("{on: failed, email: {host: h, from: b@example.com, to: ops@example.com, user_env: SMTP_USER}}"),
	notifying("{on: failed, command: ['']}"), minimal() + "parameters: {api_key: {default: x}}\n", minimal() + "parameters: {rows: {}}\n",
}

func TestTheSchemaAcceptsWhatLoadAcceptsAndRefusesWhatItCan(t *testing.T) {
	if n := len(sound) + len(unsound) + len(beyond); n < 100 {
		t.Errorf("%d specs are too few", n)
	}
	for _, spec := range sound {
		_, found := LoadFS(folderOf(spec, "t.csv", "target\na.example\n"), "job.yaml", fake)
		if err := bySchema(spec); err != nil || Failed(found) {
			t.Errorf("%s\nby the schema: %v\n%s", spec, err, lines(found))
		}
	}
	for _, spec := range unsound {
		_, found := LoadFS(folderOf(spec), "job.yaml", fake)
		if err := bySchema(spec); err == nil || errors.Is(err, errNoYAML) || !Failed(found) {
			t.Errorf("%s\nby the schema: %v\n%s", spec, err, lines(found))
		}
	}
	for _, spec := range beyond {
		_, found := LoadFS(folderOf(spec), "job.yaml", fake)
		if err := bySchema(spec); err != nil || !Failed(found) {
			t.Errorf("%s\nis not beyond the schema: %v\n%s", spec, err, lines(found))
		}
	}
}

func TestTheSchemaFollowsTheSurface(t *testing.T) {
	for spec, want := range map[string]bool{
		listing("[a.example]", "ahrefs/anchors", ""):                                        true,
		"vendors: {ahrefs: {surface: v3}}\n" + listing("[a.example]", "ahrefs/anchors", ""): true,
		"vendors: {ahrefs: {surface: v2}}\n" + listing("[a.example]", "ahrefs/anchors", ""): false, // the fake has none there
		"vendors: {moz: {surface: rpc}}\n" + listing("[a.example]", "ahrefs/anchors", ""):   true,
	} {
		_, found := LoadFS(folderOf(spec), "job.yaml", fake)
		if err := bySchema(spec); (err == nil) != want || Failed(found) == want {
			t.Errorf("%s\nby the schema: %v\n%s", spec, err, lines(found))
		}
	}
}

func TestEveryKeyIsExplained(t *testing.T) {
	for _, s := range Sections() {
		if s.Meaning == "" || len(s.Keys) == 0 {
			t.Errorf("%s: %q", s.Path, s.Meaning)
		}
		for _, k := range s.Keys {
			if k.Takes() == "" || k.Meaning == "" {
				t.Errorf("%s.%s takes %q and means %q", s.Path, k.Name, k.Takes(), k.Meaning)
			}
		}
	}
}
