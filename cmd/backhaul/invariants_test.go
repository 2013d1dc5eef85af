package main

import (
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
)

// TestThePromisesNameTestsThatExist reads .github/INVARIANTS.md, and which tests the race run takes of some packages.
func TestThePromisesNameTestsThatExist(t *testing.T) {
	t.Parallel()
	var held strings.Builder
	for _, file := range goTestFiles(t) {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		held.Write(text)
	}
	for file, names := range map[string]struct {
		one   string
		least int
	}{
		"../../.github/INVARIANTS.md": {"`((?:Test|Fuzz)\\w+)`", 40},
		"../../Makefile":              {`[(|](Test\w+)`, 5},
	} {
		page, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		named := regexp.MustCompile(names.one).FindAllStringSubmatch(string(page), -1)
		if len(named) < names.least {
			t.Errorf("%s names only %d tests", file, len(named))
		}
		for _, m := range named {
			if !strings.Contains(held.String(), "func "+m[1]+"(") {
				t.Errorf("%s names %s, which is no test", file, m[1])
			}
		}
	}
}

func goTestFiles(t *testing.T) []string {
	t.Helper()
	out, err := exec.Command("go", "list", "-tags", "cluster,fleet,failpoint,lakecheck", "-f", `{{$d := .Dir}}{{range .TestGoFiles}}{{$d}}/{{.}}{{"\n"}}{{end}}{{range .XTestGoFiles}}{{$d}}/{{.}}{{"\n"}}{{end}}`, "backhaul/...").Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.Fields(string(out))
}
