//go:build duckdb11

package duckdb

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// python11 is a Python that has duckdb 1.1, as `make duckdb11` installs one: these tests are built for it alone.
func python11(t *testing.T) string {
	t.Helper()
	python := os.Getenv("DUCKDB11_PYTHON")
	if python == "" {
		t.Fatal("DUCKDB11_PYTHON names no Python with duckdb 1.1: run `make duckdb11`")
	}
	return python
}

// TestCatalogOpensInDuckDB11 asks DuckDB 1.1 itself.
func TestCatalogOpensInDuckDB11(t *testing.T) {
	python := python11(t)
	w := warehouse(t)
	anchors(t, w, "nightly", night, map[string]int64{"old": 1})
	anchors(t, w, "nightly", night.AddDate(0, 0, 1), map[string]int64{"new": 2})
	task(t, w, "nightly", night, "end of list", true)
	task(t, w, "nightly", night.AddDate(0, 0, 1), "end of list", true)
	mustBuild(t, w)
	cmd := exec.Command(python, "-c", `
import duckdb, sys
assert duckdb.__version__.startswith("1.1."), duckdb.__version__
c = duckdb.connect(sys.argv[1], read_only=True)
print(c.execute("SELECT anchor_text, external_root_domains FROM moz.anchor_text WHERE target = 'a.com' ORDER BY run_date").fetchall())
print(c.execute("SELECT change, anchor_text FROM marts.anchor_changes ORDER BY ALL").fetchall())
print(len(c.execute("DESCRIBE moz.links").fetchall()), c.execute("FROM ops.rejected_rows").fetchall())
print(c.execute("SELECT comment FROM duckdb_columns() WHERE schema_name = 'moz' AND table_name = 'anchor_text' AND column_name = 'anchor_text'").fetchall())
d = duckdb.connect()
d.execute("ATTACH '" + sys.argv[1].replace("'", "''") + "' AS other (READ_ONLY)")
d.execute("USE other")
print(d.execute("SELECT count(*) FROM other.marts.anchor_changes").fetchall())
`, w.Catalog())
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.Output()
	want := "[('old', 1), ('new', 2)]\n[('lost', 'old'), ('new', 'new')]\n125 []\n"
	if err != nil || !strings.HasPrefix(string(out), want) || !strings.HasSuffix(string(out), "[(2,)]\n") {
		t.Errorf("%v\n%s%s", err, out, errs.String())
	}
}

// TestMartsAnswerTheSameInDuckDB11 lets DuckDB 1.1 write down every mart; see TestCatalogOpensInDuckDB11.
func TestMartsAnswerTheSameInDuckDB11(t *testing.T) {
	python := python11(t)
	w := warehouse(t)
	for n := 1; n <= 10; n++ {
		layCampaign(book{t, w, "campaign"}, n)
		layGap(book{t, w, "linkgap"}, n)
	}
	layMonitor(book{t, w, "monitor"})
	layVendors(book{t, w, "both"})
	layProfile(book{t, w, "profile"})
	mustBuild(t, w)
	b := book{t, w, ""}
	questions := b.csv("SELECT 'marts.' || view_name FROM duckdb_views() WHERE schema_name = 'marts' ORDER BY ALL")
	for _, macro := range []string{"anchors_between", "domains_between", "links_between"} {
		questions = append(questions, fmt.Sprintf("marts.%s('us.example', '%s', DATE '%s')", macro, day(1), day(4)))
	}
	for _, q := range questions {
		sql := "SELECT * FROM " + q + " ORDER BY ALL"
		cmd := exec.Command(python, "-c", `
import duckdb, sys
assert duckdb.__version__.startswith("1.1."), duckdb.__version__
c = duckdb.connect(sys.argv[1], read_only=True)
c.execute("COPY (" + sys.argv[2] + ") TO '/dev/stdout' (FORMAT csv, HEADER)")
`, w.Catalog(), sql)
		var errs bytes.Buffer
		cmd.Stderr = &errs
		out, err := cmd.Output()
		if err != nil {
			t.Errorf("%s: %v\n%s", q, err, errs.String())
			continue
		}
		want := ask(t, w, sql, CSV)
		// 1.1 does not quote the empty texts of a list
		if rows := strings.Count(want, "\n") - 1; rows < 1 {
			t.Errorf("%s: nothing to compare", q)
		}
		if diff := cmp.Diff(strings.ReplaceAll(want, "''", ""), string(out)); diff != "" {
			t.Errorf("%s: %s", q, diff)
		}
	}
}
