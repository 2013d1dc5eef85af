//go:build cluster && fleet && linux

package main

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	_ "github.com/duckdb/duckdb-go/v2"
	"github.com/google/go-cmp/cmp"

	"backhaul/pipeline/postgres"
	"backhaul/pipeline/postgres/postgrestest"
	"backhaul/schemas"
	"backhaul/sinks/iceberg"
)

// gateway is an S3 over a directory.
type gateway struct{ dir, address string }

const gatewayKey, gatewaySecret = "testkey", "a secret of the store"

// gatewayProgram builds the server once and returns where Go keeps it.
var gatewayProgram = sync.OnceValues(func() (string, error) {
	cmd := exec.Command("go", "tool", "-n", "github.com/versity/versitygw/cmd/versitygw")
	cmd.Dir = "../../testdata/fleet"
	out, err := cmd.Output()
	return strings.TrimSpace(string(out)), err
})

// startGateway starts an S3 with an empty bucket, which ends with the test, and tells the commands of the test of it.
func startGateway(t *testing.T) *gateway {
	t.Helper()
	program, err := gatewayProgram()
	if err != nil {
		t.Fatal(err)
	}
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	g := &gateway{dir: t.TempDir(), address: free.Addr().String()}
	_ = free.Close()
	if err := os.Mkdir(filepath.Join(g.dir, "lake"), 0o755); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	cmd := exec.Command(program, "--port", g.address, "--quiet", "posix", "--nometa", g.dir)
	cmd.Env = append(os.Environ(), "ROOT_ACCESS_KEY="+gatewayKey, "ROOT_SECRET_KEY="+gatewaySecret)
	cmd.Stdout, cmd.Stderr = &out, &out
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	for {
		if conn, err := net.Dial("tcp", g.address); err == nil {
			_ = conn.Close()
			break
		}
		if cmd.ProcessState != nil {
			t.Fatal(out.String())
		}
		time.Sleep(10 * time.Millisecond)
	}
	// The vendor's SDK reads the variables of the process.
	for name, value := range map[string]string{"AWS_ACCESS_KEY_ID": gatewayKey, "AWS_SECRET_ACCESS_KEY": gatewaySecret, "AWS_REGION": "us-east-1", "AWS_ENDPOINT_URL": "http://" + g.address} {
		t.Setenv(name, value)
	}
	return g
}

const storeURL = "s3://lake/acme"

// clientHost has the commands of a test run on a host with a copy of its own. It returns where that is.
func clientHost(t *testing.T) (copied func() string) {
	t.Helper()
	cache := t.TempDir()
	setenv(t, cacheVariable, cache)
	return func() string {
		found, err := filepath.Glob(filepath.Join(cache, "s3-lake-acme-*"))
		if err != nil || len(found) != 1 {
			t.Fatalf("%v, %v", found, err)
		}
		return found[0]
	}
}

// spentIn adds up what the ledger in a database has as spent and granted.
func spentIn(t *testing.T, address string) (b bill) {
	t.Helper()
	for _, s := range spendsIn(t, address) {
		b.Spent, b.Granted = b.Spent+int64(s.Spent), b.Granted+int64(s.Granted)
	}
	return b
}

