// Mutants tries every mutant of the catalogue: it builds the tests that are to find it with the changed files in the place of
// the program's own, by go's -overlay, and runs them. The work tree is not touched.
//
//	go run ./testdata/mutants [-only PART-OF-A-NAME] [-table]
//
// It ends with status 1 if a mutant survives, does not apply any more, or does not compile.
package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"backhaul/testdata/mutants/catalogue"
)

const dir = "testdata/mutants"

func main() {
	only := flag.String("only", "", "try only mutants whose name has this in it")
	table := flag.Bool("table", false, "write "+dir+"/README.md and try nothing")
	flag.Parse()
	if err := run(*only, *table); err != nil {
		fmt.Fprintln(os.Stderr, "mutants:", err)
		os.Exit(1)
	}
}

func run(only string, table bool) error {
	all, err := catalogue.Load(dir)
	if err != nil {
		return err
	}
	if table {
		return os.WriteFile(filepath.Join(dir, "README.md"), []byte(catalogue.Table(all)), 0o644)
	}
	all = slices.DeleteFunc(all, func(m catalogue.Mutant) bool { return !strings.Contains(m.Name, only) })
	if len(all) == 0 {
		return fmt.Errorf("no mutant has %q in its name", only)
	}
	if err := sound(all); err != nil {
		return err
	}
	counts := map[verdict]int{}
	for _, m := range all {
		begin := time.Now()
		v, detail, err := try(m)
		if err != nil {
			return fmt.Errorf("%s: %w", m.Name, err)
		}
		counts[v]++
		fmt.Printf("%-18s %-50s %5.1f s%s\n", v, m.Name, time.Since(begin).Seconds(), detail)
	}
	fmt.Printf("%d killed, %d equivalent\n", counts[killed], counts[equivalent])
	if bad := len(all) - counts[killed] - counts[equivalent]; bad > 0 {
		return fmt.Errorf("%d of %d mutants survive, do not apply or do not compile", bad, len(all))
	}
	return nil
}

// verdict is what became of a mutant.
type verdict string

const (
	killed      verdict = "killed"
	survived    verdict = "SURVIVED"
	stale       verdict = "NO LONGER APPLIES"
	broken      verdict = "DOES NOT COMPILE"
	equivalent  verdict = "equivalent"
	longestTest         = "6m"
)

// sound runs the tests that are to find the mutants without any: one that fails anyway would find everything.
func sound(all []catalogue.Mutant) error {
	type suite struct{ pkg, tags string }
	tests := map[suite][]string{}
	for _, m := range all {
		for _, k := range m.Killers {
			s := suite{k.Package, k.Tags}
			tests[s] = append(tests[s], k.Tests...)
		}
	}
	for s, names := range tests {
		slices.Sort(names)
		if out, err := test("", catalogue.Killer{Package: s.pkg, Tests: slices.Compact(names), Tags: s.tags}); err != nil || nothingRan(out) {
			return fmt.Errorf("the tests of %s fail, or are gone, without a mutant: %v\n%s", s.pkg, err, out)
		}
	}
	return nil
}

// try applies a mutant, in a directory of its own, and lets its killers look for it.
func try(m catalogue.Mutant) (v verdict, detail string, err error) {
	scratch, err := os.MkdirTemp("", "mutant-")
	if err != nil {
		return "", "", err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(scratch)) }()
	overlay, packages, err := write(m, scratch)
	if err != nil {
		return stale, ": " + err.Error(), nil
	}
	if len(m.Killers) == 0 {
		out, err := command("go", append([]string{"build", "-overlay", overlay, "-o", os.DevNull}, packages...)...)
		if err != nil {
			return broken, ":\n" + out, nil
		}
		return equivalent, "", nil
	}
	for _, k := range m.Killers {
		out, err := test(overlay, k)
		switch {
		case strings.Contains(out, "[build failed]"), strings.Contains(out, "[setup failed]"):
			return broken, ":\n" + out, nil
		case nothingRan(out):
			return survived, ": " + k.Package + " has no such test any more", nil
		case err == nil:
			return survived, ": " + k.Package + " " + strings.Join(k.Tests, ", "), nil
		}
	}
	return killed, "", nil
}

// write puts the changed files into a directory, and returns the overlay that names them, and their packages.
func write(m catalogue.Mutant, into string) (overlay string, packages []string, err error) {
	root, err := os.Getwd()
	if err != nil {
		return "", nil, err
	}
	files, err := m.Apply(root)
	if err != nil {
		return "", nil, err
	}
	replace := map[string]string{}
	for path, text := range files {
		changed := filepath.Join(into, fmt.Sprintf("%d-%s", len(replace), filepath.Base(path)))
		if err := os.WriteFile(changed, text, 0o600); err != nil {
			return "", nil, err
		}
		replace[filepath.Join(root, filepath.FromSlash(path))] = changed
		packages = append(packages, "./"+filepath.ToSlash(filepath.Dir(path)))
	}
	text, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return "", nil, err
	}
	overlay = filepath.Join(into, "overlay.json")
	return overlay, packages, os.WriteFile(overlay, text, 0o600)
}

func test(overlay string, k catalogue.Killer) (out string, err error) {
	args := []string{"test", "-p", "1", "-vet=off", "-failfast", "-timeout", longestTest, "-tags", k.Tags}
	if overlay != "" {
		args = append(args, "-count=1", "-overlay", overlay)
	}
	return command("go", append(args, "-run", "^("+strings.Join(k.Tests, "|")+")$", k.Package)...)
}

func nothingRan(out string) bool { return strings.Contains(out, "no tests to run") }

func command(name string, args ...string) (string, error) {
	out, err := exec.Command(name, args...).CombinedOutput()
	return string(out), err
}
