//go:build cluster && fleet && failpoint && linux

package main

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"backhaul/pipeline/failpoint"
	"backhaul/pipeline/postgres/postgrestest"
)

func TestAKillAtAnyStepOfAStoreIsMadeGood(t *testing.T) {
	startGateway(t)
	dir := t.TempDir()
	program, err := exec.LookPath("backhaul") // which TestMain has put there, with the failpoints of this build
	if err != nil {
		t.Fatal(err)
	}
	job := writeFile(t, dir, "kill.yaml", fleetJob("kill", 1000, "summit-supply.example"))
	vendor := openAccount(t, 0)
	calm := filepath.Join(dir, "calm")
	backhaul(t, exitComplete, "run", job, "--warehouse", calm, "--date", fleetDate)
	want, billed := sumsOf(t, calm, fleetTables), vendor.server.Meter().Rows
	server := postgrestest.Start(t)
	setenv(t, leaseVariable, "500ms")
	for i, point := range []string{"iceberg.uploaded:3", "lake.commit.before:2", "lake.commit.after:1", "lake.commit.after:6"} {
		t.Run(point, func(t *testing.T) {
			address := server.Database(t, fmt.Sprint("kill", i))
			setenv(t, database, address)
			w, before := fmt.Sprintf("s3://lake/kill%d", i), vendor.server.Meter()
			kill := func(point string, args ...string) (string, error) {
				cmd := exec.Command(program, append(args, "--warehouse", w)...)
				cmd.Env = append(processEnviron(t), failpoint.Variable+"="+point)
				out, err := cmd.CombinedOutput()
				return string(out), err
			}
			setenv(t, cacheVariable, t.TempDir())
			if said, err := kill(point, "run", job, "--date", fleetDate); err == nil || !strings.Contains(err.Error(), "killed") {
				t.Fatalf("%v: %s", err, said)
			}
			if i%2 == 0 {
				setenv(t, cacheVariable, t.TempDir()) // another host goes on
			}
			for try := 0; ; try++ {
				said, err := kill("", "run", job, "--date", fleetDate)
				if err == nil {
					break
				}
				if !strings.Contains(err.Error(), fmt.Sprint(exitTryLater)) || try > 300 {
					t.Fatalf("%v: %s", err, said)
				}
				time.Sleep(50 * time.Millisecond) // until the lease of the dead has expired
			}
			cache := t.TempDir()
			setenv(t, cacheVariable, cache)
			if said, err := kill("lake.pull.before:2", "query", "select 1"); err == nil || !strings.Contains(err.Error(), "killed") {
				t.Fatalf("%v: %s", err, said)
			}
			backhaul(t, exitComplete, "query", "select 1", "--warehouse", w)
			copied, err := filepath.Glob(filepath.Join(cache, "*"))
			if err != nil || len(copied) != 1 {
				t.Fatalf("%v, %v", copied, err)
			}
			if diff := cmp.Diff(want, sumsOf(t, copied[0], fleetTables), cmp.AllowUnexported(rowsum{})); diff != "" {
				t.Error(diff)
			}
			if m := vendor.server.Meter(); m.Rows-before.Rows != billed {
				t.Errorf("%d rows were billed, of %d", m.Rows-before.Rows, billed)
			}
		})
	}
}
