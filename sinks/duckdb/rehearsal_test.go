package duckdb

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"backhaul/schemas"
)

func rehearsal(t *testing.T) *Rehearsal {
	t.Helper()
	r, err := rehearse(t.Context(), true)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Close() })
	return r
}

func TestARehearsalKnowsTheColumnsOfAQuestionWithoutAWarehouse(t *testing.T) {
	t.Parallel()
	r := rehearsal(t)
	loose := []Loose{{Name: "found", Table: schemas.Lookup("moz.anchor_text")}}
	for sql, want := range map[string][]string{
		"select anchor_text as target, 1 as n from found join marts.campaign using (target)": {"target", "n"},
		"from (select target from ops.tasks) -- all of them":                                 {"target"},
		"select target, source from user.placements where target ilike 'é'":                  {"target", "source"},
		"pivot found on scope": nil,
	} {
		for range 2 { // a question leaves nothing behind
			if got, err := r.Columns(t.Context(), sql, loose); err != nil || !cmp.Equal(got, want) {
				t.Errorf("%s: %v, %v", sql, got, err)
			}
		}
	}
}

func TestARehearsalBlamesAQuestionOnlyForItsOwnFaults(t *testing.T) {
	t.Parallel()
	r := rehearsal(t)
	for sql, want := range map[string]bool{
		"selct 1": true, "select target from nowhere": true, "select nothing from moz.links": true, "select 1; select 2": true, "--": true,
		"select (1 from moz.links": true, "explain select 1": true, "select no_such(1)": true,
		"select target from read_csv('/nowhere/at/all.csv')": true, "from '/nowhere/at/all.parquet'": true, "select read_text.content from read_text('/etc/passwd')": true,
	} {
		if _, err := r.Columns(t.Context(), sql, nil); err == nil || errors.Is(err, ErrQuestion) != want {
			t.Errorf("%s: %v", sql, err)
		}
	}
}

func TestEveryDerivedViewSaysWhatItIs(t *testing.T) {
	t.Parallel()
	derived, err := Derived()
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]bool{}
	for _, d := range derived {
		found[d.Name] = true
		if d.Meaning == "" || len(d.Columns) == 0 || !strings.HasPrefix(d.Name, "marts.") {
			t.Errorf("%+v", d)
		}
	}
	if !found["marts.campaign"] || !found["marts.freshness"] {
		t.Errorf("%v", found)
	}
}

var update = flag.Bool("update", false, "write derived.json")

func TestTheMartsAreDescribedAsDuckDBMakesThem(t *testing.T) {
	t.Parallel()
	derived, err := rehearsal(t).derived(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	now, err := json.MarshalIndent(derived, "", "\t")
	if err != nil {
		t.Fatal(err)
	}
	now = append(now, '\n')
	if *update {
		if err := os.WriteFile("derived.json", now, 0o644); err != nil {
			t.Fatal(err)
		}
	} else if !bytes.Equal(described, now) {
		t.Error("derived.json is not current: go test ./sinks/duckdb -run Described -update")
	}
}

// derived returns the views of the catalog that are not declared tables, by name: the marts.
func (r *Rehearsal) derived(ctx context.Context) ([]Described, error) {
	_, rows, err := r.s.rows(ctx, `SELECT v.schema_name || '.' || v.view_name, coalesce(v.comment, ''), c.column_name, c.data_type, coalesce(c.comment, '')
		FROM duckdb_views() v JOIN duckdb_columns() c ON c.database_name = v.database_name AND c.schema_name = v.schema_name AND c.table_name = v.view_name
		WHERE NOT v.internal AND v.database_name = `+quote(catalogName)+` ORDER BY v.schema_name, v.view_name, c.column_index`)
	if err != nil {
		return nil, err
	}
	var all []Described
	for _, row := range rows {
		name := row[0].(string)
		if schemas.Lookup(name) != nil {
			continue
		}
		if len(all) == 0 || all[len(all)-1].Name != name {
			all = append(all, Described{Name: name, Meaning: row[1].(string)})
		}
		last := &all[len(all)-1]
		last.Columns = append(last.Columns, DescribedColumn{row[2].(string), row[3].(string), row[4].(string)})
	}
	return all, nil
}
