package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/goccy/go-yaml"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"backhaul/jobs"
	"backhaul/pipeline"
)

var update = flag.Bool("update", false, "write schemas/job.schema.json")

const committedSchema = "../../schemas/" + schemaName

func TestTheCommittedSchemaIsWhatTheProgramPrints(t *testing.T) {
	var now bytes.Buffer
	if status := Main(t.Context(), inTest(t, &now, io.Discard, "schema", "job")); status != exitComplete {
		t.Fatalf("status %d", status)
	}
	if *update {
		if err := os.WriteFile(committedSchema, now.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	committed, err := os.ReadFile(committedSchema)
	if err != nil || !bytes.Equal(committed, now.Bytes()) {
		t.Errorf("%s is not current: go test ./cmd/backhaul -run CommittedSchema -update (%v)", committedSchema, err)
	}
}

// jobSchema compiles the committed schema.
func jobSchema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	s, err := jsonschema.NewCompiler().Compile(committedSchema)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// asJSON decodes YAML as an editor would.
func asJSON(t *testing.T, text string) any {
	t.Helper()
	var value any
	if err := yaml.Unmarshal([]byte(text), &value); err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	encoded, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(encoded))
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

func TestTheShippedJobsAreValidByTheirSchema(t *testing.T) {
	schema := jobSchema(t)
	names, err := fs.Glob(jobs.Files, "*.yaml")
	if err != nil || len(names) == 0 {
		t.Fatal(names, err)
	}
	texts := map[string]string{"job.yaml": string(emptyJob)}
	for _, name := range names {
		texts[name] = string(shipped(name))
	}
	for name, text := range texts {
		if err := schema.Validate(asJSON(t, text)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if first, _, _ := strings.Cut(text, "\n"); first != "# yaml-language-server: $schema="+schemaName {
			t.Errorf("%s does not lead an editor to its schema: %s", name, first)
		}
	}
}

// TestTheSchemaKnowsEveryParameterOfEveryEndpoint asks every endpoint of every surface with values that fit and values that
// do not, and holds the schema against what validate says.
func TestTheSchemaKnowsEveryParameterOfEveryEndpoint(t *testing.T) {
	schema := jobSchema(t)
	accepted, refused := 0, 0
	for _, s := range builtIn {
		for _, e := range s.Endpoints() {
			check := func(params map[string]any, fits bool) {
				text := specOf(t, s.Name, e, params)
				_, found := jobs.LoadFS(fstest.MapFS{"job.yaml": {Data: []byte(text)}}, "job.yaml", builtIn)
				err := schema.Validate(asJSON(t, text))
				switch {
				case !jobs.Failed(found) && err != nil:
					t.Errorf("validate takes what the schema refuses: %v\n%s", err, text)
				case fits && err != nil:
					t.Errorf("the schema refuses what fits: %v\n%s", err, text)
				case !fits && (err == nil || !jobs.Failed(found)):
					t.Errorf("taken, by the schema or by validate, though it does not fit: %v\n%s", found, text)
				case err == nil:
					accepted++
				default:
					refused++
				}
			}
			check(nil, true)
			check(map[string]any{"no_such_parameter": "x"}, false)
			for _, p := range jobs.Settable(e) {
				good, bad := valuesFor(p)
				for _, v := range good {
					check(map[string]any{p.Name: v}, true)
				}
				for _, v := range bad {
					check(map[string]any{p.Name: v}, false)
				}
			}
		}
	}
	if accepted < 100 || refused < 100 {
		t.Errorf("%d specs accepted and %d refused: the endpoints were not asked", accepted, refused)
	}
}

// specOf is a job with one extract of an endpoint, with the parameters that it cannot do without.
func specOf(t *testing.T, surface string, e *pipeline.Endpoint, params map[string]any) string {
	t.Helper()
	all := map[string]any{}
	for _, p := range e.Params {
		if good, _ := valuesFor(p); p.Required {
			all[p.Name] = good[0]
		}
	}
	for name, v := range params {
		all[name] = v
	}
	extract := map[string]any{"name": "x", "endpoint": e.String(), "params": all}
	spec := map[string]any{"job": "j", "vendors": map[string]any{e.Vendor: map[string]any{"surface": surface}}, "extracts": []any{extract}}
	switch e.Asks {
	case pipeline.AboutSources:
		extract["inputs"] = map[string]any{"sql": "select 'a.example' as target, 'b.example' as source"}
	case pipeline.AboutTarget, pipeline.AboutTargets:
		spec["targets"] = map[string]any{"own": []string{"example.com"}}
		extract["targets"] = []string{"own"}
	}
	text, err := json.Marshal(spec) // JSON is YAML
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// valuesFor are values that a parameter takes, seen by itself, and values that it cannot take.
func valuesFor(p pipeline.Param) (good, bad []any) {
	first := any("x")
	if len(p.Values) > 0 {
		first = p.Values[0]
	}
	switch p.Type {
	case pipeline.ParamEnum:
		for _, v := range p.Values {
			good = append(good, v)
		}
		return good, []any{"no such word", 5, []any{first}}
	case pipeline.ParamWords:
		return []any{first, []any{first}, strings.Join(p.Values, p.Separator)}, []any{"no such word", fmt.Sprint(first, p.Separator, "no such word"), []any{}}
	case pipeline.ParamInt:
		bad = []any{"five", 1.5}
		if p.Max != 0 {
			return []any{p.Min, p.Max}, append(bad, p.Min-1, p.Max+1)
		}
		return []any{0}, bad
	case pipeline.ParamBool:
		return []any{true, false}, []any{"yes", 1}
	case pipeline.ParamDate:
		return []any{"2026-02-03"}, []any{"03.02.2026", true}
	case pipeline.ParamStrings:
		return []any{[]any{first}, first}, []any{5, []any{5}}
	case pipeline.ParamTargets:
		entry := map[string]any{"target": "example.org", "scope": first}
		return []any{[]any{entry}}, []any{"example.org", []any{}, []any{map[string]any{"target": "example.org"}}, []any{map[string]any{"target": "example.org", "scope": "no such word"}}}
	case pipeline.ParamJSON:
		return []any{map[string]any{"field": "x"}, "{}"}, []any{nil}
	}
	return []any{"x"}, []any{5, true, []any{"x"}}
}
