package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/google/go-cmp/cmp"

	"backhaul/jobs/ledger"
	"backhaul/pipeline/emulator"
	"backhaul/schemas"
	"backhaul/sinks"
	"backhaul/sinks/parquet"
)

// purchase is a way in which the nights of one job are bought, in a warehouse and from a vendor of its own.
type purchase struct {
	surface     string
	connections int
	limit       int  // rows of a page; 0 for the vendor's most
	backwards   bool // targets and extracts in the other order
	stopAfter   int  // requests after which an execution is told to stop; 0 for never
	atMost      int  // units that an execution may spend; 0 for all
}

// alikeNights are in a month that is over, of which files can be merged.
var alikeNights = []string{"2026-10-05", "2026-10-06"}

// alikeTables are the tables, each with the columns in which ways of buying differ by nature.
var alikeTables = map[string]string{
	"moz.anchor_text":          "run_id, fetched_at, page_seq, surface",
	"moz.linking_root_domains": "run_id, fetched_at, page_seq, surface",
	"moz.url_metrics":          "run_id, fetched_at, page_seq, surface",
	"ops.tasks":                "run_id, task_id, surface, question, pages, attempts, ended_at",
}

func (p purchase) spec() string {
	limit := ""
	if p.limit > 0 {
		limit = fmt.Sprintf(", limit: %d", p.limit)
	}
	targets := []string{"trailhead-co.example", "tiny-tarps.example", "pinecone-packs.example", "quietpeak.example"}
	extracts := []string{
		"{name: anchors, endpoint: moz/anchor_text, targets: [all], params: {scope: root_domain" + limit + "}}",
		"{name: domains, endpoint: moz/linking_root_domains, targets: [all], params: {target_scope: root_domain" + limit + "}, max_rows: 120}",
		"{name: metrics, endpoint: moz/url_metrics, targets: [all]}",
	}
	if p.backwards {
		slices.Reverse(targets)
		slices.Reverse(extracts)
	}
	return fmt.Sprintf("job: alike\nvendors: {moz: {surface: %s, requests_per_second: 10000, connections: %d}}\ntargets: {all: [%s]}\nextracts:\n  - %s\n",
		p.surface, p.connections, strings.Join(targets, ", "), strings.Join(extracts, "\n  - "))
}

// shop is where a purchase is made.
type shop struct {
	purchase
	job, warehouse string
	server         *emulator.Server
	executions     int

	mu       sync.Mutex
	requests int // of this execution
	stop     context.CancelFunc
	archive  map[string][]string // replies as somebody else would have kept them, by night
	night    string
}

func open(t *testing.T, p purchase) *shop {
	t.Helper()
	dir := t.TempDir()
	s := &shop{purchase: p, job: writeFile(t, dir, "alike.yaml", p.spec()), warehouse: filepath.Join(dir, "w"), server: emulator.New(emulator.Options{}), archive: map[string][]string{}}
	srv := httptest.NewServer(s)
	t.Cleanup(srv.Close)
	setenv(t, "MOZ_TOKEN", emulator.DefaultToken)
	setenv(t, "BACKHAUL_MOZ_V2_URL", srv.URL+"/v2")
	setenv(t, "BACKHAUL_MOZ_RPC_URL", srv.URL+"/jsonrpc")
	return s
}

func (s *shop) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	r.Body = io.NopCloser(bytes.NewReader(body))
	r.Header.Del("Accept-Encoding") // an archive is plain
	reply := httptest.NewRecorder()
	s.server.ServeHTTP(reply, r)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.requests++; s.requests == s.stopAfter {
		s.stop()
	}
	if endpoint := filepath.Base(r.URL.Path); slices.Contains([]string{"anchor_text", "linking_root_domains", "url_metrics"}, endpoint) {
		line := map[string]any{"endpoint": endpoint, "fetched_at": time.Now().UTC().Format(time.RFC3339Nano), "request": json.RawMessage(body), "response": json.RawMessage(reply.Body.Bytes())}
		text, _ := json.Marshal(line) // of JSON
		s.archive[s.night] = append(s.archive[s.night], string(text))
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(reply.Code)
	_, _ = w.Write(reply.Body.Bytes())
}

