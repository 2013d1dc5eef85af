package main

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"backhaul/pipeline"
	"backhaul/pipeline/vendors"
	"backhaul/pipeline/vendors/testdata/tiny"
)

// buying returns the sources of a client of a test's own, in the place of its surface's.
func buying(c vendors.Client) *sources {
	return &sources{registry: builtIn, open: map[string]*openSurface{}, client: func(vendors.Surface, int) (vendors.Client, string, error) { return c, "the test", nil }}
}

// over runs the program with these vendors.
func over(t *testing.T, r vendors.Registry, args ...string) (said string, err error) {
	t.Helper()
	var out bytes.Buffer
	e := inTest(t, &out, &out, args...)
	e.vendors = r
	err = newRoot(e).ExecuteContext(t.Context())
	return out.String(), err
}

// A vendor is added by its package and one line, and everything that asks about vendors knows it.
func TestAVendorIsAddedByOnePackageAndOneLine(t *testing.T) {
	t.Parallel()
	r := append(slices.Clone(builtIn), tiny.Surface())
	asked := 0
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		asked++
		if req.Header.Get("Authorization") != "Bearer k3y" || req.FormValue("target") != "acme.example" {
			http.Error(w, "who asks, and about what?", http.StatusUnauthorized)
			return
		}
		if req.FormValue("token") == "" {
			fmt.Fprint(w, `{"anchors":[{"anchor_text":"a","external_root_domains":3,"external_pages":4},{"anchor_text":"b","external_root_domains":2,"external_pages":2}],"next":"2"}`)
			return
		}
		fmt.Fprint(w, `{"anchors":[{"anchor_text":"c","external_root_domains":1,"external_pages":1}],"next":null}`)
	}))
	t.Cleanup(srv.Close)
	dir := t.TempDir()
	w := filepath.Join(dir, "w")
	job := writeFile(t, dir, "tiny.yaml", `job: tiny
vendors: {tiny: {surface: v1, connections: 1}}
budget: {tiny: {run: 100}}
targets: {own: [acme.example]}
extracts: [{name: anchors, endpoint: tiny/anchors, targets: [own]}]
`)
	setenv(t, "BACKHAUL_TINY_URL", srv.URL)
	run := []string{"run", job, "--warehouse", w, "--date", "2026-11-23"}
	if said, err := over(t, builtIn, run...); err == nil || !strings.Contains(said, `unknown key "tiny"`) {
		t.Errorf("without the line: %v\n%s", err, said)
	}
	if said, err := over(t, r, run...); err == nil || err.Error() != "no Tiny credentials: set TINY_KEY" {
		t.Errorf("without credentials: %v\n%s", err, said)
	}
	if said, _ := over(t, r, "doctor", job, "--warehouse", w); !strings.Contains(said, "bad   vendor tiny: no credentials (set TINY_KEY)") {
		t.Errorf("doctor: %s", said)
	}

	setenv(t, "TINY_KEY_FILE", writeFile(t, dir, "key", "k3y\n"))
	if said, err := over(t, r, run...); err != nil || asked != 2 {
		t.Fatalf("%v, %d requests\n%s", err, asked, said)
	}
	if got := backhaul(t, 0, "query", "--warehouse", w, "--format", "csv", "select anchor_text, rank, surface, target from moz.anchor_text order by rank"); got !=
		"anchor_text,rank,surface,target\na,1,v1,acme.example\nb,2,v1,acme.example\nc,3,v1,acme.example\n" {
		t.Error(got)
	}
	for _, c := range []struct {
		says string
		args []string
	}{
		{"credentials from TINY_KEY_FILE", []string{"doctor", job}},
		{"not asked: it has no report that is known to be free", []string{"doctor", job}},
		{"moz.anchor_text", []string{"replay", "--job", "tiny", "--date", "2026-11-23"}},
		{"nothing is held", []string{"reconcile"}},
	} {
		if said, err := over(t, r, append(c.args, "--warehouse", w)...); err != nil || !strings.Contains(said, c.says) {
			t.Errorf("%v: %v\n%s", c.args, err, said)
		}
	}
	if why := (&app{environment: environment{vendors: r}}).meter("tiny", "v1").Why; !strings.HasPrefix(why, "the vendor does not tell") {
		t.Error(why)
	}
	setenv(t, "TINY_KEY_FILE", writeFile(t, dir, "wrong", "wrong\n"))
	if _, err := over(t, r, append(run[:4:4], "--date", "2026-11-24")...); err == nil || !strings.HasSuffix(err.Error(), "check the credentials: TINY_KEY") {
		t.Errorf("refused: %v", err)
	}
}

// What a surface says of itself is what its client does.
func TestEverySurfaceIsWhatItSays(t *testing.T) {
	t.Parallel()
	r := append(slices.Clone(builtIn), tiny.Surface())
	seen := map[string]bool{}
	for _, s := range r {
		name := s.Vendor + "/" + s.Name
		if seen[name] || s.Title == "" || s.Limits.PerSecond <= 0 || s.Limits.Connections <= 0 || s.URL == "" || len(s.Credentials) == 0 {
			t.Errorf("%s is there twice, or says too little: %+v", name, s)
		}
		seen[name] = true
		if _, ok := r.Surface(s.Vendor, s.Successor); s.Successor != "" && !ok {
			t.Errorf("the successor of %s is unknown: %s", name, s.Successor)
		}
		for _, e := range s.Endpoints() {
			if e.Vendor != s.Vendor || e.Surface != s.Name || e.Table == nil {
				t.Errorf("%s has %s on surface %s", name, e, e.Surface)
			}
		}
		for _, way := range s.Credentials {
			set := vendors.Settings{BaseURL: "https://vendor.example", Credentials: map[string]string{}, Connections: 1}
			for _, variable := range way {
				set.Credentials[variable] = "x"
			}
			client, err := s.Open(set)
			if err != nil {
				t.Errorf("%s with %v: %v", name, way, err)
				continue
			}
			for i, source := range client.Sources() {
				if source.Endpoint() != s.Endpoints()[i] {
					t.Errorf("%s has other endpoints offline", name)
				}
			}
			if _, tells := client.(pipeline.Usage); tells != (s.Counts != "") {
				t.Errorf("%s tells its usage: %v; it says it counts %q", name, tells, s.Counts)
			}
			client.Close()
		}
	}
}

func TestTheEmulatorStandsInForEverySurface(t *testing.T) {
	t.Parallel()
	e, err := startEmulator(emulatorFlags{listen: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	defer e.close()
	environment := e.environment()
	for _, s := range builtIn {
		for _, variable := range append([]string{s.URL}, s.Credentials[0]...) {
			if environment[variable] == "" {
				t.Errorf("%s/%s: %s is not set", s.Vendor, s.Name, variable)
			}
		}
	}
}

// TestATableHasTheNameOfItsEndpoint is what finds the nights that a table has rows of.
func TestATableHasTheNameOfItsEndpoint(t *testing.T) {
	t.Parallel()
	for _, s := range builtIn {
		for _, e := range s.Endpoints() {
			if got := e.Table.Schema + "/" + e.Table.Name; got != e.String() {
				t.Errorf("%s of %s has its rows in %s", e, s.Name, e.Table.FullName())
			}
		}
	}
}