// tablesOf opens the store as another program does, by the catalog.
func tablesOf(t *testing.T, address string) *iceberg.Store {
	t.Helper()
	server, err := postgres.New(address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close() })
	db, err := server.Tables(t.Context(), icebergSchema, iceberg.CatalogTables)
	if err != nil {
		t.Fatal(err)
	}
	s, err := iceberg.Open(t.Context(), storeURL, iceberg.InDatabase(db))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func TestAWarehouseInAStoreIsTheSameForTheSameMoney(t *testing.T) {
	usual := purchase{surface: "v2", connections: 4}
	plain := open(t, usual)
	for _, night := range alikeNights {
		plain.buy(t, night)
	}
	want, paid := sumsOf(t, plain.warehouse, alikeTables), plain.bill(t)
	g, address := startGateway(t), postgrestest.Start(t).Address("postgres")
	shared := open(t, usual)
	shared.warehouse = storeURL
	if said := backhaul(t, exitUsage, "query", "select 1", "--warehouse", storeURL); said != "" {
		t.Error(said)
	}
	setenv(t, database, address)
	first := clientHost(t)
	for _, night := range append([]string{alikeNights[0]}, alikeNights...) {
		shared.buy(t, night)
	}
	same := func(what string, want map[string]rowsum, copied func() string) {
		t.Helper()
		if diff := cmp.Diff(want, sumsOf(t, copied(), alikeTables), cmp.AllowUnexported(rowsum{})); diff != "" {
			t.Errorf("%s: %s", what, diff)
		}
	}
	same("bought", want, first)
	if b := spentIn(t, address); b.Spent != paid.Spent || b.Granted != paid.Granted || shared.server.Meter().Rows != paid.Billed {
		t.Errorf("%+v, in files %+v", b, paid)
	}
	second := clientHost(t)
	if said := backhaul(t, exitComplete, "doctor", "--warehouse", storeURL); !strings.Contains(said, "views answer") {
		t.Error(said)
	}
	backhaul(t, exitComplete, "query", "select count(*) from moz.anchor_text", "--warehouse", storeURL)
	same("on another host", want, second)
	checkScripts(t, g, plain.warehouse)
	for _, args := range [][]string{{"compact", "--month", "2026-10"}, {"replay", "--job", "alike", "--date", alikeNights[0]}, {"doctor"}, {"status"}, {"gc", "--dry-run"}} {
		t.Log(args, backhaul(t, exitComplete, append(args, "--warehouse", storeURL)...))
	}
	setenv(t, database, "")
	backhaul(t, exitComplete, "replay", "--job", "alike", "--date", alikeNights[0], "--warehouse", plain.warehouse)
	same("merged and loaded anew", sumsOf(t, plain.warehouse, alikeTables), second)
	backhaul(t, exitComplete, "forget", "alike/"+alikeNights[1], "--warehouse", plain.warehouse)
	setenv(t, database, address)
	backhaul(t, exitComplete, "forget", "alike/"+alikeNights[1], "--warehouse", storeURL)
	third := clientHost(t)
	backhaul(t, exitComplete, "gc", "--warehouse", storeURL)
	same("with a night forgotten", sumsOf(t, plain.warehouse, alikeTables), third)
}

// checkScripts has a DuckDB of its own read the store by the scripts that lie in it, and compares with a warehouse.
func checkScripts(t *testing.T, g *gateway, warehouse string) {
	t.Helper()
	db, err := sql.Open("duckdb", "")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, name := range []string{"catalog.sql", "marts.sql"} {
		text, err := os.ReadFile(filepath.Join(g.dir, "lake", "acme", name))
		if err != nil {
			t.Fatal(err)
		}
		script := strings.Replace(string(text), "INSTALL httpfs;\nLOAD httpfs;\n", "", 1) // there is no network, and the store is a directory
		if _, err := db.Exec(strings.ReplaceAll(script, "s3://", g.dir+"/")); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
	}
	for _, question := range scriptQuestions {
		var got string
		if err := db.QueryRow(question).Scan(&got); err != nil {
			t.Fatalf("%s: %v", question, err)
		}
		if want := answerOf(t, warehouse, question); got != want || want == "0" && strings.Contains(question, "text") {
			t.Errorf("%s: %s, in the warehouse %s", question, got, want)
		}
	}
}

// scriptQuestions are put to a DuckDB that has read a store's scripts. Each has one text for an answer.
var scriptQuestions = []string{"select count(*)::VARCHAR as n from moz.anchor_text", "select count(*)::VARCHAR as n from marts.anchor_changes",
	"select count(*)::VARCHAR as n from marts.anchors_current", "select max(run_date)::VARCHAR as n from ops.tasks"}

// answerOf returns what the program says to one of them.
func answerOf(t *testing.T, warehouse, question string) string {
	t.Helper()
	type answer struct{ N string }
	return ask[answer](t, warehouse, question)[0].N
}

