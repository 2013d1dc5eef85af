package jobs

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"
)

// places is a folder with a spec, and one beside it that the spec may not read.
type places struct {
	t             *testing.T
	spec, outside string // folders
}

func newPlaces(t *testing.T) places {
	root := t.TempDir()
	p := places{t, filepath.Join(root, "spec"), filepath.Join(root, "outside")}
	for _, dir := range []string{p.spec, p.outside, filepath.Join(p.spec, "below")} {
		if err := os.Mkdir(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for _, file := range []string{filepath.Join(p.spec, "own.csv"), filepath.Join(p.spec, "below", "own.csv"), filepath.Join(p.outside, "other.csv")} {
		p.write(file, "target\na.example\n")
	}
	return p
}

func (p places) write(file, content string) {
	p.t.Helper()
	if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
		p.t.Fatal(err)
	}
}

func (p places) link(to, name string) {
	p.t.Helper()
	if err := os.Symlink(to, filepath.Join(p.spec, name)); err != nil {
		p.t.Fatal(err)
	}
}

// load reads a spec that names the file, in the time a test has.
func (p places) load(file string, access Access) (*Spec, string) {
	p.t.Helper()
	p.write(filepath.Join(p.spec, "job.yaml"), strings.Replace(fromCSV, "t.csv", file, 1))
	type loaded struct {
		spec  *Spec
		found []Problem
	}
	done := make(chan loaded, 1)
	go func() {
		s, found := Load(filepath.Join(p.spec, "job.yaml"), fake, access)
		done <- loaded{s, found}
	}()
	select {
	case l := <-done:
		return l.spec, lines(l.found)
	case <-time.After(20 * time.Second):
		p.t.Fatalf("%s: hangs", file)
		return nil, ""
	}
}

func TestASpecReadsItsOwnFolderAndBelow(t *testing.T) {
	p := newPlaces(t)
	p.link(filepath.Join(p.spec, "below", "own.csv"), "inside.csv")
	p.link("below", "linked")
	for _, file := range []string{"own.csv", "below/own.csv", "./below/../own.csv", "../spec/own.csv", filepath.Join(p.spec, "own.csv"), "inside.csv", "linked/own.csv"} {
		if s, said := p.load(file, Access{}); s == nil {
			t.Errorf("%s: %s", file, said)
		}
	}
}

func TestASpecReadsNothingElse(t *testing.T) {
	p := newPlaces(t)
	other := filepath.Join(p.outside, "other.csv")
	p.link(other, "out.csv")
	p.link("../outside", "out")
	p.link("/proc/self/environ", "environ")
	for _, file := range []string{"../outside/other.csv", other, "out.csv", "out/other.csv", "/proc/self/environ", "environ", "/etc/passwd", "../nowhere.csv", "/nowhere.csv", "below/../../outside/other.csv"} {
		s, said := p.load(file, Access{})
		if s != nil || !strings.Contains(said, "job.yaml:2:23: cannot read ") || !strings.Contains(said, "it lies outside "+p.spec) || !strings.Contains(said, "--allow-path") {
			t.Errorf("%s: %s", file, said)
		}
	}
	for _, file := range []string{"../outside/other.csv", other, "out.csv", "out/other.csv"} {
		if s, said := p.load(file, Access{Folders: []string{filepath.Join(p.spec, "below"), p.outside}}); s == nil {
			t.Errorf("%s, allowed: %s", file, said)
		}
	}
	if s, said := p.load("/etc/passwd", Access{Folders: []string{p.outside}}); s != nil || !strings.Contains(said, "--allow-path") {
		t.Errorf("another folder is allowed: %s", said)
	}
}

func TestOnlyRegularFilesAreReadAndNothingHangs(t *testing.T) {
	p := newPlaces(t)
	fifo := filepath.Join(p.spec, "fifo")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	access := Access{Folders: []string{"/dev", "/proc"}}
	for file, want := range map[string]string{
		"fifo": "not a regular file", "/dev/zero": "not a regular file", "/dev/null": "not a regular file", "below": "it is a directory", "missing.csv": "no such file",
	} {
		if s, said := p.load(file, access); s != nil || !strings.Contains(said, want) {
			t.Errorf("%s: %s", file, said)
		}
	}
	for _, spec := range []string{fifo, "/dev/zero", p.spec} {
		if s, found := Load(spec, fake, Access{}); s != nil || len(found) != 1 || !strings.Contains(found[0].Text, "cannot read the job spec") {
			t.Errorf("%s: %s", spec, lines(found))
		}
	}
}

func TestListsHaveABound(t *testing.T) {
	p := newPlaces(t)
	f, err := os.Create(filepath.Join(p.spec, "huge.csv"))
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Truncate(maxSheet + 1); err != nil { // a file with a hole, which takes no room
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if s, said := p.load("huge.csv", Access{}); s != nil || !strings.Contains(said, "larger than 256 MiB") {
		t.Error(said)
	}
	runtime.ReadMemStats(&after)
	if read := after.TotalAlloc - before.TotalAlloc; read > 8<<20 {
		t.Errorf("refusing it by its size took %d bytes", read)
	}
}

func TestAFileOfACredentialIsNeverRead(t *testing.T) {
	p := newPlaces(t)
	secret := filepath.Join(p.spec, "key")
	p.write(secret, "target\ncanary.example\n")
	p.link("key", "renamed.csv")
	if err := os.Link(secret, filepath.Join(p.spec, "hard.csv")); err != nil {
		t.Fatal(err)
	}
	access := Access{Secrets: map[string]string{"MOZ_TOKEN_FILE": secret, "AHREFS_API_KEY_FILE": filepath.Join(p.spec, "missing")}}
	for _, file := range []string{"key", secret, "renamed.csv", "hard.csv", "below/../key"} {
		if s, said := p.load(file, access); s != nil || !strings.Contains(said, "MOZ_TOKEN_FILE") || strings.Contains(said, "canary") {
			t.Errorf("%s: %s", file, said)
		}
	}
	if s, found := Load(secret, fake, access); s != nil || !strings.Contains(lines(found), "MOZ_TOKEN_FILE") || strings.Contains(lines(found), "canary") {
		t.Errorf("as a spec: %s", lines(found))
	}
}

func TestEveryListOfASpecIsHeldToItsFolder(t *testing.T) {
	p := newPlaces(t)
	for name, spec := range map[string]string{
		"targets": fromCSV,
		"inputs":  "job: j\nextracts: [{name: x, endpoint: moz/link_status, inputs: {file: t.csv}}]\n",
		"tables":  minimal() + "tables: {labels: {file: t.csv}}\n",
	} {
		file := filepath.Join(p.spec, "job.yaml")
		p.write(file, strings.Replace(spec, "t.csv", "../outside/other.csv", 1))
		if s, found := Load(file, fake, Access{}); s != nil || !strings.Contains(lines(found), "--allow-path") {
			t.Errorf("%s: %s", name, lines(found))
		}
	}
}
