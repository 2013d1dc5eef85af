package lineage

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

// sink keeps the events it is posted, and answers with a status.
type sink struct {
	*httptest.Server
	mu     sync.Mutex
	events [][]byte
	asked  []string // method, path and Authorization
}

func newSink(t *testing.T, status int) *sink {
	t.Helper()
	s := &sink{}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		var event json.RawMessage
		err := json.NewDecoder(q.Body).Decode(&event)
		s.mu.Lock()
		defer s.mu.Unlock()
		s.asked = append(s.asked, fmt.Sprint(q.Method, " ", q.URL.Path, " ", q.Header.Get("Authorization"), " ", err))
		s.events = append(s.events, event)
		http.Error(w, "I was given "+q.Header.Get("Authorization"), status)
	}))
	t.Cleanup(s.Close)
	return s
}

func open(t *testing.T, variables map[string]string) (*Lineage, error) {
	t.Helper()
	get := func(name string) string { return variables[name] }
	return Open(Settings{Variable: get, Secret: func(name string) (string, error) { return get(name), nil }, Version: "1.2.3"})
}

var night = time.Date(2026, 11, 23, 3, 0, 0, 123456000, time.UTC)

// tell tells a run of one endpoint and one table, from its start to its end.
func tell(t *testing.T, l *Lineage, e End) error {
	t.Helper()
	r := Run{Execution: [16]byte{1, 2, 3, 4, 5, 6, 0xff, 8, 0xff, 10, 11, 12, 13, 14, 15, 16}, Job: "nightly", RunDate: time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC),
		Sources: []Source{{"moz/anchor_text", "v2", "https://user:c4n4ry@lsapi.seomoz.com/v2?key=c4n4ry"}}}
	table := Table{Directory: "/srv/warehouse/lake/moz/anchor_text", Fields: []Field{{"anchor_text", "VARCHAR", "the text"}}}
	e.Tables = []Table{{table.Directory, table.Fields, &Written{Rows: 120, Bytes: 3000}}}
	return errors.Join(l.Start(t.Context(), r, []Table{table}, night), l.Finish(t.Context(), r, e, night.Add(time.Minute)))
}

// standard checks events against the standard's schemas.
func standard(t *testing.T, event []byte) {
	t.Helper()
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	files, err := filepath.Glob("testdata/*.json")
	if err != nil || len(files) != 8 {
		t.Fatal(files, err)
	}
	refs := map[string]string{}
	for _, path := range files {
		f, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		schema, err := jsonschema.UnmarshalJSON(f)
		if err := errors.Join(err, f.Close()); err != nil {
			t.Fatal(err)
		}
		id := schema.(map[string]any)["$id"].(string)
		if err := c.AddResource(id, schema); err != nil {
			t.Fatal(err)
		}
		refs[id] = id
	}
	value, err := jsonschema.UnmarshalJSON(strings.NewReader(string(event)))
	if err != nil {
		t.Fatal(err)
	}
	whole, err := c.Compile(core)
	if err != nil {
		t.Fatal(err)
	}
	if err := whole.Validate(value); err != nil {
		t.Errorf("%v\n%s", err, event)
	}
	checked := 0
	var each func(any)
	each = func(v any) {
		switch v := v.(type) {
		case []any:
			for _, x := range v {
				each(x)
			}
		case map[string]any:
			for name, x := range v {
				if said, ok := x.(map[string]any); ok && refs[fmt.Sprint(said["_schemaURL"])] != "" {
					checked++
					schema, err := c.Compile(refs[said["_schemaURL"].(string)])
					if err != nil {
						t.Fatal(err)
					}
					if err := schema.Validate(map[string]any{name: x}); err != nil {
						t.Errorf("%s: %v", name, err)
					}
				}
				each(x)
			}
		}
	}
	each(value)
	if checked < 5 {
		t.Errorf("%d facets have a schema of the standard", checked)
	}
}

