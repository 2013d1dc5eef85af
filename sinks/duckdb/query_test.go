package duckdb

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet/file"
	"github.com/google/go-cmp/cmp"

	"backhaul/schemas"
	"backhaul/sinks"
	"backhaul/sinks/internal/sample"
)

// filled returns a warehouse with one night of three anchors.
func filled(t *testing.T) sinks.Warehouse {
	w := warehouse(t)
	anchors(t, w, "nightly", night, map[string]int64{"": 9_007_199_254_740_993, "NULL": 2, "line\nbreak": 1})
	mustCompare(t, w)
	text, err := json.Marshal(note{Columns: fingerprint(schemas.All())}) // no file lacks columns: nobody needs to look
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(notePath(w), text, 0o600); err != nil {
		t.Fatal(err)
	}
	return w
}

func TestFormatsSpellTheSameRows(t *testing.T) {
	t.Parallel()
	w := filled(t)
	const sql = `SELECT anchor_text, external_root_domains AS n, extra, run_date FROM moz.anchor_text ORDER BY rank`
	for format, want := range map[Format]string{
		CSV: "anchor_text,n,extra,run_date\n\"\",9007199254740993,,2026-11-23\nNULL,2,,2026-11-23\n\"line\nbreak\",1,,2026-11-23\n",
		JSON: `[
	{"anchor_text":"","n":9007199254740993,"extra":null,"run_date":"2026-11-23"},
	{"anchor_text":"NULL","n":2,"extra":null,"run_date":"2026-11-23"},
	{"anchor_text":"line\nbreak","n":1,"extra":null,"run_date":"2026-11-23"}
]
`,
		Table: `┌─────────────┬──────────────────┬─────────┬────────────┐
│ anchor_text │                n │ extra   │ run_date   │
│ varchar     │           bigint │ varchar │ date       │
├─────────────┼──────────────────┼─────────┼────────────┤
│             │ 9007199254740993 │ NULL    │ 2026-11-23 │
│ 'NULL'      │                2 │ NULL    │ 2026-11-23 │
│ line\nbreak │                1 │ NULL    │ 2026-11-23 │
└─────────────┴──────────────────┴─────────┴────────────┘
3 rows
`,
	} {
		if diff := cmp.Diff(want, ask(t, w, sql, format)); diff != "" {
			t.Errorf("%s: %s", format, diff)
		}
	}
	r, err := file.NewParquetReader(bytes.NewReader([]byte(ask(t, w, sql, Parquet))))
	if err != nil || r.NumRows() != 3 || r.MetaData().Schema.NumColumns() != 4 {
		t.Errorf("parquet: %v", err)
	}
}

func TestQueryTakesEveryQuestion(t *testing.T) {
	t.Parallel()
	w := filled(t)
	for _, sql := range []string{
		"SELECT 1", "SELECT 1;", "SELECT 1 ; ; -- done", "-- first\nSELECT 1 -- last", "/* a;b */ SELECT ';' -- c;d\n;\n",
		"FROM moz.anchor_text", "WITH a AS (SELECT 1) SELECT * FROM a", "VALUES (1), (2)", "TABLE moz.anchor_text",
		"DESCRIBE moz.anchor_text", "SHOW ALL TABLES", "SUMMARIZE moz.anchor_text", "SUMMARIZE SELECT 1 AS a",
		"PRAGMA table_info('moz.anchor_text')", "PRAGMA version", "SELECT $$;$$, $a$;$a$, e'\\';', \"A;\" FROM (SELECT 2 AS \"A;\")",
		"SELECT 1 AS a, 2 AS a", "SELECT [1,NULL], {'a': 1}, MAP {1: 2}, INTERVAL 1 DAY, 1.50, 1::HUGEINT",
		"SELECT 1 WHERE false", "(SELECT 1)", "SELECT 1 UNION ALL SELECT 2 ORDER BY 1 LIMIT 1",
	} {
		for _, format := range Formats() {
			out := ask(t, w, sql, format)
			var array []map[string]any
			if err := json.Unmarshal([]byte(out), &array); format == JSON && (err != nil || array == nil) {
				t.Errorf("%s as json: %s: %v", sql, out, err)
			}
		}
	}
}

