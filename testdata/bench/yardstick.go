package main

import (
	"bufio"
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/compress"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"
	_ "github.com/duckdb/duckdb-go/v2" // the driver of the program

	"backhaul/schemas"
)

// yardstick is what the program is compared with: this program, started again with a name of ways.
type yardstick struct {
	name, table, in, out, url string
	cores, connections        int
}

var ways = map[string]func(context.Context, yardstick) error{
	"duckdb":  duckDB,
	"rewrite": rewrite,
	"same":    same,
	"naive":   naive,
	"fetch":   fetch,
}

func (y *yardstick) flags(f *flag.FlagSet) {
	f.StringVar(&y.name, "yardstick", "", "be a yardstick; the flags that follow are for it")
	f.StringVar(&y.table, "table", "", "a table")
	f.StringVar(&y.in, "in", "", "a file to read")
	f.StringVar(&y.out, "out", "", "a file to write")
	f.StringVar(&y.url, "url", "", "a server")
	f.IntVar(&y.cores, "cores", 1, "threads")
	f.IntVar(&y.connections, "connections", 0, "connections")
}

func (y yardstick) args() []string {
	return []string{"-yardstick", y.name, "-table", y.table, "-in", y.in, "-out", y.out, "-url", y.url, "-cores", strconv.Itoa(y.cores), "-connections", strconv.Itoa(y.connections)}
}

func (y yardstick) run(ctx context.Context) error {
	way := ways[y.name]
	if way == nil {
		return fmt.Errorf("there is no yardstick %q", y.name)
	}
	return way(ctx, y)
}

// duckDB has DuckDB write the table from a corpus, with all columns the program writes.
func duckDB(ctx context.Context, y yardstick) error {
	return statement(ctx, y.cores, fmt.Sprintf("COPY (%s) TO '%s' (FORMAT parquet, COMPRESSION zstd)", fromCorpus(schemas.Lookup(y.table), y.in), y.out))
}

// rewrite has DuckDB write the rows of a Parquet file again, in their order.
func rewrite(ctx context.Context, y yardstick) error {
	return statement(ctx, y.cores, fmt.Sprintf("COPY (FROM read_parquet('%s', hive_partitioning = false)) TO '%s' (FORMAT parquet, COMPRESSION zstd)", y.in, y.out))
}

// same is an error unless the vendor's columns of a Parquet file are what DuckDB reads in the corpus, for otherwise the works differ.
func same(ctx context.Context, y yardstick) error {
	table := schemas.Lookup(y.table)
	columns := strings.Join(append(ownColumns(table), "target", "scope", "rank", "page_seq"), ", ")
	ours, theirs := fmt.Sprintf("SELECT %s FROM read_parquet('%s')", columns, y.out), fmt.Sprintf("SELECT %s FROM (%s)", columns, fromCorpus(table, y.in))
	return statement(ctx, y.cores, fmt.Sprintf("SELECT CASE WHEN count(*) > 0 THEN error(count(*) || ' rows differ') END FROM ((%[1]s EXCEPT ALL %[2]s) UNION ALL (%[2]s EXCEPT ALL %[1]s))", ours, theirs))
}

func statement(ctx context.Context, threads int, sql string) (err error) {
	db, err := open(threads)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	_, err = db.ExecContext(ctx, sql)
	return err
}

func open(threads int) (*sql.DB, error) {
	return sql.Open("duckdb", fmt.Sprintf("?threads=%d", threads))
}

func ownColumns(t *schemas.Table) (names []string) {
	for _, c := range t.Own {
		names = append(names, c.Name)
	}
	return names
}

// fromCorpus is the query that makes a table of a corpus.
func fromCorpus(t *schemas.Table, path string) string {
	types := map[schemas.Type]string{schemas.String: "VARCHAR", schemas.Bool: "BOOLEAN", schemas.Int32: "INTEGER", schemas.Int64: "BIGINT", schemas.Float64: "DOUBLE", schemas.Date: "VARCHAR"}
	fields := map[string][]string{} // of the row itself, of its source and of its target
	var columns []string
	for _, c := range t.Own {
		within, field := "", c.Name
		for _, end := range []string{"source", "target"} {
			if rest, ok := strings.CutPrefix(c.Name, end+"_"); ok {
				within, field = end, rest
			}
		}
		fields[within] = append(fields[within], field+" "+types[c.Type])
		value := "r." + field
		if within != "" {
			value = "r." + within + "." + field
		}
		if c.Type == schemas.Date {
			value = "CAST(NULLIF(" + value + ", '') AS DATE)"
		}
		for _, none := range c.NoValue {
			if c.Type == schemas.String {
				none = "'" + none + "'"
			}
			if c.Type != schemas.Date {
				value = "NULLIF(" + value + ", " + none + ")"
			}
		}
		columns = append(columns, value+" AS "+c.Name)
	}
	for _, end := range []string{"source", "target"} {
		if f := fields[end]; f != nil {
			fields[""] = append(fields[""], end+" STRUCT("+strings.Join(f, ", ")+")")
		}
	}
	return fmt.Sprintf(`SELECT %s, target, target AS target_as_given, scope, page * %d + i AS rank, 'import' AS job, '%s' AS extract, '%s' AS run_id,
		DATE '2026-11-01' AS run_date, 'v2' AS surface, fetched_at, page AS page_seq, NULL::VARCHAR AS extra
		FROM (SELECT target, scope, page, fetched_at, unnest(response.results) AS r, generate_subscripts(response.results, 1) AS i
		FROM read_json('%s', format = 'newline_delimited', columns = {target: 'VARCHAR', scope: 'VARCHAR', page: 'INTEGER', fetched_at: 'TIMESTAMP',
		response: 'STRUCT(results STRUCT(%s)[])'}))`,
		strings.Join(columns, ", "), perPage, strings.TrimPrefix(t.Name, "moz."), runID, path, strings.Join(fields[""], ", "))
}

