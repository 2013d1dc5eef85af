package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestASpecCannotShowTheCredentialsOfItsOwnRun writes every spec that once did, or might, and every statement, and looks for
// the secret in all that is said and in all that is written.
func TestASpecCannotShowTheCredentialsOfItsOwnRun(t *testing.T) {
	const secret = "mozscape-c4n4ry5ecr3t"
	w := newWard(t)
	dir, keys := filepath.Dir(w.job), t.TempDir()
	file := writeFile(t, keys, "key", secret+"\n")
	inside := writeFile(t, dir, "inside.csv", secret+"\n")
	writeFile(t, dir, "copy.csv", secret+"\n"+secret+"\n")
	for name, to := range map[string]string{"link.csv": file, "folder": keys, "inside-link.csv": "inside.csv"} {
		if err := os.Symlink(to, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	setenv(t, "MOZ_TOKEN", "")
	setenv(t, "MOZ_TOKEN_FILE", file)
	setenv(t, "MOZ_SECRET_KEY_FILE", inside)
	setenv(t, "AHREFS_API_KEY", secret)
	t.Setenv("AHREFS_API_KEY", secret) // DuckDB would read it of the process itself
	beside, err := filepath.Rel(dir, file)
	if err != nil {
		t.Fatal(err)
	}
	var specs []string
	for _, f := range []string{file, beside, "link.csv", "folder/key", "/proc/self/environ", "/proc/self/cmdline", "inside.csv", "inside-link.csv", "copy.csv"} {
		specs = append(specs,
			fmt.Sprintf("targets: {t: {file: %q}}\nextracts: [{name: x, endpoint: moz/anchor_text, targets: [t]}]\n", f),
			fmt.Sprintf("extracts: [{name: x, endpoint: moz/link_status, inputs: {file: %q}}]\n", f),
			fmt.Sprintf("targets: {t: [a.example]}\ntables: {labels: {file: %q}}\nextracts: [{name: x, endpoint: moz/anchor_text, targets: [t]}]\n", f))
	}
	for _, f := range []string{file, "/proc/self/environ"} {
		for _, sql := range []string{"select content as target from read_text('%s')", "select column0 as target from read_csv('%s', header => false)", "select error(content) as target from read_text('%s')", "from '%s'", "select getenv('AHREFS_API_KEY') as target -- %s"} {
			specs = append(specs, fmt.Sprintf("extracts: [{name: x, endpoint: moz/anchor_text, targets: {sql: %q}}]\n", fmt.Sprintf(sql, f)))
		}
	}
	quiet := func(what string, want int, args ...string) {
		t.Helper()
		if status, said := w.try(args...); status != want || strings.Contains(said, secret) {
			t.Errorf("exit %d, want %d, of\n%s\n%s", status, want, what, said)
		}
	}
	for i, spec := range specs {
		path := writeFile(t, dir, "leak.yaml", fmt.Sprintf("job: leak-%d\n", i)+spec)
		for _, command := range []string{"validate", "run"} {
			quiet(spec, exitUsage, command, path)
		}
	}
	for _, f := range []string{file, inside, filepath.Join(dir, "copy.csv"), "/proc/self/environ"} {
		quiet(f, exitUsage, "validate", f)
	}
	for _, f := range []string{file, "/proc/self/environ"} {
		for _, sql := range []string{"from read_text('%s')", "from read_csv('%s')", "from '%s'", "from read_blob('%s')", "from glob('%s*')", "select getenv('AHREFS_API_KEY') -- %s", "copy (from read_text('%s')) to '/dev/stdout'"} {
			quiet(sql, exitFailed, "query", fmt.Sprintf(sql, f))
		}
	}
	err = filepath.WalkDir(w.warehouse, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		if bytes.Contains(content, []byte(secret)) {
			t.Errorf("%s holds the secret", path)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

func TestTargetsOfWhichNoneCanBeAskedAboutFailTheirExtract(t *testing.T) {
	t.Parallel()
	w := newWard(t)
	path := writeFile(t, t.TempDir(), "unusable.yaml", `job: unusable
extracts: [{name: x, endpoint: moz/anchor_text, targets: {sql: "select 'no host ' || i as target from range(5) t(i)"}}]
`)
	status, said := w.try("run", path, "--date", wardDate)
	if status != exitFailed || !strings.Contains(said, "returned 5 rows, and none can be asked about") || !strings.Contains(said, "and 2 more") {
		t.Errorf("exit %d\n%s", status, said)
	}
	none := writeFile(t, t.TempDir(), "none.yaml", `job: none
extracts: [{name: x, endpoint: moz/anchor_text, targets: {sql: "select target from moz.links where false"}}]
`)
	if status, said := w.try("run", none, "--date", wardDate); status != exitComplete {
		t.Errorf("nothing to ask about: exit %d\n%s", status, said)
	}
}

func TestLimitsSayWhichFlagRaisesThem(t *testing.T) {
	w := newWard(t)
	w.holdMemory = true
	const endless = "select count(*) as target from range(1000000000000) a, range(1000000000000) b"
	list := writeFile(t, t.TempDir(), "list.csv", "target\n"+listTarget(1, 730)+"\n")
	dir := t.TempDir()
	slow := writeFile(t, dir, "slow.yaml", "job: slow\nextracts: [{name: x, endpoint: moz/anchor_text, targets: {sql: \""+endless+"\"}}]\n")
	far := writeFile(t, dir, "far.yaml", fmt.Sprintf("job: far\ntargets: {t: {file: %q}}\nextracts: [{name: x, endpoint: moz/anchor_text, targets: [t]}]\n", list))
	for _, c := range []struct {
		want int
		says string
		args []string
	}{
		{exitFailed, "longer than it may: 100ms: ask for less, or give it more with --timeout", []string{"query", endless, "--timeout", "100ms"}},
		{exitFailed, "--memory-limit", []string{"query", "select list(i) from range(1000000000) t(i)", "--memory-limit", "128MiB"}},
		{exitFailed, "--format csv", []string{"query", "select repeat('x', 1000) from range(100000)"}},
		{exitFailed, "more than 64 MiB", []string{"query", "select repeat('x', 2000000000)"}},
		{exitUsage, "want at least 64 MiB", []string{"query", "select 1", "--memory-limit", "1MB"}},
		{exitFailed, "--query-timeout", []string{"run", slow, "--query-timeout", "100ms", "--date", wardDate}},
		{exitUsage, "--allow-path", []string{"validate", far}},
		{exitComplete, "valid", []string{"validate", far, "--allow-path", filepath.Dir(list)}},
		{exitComplete, "1 target", []string{"plan", far, "--allow-path", dir, "--allow-path", filepath.Dir(list)}},
		{exitComplete, "", []string{"run", far, "--allow-path", filepath.Dir(list), "--date", wardDate}},
		{exitComplete, "", []string{"export", "moz.anchor_text", "--timeout", "1m", "--memory-limit", "1GiB"}},
	} {
		if status, said := w.try(c.args...); status != c.want || !strings.Contains(said, c.says) {
			t.Errorf("%v: exit %d, want %d and %q\n%s", c.args, status, c.want, c.says, said)
		}
	}
}
