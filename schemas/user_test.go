package schemas

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestAFileBringsTheColumnsThatAreNotWorkedOut(t *testing.T) {
	for name, want := range map[string]string{
		"placements":   "target source campaign contact placed_on",
		"labels":       "source label note",
		"anchor_rules": "kind pattern target priority",
	} {
		var got []string
		for _, c := range UserTable(name).Given() {
			got = append(got, c.Name)
		}
		if diff := cmp.Diff(strings.Fields(want), got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
	if UserTable("runs") != nil || Lookup("ops.runs").Given() != nil {
		t.Error("ops.runs is no table of a job's")
	}
}

func TestUserTablesSayWhichRunTookThemAndWhatTheySpelledOut(t *testing.T) {
	for _, table := range UserTables() {
		columns := table.Columns()
		var names []string
		for _, c := range columns {
			names = append(names, c.Name)
		}
		if diff := cmp.Diff([]string{"job", "run_id", "run_date", "row"}, names[:4]); diff != "" || names[len(names)-1] != ColExtra || table.Vendor() {
			t.Errorf("%s has the columns %v", table.FullName(), names)
		}
		for _, c := range columns {
			if c.From == "" {
				continue
			}
			of := columns[table.Index(c.From)]
			if of.Type != String || of.Required != c.Required || c.Type != String || of.From != "" {
				t.Errorf("%s.%s cannot be the spelling of %s", table.FullName(), c.Name, c.From)
			}
		}
	}
	if len(UserTables()) != 3 {
		t.Errorf("%d tables", len(UserTables()))
	}
}