func TestEventsAreWhatTheStandardHas(t *testing.T) {
	t.Parallel()
	s := newSink(t, http.StatusCreated)
	l, err := open(t, map[string]string{"OPENLINEAGE_URL": s.URL, "OPENLINEAGE_API_KEY": "c4n4ry-key", "OPENLINEAGE_NAMESPACE": "seo"})
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range []End{{RunID: "01J", ExitStatus: 0}, {RunID: "01J", ExitStatus: 3, Message: "finished, but"}, {ExitStatus: 130, Aborted: true, Message: "interrupted"}} {
		if err := tell(t, l, e); err != nil {
			t.Fatal(err)
		}
	}
	const post = "POST /api/v1/lineage Bearer c4n4ry-key <nil>"
	if diff := cmp.Diff([]string{post, post, post, post, post, post}, s.asked); diff != "" {
		t.Error(diff)
	}
	var kinds []string
	for _, text := range s.events {
		standard(t, text)
		var e event
		if err := json.Unmarshal(text, &e); err != nil {
			t.Fatal(err)
		}
		kinds = append(kinds, e.EventType)
		if strings.Contains(string(text), "c4n4ry") {
			t.Errorf("a secret is told: %s", text)
		}
		if e.Run.RunID != "01020304-0506-7f08-bf0a-0b0c0d0e0f10" || e.Job.Namespace != "seo" || e.Job.Name != "nightly" {
			t.Errorf("%+v", e)
		}
		if in := e.Inputs[0]; in.Namespace != "https://lsapi.seomoz.com" || in.Name != "moz/anchor_text" || in.Facets["dataSource"]["uri"] != "https://lsapi.seomoz.com/v2" {
			t.Errorf("%+v", in)
		}
		out := e.Outputs[0]
		written := out.OutputFacets["outputStatistics"]
		if out.Namespace != "file" || out.Name != "/srv/warehouse/lake/moz/anchor_text" || (e.EventType == "START") != (written == nil) {
			t.Errorf("%+v", out)
		}
		if written != nil && (written["rowCount"] != 120.0 || written["size"] != 3000.0) {
			t.Errorf("%v", written)
		}
	}
	if diff := cmp.Diff([]string{"START", "COMPLETE", "START", "FAIL", "START", "ABORT"}, kinds); diff != "" {
		t.Error(diff)
	}
}

func TestEventsGoToAFileAsTheStandardsClientsWriteThem(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	variables := map[string]string{"OPENLINEAGE__TRANSPORT__TYPE": "file", "OPENLINEAGE__TRANSPORT__LOG_FILE_PATH": filepath.Join(dir, "events")}
	each, err := open(t, variables)
	if err != nil || tell(t, each, End{}) != nil {
		t.Fatal(err)
	}
	variables["OPENLINEAGE__TRANSPORT__APPEND"] = "true"
	one, err := open(t, variables)
	if err != nil || tell(t, one, End{}) != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	want := []string{filepath.Join(dir, "events"), filepath.Join(dir, "events-20261123-030000.123456.json"), filepath.Join(dir, "events-20261123-030100.123456.json")}
	if diff := cmp.Diff(want, files); diff != "" || err != nil {
		t.Fatal(diff, err)
	}
	text, err := os.ReadFile(files[0])
	if lines := strings.Split(string(text), "\n"); err != nil || len(lines) != 3 || lines[2] != "" {
		t.Fatalf("%q %v", text, err)
	}
	for line := range strings.Lines(string(text)) {
		standard(t, []byte(line))
	}
}

func TestNobodyIsToldUnlessAVariableNamesHim(t *testing.T) {
	t.Parallel()
	for says, variables := range map[string]map[string]string{
		"": {}, "OPENLINEAGE_URL is not the URL of a receiver, such as http://localhost:5000 is one": {"OPENLINEAGE_URL": "c4n4ry"},
		"OPENLINEAGE__TRANSPORT__TYPE is \"kafka\", and this program knows http and file":            {"OPENLINEAGE__TRANSPORT__TYPE": "kafka"},
		"OPENLINEAGE__TRANSPORT__TYPE is file, and OPENLINEAGE__TRANSPORT__LOG_FILE_PATH names none": {"OPENLINEAGE__TRANSPORT__TYPE": "file"},
		"OPENLINEAGE_URL is not https, so others could read what OPENLINEAGE_API_KEY holds":          {"OPENLINEAGE_URL": "http://marquez.example", "OPENLINEAGE_API_KEY": "x"},
	} {
		l, err := open(t, variables)
		if l != nil || (err == nil) != (says == "") || err != nil && err.Error() != says {
			t.Errorf("%v: %v, %v", variables, l, err)
		}
	}
	if l, err := open(t, map[string]string{"OPENLINEAGE_URL": "http://localhost:5000", "OPENLINEAGE_DISABLED": "true"}); l != nil || err != nil {
		t.Errorf("%v, %v", l, err)
	}
	if l, err := open(t, map[string]string{"OPENLINEAGE_URL": "http://marquez.example:5000"}); l == nil || err != nil {
		t.Errorf("without a key: %v", err)
	}
}

func TestAReceiverThatFailsIsNamedWithoutWhatItWasGiven(t *testing.T) {
	t.Parallel()
	s := newSink(t, http.StatusForbidden)
	host := strings.TrimPrefix(s.URL, "http://")
	l, err := open(t, map[string]string{"OPENLINEAGE_URL": "http://user:c4n4ry@" + host + "/?key=c4n4ry", "OPENLINEAGE_API_KEY": "c4n4ry"})
	if err != nil {
		t.Fatal(err)
	}
	err = tell(t, l, End{})
	if want := "START was not told to " + host + ": it answered with HTTP status 403\nCOMPLETE was not told to " + host + ": it answered with HTTP status 403"; err == nil || err.Error() != want {
		t.Errorf("%v", err)
	}
	s.Close()
	if err := tell(t, l, End{}); err == nil || strings.Contains(err.Error(), "c4n4ry") || !strings.Contains(err.Error(), "connection refused") {
		t.Errorf("%v", err)
	}
}
