package main

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"backhaul/sinks/blob"
)

func TestAFileOfAnExportIsOldOrWhole(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "out.csv")
	broken := errors.New("broken")
	fill := func(text string, err error) func(*blob.File) error {
		return func(f *blob.File) error {
			_, writeErr := f.Write([]byte(text))
			return errors.Join(writeErr, err)
		}
	}
	for _, step := range []struct {
		text string
		err  error
		want string
	}{{"first", nil, "first"}, {"half", broken, "first"}, {"second", nil, "second"}} {
		if err := writeWhole(blob.FS{}, path, fill(step.text, step.err)); !errors.Is(err, step.err) {
			t.Errorf("%s: %v", step.text, err)
		}
		if got, err := os.ReadFile(path); err != nil || string(got) != step.want {
			t.Errorf("%s: %q, %v", step.text, got, err)
		}
		if names, err := filepath.Glob(path + "*"); err != nil || len(names) != 1 {
			t.Errorf("%s: left %q, %v", step.text, names, err)
		}
	}
}
