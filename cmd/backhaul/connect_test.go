package main

import (
	"io/fs"
	"path"
	"slices"
	"strings"
	"testing"
)

func TestEveryToolHasATemplateAndEveryTemplateATool(t *testing.T) {
	t.Parallel()
	files, err := fs.Glob(connections, "connect/*.txt")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, file := range files {
		names = append(names, strings.TrimSuffix(path.Base(file), ".txt"))
	}
	want := toolNames()
	slices.Sort(want)
	if !slices.Equal(names, want) {
		t.Errorf("templates of %q, tools %q", names, want)
	}
}

// TestEveryToolIsToldThePathOrTheVariable: a tool that has no place for the variable is told what to do instead, and every one
// opens the catalog for reading alone.
func TestEveryToolIsToldThePathOrTheVariable(t *testing.T) {
	t.Parallel()
	p := place{Root: "/data/w"}
	for _, tool := range toolNames() {
		text, err := p.render(tool)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(text, p.Catalog()) {
			t.Errorf("%s: the catalog is not named", tool)
		}
		if !strings.Contains(text, p.Set()) && !strings.Contains(text, "must have the path that its catalog was written for") {
			t.Errorf("%s: nothing is said of where the files are", tool)
		}
		if flat := strings.NewReplacer("-", "", "_", "", " ", "").Replace(strings.ToLower(text)); !strings.Contains(flat, "readonly") {
			t.Errorf("%s: it would open the catalog for writing", tool)
		}
	}
}

func TestPathsAreSpelledAsEachLanguageDoes(t *testing.T) {
	t.Parallel()
	p := place{Root: `/it's "here" $HOME?`}
	for tool, want := range map[string]string{
		"duckdb":     `duckdb -readonly -cmd 'SET VARIABLE backhaul_warehouse = '\''/it'\'''\''s "here" $HOME?'\''' '/it'\''s "here" $HOME?/catalog.duckdb'`,
		"python":     `con.execute("SET VARIABLE backhaul_warehouse = '/it''s \"here\" $HOME?'")`,
		"sqlalchemy": `create_engine("duckdb:////it's \"here\" $HOME?/catalog.duckdb",`,
	} {
		if text, err := p.render(tool); err != nil || !strings.Contains(text, want) {
			t.Errorf("%s: %v, want %s in\n%s", tool, err, want, text)
		}
	}
}
