package duckdb

import (
	"bufio"
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
	fmt.Fprintln(in, "again")
	if got := next(); got != "[[new] [second]]" {
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
	ctx, s := context.Background(), outside(t, w)
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
	held := outside(t, w)
	for _, open := range []func() *session{func() *session { return held }, func() *session { return outside(t, w) }} {
		wg.Go(func() { readVersions(t, open, done) })
	}
	for n := range nights {
		anchors(t, w, "nightly", night, version(n))
	}
	close(done)
	wg.Wait()
}

const versionSQL = `SELECT count(*), count(DISTINCT external_root_domains), min(external_root_domains), count(DISTINCT split_part(anchor_text, ' ', 1))
	FROM moz.anchor_text`

// readVersions asks until done. A query may lose a file that is replaced under it, and says which.
func readVersions(t *testing.T, open func() *session, done chan struct{}) {
	questions, lost := 0, 0
	defer func() { t.Logf("asked %d times, %d of them lost a file", questions, lost) }()
	for {
		select {
		case <-done:
			return
		default:
		}
		questions++
		_, rows, err := open().rows(context.Background(), versionSQL)
		if err != nil && strings.Contains(err.Error(), "Cannot open file") && strings.Contains(err.Error(), "nightly.2026-11-23.") {
			lost++
			continue
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
