package duckdb

import (
	"errors"
	"testing"
)

func TestOneStatementIsTakenAndNoSecondOne(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"SELECT 1":                      "SELECT 1",
		" SELECT 1 ; ; -- done;":        "SELECT 1",
		"SELECT ';', \"a;b\", $x$;$x$;": "SELECT ';', \"a;b\", $x$;$x$",
		"SELECT /* ; */ 1; /* ; */":     "SELECT /* ; */ 1",
		"SELECT E'it\\'; x' ;":          "SELECT E'it\\'; x'",
	} {
		if got, err := statement(text); err != nil || got != want {
			t.Errorf("%q: %q, %v", text, got, err)
		}
	}
	for _, text := range []string{"SELECT 1; SELECT 2", "SELECT 1;DROP VIEW a", "SELECT ''; SELECT ''", "SELECT $$a$$; b", "SELECT 1 -- x\n; 2"} {
		if got, err := statement(text); !errors.Is(err, errSeveral) {
			t.Errorf("%q: %q, %v", text, got, err)
		}
	}
}
