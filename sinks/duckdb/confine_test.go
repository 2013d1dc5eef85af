package duckdb

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"backhaul/schemas"
	"backhaul/sinks"
)

const canary = "c4n4ry-secret"

// ways are statements that would read the file, or a folder, or write one, each with SECRET, DIR and OUT for their names.
var ways = []string{
	"select * from read_text('SECRET')", "select content from read_blob('SECRET')", "from read_csv('SECRET')", "from read_csv_auto('SECRET', header => false)",
	"from read_parquet('SECRET')", "from parquet_scan('SECRET')", "from parquet_metadata('SECRET')", "from parquet_schema('SECRET')", "from parquet_kv_metadata('SECRET')",
	"from read_json('SECRET')", "from read_ndjson_objects('SECRET')", "from read_json_objects('SECRET', format => 'unstructured')", "from sniff_csv('SECRET')",
	"from read_duckdb('SECRET')", "from 'SECRET'", "from 'SECRET.csv'", "from 'SECRET.parquet'", "select * from \"SECRET.csv\"", "from glob('DIR/*')", "from glob('DIR/**')",
	"from read_text('DIR/*')", "from read_text(['SECRET'])", "from read_text('file://SECRET')", "from read_text('WAREHOUSE/../' || 'secret/key')", "from read_text('/proc/self/environ')",
	"from query('from read_text(''SECRET'')')", "from query_table('SECRET.csv')", "describe from 'SECRET.csv'", "summarize from read_csv('SECRET')", "explain analyze from read_text('SECRET')",
	"select (select content from read_text('SECRET'))", "with a as (from read_text('SECRET')) from a", "pivot read_csv('SECRET') on 1", "select getenv('CANARY')",
	"from json_execute_serialized_sql(json_serialize_sql('select * from read_text(''SECRET'')'))", "select error(content) from read_text('SECRET')",
	"from read_csv('SECRET', rejects_table => 'r', store_rejects => true)", "from sqlite_scan('WAREHOUSE/ledger.sqlite', 'runs')", "from read_text('WAREHOUSE/ledger.sqlite')",
	"from read_blob('WAREHOUSE/journal/j.sqlite')", "from glob('WAREHOUSE/*')", "from read_text('https://localhost:1/x')", "from read_text('s3://bucket/x')",
	"copy (select 1) to 'OUT'", "copy (from read_text('SECRET')) to 'OUT'", "copy catalog.t from 'SECRET'", "attach 'OUT' as o", "attach 'SECRET' as o (type sqlite)", "install httpfs", "load httpfs",
	"load 'SECRET'", "force install httpfs from 'DIR'", "set enable_external_access = true", "reset enable_external_access", "set global allowed_paths = ['SECRET']", "pragma allowed_paths = ['SECRET']",
	"set lock_configuration = false", "pragma enable_profiling", "pragma profiling_output = 'OUT'", "pragma database_list(1)", "call enable_logging(storage := 'file', storage_path := 'OUT')",
	"from enable_logging(storage := 'file', storage_path := 'OUT')", "from enable_profiling(format => 'json', save_location => 'OUT')", "from query('from enable_' || 'logging(storage := ''file'', storage_path := ''OUT'')')",
	"from force_checkpoint()", "export database 'OUT'", "import database 'DIR'", "create table t as from read_text('SECRET')", "create temp view v as from read_text('SECRET')", "create secret s (type s3)",
	"prepare p as from read_text('SECRET')", "execute p", "call pragma_version()", "use memory", "begin", "vacuum", "checkpoint", "delete from moz.links", "update moz.links set rank = 1", "insert into moz.links select 1",
	"select 1; copy (select 1) to 'OUT'", "/* /* */ copy (select 1) to 'OUT'", "select 1) to 'OUT' --",
}

