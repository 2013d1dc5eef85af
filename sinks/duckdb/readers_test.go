package duckdb

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"

	"backhaul/sinks"
)

// TestAReaderOfAnotherProcessBlocksNothing runs itself as a second process that attaches the catalog and keeps
// it, while this one publishes and builds, and asks it again afterwards.
func TestAReaderOfAnotherProcessBlocksNothing(t *testing.T) {
	if root := os.Getenv("DUCKDB_TEST_READER"); root != "" {
		read(t, sinks.Warehouse{Root: root})
		return
	}
	w := warehouse(t)
	anchors(t, w, "nightly", night, map[string]int64{"old": 1})
	mustBuild(t, w)
	reader := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$")
	reader.Env = append(os.Environ(), "DUCKDB_TEST_READER="+w.Root)
	in, err := reader.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := reader.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := reader.Start(); err != nil {
		t.Fatal(err)
	}
	answers := bufio.NewScanner(out)
	next := func() string { answers.Scan(); return answers.Text() }
	if got := next(); got != "[[old]]" {
		t.Errorf("before: %s", got)
	}
	anchors(t, w, "nightly", night, map[string]int64{"new": 1})
	anchors(t, w, "second", night, map[string]int64{"second": 1})
	mustBuild(t, w)
	fmt.Fprintln(in, "again")
	if got := next(); got != "[[old]]" { // its catalog speaks of the lake as it was
		t.Errorf("after, over the same session: %s", got)
	}
	if got := ask(t, w, "SELECT anchor_text AS a FROM moz.anchor_text ORDER BY 1", CSV); got != "a\nnew\nsecond\n" {
		t.Errorf("after, over a new session: %s", got)
	}
	in.Close()
	if err := reader.Wait(); err != nil {
		t.Error(err)
	}
}

// read asks the same question for every line of input, over one session that stays open.
func read(t *testing.T, w sinks.Warehouse) {
	ctx := context.Background()
	s, err := openCatalog(ctx, w.Catalog(), 0)
	if err != nil {
		t.Fatal(err)
	}
	defer s.close()
	lines := bufio.NewScanner(os.Stdin)
	for more := true; more; more = lines.Scan() {
		_, rows, err := s.rows(ctx, "SELECT anchor_text FROM moz.anchor_text ORDER BY 1")
		fmt.Println(rows)
		if err != nil {
			t.Fatal(err)
		}
	}
}

// TestAQueryDuringPublishingSeesTheOldNightOrTheNew replaces a night of 1 to 400 rows, over and over, while other
// sessions read it. Every row of a version says which version it is and how many rows it has.
func TestAQueryDuringPublishingSeesTheOldNightOrTheNew(t *testing.T) {
	const nights = 100
	w := warehouse(t)
	version := func(n int) map[string]int64 {
		texts, rows := map[string]int64{}, 1+n*37%400
		for i := range rows {
			texts[fmt.Sprintf("%04d %d", i, n)] = int64(n*1000 + rows)
		}
		return texts
	}
	anchors(t, w, "nightly", night, version(0))
	mustBuild(t, w)
	done := make(chan struct{})
	var wg sync.WaitGroup
	for reader := range 2 {
		wg.Go(func() { readVersions(t, w, reader, done) })
	}
	for n := range nights {
		anchors(t, w, "nightly", night, version(n))
		if n%5 == 0 { // a night may be replaced several times before the catalog follows
			mustBuild(t, w)
		}
	}
	close(done)
	wg.Wait()
}

const versionSQL = `SELECT count(*), count(DISTINCT external_root_domains), min(external_root_domains), count(DISTINCT split_part(anchor_text, ' ', 1))
	FROM moz.anchor_text`

// readVersions asks until done: one reader over one session, the other opening the catalog each time.
func readVersions(t *testing.T, w sinks.Warehouse, reader int, done chan struct{}) {
	ctx := context.Background()
	kept, err := openCatalog(ctx, w.Catalog(), 0)
	if err != nil {
		t.Error(err)
		return
	}
	defer kept.close()
	questions := 0
	defer func() { t.Logf("reader %d asked %d times", reader, questions) }()
	for {
		select {
		case <-done:
			return
		default:
		}
		questions++
		var rows [][]any
		if reader == 0 {
			_, rows, err = kept.rows(ctx, versionSQL)
		} else {
			_, rows, err = Select(ctx, w.Catalog(), versionSQL)
		}
		if err != nil {
			t.Error(err)
			return
		}
		r := rows[0]
		if r[1] != int64(1) || r[2].(int64)%1000 != r[0] || r[3] != r[0] {
			t.Errorf("neither old nor new: %v", r)
			return
		}
	}
}

// TestCatalogOpensInDuckDB11 asks DuckDB 1.1 itself, where a Python with it is named by DUCKDB11_PYTHON:
//
//	python3 -m venv /tmp/venv11 && /tmp/venv11/bin/pip install duckdb==1.1.3
//	DUCKDB11_PYTHON=/tmp/venv11/bin/python go test ./sinks/duckdb -run DuckDB11
func TestCatalogOpensInDuckDB11(t *testing.T) {
	python := os.Getenv("DUCKDB11_PYTHON")
	if python == "" {
		t.Skip("DUCKDB11_PYTHON names no Python with duckdb 1.1")
	}
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