// buy buys a night in as many executions as it takes.
func (s *shop) buy(t *testing.T, night string) {
	t.Helper()
	args := []string{"run", s.job, "--warehouse", s.warehouse, "--date", night, "--no-compact"}
	if s.atMost > 0 {
		args = append(args, "--max-units", fmt.Sprintf("moz=%d", s.atMost))
	}
	for range 100 {
		ctx, stop := context.WithCancel(t.Context())
		s.mu.Lock()
		s.requests, s.stop, s.night = 0, stop, night
		s.mu.Unlock()
		s.executions++
		var out bytes.Buffer
		status := Main(ctx, inTest(t, &out, &out, args...))
		stop()
		switch {
		case status == exitComplete:
			return
		case status == exitInterrupted && s.stopAfter > 0, status == exitBudget && s.atMost > 0:
		default:
			t.Fatalf("exit %d\n%s", status, &out)
		}
	}
	t.Fatal("the night does not come to its end")
}

// bill is what nights have cost.
type bill struct{ Billed, Spent, Granted int64 }

func (s *shop) bill(t *testing.T) bill {
	t.Helper()
	books, err := ledger.Open(t.Context(), sinks.Warehouse{Root: s.warehouse}.Ledger())
	if err != nil {
		t.Fatal(err)
	}
	defer books.Close()
	spends, err := books.Spends(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	b := bill{Billed: s.server.Meter().Rows}
	for _, spend := range spends {
		b.Spent += int64(spend.Spent)
		b.Granted += int64(spend.Granted)
	}
	return b
}

// TestTheSameListsAreTheSameRowsForTheSameMoneyHoweverTheyAreBought buys the same nights in several ways, and loads what was bought in
// several.
func TestTheSameListsAreTheSameRowsForTheSameMoneyHoweverTheyAreBought(t *testing.T) {
	t.Parallel()
	usual := purchase{surface: "v2", connections: 4}
	first := open(t, usual)
	first.buy(t, alikeNights[0])
	one := first.bill(t)
	first.buy(t, alikeNights[1])
	rows := sumsOf(t, first.warehouse, alikeTables)
	if len(rows) != len(alikeNights)*len(alikeTables) || one.Billed < 400 || one != (bill{one.Billed, one.Billed, one.Billed}) {
		t.Fatalf("the usual way: %v, %+v", rows, one)
	}
	night := ofNight(rows, alikeNights[0])
	for name, p := range map[string]purchase{
		"small pages":                           {surface: "v2", connections: 4, limit: 20},
		"in another order, on one connection":   {surface: "v2", connections: 1, backwards: true},
		"from the successor":                    {surface: "rpc", connections: 4},
		"stopped now and again":                 {surface: "v2", connections: 2, stopAfter: 4},
		"budget after budget, but for the cuts": {surface: "v2", connections: 1, atMost: 150},
	} {
		t.Run(name, func(t *testing.T) {
			s := open(t, p)
			s.buy(t, alikeNights[0])
			want, got := night, sumsOf(t, s.warehouse, alikeTables)
			b, cuts := s.bill(t), int64(0)
			if p.atMost > 0 {
				// A budget that ends within a page buys its beginning, whose cursor the vendor may refuse whole pages.
				want, got = withoutTable(want, "ops.tasks"), withoutTable(got, "ops.tasks")
				cuts = b.Billed - one.Billed
			}
			if diff := cmp.Diff(want, got, cmp.AllowUnexported(rowsum{})); diff != "" {
				t.Error(diff)
			}
			if all := one.Billed + cuts; b != (bill{all, all, all}) || cuts < 0 || cuts > int64(50*(s.executions-1)) {
				t.Errorf("%+v, the usual way %+v", b, one)
			}
			if often := p.stopAfter+p.atMost > 0; often != (s.executions > 3) {
				t.Errorf("it took %d executions", s.executions)
			}
		})
	}
	both := first.bill(t)
	t.Run("loaded anew", func(t *testing.T) {
		removeAll(t, filepath.Join(first.warehouse, "lake"))
		for _, night := range alikeNights {
			backhaul(t, exitComplete, "replay", "--job", "alike", "--date", night, "--warehouse", first.warehouse)
		}
		bought := withoutTable(rows, "ops.tasks") // which is of no page
		if diff := cmp.Diff(bought, withoutTable(sumsOf(t, first.warehouse, alikeTables), "ops.tasks"), cmp.AllowUnexported(rowsum{})); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("merged", func(t *testing.T) {
		backhaul(t, exitComplete, "compact", "--month", "2026-10", "--warehouse", first.warehouse)
		if files, err := filepath.Glob(filepath.Join(first.warehouse, "lake", "moz", "anchor_text", "month=2026-10", "*.parquet")); err != nil || len(files) != 1 {
			t.Errorf("%v, %v", files, err)
		}
		if diff := cmp.Diff(withoutTable(rows, "ops.tasks"), withoutTable(sumsOf(t, first.warehouse, alikeTables), "ops.tasks"), cmp.AllowUnexported(rowsum{})); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("imported", func(t *testing.T) {
		dir := t.TempDir()
		tables := map[string]string{}
		for table, except := range withoutTable(alikeTables, "ops.tasks") {
			tables[table] = except + ", extract, target_as_given"
		}
		w := filepath.Join(dir, "w")
		archive := writeFile(t, dir, "archive.ndjson", strings.Join(first.archive[alikeNights[0]], "\n")+"\n")
		backhaul(t, exitComplete, "import", "moz-v2", archive, "--job", "alike", "--date", alikeNights[0], "--warehouse", w)
		want := ofNight(sumsOf(t, first.warehouse, tables), alikeNights[0])
		if diff := cmp.Diff(want, sumsOf(t, w, tables), cmp.AllowUnexported(rowsum{})); diff != "" {
			t.Error(diff)
		}
	})
	if now := first.bill(t); now != both {
		t.Errorf("to load it anew cost something: %+v, before %+v", now, both)
	}
}

func withoutTable[V any](all map[string]V, table string) map[string]V {
	left := map[string]V{}
	for name, v := range all {
		if !strings.HasPrefix(name, table) {
			left[name] = v
		}
	}
	return left
}

func ofNight(all map[string]rowsum, night string) map[string]rowsum {
	left := map[string]rowsum{}
	for key, sum := range all {
		if strings.HasSuffix(key, night) {
			left[key] = sum
		}
	}
	return left
}

// rowsum is what rows add up to, in whatever order and files they are.
type rowsum struct {
	rows int64
	sum  [2]uint64
}

// sumsOf adds up the rows that the files of tables have of each night, but for the columns named beside each.
func sumsOf(t *testing.T, warehouse string, tables map[string]string) map[string]rowsum {
	t.Helper()
	sums := map[string]rowsum{}
	for name, except := range tables {
		table := schemas.Lookup(name)
		paths, err := filepath.Glob(filepath.Join(warehouse, "lake", table.Schema, table.Name, "month=2*", "*.parquet"))
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range paths {
			if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
				continue // a name of the dead, which leads nowhere and which readers pass over: see sinks/blob
			}
			for batch, err := range parquet.Rows(path, table, 1024) {
				if err != nil {
					t.Error(err)
					break
				}
				addRows(sums, name, batch, strings.Split(except, ", "))
				batch.Release()
			}
		}
	}
	return sums
}

func addRows(sums map[string]rowsum, table string, batch arrow.RecordBatch, except []string) {
	for row := range int(batch.NumRows()) {
		night, h := "", sha256.New()
		for i, column := range batch.Columns() {
			name := batch.ColumnName(i)
			if slices.Contains(except, name) {
				continue
			}
			text := column.ValueStr(row)
			fmt.Fprintf(h, "%s %v %q\n", name, column.IsNull(row), text)
			if name == "run_date" {
				night = text
			}
		}
		sum := h.Sum(nil)
		s := sums[table+" "+night]
		s.rows++
		s.sum[0] += binary.LittleEndian.Uint64(sum)
		s.sum[1] += binary.LittleEndian.Uint64(sum[8:])
		sums[table+" "+night] = s
	}
}