const runID = "01M8MD5D2404QHAAX89R2Y9B9V" // any

// naive is what somebody would write in an hour: encoding/json and pqarrow, as they come.
func naive(_ context.Context, y yardstick) (err error) {
	in, err := os.Open(y.in)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, in.Close()) }()
	out, err := os.Create(y.out)
	if err != nil {
		return err
	}
	text, integer := arrow.BinaryTypes.String, arrow.PrimitiveTypes.Int64
	schema := arrow.NewSchema([]arrow.Field{{Name: "anchor_text", Type: text}, {Name: "external_root_domains", Type: integer}, {Name: "external_pages", Type: integer},
		{Name: "target", Type: text}, {Name: "target_as_given", Type: text}, {Name: "scope", Type: text}, {Name: "rank", Type: integer},
		{Name: "job", Type: text}, {Name: "extract", Type: text}, {Name: "run_id", Type: text}, {Name: "run_date", Type: arrow.FixedWidthTypes.Date32},
		{Name: "surface", Type: text}, {Name: "fetched_at", Type: arrow.FixedWidthTypes.Timestamp_us}, {Name: "page_seq", Type: arrow.PrimitiveTypes.Int32},
		{Name: "extra", Type: text, Nullable: true}}, nil)
	w, err := pqarrow.NewFileWriter(schema, out, parquet.NewWriterProperties(parquet.WithCompression(compress.Codecs.Zstd)), pqarrow.DefaultWriterProps())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.Close()) }() // closes the file
	b := array.NewRecordBuilder(memory.DefaultAllocator, schema)
	defer b.Release()
	flush := func() error {
		batch := b.NewRecordBatch()
		defer batch.Release()
		return w.WriteBuffered(batch)
	}
	texts := [...]int{0, 3, 4, 5, 7, 8, 9, 11}
	day := arrow.Date32FromTime(time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC))
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, 16<<20)
	for rows := 0; lines.Scan(); {
		var page struct {
			Target    string    `json:"target"`
			Scope     string    `json:"scope"`
			Page      int       `json:"page"`
			FetchedAt time.Time `json:"fetched_at"`
			Response  struct {
				Results []struct {
					AnchorText          string `json:"anchor_text"`
					ExternalRootDomains int64  `json:"external_root_domains"`
					ExternalPages       int64  `json:"external_pages"`
				} `json:"results"`
			} `json:"response"`
		}
		if err := json.Unmarshal(lines.Bytes(), &page); err != nil {
			return err
		}
		fetched := arrow.Timestamp(page.FetchedAt.UnixMicro())
		for i, r := range page.Response.Results {
			for n, value := range [...]string{r.AnchorText, page.Target, page.Target, page.Scope, "import", "anchor_text", runID, "v2"} {
				b.Field(texts[n]).(*array.StringBuilder).Append(value)
			}
			b.Field(1).(*array.Int64Builder).Append(r.ExternalRootDomains)
			b.Field(2).(*array.Int64Builder).Append(r.ExternalPages)
			b.Field(6).(*array.Int64Builder).Append(int64(page.Page*perPage + i + 1))
			b.Field(10).(*array.Date32Builder).Append(day)
			b.Field(12).(*array.TimestampBuilder).Append(fetched)
			b.Field(13).(*array.Int32Builder).Append(int32(page.Page))
			b.Field(14).AppendNull()
		}
		if rows += len(page.Response.Results); rows >= 8192 {
			if err := flush(); err != nil {
				return err
			}
			rows = 0
		}
	}
	return errors.Join(lines.Err(), flush())
}

// fetch asks for every page of the targets in a file, over so many connections, and throws the replies away.
func fetch(ctx context.Context, y yardstick) error {
	text, err := os.ReadFile(y.in)
	if err != nil {
		return err
	}
	targets := strings.Fields(string(text))[1:]
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: y.connections, MaxConnsPerHost: y.connections}}
	work := make(chan string)
	errs := make([]error, y.connections)
	var wg sync.WaitGroup
	for n := range errs {
		wg.Go(func() {
			for target := range work {
				for from := 0; from < length(target) && errs[n] == nil; from += perPage {
					errs[n] = discard(ctx, client, y.url, target, from)
				}
			}
		})
	}
	for _, t := range targets {
		work <- t
	}
	close(work)
	wg.Wait()
	return errors.Join(errs...)
}

func discard(ctx context.Context, client *http.Client, url, target string, from int) error {
	body := fmt.Sprintf(`{"target":%q,"scope":"root_domain","limit":%d,"next_token":%q}`, target, perPage, place(from, length(target)))
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, url+"/anchor_text", bytes.NewReader([]byte(body)))
	if err != nil {
		return err
	}
	r.Header.Set("x-moz-token", token)
	reply, err := client.Do(r)
	if err != nil {
		return err
	}
	defer reply.Body.Close()
	if _, err := io.Copy(io.Discard, reply.Body); err != nil {
		return err
	}
	if reply.StatusCode != http.StatusOK {
		return errors.New(reply.Status)
	}
	return nil
}
