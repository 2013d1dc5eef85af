package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// agent is one that talks to a server of this program.
type agent struct {
	t       *testing.T
	session *mcp.ClientSession
}

// newAgent starts `backhaul mcp` with the arguments and speaks to it over its stdin and stdout.
func newAgent(t *testing.T, args ...string) agent {
	t.Helper()
	in, toServer := io.Pipe()
	fromServer, out := io.Pipe()
	var said bytes.Buffer
	e := inTest(t, out, &said, append([]string{"mcp"}, args...)...)
	e.stdin = in
	ended := make(chan int, 1)
	go func() { ended <- Main(context.Background(), e) }()
	session, err := mcp.NewClient(&mcp.Implementation{Name: "agent"}, nil).Connect(t.Context(), &mcp.IOTransport{Reader: fromServer, Writer: toServer}, nil)
	if err != nil {
		t.Fatalf("%v, %s", err, said.String())
	}
	t.Cleanup(func() {
		_ = session.Close()
		if status := <-ended; status != exitComplete {
			t.Errorf("exit %d, %s", status, said.String())
		}
	})
	return agent{t, session}
}

func (a agent) tools() (names []string) {
	a.t.Helper()
	list, err := a.session.ListTools(a.t.Context(), nil)
	if err != nil {
		a.t.Fatal(err)
	}
	for _, tool := range list.Tools {
		names = append(names, tool.Name)
	}
	slices.Sort(names)
	return names
}

// call asks with one argument, and returns what is said and whether it is a mistake.
func (a agent) call(tool, name, value string) (text string, mistake bool) {
	a.t.Helper()
	args := map[string]any{}
	if name != "" {
		args[name] = value
	}
	result, err := a.session.CallTool(a.t.Context(), &mcp.CallToolParams{Name: tool, Arguments: args})
	if err != nil {
		a.t.Fatal(err)
	}
	return result.Content[0].(*mcp.TextContent).Text, result.IsError
}

func TestAnAgentAsksWhatWasBoughtAndSpendsNothingThatWasNotGranted(t *testing.T) {
	t.Parallel()
	s := newListServer(t, listSettings{})
	setenv(t, "MOZ_TOKEN", "secret-token")
	setenv(t, "BACKHAUL_MOZ_V2_URL", s.URL)
	dir := t.TempDir()
	w := filepath.Join(dir, "w")
	job := writeFile(t, dir, "asks.yaml", "job: asks\ntargets: {all: ["+listTarget(1, 120)+"]}\nextracts: [{name: x, endpoint: moz/anchor_text, targets: [all]}]\n")

	reader := newAgent(t, "--warehouse", w)
	if got := strings.Join(reader.tools(), " "); got != "query status tables" {
		t.Errorf("without a job: %s", got)
	}
	a := newAgent(t, job, "--warehouse", w, "--grant", "moz=70")
	if got := strings.Join(a.tools(), " "); got != "plan query run status tables" {
		t.Errorf("with a grant: %s", got)
	}
	if got := strings.Join(newAgent(t, job, "--warehouse", w).tools(), " "); got != "plan query status tables" {
		t.Errorf("without one: %s", got)
	}
	text, mistake := a.call("plan", "job", "asks")
	var plan struct{ Vendors []struct{ Vendor string } }
	if err := json.Unmarshal([]byte(text), &plan); mistake || err != nil || len(plan.Vendors) != 1 || s.bought() != 0 {
		t.Errorf("the plan: %v, %v, %d bought: %s", mistake, err, s.bought(), text)
	}
	if text, mistake := a.call("plan", "job", "/etc/passwd"); !mistake || !strings.Contains(text, "there are asks") {
		t.Errorf("a job of the agent's own: %s", text)
	}
	for range 3 { // the grant is of all runs together
		if text, mistake = a.call("run", "job", "asks"); !mistake || !strings.Contains(text, "--max-units") {
			t.Errorf("a run for more than was granted: %s", text)
		}
	}
	if got := s.bought(); got != 70 {
		t.Errorf("%d units were spent of the 70 that were granted", got)
	}
	if text, mistake := reader.call("query", "sql", "select count(*)::int as n from moz.anchor_text"); mistake || !strings.Contains(text, `"n":70`) {
		t.Errorf("what was bought: %s", text)
	}
	for sql, want := range map[string]string{
		"select * from read_text('" + job + "')": "no files",
		"drop table moz.anchor_text":             "",
		"select repeat('x', 200000)":             "add a LIMIT",
		"select getenv('MOZ_TOKEN')":             "",
		"select nothing from moz.anchor_text":    "nothing",
	} {
		if text, mistake := reader.call("query", "sql", sql); !mistake || !strings.Contains(text, want) || strings.Contains(text, "secret-token") {
			t.Errorf("%s: %v, %.300s", sql, mistake, text)
		}
	}
	if text, mistake := reader.call("tables", "table", "marts.anchors_current"); mistake || !strings.Contains(text, "external_root_domains") {
		t.Errorf("tables: %s", text)
	}
	if text, mistake := reader.call("tables", "", ""); mistake || !strings.Contains(text, `"moz.anchor_text":"one anchor text`) || !strings.Contains(text, "marts.anchors_current") {
		t.Errorf("all tables: %v, %.300s", mistake, text)
	}
	if text, mistake := reader.call("status", "", ""); mistake || !strings.Contains(text, "asks") || strings.Contains(text, "secret-token") {
		t.Errorf("status: %s", text)
	}
}

func TestAGrantIsOfAVendorThatThereIs(t *testing.T) {
	t.Parallel()
	for _, grant := range []string{"moz", "moz=-1", "google=5", "moz=x"} {
		if status, text := said(t, "mcp", "--grant", grant); status != exitUsage || !strings.Contains(text, "--grant wants vendor=UNITS with one of moz, ahrefs") {
			t.Errorf("%s: exit %d, %s", grant, status, text)
		}
	}
}
