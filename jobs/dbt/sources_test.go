package dbt

import (
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write models/sources")

func TestSourcesAreWhatTheTablesDeclare(t *testing.T) {
	const dir = "models/sources"
	files, err := Sources()
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		write(t, dir, files)
	}
	there, err := filepath.Glob(dir + "/*.yml")
	if err != nil {
		t.Fatal(err)
	}
	committed := map[string]string{}
	for _, path := range there {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		committed[filepath.Base(path)] = string(text)
	}
	if diff := cmp.Diff(files, committed); diff != "" {
		t.Errorf("write them with `go test ./jobs/dbt -update`: %s", diff)
	}
}

func write(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}
