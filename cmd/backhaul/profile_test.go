package main

import (
	"io"
	"os"
	"path/filepath"
	"testing"
)

// A run that was stopped is the one whose profile is wanted.
func TestProfilesAreWrittenHoweverACommandEnds(t *testing.T) {
	dir := t.TempDir() // of the processor there is one profile at a time: no other test takes any
	for name, args := range map[string][]string{"well": {"version"}, "badly": {"validate", "no such job"}} {
		var flags []string
		for _, kind := range []string{"cpuprofile", "trace", "memprofile"} {
			flags = append(flags, "--"+kind, filepath.Join(dir, name+"."+kind))
		}
		if status := Main(t.Context(), inTest(t, io.Discard, io.Discard, append(args, flags...)...)); (status == exitComplete) != (name == "well") {
			t.Errorf("it ends %s with %d", name, status)
		}
		for _, kind := range []string{"cpuprofile", "trace", "memprofile"} {
			if info, err := os.Stat(filepath.Join(dir, name+"."+kind)); err != nil || info.Size() == 0 {
				t.Errorf("%s of a command that ends %s: %v", kind, name, err)
			}
		}
	}
}
