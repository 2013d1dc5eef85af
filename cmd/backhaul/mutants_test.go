package main

import (
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"backhaul/testdata/mutants/catalogue"
)

// TestEveryMutantStillAppliesAndNamesWhoFindsIt keeps the catalogue of mutants up; `make mutants` tries them.
func TestEveryMutantStillAppliesAndNamesWhoFindsIt(t *testing.T) {
	t.Parallel()
	const root = "../.."
	all, err := catalogue.Load(filepath.Join(root, "testdata", "mutants"))
	if err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile(filepath.Join(root, ".github", "INVARIANTS.md"))
	if err != nil {
		t.Fatal(err)
	}
	promises := promisesOf(string(page))
	found, tests, groups := 0, testsOf{}, map[int][]string{}
	for _, m := range all {
		files, err := m.Apply(root)
		if err != nil {
			t.Error(err)
		}
		for path, text := range files {
			if _, err := parser.ParseFile(token.NewFileSet(), path, text, 0); err != nil && strings.HasSuffix(path, ".go") {
				t.Errorf("%s: %v", m.Name, err)
			}
		}
		for _, n := range m.Promises {
			if promises[n] == "" {
				t.Errorf("%s: there is no promise %d", m.Name, n)
			}
			if group, _, _ := strings.Cut(m.Name, "/"); m.Equivalent == "" && !slices.Contains(groups[n], group) {
				groups[n] = append(groups[n], group)
			}
		}
		for _, k := range m.Killers {
			for _, name := range k.Tests {
				if !strings.Contains(tests.in(t, filepath.Join(root, k.Package)), "func "+name+"(") {
					t.Errorf("%s: %s has no test %s", m.Name, k.Package, name)
				}
			}
		}
		if len(m.Killers) > 0 {
			found++
		}
	}
	if found < 80 {
		t.Errorf("only %d mutants are found by a test", found)
	}
	for n, held := range groups {
		slices.Sort(held)
		if want := "Mutants: " + strings.Join(held, ", ") + ".\n"; !strings.Contains(promises[n], want) {
			t.Errorf("promise %d of INVARIANTS.md does not say %s", n, want)
		}
	}
	table, err := os.ReadFile(filepath.Join(root, "testdata", "mutants", "README.md"))
	if err != nil || string(table) != catalogue.Table(all) {
		t.Errorf("testdata/mutants/README.md is not of these mutants, %v: go run ./testdata/mutants -table", err)
	}
}

// promisesOf are the texts of the promises of a page, by their numbers.
func promisesOf(page string) map[int]string {
	begins, all := regexp.MustCompile(`(?m)^(\d+)\. \*\*`).FindAllStringSubmatchIndex(page, -1), map[int]string{}
	for i, at := range begins {
		end := len(page)
		if i+1 < len(begins) {
			end = begins[i+1][0]
		}
		n, _ := strconv.Atoi(page[at[2]:at[3]]) // digits
		all[n] = page[at[0]:end]
	}
	return all
}

// testsOf are the texts of the tests of folders.
type testsOf map[string]string

func (all testsOf) in(t *testing.T, dir string) string {
	t.Helper()
	if all[dir] != "" {
		return all[dir]
	}
	files, err := filepath.Glob(filepath.Join(dir, "*_test.go"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no tests in %s, %v", dir, err)
	}
	var text strings.Builder
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		text.Write(b)
	}
	all[dir] = text.String()
	return all[dir]
}
