package main

import (
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const recipesDir = "../../jobs/deploy"

// recipes are the files of jobs/deploy that somebody runs or reads, by their names.
func recipes(t *testing.T) map[string]string {
	t.Helper()
	all := map[string]string{}
	for _, pattern := range []string{"*", "kubernetes/*"} {
		paths, err := filepath.Glob(filepath.Join(recipesDir, pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range paths {
			if info, err := os.Stat(path); err != nil || info.IsDir() || strings.HasSuffix(path, ".json") {
				continue
			}
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			all[strings.TrimPrefix(path, recipesDir+"/")] = string(text)
		}
	}
	return all
}

// explained is all that the program says of itself, topic by topic.
func explained(t *testing.T) string {
	var all strings.Builder
	e := inTest(t, io.Discard, io.Discard)
	root := newRoot(e)
	all.WriteString(root.Long)
	for _, c := range root.Commands() {
		all.WriteString(c.Long + c.Flags().FlagUsages())
	}
	return all.String()
}

// others are variables of the recipes that are not the program's, nor its vendors': what they are, the recipe says itself.
var others = []string{"BACKHAUL_JOB"}

func TestRecipesSetVariablesThatTheProgramExplains(t *testing.T) {
	text, seen, others := explained(t), map[string]bool{}, others
	if !strings.Contains(text, "gs://") { // which is explained together with the cache
		others = append(others, "BACKHAUL_CACHE")
	}
	known := func(name string) bool {
		name = strings.TrimSuffix(strings.TrimSuffix(name, inFile), byCommand)
		return regexp.MustCompile(`\b`+name+`\b`).MatchString(text) || slices.Contains(others, name)
	}
	for file, recipe := range recipes(t) {
		for _, name := range regexp.MustCompile(`\b(?:BACKHAUL|MOZ|AHREFS|TEMPORAL)_[A-Z0-9_]*[A-Z0-9]\b`).FindAllString(recipe, -1) {
			if seen[name] = true; !known(name) {
				t.Errorf("%s: %s is not explained by any help", file, name)
			}
		}
	}
	if len(seen) < 6 {
		t.Errorf("only %v were seen", seen)
	}
}

// commandsOf are the commands of the program in a recipe: as arguments of a container, and as somebody would type them.
func commandsOf(recipe string) (all [][]string) {
	for _, m := range regexp.MustCompile(`(?m)^ *(?:args|command): \[((?:run|worker|schedule)\b[^\]]*)\]`).FindAllStringSubmatch(recipe, -1) {
		all = append(all, strings.Split(m[1], ", "))
	}
	typedAs := regexp.MustCompile("(?:^|[ `\"'(])(?:/usr/local/bin/)?backhaul ((?:run|worker|schedule|migrate|init|status|doctor|reconcile|replay|validate|help)\\b[^`\"\n#|);]*)")
	for _, m := range typedAs.FindAllStringSubmatch(recipe, -1) {
		line := strings.NewReplacer("'15 2 * * *'", "now", "%i", "nightly").Replace(m[1])
		line, _, _ = strings.Cut(line, "   ") // what it does
		all = append(all, strings.Fields(strings.TrimRight(line, ".,: ")))
	}
	return all
}

func TestRecipesRunCommandsThatThereAre(t *testing.T) {
	seen := 0
	for file, recipe := range recipes(t) {
		for _, words := range commandsOf(recipe) {
			seen++
			root := newRoot(inTest(t, io.Discard, io.Discard))
			found, rest, err := root.Find(words)
			if err == nil {
				err = found.ParseFlags(rest)
			}
			if named := err != nil && strings.Contains(err.Error(), "needs an argument"); err != nil && !named || found == root {
				t.Errorf("%s: backhaul %s: %v", file, strings.Join(words, " "), err)
			}
		}
	}
	if seen < 15 {
		t.Errorf("only %d commands were seen", seen)
	}
}

func TestRecipesKnowTheExitStatuses(t *testing.T) {
	asItIs := []int{exitFailed, exitUsage, exitTasksFailed, exitBudget, exitDamaged} // also if it were tried again at once
	seen := 0
	for file, recipe := range recipes(t) {
		for _, m := range regexp.MustCompile(`onExitCodes: \{.*values: \[(.*)\]\}`).FindAllStringSubmatch(recipe, -1) {
			seen++
			var codes []int
			for _, word := range strings.Split(m[1], ", ") {
				code, err := strconv.Atoi(word)
				if err != nil {
					t.Fatal(err)
				}
				codes = append(codes, code)
			}
			if !slices.Equal(codes, asItIs) {
				t.Errorf("%s: %v, want %v", file, codes, asItIs)
			}
		}
	}
	if seen != 2 {
		t.Errorf("%d policies", seen)
	}
}
