//go:build unix

package duckdb

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"syscall"
	"testing"
)

// fewFiles has the test's own process be the one that runs out of files.
const fewFiles = "BACKHAUL_TEST_FEW_FILES"

// TestADuckDBForWhichThereIsNoFileIsAnError leaves a process so few files that a DuckDB cannot begin.
func TestADuckDBForWhichThereIsNoFileIsAnError(t *testing.T) {
	t.Parallel()
	if os.Getenv(fewFiles) == "" {
		c := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$")
		c.Env = append(os.Environ(), fewFiles+"=1", "TMPDIR="+t.TempDir())
		if said, err := c.CombinedOutput(); err != nil {
			t.Errorf("%v: %.2000s", err, said)
		}
		return
	}
	limit := syscall.Rlimit{Cur: 64, Max: 64}
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	begin := map[string]func() (close func() error, err error){
		"session": func() (func() error, error) {
			s, err := openSession(context.Background())
			return s.close, err
		},
		"direct": func() (func() error, error) {
			d, err := openDirect()
			return func() error { d.close(); return nil }, err
		},
	}
	for name, begin := range begin {
		failed, began := 0, 0
		for left := range 12 {
			free := takeFilesBut(t, left)
			stop, err := begin()
			if err == nil {
				began++
				err = stop()
			}
			free()
			if errors.Is(err, syscall.EMFILE) {
				failed++
			} else if err != nil {
				t.Errorf("%s, %d files left: %v", name, left, err)
			}
		}
		if failed == 0 || began == 0 {
			t.Errorf("%s: %d failed and %d began: this tests nothing", name, failed, began)
		}
	}
}

// takeFilesBut opens files until so many can be opened, and returns how to close them.
func takeFilesBut(t *testing.T, left int) (free func()) {
	var all []*os.File
	for {
		f, err := os.Open(os.DevNull)
		if errors.Is(err, syscall.EMFILE) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, f)
	}
	for _, f := range all[:left] {
		f.Close()
	}
	return func() {
		for _, f := range all[left:] {
			f.Close()
		}
	}
}