func TestExplainIsATableOfItsOwn(t *testing.T) {
	t.Parallel()
	w := filled(t)
	for _, sql := range []string{"EXPLAIN FROM moz.anchor_text", "-- why\nexplain analyze SELECT * FROM moz.anchor_text;"} {
		if out := ask(t, w, sql, Table); !strings.Contains(strings.ToUpper(out), "PARQUET") {
			t.Errorf("%s: %s", sql, out)
		}
	}
}

func TestOnlyQuestionsAreTakenAndNothingIsWritten(t *testing.T) {
	t.Parallel()
	w := filled(t)
	out := filepath.Join(t.TempDir(), "out")
	before := tree(t, w.Root)
	for _, sql := range []string{
		"CREATE TABLE catalog.main.t AS SELECT 1", "DROP VIEW moz.anchor_text", "COPY (SELECT 1) TO " + quote(out),
		"COPY (SELECT 1) TO " + quote(out) + "; SELECT 1", "SELECT 1; COPY (SELECT 1) TO " + quote(out),
		"EXPLAIN ANALYZE COPY (SELECT 1) TO " + quote(out), "INSTALL httpfs", "LOAD httpfs", "ATTACH " + quote(out),
		"SET autoinstall_known_extensions = true", "SET threads = 1", "CHECKPOINT", "", " ; ", "-- nothing",
		"SELECT 1) TO " + quote(out) + " --", "SELECT 1); SELECT (1", "PRAGMA enable_profiling", "EXPORT DATABASE " + quote(out),
		"DETACH catalog", "USE memory", "BEGIN", "CALL pragma_version()", "UPDATE moz.anchor_text SET rank = 1",
		"EXPLAIN ANALYZE DROP VIEW moz.anchor_text", "CREATE TEMP TABLE t AS SELECT 1",
	} {
		for _, format := range Formats() {
			var got bytes.Buffer
			err := Query(context.Background(), w, sql, format, Limits{}, &got)
			if err == nil || got.Len() > 0 {
				t.Errorf("%s as %s: %v, %q", sql, format, err, got.String())
			}
			if _, err := os.Stat(out); !os.IsNotExist(err) {
				t.Fatalf("%s wrote %s", sql, out)
			}
		}
	}
	if diff := cmp.Diff(before, tree(t, w.Root)); diff != "" {
		t.Error(diff)
	}
}

