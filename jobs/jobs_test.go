package jobs

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"backhaul/pipeline"
)

var scopes = []string{"page", "subdomain", "root_domain"}

// fake knows an endpoint of every kind; the last has a parameter of most types.
var fake = registry{
	{
		Vendor: "moz", Surface: "v2", Name: "anchor_text", PageSize: 50, UnitsPerRow: 1,
		ScopeParam: "scope", DefaultScope: "page",
		Params: []pipeline.Param{{Name: "scope", Type: pipeline.ParamEnum, Values: scopes}},
	},
	{
		Vendor: "moz", Surface: "v2", Name: "links", PageSize: 50, UnitsPerRow: 1,
		ScopeParam: "target_scope", DefaultScope: "page",
		Params: []pipeline.Param{
			{Name: "target_scope", Type: pipeline.ParamEnum, Values: scopes},
			{Name: "filter", Type: pipeline.ParamWords, Separator: "+", Values: []string{"external", "follow", "nofollow", "not_deleted"}},
			{Name: "sort", Type: pipeline.ParamEnum, Values: []string{"source_page_authority", "source_domain_authority"}},
			{Name: "anchor_text", Type: pipeline.ParamString},
			{Name: "subdomains_limited_to_one", Type: pipeline.ParamStrings, Check: needsSort},
		},
	},
	{
		Vendor: "moz", Surface: "v2", Name: "linking_root_domains", PageSize: 50, UnitsPerRow: 1,
		ScopeParam: "target_scope", DefaultScope: "page",
		Params: []pipeline.Param{
			{Name: "target_scope", Type: pipeline.ParamEnum, Values: scopes},
			{Name: "filter", Type: pipeline.ParamWords, Separator: "+", Values: []string{"external", "follow"}},
		},
	},
	{
		Vendor: "moz", Surface: "v2", Name: "link_status", Asks: pipeline.AboutSources, PageSize: 50,
		ScopeParam: "target_scope", DefaultScope: "page",
		Params: []pipeline.Param{
			{Name: "target_scope", Type: pipeline.ParamEnum, Values: scopes},
			{Name: "source_scope", Type: pipeline.ParamEnum, Values: scopes},
		},
	},
	{
		Vendor: "moz", Surface: "v2", Name: "url_metrics", Asks: pipeline.AboutTargets, PageSize: 2,
		Params: []pipeline.Param{{Name: "distributions", Type: pipeline.ParamBool}},
	},
	{Vendor: "moz", Surface: "v2", Name: "index_metadata", Asks: pipeline.AboutNothing, Once: true, PageSize: 1},
	{
		Vendor: "moz", Surface: "v2", Name: "link_intersect", Asks: pipeline.AboutParams, PageSize: 50, TargetOf: targetOf,
		Params: []pipeline.Param{
			{Name: "positive_targets", Type: pipeline.ParamTargets, Required: true, Values: scopes, Meaning: "sites to link to"},
			{Name: "filter", Type: pipeline.ParamJSON},
		},
	},
	{
		Vendor: "ahrefs", Surface: "v3", Name: "anchors", PageSize: 1000, UnitsPerRow: 1,
		Params: []pipeline.Param{
			{Name: "history", Type: pipeline.ParamBool},
			{Name: "depth", Type: pipeline.ParamInt, Min: 1, Max: 9},
			{Name: "offset_days", Type: pipeline.ParamInt},
			{Name: "since", Type: pipeline.ParamDate},
			{Name: "country", Type: pipeline.ParamString},
			{Name: "select", Type: pipeline.ParamStrings, Values: []string{"anchor", "refdomains"}},
		},
	},
}

func targetOf(params map[string]any) (target, scope string) {
	for _, p := range params["positive_targets"].([]any) {
		target += p.(map[string]any)["target"].(string) + "+"
	}
	return strings.TrimSuffix(target, "+"), "page"
}

func needsSort(_ any, params map[string]any) error {
	if params["sort"] == nil {
		return errors.New("needs sort")
	}
	return nil
}

type registry []pipeline.Endpoint

func (registry) Vendors() []string { return []string{"moz", "ahrefs"} }

func (registry) Surfaces(vendor string) []string {
	return map[string][]string{"moz": {"v2", "rpc"}, "ahrefs": {"v3", "v2"}}[vendor]
}

func (registry) Limits(vendor, surface string) pipeline.Limits {
	return map[string]pipeline.Limits{
		"moz v2": {PerSecond: 2, Connections: 8}, "moz rpc": {PerSecond: 3, Connections: 9, TokenLife: time.Hour},
		"ahrefs v3": {PerSecond: 1, Connections: 4}, "ahrefs v2": {PerSecond: 5, Connections: 6},
	}[vendor+" "+surface]
}

func (r registry) Endpoints(vendor, surface string) (all []*pipeline.Endpoint) {
	for i := range r {
		if r[i].Vendor == vendor && r[i].Surface == surface {
			all = append(all, &r[i])
		}
	}
	return all
}

// folderOf makes a folder of job.yaml and pairs of further files' names and contents.
func folderOf(spec string, more ...string) fs.FS {
	out := fstest.MapFS{"job.yaml": {Data: []byte(spec)}}
	for i := 0; i+1 < len(more); i += 2 {
		out[more[i]] = &fstest.MapFile{Data: []byte(more[i+1])}
	}
	return out
}

func mustLoad(t testing.TB, spec string, more ...string) *Spec {
	t.Helper()
	s, found := LoadFS(folderOf(spec, more...), "job.yaml", fake)
	if len(found) != 0 {
		t.Fatalf("problems in a valid spec:\n%s", lines(found))
	}
	if err := bySchema(spec); err != nil {
		t.Errorf("the schema has something against a valid spec: %v\n%s", err, spec)
	}
	return s
}

func lines(found []Problem) string {
	var out []string
	for _, p := range found {
		out = append(out, p.String())
	}
	return strings.Join(out, "\n")
}

// minimal is a valid spec whose extract has these further lines.
func minimal(more ...string) string {
	s := "job: j\ntargets:\n  own: [a.example]\nextracts:\n  - name: x\n    endpoint: moz/links\n    targets: own\n"
	for _, line := range more {
		s += "    " + line + "\n"
	}
	return s
}

func tasksOf(s *Spec) []string {
	var out []string
	for t := range s.Tasks() {
		out = append(out, fmt.Sprintf("%s %s %s %s", t.Extract, t.Target, t.Scope, t.Params))
	}
	return out
}

func wantTasks(t *testing.T, s *Spec, want ...string) {
	t.Helper()
	if got := tasksOf(s); !slices.Equal(got, want) {
		t.Errorf("tasks:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}