// readWholly reads a table by its catalog, over and over, until it is told to stop: it must always have all rows of a night, or none.
func readWholly(ctx context.Context, s *iceberg.Store, table string, nights map[string]int64) (reads int, err error) {
	for ctx.Err() == nil {
		counts, err := s.Count(context.WithoutCancel(ctx), schemas.Lookup(table))
		if err != nil {
			return reads, err
		}
		for night, n := range counts {
			if n != nights[night] {
				return reads, fmt.Errorf("%d rows of %s, of %d", n, night, nights[night])
			}
		}
		reads++
	}
	return reads, nil
}

func TestAReaderOfAStoreSeesWholeStatesAlone(t *testing.T) {
	startGateway(t)
	address := postgrestest.Start(t).Address("postgres")
	setenv(t, database, address)
	clientHost(t)
	s := open(t, purchase{surface: "v2", connections: 4})
	s.warehouse = storeURL
	for _, night := range alikeNights {
		s.buy(t, night)
	}
	store := tablesOf(t, address)
	nights, err := store.Count(t.Context(), schemas.Lookup("moz.anchor_text"))
	if err != nil || len(nights) != len(alikeNights) {
		t.Fatalf("%v, %v", nights, err)
	}
	ctx, stop := context.WithCancel(t.Context())
	var reads int
	var readErr error
	var reading sync.WaitGroup
	reading.Go(func() { reads, readErr = readWholly(ctx, store, "moz.anchor_text", nights) })
	for _, args := range [][]string{{"replay", "--job", "alike", "--date", alikeNights[0]}, {"compact", "--month", "2026-10"}, {"forget", "alike/" + alikeNights[0]},
		{"replay", "--job", "alike", "--date", alikeNights[0]}, {"gc"}} {
		backhaul(t, exitComplete, append(args, "--warehouse", storeURL)...)
	}
	stop()
	reading.Wait()
	if readErr != nil || reads < 5 {
		t.Errorf("%d reads, %v", reads, readErr)
	}
	t.Logf("%d reads", reads)
}

func TestTwoHostsPublishIntoAStoreAtOnce(t *testing.T) {
	startGateway(t)
	address := postgrestest.Start(t).Address("postgres")
	dir := t.TempDir()
	jobs := map[string]string{
		"east": writeFile(t, dir, "east.yaml", fleetJob("east", 1000, "summit-supply.example", "trailhead-co.example")),
		"west": writeFile(t, dir, "west.yaml", fleetJob("west", 1000, "pinecone-packs.example", "tiny-tarps.example", "quietpeak.example")),
	}
	openAccount(t, 0)
	calm := filepath.Join(dir, "calm")
	for _, job := range jobs {
		backhaul(t, exitComplete, "run", job, "--warehouse", calm, "--date", fleetDate)
	}
	setenv(t, database, address)
	errs := make(chan error, len(jobs))
	var working sync.WaitGroup
	for _, job := range jobs {
		setenv(t, cacheVariable, t.TempDir())
		var out bytes.Buffer
		cmd := (&host{job: job, warehouse: storeURL}).start(t, &out)
		working.Go(func() {
			if err := cmd.Wait(); err != nil {
				errs <- fmt.Errorf("%s: %w: %s", job, err, &out)
			}
		})
	}
	working.Wait()
	close(errs)
	for err := range errs {
		t.Error(err)
	}
	third := clientHost(t)
	lists := "select job, first_night || ' ' || last_night as nights from marts.whole_spans order by all"
	type list struct{ Job, Nights string }
	got := ask[list](t, storeURL, lists)
	if diff := cmp.Diff(sumsOf(t, calm, fleetTables), sumsOf(t, third(), fleetTables), cmp.AllowUnexported(rowsum{})); diff != "" {
		t.Error(diff)
	}
	setenv(t, database, "")
	if diff := cmp.Diff(ask[list](t, calm, lists), got); diff != "" || len(got) == 0 {
		t.Error(diff)
	}
}