// tree returns every file below root with its size and time.
func tree(t *testing.T, root string) (files []string) {
	t.Helper()
	err := filepath.WalkDir(root, func(path string, d os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		files = append(files, path+info.ModTime().Format(time.RFC3339Nano)+info.Mode().String())
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func TestErrorsPointIntoTheUsersText(t *testing.T) {
	t.Parallel()
	w := filled(t)
	for sql, want := range map[string]string{
		"SELECT anchor_txt\nFROM moz.anchor_text":   "LINE 1: SELECT anchor_txt\n               ^",
		"-- hello\nSELECT 1\nFROM moz.anchor_texts": "LINE 3: FROM moz.anchor_texts\n             ^",
		"SELEC 1":                    "only questions are taken: SELECT",
		"SELECT 1 +":                 "syntax error at end of input",
		"SELECT 1; SELECT 2":         "one statement at a time",
		"SELECT 'a'::INTEGER AS x":   "Could not convert string 'a' to INT32",
		"DROP VIEW moz.anchor_text;": "only questions",
		"":                           "no statement",
	} {
		err := Query(context.Background(), w, sql, JSON, Limits{}, &bytes.Buffer{})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", sql, err)
		}
	}
	err := Query(context.Background(), w, "SELECT 1", "xml", Limits{}, &bytes.Buffer{})
	if err == nil || !strings.Contains(err.Error(), "[table csv json parquet]") {
		t.Error(err)
	}
}

func TestAMissingLakeSaysWhatMakesOne(t *testing.T) {
	t.Parallel()
	w := warehouse(t)
	err := Query(context.Background(), w, "SELECT 1", CSV, Limits{}, &bytes.Buffer{})
	if !errors.Is(err, ErrNoLake) || !strings.Contains(err.Error(), w.Lake()) || !strings.Contains(err.Error(), "backhaul run") {
		t.Error(err)
	}
	if _, _, err := Select(context.Background(), w, "SELECT 1"); !errors.Is(err, ErrNoLake) {
		t.Error(err)
	}
}

func TestNobodysHoldOnTheCatalogStopsAQuestion(t *testing.T) {
	t.Parallel()
	w := filled(t)
	mustBuildOnly(t, w)
	for _, content := range []string{"", "no catalog at all"} {
		if err := os.Remove(w.Catalog()); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(w.Catalog(), []byte(content), 0o666); err != nil {
			t.Fatal(err)
		}
		if got := ask(t, w, "SELECT count(*) AS n FROM moz.anchor_text", CSV); got != "n\n3\n" {
			t.Error(got)
		}
	}
}

func TestQueryStopsWhenAskedTo(t *testing.T) {
	t.Parallel()
	w := filled(t)
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	err := Query(ctx, w, "SELECT count(*) FROM range(1e9::BIGINT) a, range(1e9::BIGINT) b", CSV, Limits{}, &bytes.Buffer{})
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
}

func TestSelectReturnsGoValues(t *testing.T) {
	t.Parallel()
	w := filled(t)
	columns, rows, err := Select(context.Background(), w,
		"SELECT anchor_text, external_root_domains, extra, run_date, [rank] AS l, true AS b, 0.5::DOUBLE AS f FROM moz.anchor_text WHERE rank = 1")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"anchor_text", "external_root_domains", "extra", "run_date", "l", "b", "f"}, columns); diff != "" {
		t.Error(diff)
	}
	want := [][]any{{"", int64(9_007_199_254_740_993), nil, night, []any{int64(1)}, true, 0.5}}
	if diff := cmp.Diff(want, rows); diff != "" {
		t.Error(diff)
	}
}

// TestATextThatLooksLikeATableStaysAText: anchor texts and names of jobs come into the program's own questions.
func TestATextThatLooksLikeATableStaysAText(t *testing.T) {
	t.Parallel()
	w := filled(t)
	const text = "it''s FROM moz.links JOIN ops.tasks"
	_, rows, err := Select(t.Context(), w, "SELECT '"+text+"' AS said -- not FROM moz.links\nFROM moz.anchor_text WHERE anchor_text <> 'FROM moz.links' LIMIT 1")
	if want := [][]any{{strings.ReplaceAll(text, "''", "'")}}; err != nil || !cmp.Equal(rows, want) {
		t.Errorf("%v, want %v; %v", rows, want, err)
	}
}

func TestBigResultsKeepTheirOrder(t *testing.T) {
	t.Parallel()
	w := warehouse(t)
	table := schemas.Lookup("moz.anchor_text")
	shape := sample.NewShape(memory.DefaultAllocator, table, 1000)
	put(t, w, table, "nightly", night, shape.Next(50_000))
	mustCompare(t, w)
	out := ask(t, w, "SELECT target, rank FROM moz.anchor_text ORDER BY rank DESC, target DESC", CSV)
	lines := strings.Split(strings.TrimSpace(out), "\n")[1:]
	if len(lines) != 50_000 || lines[0] != "target-0000050.com,1000" || lines[49_999] != "target-0000001.com,1" {
		t.Errorf("%d lines from %s to %s", len(lines), lines[0], lines[len(lines)-1])
	}
}

func FuzzStatementIsAPrefixAndHasNoSemicolonOutsideTexts(f *testing.F) {
	for _, s := range []string{"SELECT 1;", "';' ; --", "$$;$$;/*", "e'\\'';", "\";", "a$b$;$b$"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, err := statement(s)
		if err == nil && !strings.Contains(s, got) {
			t.Errorf("%q became %q", s, got)
		}
		if again, err2 := statement(got); err == nil && (err2 != nil || again != got) {
			t.Errorf("%q became %q became %q, %v", s, got, again, err2)
		}
	})
}
