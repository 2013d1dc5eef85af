package main

import (
	"bytes"
	"context"
	"io"
	"maps"
	"os"
	"strings"
	"sync"
	"testing"
	"time"
)

// variables are those of each test, by the test's name. They are nobody else's, so that tests run side by side.
var variables = struct {
	sync.Mutex
	of map[string]map[string]string
}{of: map[string]map[string]string{}}

// setenv sets a variable for a test and the tests within it.
func setenv(t testing.TB, name, value string) {
	t.Helper()
	variables.Lock()
	defer variables.Unlock()
	if variables.of[t.Name()] == nil {
		variables.of[t.Name()] = map[string]string{}
		t.Cleanup(func() {
			variables.Lock()
			defer variables.Unlock()
			delete(variables.of, t.Name())
		})
	}
	variables.of[t.Name()][name] = value
}

// environ returns a test's variables: its own, and those of the tests it is within.
func environ(t testing.TB) map[string]string {
	variables.Lock()
	defer variables.Unlock()
	all, name := map[string]string{}, ""
	for part := range strings.SplitSeq(t.Name(), "/") {
		name = strings.TrimPrefix(name+"/"+part, "/")
		maps.Copy(all, variables.of[name])
	}
	return all
}

// processEnviron returns a test's variables, and what else a process needs, as a process is given them.
func processEnviron(t testing.TB) []string {
	all := os.Environ()
	for name, value := range environ(t) {
		all = append(all, name+"="+value)
	}
	return all
}

// inTest is the environment of a command that a test runs in its own process.
func inTest(t testing.TB, stdout, stderr io.Writer, args ...string) environment {
	return environment{
		args: args, stdin: strings.NewReader(""), stdout: stdout, stderr: stderr, now: time.Now, vendors: builtIn,
		variable: func(name string) string { return environ(t)[name] }, holdMemory: func(int64) func() { return func() {} }, // the process is shared
	}
}

// backhaul runs the program in this process and fails the test unless it ends with want.
func backhaul(t testing.TB, want int, args ...string) (stdout string) {
	t.Helper()
	var out, errs bytes.Buffer
	if got := Main(context.Background(), inTest(t, &out, &errs, args...)); got != want {
		t.Fatalf("backhaul %s: exit %d, want %d\n%s%s", strings.Join(args, " "), got, want, out.String(), errs.String())
	}
	return out.String()
}

// Two commands in one process see nothing of one another's environment.
func TestACommandKnowsItsOwnEnvironmentAlone(t *testing.T) {
	t.Setenv("BACKHAUL_WAREHOUSE", "/of/the/process")
	roots := map[string]bool{}
	for _, dir := range []string{"/of/one", "/of/another"} {
		e := inTest(t, io.Discard, io.Discard)
		e.variable = func(name string) string { return map[string]string{"BACKHAUL_WAREHOUSE": dir}[name] }
		w, err := (&app{environment: e}).warehouse(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		roots[w.Root] = true
	}
	if len(roots) != 2 || !roots["/of/one"] || !roots["/of/another"] {
		t.Errorf("%v", roots)
	}
}

// Who is there to be asked, and does not say yes, buys nothing; who is not there is not asked.
func TestOnlyAYesBuysWhatIsOverTheThreshold(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		says     string
		attended bool
		want     int
	}{{"y\n", true, exitComplete}, {"YES\n", true, exitComplete}, {"n\n", true, exitFailed}, {"", true, exitFailed}, {"", false, exitComplete}} {
		s := newListServer(t, listSettings{})
		setenv(t, "MOZ_TOKEN", "secret-token")
		setenv(t, "BACKHAUL_MOZ_V2_URL", s.URL)
		dir := t.TempDir()
		job := writeFile(t, dir, "asks.yaml", "job: asks\nconfirm_over: {moz: 10}\ntargets: {all: ["+listTarget(1, 60)+"]}\nextracts: [{name: x, endpoint: moz/anchor_text, targets: [all]}]\n")
		var out, errs bytes.Buffer
		e := inTest(t, &out, &errs, "run", job, "--warehouse", dir+"/w", "--date", "2026-11-23")
		e.stdin, e.attended = strings.NewReader(c.says), c.attended
		status := Main(t.Context(), e)
		if status != c.want || (s.bought() > 0) != (c.want == exitComplete) || strings.Contains(errs.String(), "buy? [y/N]") != c.attended {
			t.Errorf("%q: exit %d, want %d, %d rows bought\n%s", c.says, status, c.want, s.bought(), errs.String())
		}
	}
}
