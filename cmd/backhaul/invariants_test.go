package main

import (
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
)

// TestThePromisesNameTestsThatExist reads .github/INVARIANTS.md.
func TestThePromisesNameTestsThatExist(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../.github/INVARIANTS.md")
	if err != nil {
		t.Fatal(err)
	}
	var held strings.Builder
	for _, file := range goTestFiles(t) {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		held.Write(text)
	}
	named := regexp.MustCompile("`((?:Test|Fuzz)\\w+)`").FindAllStringSubmatch(string(page), -1)
	if len(named) < 40 {
		t.Errorf("only %d tests are named", len(named))
	}
	for _, m := range named {
		if !strings.Contains(held.String(), "func "+m[1]+"(") {
			t.Errorf("%s is no test", m[1])
		}
	}
}

func goTestFiles(t *testing.T) []string {
	t.Helper()
	out, err := exec.Command("go", "list", "-f", `{{$d := .Dir}}{{range .TestGoFiles}}{{$d}}/{{.}}{{"\n"}}{{end}}{{range .XTestGoFiles}}{{$d}}/{{.}}{{"\n"}}{{end}}`, "backhaul/...").Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.Fields(string(out))
}