func TestNoStatementReadsOrWritesAFile(t *testing.T) {
	w := filled(t)
	root := t.TempDir()
	dir, out := filepath.Join(root, "secret"), filepath.Join(root, "out")
	secret := filepath.Join(dir, "key")
	t.Setenv("CANARY", canary)
	for _, d := range []string{dir, w.Journal()} {
		if err := os.MkdirAll(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for _, file := range []string{secret, secret + ".csv", secret + ".parquet", w.Ledger(), filepath.Join(w.Journal(), "j.sqlite")} {
		if err := os.WriteFile(file, []byte("target\n"+canary+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	rehearsed := rehearsal(t)
	names := strings.NewReplacer("SECRET", secret, "DIR", dir, "OUT", out, "WAREHOUSE", w.Root)
	for _, way := range ways {
		sql := names.Replace(way)
		var got bytes.Buffer
		err := Query(t.Context(), w, sql, CSV, Limits{}, &got)
		if strings.Contains(got.String(), canary) || err != nil && strings.Contains(err.Error(), canary) {
			t.Errorf("%s: %v\n%s", way, err, got.String())
		}
		if err == nil && !harmless(way) {
			t.Errorf("%s was taken: %q", way, got.String())
		}
		if errors.Is(err, sinks.ErrDamaged) {
			t.Errorf("%s is called damage: %v", way, err)
		}
		if _, rows, err := Ask(t.Context(), w, sql, nil, Limits{}); err == nil && len(rows) > 0 || err != nil && strings.Contains(err.Error(), canary) {
			t.Errorf("%s: %d rows, %v", way, len(rows), err)
		}
		if columns, err := rehearsed.Columns(t.Context(), sql, nil); err != nil && strings.Contains(err.Error(), canary) || strings.Contains(strings.Join(columns, " "), canary) {
			t.Errorf("%s, rehearsed: %v, %v", way, columns, err)
		}
		if _, err := os.Stat(out); !os.IsNotExist(err) {
			t.Fatalf("%s wrote %s", way, out)
		}
	}
}

// harmless are ways that DuckDB takes, and that lead to nothing.
func harmless(way string) bool { return strings.Contains(way, "'from enable_' || 'logging") }

func TestWhatNamesAFileIsToldThatThereAreNone(t *testing.T) {
	t.Parallel()
	w := filled(t)
	for _, sql := range []string{"from read_text('/etc/passwd')", "from glob('/etc/*')", "from '/etc/passwd.csv'"} {
		if err := Query(t.Context(), w, sql, CSV, Limits{}, &bytes.Buffer{}); !errors.Is(err, ErrFiles) {
			t.Errorf("%s: %v", sql, err)
		}
		if _, _, err := Ask(t.Context(), w, sql, nil, Limits{}); !errors.Is(err, ErrFiles) {
			t.Errorf("%s: %v", sql, err)
		}
		if _, err := rehearsal(t).Columns(t.Context(), sql, nil); !errors.Is(err, ErrFiles) || !errors.Is(err, ErrQuestion) {
			t.Errorf("%s, rehearsed: %v", sql, err)
		}
	}
}

// A warehouse may lie where names are patterns to DuckDB, or behind a link.
func TestViewsAreReadWhateverTheFolderIsCalled(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"plain", "w[1]*'s", "ü b"} {
		base := filepath.Join(t.TempDir(), name)
		if err := os.Mkdir(base, 0o755); err != nil {
			t.Fatal(err)
		}
		link := filepath.Join(t.TempDir(), "link")
		if err := os.Symlink(base, link); err != nil {
			t.Fatal(err)
		}
		for _, root := range []string{base, link} {
			w := sinks.Warehouse{Root: root}
			anchors(t, w, "job", night, map[string]int64{"brand": 7})
			mustBuild(t, w)
			if got := ask(t, w, "SELECT count(*) AS n FROM moz.anchor_text", CSV); got != "n\n1\n" {
				t.Errorf("%s: %s", root, got)
			}
			loose := []Loose{{Name: "found", Table: schemas.Lookup("moz.anchor_text"), Files: []string{published(t, w, "moz.anchor_text", "job", night)}}}
			if _, rows, err := Ask(t.Context(), w, "select anchor_text from found", loose, Limits{}); err != nil || len(rows) != 1 {
				t.Errorf("%s: %v, %v", root, rows, err)
			}
		}
	}
}

// It is by itself: what the process grows by is taken for the statement's.
func TestAStatementThatNeedsMoreMemorySpills(t *testing.T) {
	w := filled(t)
	sql := "select sum(n) as n from (select row_number() over (order by hash(i), s) as n from (select i, repeat('x', 20) || i as s from range(2000000) t(i)))"
	var out bytes.Buffer
	if err := Query(t.Context(), w, sql, CSV, Limits{Memory: 96 << 20}, &out); err != nil || out.String() != "n\n2000001000000\n" {
		t.Errorf("%v, %s", err, out.String())
	}
}

func TestAStatementEndsAtItsLimits(t *testing.T) {
	t.Parallel()
	w := filled(t)
	endless := "select count(*) from range(1000000000000) a, range(1000000000000) b"
	for name, c := range map[string]struct {
		sql    string
		limits Limits
		want   error
	}{
		"time":         {endless, Limits{Time: 100 * time.Millisecond}, ErrTime},
		"memory":       {"select list(i) from range(1000000000) t(i)", Limits{Memory: 128 << 20}, ErrMemory},
		"memory, text": {"with recursive t(s) as (select 'x' union all select s || s from t where strlen(s) < 1500000000) select max(strlen(s)) from t", Limits{Memory: 128 << 20}, ErrMemory},
	} {
		for _, format := range []Format{Table, CSV} {
			before := time.Now()
			if err := Query(t.Context(), w, c.sql, format, c.limits, &bytes.Buffer{}); !errors.Is(err, c.want) || errors.Is(err, sinks.ErrDamaged) {
				t.Errorf("%s as %s: %v", name, format, err)
			}
			if took := time.Since(before); took > 30*time.Second {
				t.Errorf("%s as %s: took %v", name, format, took)
			}
		}
		if _, _, err := Ask(t.Context(), w, c.sql, nil, c.limits); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if err := Query(ctx, w, endless, CSV, Limits{Time: time.Hour}, &bytes.Buffer{}); !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, ErrTime) {
		t.Errorf("the caller's own time: %v", err)
	}
}

func TestAGiantTextIsRefusedBeforeItIsMade(t *testing.T) {
	t.Parallel()
	w := filled(t)
	r := rehearsal(t)
	before := resident()
	for _, sql := range []string{"select repeat('x', 2000000000) as target", "select lpad('x', 2000000000, 'y') as target", "select rpad('x', 2000000000, 'y') as target", "select repeat('x', i * 2000000000) as target from range(3) t(i)"} {
		for _, format := range Formats() {
			if err := Query(t.Context(), w, sql, format, Limits{}, &bytes.Buffer{}); err == nil || !strings.Contains(err.Error(), "more than 64 MiB") {
				t.Errorf("%s as %s: %v", sql, format, err)
			}
		}
		if _, _, err := Ask(t.Context(), w, sql, nil, Limits{}); err == nil || !strings.Contains(err.Error(), "more than 64 MiB") {
			t.Errorf("%s: %v", sql, err)
		}
		_, _ = r.Columns(t.Context(), sql, nil)
	}
	if grown := resident() - before; grown > 1<<30 {
		t.Errorf("the process has grown by %d MiB", grown>>20)
	}
	if got := ask(t, w, "select repeat('ab', 3) as a, lpad('x', 3, 'y') as b, rpad('x', 3, 'y') as c, repeat([1], 2) as d, repeat('x', null) as e", CSV); got != "a,b,c,d,e\nababab,yyx,xyy,\"[1, 1]\",\n" {
		t.Error(got)
	}
}

func TestATableIsNoLargerThanItCanBeLaidOut(t *testing.T) {
	t.Parallel()
	w := filled(t)
	sql := "select repeat('x', 1000) as s from range(100000)"
	if err := Query(t.Context(), w, sql, Table, Limits{}, &bytes.Buffer{}); !errors.Is(err, ErrSize) {
		t.Error(err)
	}
	var out bytes.Buffer
	if err := Query(t.Context(), w, sql, CSV, Limits{}, &out); err != nil || out.Len() != 2+1001*100_000 {
		t.Errorf("%d bytes, %v", out.Len(), err)
	}
}

func TestTheDefaultMemoryIsHalfOfWhatThereIsOrFourGibibytes(t *testing.T) {
	t.Parallel()
	for own, want := range map[string]int64{"18.8 GiB": 4 << 30, "1.6 GiB": 1 << 30, "800.0 MiB": 500 << 20, "0 bytes": 0, "what": 4 << 30} {
		if got := defaultMemory(own); got != want {
			t.Errorf("%s: %d, want %d", own, got, want)
		}
	}
}
