package simulation

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"backhaul/jobs/ledger"
	"backhaul/jobs/run"
	"backhaul/pipeline"
	"backhaul/pipeline/vendors/ahrefsv3"
	"backhaul/pipeline/vendors/mozrpc"
	"backhaul/pipeline/vendors/mozv2"
	"backhaul/schemas"
	"backhaul/sinks"
	"backhaul/sinks/blob"
	"backhaul/sinks/duckdb"
	lakes "backhaul/sinks/lake"
	"backhaul/sinks/parquet"
)

// files is a lake on disk, as far as one night alone needs it. It implements run.Lake.
type files struct {
	lake // for what is asked of nights that are compared; it has no process
	lakes.Lake
	staging *blob.Staging
	created int // files, whose names must differ
}

func (f *files) Create(t *schemas.Table) (sinks.Writer, error) {
	f.created++
	return parquet.Create(f.Disk, f.staging.Path(fmt.Sprintf("%s.%d.parquet", t.FullName(), f.created)), t, parquet.Options{})
}

func (f *files) Publish(ctx context.Context, t *schemas.Table, job string, date time.Time, staged string) (string, error) {
	return f.Lake.Publish(ctx, t, job, date, staged)
}

func (f *files) Has(t *schemas.Table, job string, date time.Time) bool {
	own, merged, err := f.Of(t, job, date)
	return err == nil && len(own)+len(merged) > 0
}

func (f *files) Catalog(ctx context.Context) error {
	return duckdb.Update(ctx, f.Disk, f.Warehouse, func(ctx context.Context, t *schemas.Table) error { return f.Columns(ctx, t, f.Create) })
}

func (f *files) WholeLists(context.Context, string, time.Time) error { return nil }

func (f *files) Changes(context.Context, string, time.Time) error { return nil }

// TestDuckDBReadsTheVendorsListsOutOfASimulatedWarehouse loads the journals that a few scenarios leave into files, and asks for them.
func TestDuckDBReadsTheVendorsListsOutOfASimulatedWarehouse(t *testing.T) {
	t.Parallel()
	for seed := range uint64(3) {
		told := simulateThen(t, draw(seed, true), func(w *world) {
			here := sinks.Warehouse{Root: filepath.Join(w.dir, "warehouse")}
			w.replay(t, here)
			for _, endpoint := range []string{"moz/anchor_text", "moz/linking_root_domains", "ahrefs/anchors"} {
				w.checkView(t, here, endpoint)
			}
		})
		if told.wrong != nil {
			t.Errorf("seed %d: %v", seed, told.wrong)
		}
	}
}

// replay loads all runs of a warehouse.
func (w *world) replay(t *testing.T, here sinks.Warehouse) {
	t.Helper()
	var disk blob.FS
	if err := disk.MkdirAll(here.Staging()); err != nil {
		t.Fatal(err)
	}
	staging, err := disk.OpenStaging(here.Staging(), "replay")
	if err != nil {
		t.Fatal(err)
	}
	defer staging.Close()
	l, err := ledger.Open(t.Context(), here.Ledger())
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	runs, err := l.Runs(t.Context())
	if err != nil || len(runs) == 0 {
		t.Fatal(err, len(runs))
	}
	sources := map[string]pipeline.Source{}
	moz := mozv2.Offline()
	if w.RPC {
		moz = mozrpc.Offline()
	}
	for _, s := range append(moz, ahrefsv3.Offline()...) {
		sources[s.Endpoint().String()] = s
	}
	into := &files{Lake: lakes.Lake{Disk: disk, Warehouse: here}, staging: staging}
	for _, r := range runs {
		_, err := run.Replay(t.Context(), l, r, func(task pipeline.Task) (pipeline.Source, error) { return sources[task.Endpoint], nil },
			run.Options{Warehouse: here, Lake: into})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// checkView holds what a view shows of each run against the truth.
func (w *world) checkView(t *testing.T, here sinks.Warehouse, endpoint string) {
	t.Helper()
	var columns []string
	for _, f := range facts[tableOf(endpoint)] {
		columns = append(columns, f.column)
	}
	_, rows, err := duckdb.Select(t.Context(), here, "select job, extract, target, rank, "+strings.Join(columns, ", ")+" FROM "+tableOf(endpoint)+" order by job, run_date, extract, rank")
	if err != nil {
		t.Fatal(err)
	}
	runs := map[string]bool{}
	for _, p := range w.all {
		runs[p.runKey()] = true
	}
	want := 0
	for key := range runs {
		for _, i := range w.listsOf(int(key[0] - 'a')) {
			if w.Lists[i].Endpoint == endpoint {
				want += w.Lists[i].want()
			}
		}
	}
	if len(rows) != want {
		t.Errorf("seed %d: %s has %d rows, want %d", w.Seed, endpoint, len(rows), want)
	}
	next := int64(0)
	for _, values := range rows {
		one := row{extract: values[1].(string), target: values[2].(string), rank: values[3].(int64)}
		for _, v := range values[4:] {
			one.text += fmt.Sprint(v) + "|"
		}
		if next++; one.rank == 1 {
			next = 1
		}
		list := w.Lists[listOf(one.extract)]
		if whole := list.whole(); one.rank != next || list.inOrder() && one.text != whole[next-1] {
			t.Fatalf("seed %d: %s has %+v at %d", w.Seed, endpoint, one, next)
		}
	}
}
