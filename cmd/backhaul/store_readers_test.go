//go:build cluster && fleet && lakecheck && linux

package main

import (
	"bufio"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"slices"
	"testing"

	"backhaul/pipeline/postgres/postgrestest"
)

// read is what a reader says of a table.
type read struct {
	Rows      int64
	Snapshots []struct {
		Did, Date, Run string
		Rows           int64
	}
}

// startReader starts a script that reads a store, and hands its input and the lines of its output to the test.
func startReader(t *testing.T, python, script string, args ...string) (cmd *exec.Cmd, in io.WriteCloser, lines *bufio.Scanner) {
	t.Helper()
	cmd = exec.Command(python, append([]string{"../../testdata/fleet/" + script}, args...)...)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return cmd, in, bufio.NewScanner(out)
}

// TestDuckDBReadsAStoreOfOthers has a DuckDB with httpfs read a store by the scripts that lie in it, one of them again after another night.
func TestDuckDBReadsAStoreOfOthers(t *testing.T) {
	python := os.Getenv("DUCKDB_PYTHON")
	if python == "" {
		t.Fatal("DUCKDB_PYTHON is not set: run make lake-check")
	}
	g := startGateway(t)
	setenv(t, database, postgrestest.Start(t).Address("postgres"))
	clientHost(t)
	s := open(t, purchase{surface: "v2", connections: 4})
	s.warehouse = storeURL
	s.buy(t, alikeNights[0])
	cmd, in, lines := startReader(t, python, "read_duckdb.py", append([]string{storeURL, "http://" + g.address}, scriptQuestions...)...)
	compare := func(after string) {
		t.Helper()
		var answers [][][]string
		if lines.Scan(); json.Unmarshal(lines.Bytes(), &answers) != nil || len(answers) != len(scriptQuestions) {
			t.Fatalf("after %s: %q", after, lines.Text())
		}
		for i, question := range scriptQuestions {
			if got, want := answers[i][0][0], answerOf(t, storeURL, question); got != want || want == "0" && i == 0 {
				t.Errorf("after %s: %s: %s, by the program %s", after, question, got, want)
			}
		}
	}
	compare("one night")
	s.server.SetDay(1)
	s.buy(t, alikeNights[1])
	if _, err := in.Write([]byte("again\n")); err != nil {
		t.Fatal(err)
	}
	compare("two")
	_ = in.Close()
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
}

// TestOthersReadAStore has programs that know Iceberg alone read what nights, a merge and a replay have left, and the states before.
func TestOthersReadAStore(t *testing.T) {
	g := startGateway(t)
	address := postgrestest.Start(t).Address("postgres")
	setenv(t, database, address)
	copied := clientHost(t)
	s := open(t, purchase{surface: "v2", connections: 4})
	s.warehouse = storeURL
	for _, night := range alikeNights {
		s.buy(t, night)
	}
	for _, args := range [][]string{{"compact", "--month", "2026-10"}, {"replay", "--job", "alike", "--date", alikeNights[0]}} {
		backhaul(t, exitComplete, append(args, "--warehouse", storeURL)...)
	}
	tables := []string{"moz.anchor_text", "moz.linking_root_domains", "moz.url_metrics", "ops.tasks", "ops.pages", "marts.whole_spans"}
	for variable, script := range map[string]string{"PYICEBERG_PYTHON": "read_pyiceberg.py", "SPARK_PYTHON": "read_spark.py"} {
		python := os.Getenv(variable)
		if python == "" {
			t.Fatalf("%s is not set: run make lake-check", variable)
		}
		cmd := exec.Command(python, append([]string{"../../testdata/fleet/" + script, address, storeURL, "http://" + g.address, copied()}, tables...)...)
		cmd.Stderr = os.Stderr
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("%s: %v", script, err)
		}
		var said map[string]read
		if err := json.Unmarshal(out, &said); err != nil {
			t.Fatalf("%s: %v: %s", script, err, out)
		}
		anchors := said["moz.anchor_text"]
		var did []string
		for _, s := range anchors.Snapshots {
			did = append(did, s.Did+" "+s.Date)
		}
		if !slices.Equal(did, []string{"publish 2026-10-05", "publish 2026-10-06", "compact ", "replay 2026-10-05"}) {
			t.Errorf("%s: %v", script, did)
			continue
		}
		first, both := anchors.Snapshots[0], anchors.Snapshots[1]
		if first.Rows == 0 || first.Rows >= both.Rows || both.Rows != anchors.Rows || anchors.Snapshots[2].Rows != anchors.Rows || first.Run == "" {
			t.Errorf("%s: %+v", script, anchors)
		}
	}
}
