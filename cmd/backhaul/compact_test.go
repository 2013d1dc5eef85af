package main

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"backhaul/pipeline/emulator"
	"backhaul/pipeline/failpoint"
)

// mergePoints are the failpoints that only a merge of a month comes to.
var mergePoints = []string{"blob.exchange.after", "blob.exchange.before", "compact.sorted", "lake.merged"}

// killMerges kills the program while it merges two nights, at each of its steps and at any moment: every row is there once,
// whatever was left, and the next merge completes.
func (l *lab) killMerges(t *testing.T) {
	n := l.resume(t)
	for _, date := range []string{"2026-11-22", killDate} {
		n.date = date
		if n.run(t, "", 0) {
			t.Fatal("killed by nobody")
		}
	}
	n.http.Close()
	w := n.warehouse
	nightly, restore := keep(t, w)
	var moments []string
	for _, point := range mergePoints {
		moments = append(moments, point+":1", point+":2", point+":3")
	}
	want := len(moments) + 4
	if text := os.Getenv(killsVariable); text != "" {
		want, _ = strconv.Atoi(text)
	}
	random, kills := rand.New(rand.NewPCG(7, 5)), 0
	for kills < want {
		restore()
		for {
			point, after := "", 1+time.Duration(random.Int64N(int64(l.took)))
			if len(moments) > 0 {
				point, moments, after = moments[0], moments[1:], 0
			}
			if kills >= want || !l.merge(t, w, point, after) {
				break
			}
			kills++
			sameFiles(t, w, nightly)
		}
		if l.merge(t, w, "", 0) {
			t.Fatal("killed by nobody")
		}
		sameFiles(t, w, nightly)
		files, _ := filepath.Glob(filepath.Join(w, "lake", "moz", "anchor_text", "month=2026-11", "*"))
		files = slices.DeleteFunc(files, func(path string) bool { // links of the dead, which readers pass over
			info, err := os.Lstat(path)
			return err != nil || !info.Mode().IsRegular()
		})
		if len(files) != 1 {
			t.Errorf("after %d kills: %v", kills, files)
		}
	}
	t.Logf("%d kills", kills)
}

// merge starts a merge, to be killed at a failpoint, or after a while, or not at all, and reports whether it was.
func (l *lab) merge(t *testing.T, warehouse, point string, after time.Duration) (killed bool) {
	t.Helper()
	cmd := exec.Command(l.binary, "compact", "--month", "2026-11", "--warehouse", warehouse)
	cmd.Env = append(processEnviron(t), failpoint.Variable+"="+point, "TMPDIR="+filepath.Dir(warehouse))
	killed, said, err := killedAfter(t, cmd, after)
	if err != nil && !killed {
		t.Fatalf("%v\n%s", err, said)
	}
	return killed
}

// sameFiles holds every table of a lake against another's, row by row, past any catalog.
func sameFiles(t *testing.T, got, want string) {
	t.Helper()
	var selects []string
	for _, table := range []string{"moz.anchor_text", "moz.linking_root_domains", "ops.tasks", "ops.pages", "ops.runs", "ops.spend"} {
		selects = append(selects, fmt.Sprintf(`select '%[1]s' as Name, (select count(*) from (from %[2]s except all from %[3]s))
			+ (select count(*) from (from %[3]s except all from %[2]s)) + (select count(*) = 0 from %[3]s)::int as N`, table, files(got, table), files(want, table)))
	}
	type verdict struct {
		Name string
		N    int64
	}
	for _, v := range askOutside[verdict](t, "", "from ("+strings.Join(selects, " union all ")+") where N <> 0") {
		t.Errorf("%s differs in %d rows", v.Name, v.N)
	}
}

// servedKillJob has a vendor answer killJob, and returns its file and a warehouse that is not there yet.
func servedKillJob(t *testing.T) (job, w string) {
	t.Helper()
	serve(t, emulatorFlags{})
	setenv(t, "MOZ_TOKEN", emulator.DefaultToken)
	dir := t.TempDir()
	return writeFile(t, dir, "killed.yaml", killJob), filepath.Join(dir, "w")
}

func TestAMergedNightIsReplayedForgottenAndExamined(t *testing.T) {
	t.Parallel()
	job, w := servedKillJob(t)
	for _, date := range []string{"2026-10-21", "2026-10-22"} {
		backhaul(t, exitComplete, "run", job, "--warehouse", w, "--date", date)
	}
	const query = "select run_date, count(*), md5(string_agg(anchor_text || rank || fetched_at, chr(10) order by target, scope, extract, rank)) from moz.anchor_text group by all order by all"
	count := func() string { return backhaul(t, exitComplete, "query", "--format", "csv", "--warehouse", w, query) }
	before := count()
	if strings.Count(before, "\n") != 3 {
		t.Fatal(before)
	}
	merged := func() (names []string) {
		found, _ := filepath.Glob(filepath.Join(w, "lake", "moz", "anchor_text", "month=2026-10", "*"))
		for _, path := range found {
			name, _, _ := strings.Cut(filepath.Base(path), ".")
			names = append(names, name)
		}
		return names
	}
	check := func(step string, want ...string) {
		t.Helper()
		if got := merged(); !slices.Equal(got, want) {
			t.Errorf("%s: files %v, want %v", step, got, want)
		}
		backhaul(t, exitComplete, "doctor", "--warehouse", w)
	}
	backhaul(t, exitComplete, "compact", "--warehouse", w)
	check("compact", "2026-10")
	if got := count(); got != before {
		t.Errorf("merged: %s\nwant %s", got, before)
	}
	backhaul(t, exitComplete, "run", job, "--warehouse", w, "--date", "2026-10-21")
	check("run again", "2026-10")
	backhaul(t, exitComplete, "replay", "--job", "killed", "--date", "2026-10-21", "--warehouse", w)
	check("replay", "2026-10", "killed")
	if got := count(); got != before {
		t.Errorf("replayed: %s\nwant %s", got, before)
	}
	backhaul(t, exitComplete, "compact", "--month", "2026-10", "--warehouse", w)
	backhaul(t, exitComplete, "forget", "killed/2026-10-22", "--warehouse", w)
	check("forget", "2026-10")
	if got := count(); got == before || !strings.HasPrefix(before, strings.TrimSuffix(got, "\n")) {
		t.Errorf("forgotten: %s\nof %s", got, before)
	}
	if spent := backhaul(t, exitComplete, "query", "--format", "csv", "--warehouse", w, "select count(distinct run_date) from ops.spend"); !strings.HasSuffix(spent, "\n2\n") {
		t.Errorf("the account has %s", spent)
	}
	backhaul(t, exitComplete, "run", job, "--warehouse", w, "--date", "2026-10-22")
	backhaul(t, exitComplete, "replay", "--job", "killed", "--date", "2026-10-22", "--warehouse", w)
	if got := count(); got != before {
		t.Errorf("brought back: %s\nwant %s", got, before)
	}
}

func TestADamagedMergedFileIsFound(t *testing.T) {
	t.Parallel()
	job, w := servedKillJob(t)
	backhaul(t, exitComplete, "run", job, "--warehouse", w, "--date", "2026-10-21")
	backhaul(t, exitComplete, "compact", "--warehouse", w)
	found, _ := filepath.Glob(filepath.Join(w, "lake", "moz", "anchor_text", "month=2026-10", "*"))
	if len(found) != 1 {
		t.Fatal(found)
	}
	content, err := os.ReadFile(found[0])
	if err != nil {
		t.Fatal(err)
	}
	content[len(content)/3] ^= 1
	if err := os.WriteFile(found[0], content, 0o644); err != nil {
		t.Fatal(err)
	}
	if said := backhaul(t, exitDamaged, "doctor", "--warehouse", w); !strings.Contains(said, "month=2026-10") {
		t.Error(said)
	}
}

func TestRetentionTakesWholeMonthsOfTables(t *testing.T) {
	t.Parallel()
	job, w := servedKillJob(t)
	for _, date := range []string{"2026-09-21", "2026-10-22"} { // the second run merges the month of the first
		backhaul(t, exitComplete, "run", job, "--warehouse", w, "--date", date)
	}
	count := func() string {
		return backhaul(t, exitComplete, "query", "--format", "csv", "--warehouse", w, `select (select count(distinct run_date) from moz.anchor_text) as anchors,
			(select count(distinct run_date) from moz.linking_root_domains) as domains, (select count(distinct run_date) from ops.spend) as spend`)
	}
	nights := func() string {
		return backhaul(t, exitComplete, "query", "--format", "csv", "--warehouse", w, "select endpoint, run_date, count(*) as lists from marts.whole_nights group by all order by all")
	}
	before := nights()
	between := "from marts.anchors_between('summit-supply.example', '2026-09-25', '2026-10-25')"
	backhaul(t, exitComplete, "query", "--warehouse", w, between)
	november := time.Since(time.Date(2026, 10, 2, 0, 0, 0, 0, time.UTC))
	age := fmt.Sprintf("moz.anchor_text=%dd", int(november.Hours())/24)
	dry := backhaul(t, exitComplete, "gc", "--rows-older-than", age, "--dry-run", "--warehouse", w)
	if !strings.Contains(dry, "would remove 2026-09 of moz.anchor_text (") || strings.Contains(dry, "2026-10") {
		t.Error(dry)
	}
	if got := count(); got != "anchors,domains,spend\n2,2,2\n" {
		t.Errorf("a dry run: %s", got)
	}
	backhaul(t, exitComplete, "gc", "--rows-older-than", age, "--warehouse", w)
	if got := count(); got != "anchors,domains,spend\n1,2,2\n" {
		t.Errorf("removed: %s", got)
	}
	// A night without rows is none that the next one's could all be new since.
	without := strings.Replace(before, "moz/anchor_text,2026-09-21,9\n", "", 1)
	if got := nights(); got != without || without == before {
		t.Errorf("nights: %s", got)
	}
	if status, text := said(t, "query", "--warehouse", w, between); status != exitFailed || !strings.Contains(text, "no whole list of summit-supply.example on or before 2026-09-25") {
		t.Errorf("exit %d: %s", status, text)
	}
	backhaul(t, exitComplete, "doctor", "--warehouse", w)
	backhaul(t, exitComplete, "run", job, "--warehouse", w, "--date", "2026-09-21")
	backhaul(t, exitComplete, "replay", "killed/2026-10-22", "--warehouse", w)
	if got, then := count(), nights(); got != "anchors,domains,spend\n1,2,2\n" || then != without {
		t.Errorf("run again: %s%s", got, then)
	}
	// A neighbour has the nights of their month worked out anew.
	backhaul(t, exitComplete, "run", job, "--warehouse", w, "--date", "2026-09-23")
	if got := nights(); strings.Contains(got, "moz/anchor_text,2026-09-21") || !strings.Contains(got, "moz/anchor_text,2026-09-23,9\n") {
		t.Errorf("beside a neighbour: %s", got)
	}
	backhaul(t, exitComplete, "replay", "killed/2026-09-21", "--warehouse", w)
	if got := nights(); !strings.Contains(got, "moz/anchor_text,2026-09-21,9\n") {
		t.Errorf("replayed: %s", got)
	}
	for _, wrong := range []string{"moz.nothing=3d", "3y", "moz.links=x"} {
		backhaul(t, exitUsage, "gc", "--rows-older-than", wrong, "--warehouse", w)
	}
}

func TestAYearsNightsAreMergedWhenItIsPast(t *testing.T) {
	t.Parallel()
	job, w := servedKillJob(t)
	year := time.Now().UTC().Year()
	first, second, third := fmt.Sprintf("%d-12-30", year-1), fmt.Sprintf("%d-12-31", year-1), fmt.Sprintf("%d-01-01", year)
	for _, date := range []string{first, second, third} {
		backhaul(t, exitComplete, "run", job, "--warehouse", w, "--date", date)
	}
	nights := func(want ...string) {
		t.Helper()
		got := backhaul(t, exitComplete, "query", "--format", "csv", "--warehouse", w, "select distinct run_date from marts.whole_nights order by 1")
		if diff := cmp.Diff("run_date\n"+strings.Join(want, "\n")+"\n", got); diff != "" {
			t.Error(diff)
		}
	}
	files := func(year int) (names []string) {
		entries, err := os.ReadDir(filepath.Join(w, "lake", "marts", "whole_spans", fmt.Sprintf("month=%d-01", year)))
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			names = append(names, e.Name())
		}
		return names
	}
	nights(first, second, third)
	this := files(year)
	backhaul(t, exitComplete, "compact", "--warehouse", w)
	if past := files(year - 1); len(past) != 1 || strings.HasPrefix(past[0], "killed.") || !slices.Equal(files(year), this) {
		t.Errorf("%v, %v", past, files(year))
	}
	backhaul(t, exitComplete, "forget", "killed/"+first, "--warehouse", w)
	nights(second, third)
	backhaul(t, exitComplete, "replay", "killed/"+first, "--warehouse", w)
	nights(first, second, third)
	backhaul(t, exitComplete, "doctor", "--warehouse", w)
	for _, gone := range []string{"catalog.duckdb", "lake/marts/whole_spans"} { // as of an earlier version
		if err := os.RemoveAll(filepath.Join(w, gone)); err != nil {
			t.Fatal(err)
		}
	}
	backhaul(t, exitComplete, "doctor", "--repair", "--warehouse", w)
	nights(first, second, third)
}

// A night that is filled in later, or forgotten, is one in whatever order it came.
func TestWhatChangedDoesNotDependOnTheOrderOfNights(t *testing.T) {
	t.Parallel()
	e := serve(t, emulatorFlags{})
	job := writeFile(t, t.TempDir(), "killed.yaml", killJob)
	setenv(t, "MOZ_TOKEN", emulator.DefaultToken)
	run := func(w string, nights ...int) {
		for _, n := range nights {
			e.server.SetDay(30 * n)
			backhaul(t, exitComplete, "run", job, "--warehouse", w, "--date", fmt.Sprintf("2026-11-%02d", 20+n))
		}
	}
	changes := func(w string) string {
		return backhaul(t, exitComplete, "query", "--format", "csv", "--warehouse", w, "from marts.anchor_changes order by all")
	}
	dir := t.TempDir()
	inOrder, filled, without := filepath.Join(dir, "a"), filepath.Join(dir, "b"), filepath.Join(dir, "c")
	run(inOrder, 1, 2, 3)
	want := changes(inOrder)
	if strings.Count(want, ",new,") < 2 || strings.Count(want, ",lost,") < 2 {
		t.Fatalf("too little happens: %s", want)
	}
	run(filled, 1, 3)
	run(without, 1, 3)
	gap := changes(filled)
	if gap == want {
		t.Fatal("the night between makes no difference")
	}
	run(filled, 2)
	if got := changes(filled); got != want {
		t.Errorf("filled in: %s\nwant %s", got, want)
	}
	backhaul(t, exitComplete, "forget", "killed/2026-11-22", "--warehouse", filled)
	if got := changes(filled); got != changes(without) {
		t.Errorf("forgotten: %s\nwant %s", got, gap)
	}
	backhaul(t, exitComplete, "replay", "--job", "killed", "--date", "2026-11-22", "--warehouse", filled)
	if got := changes(filled); got != want {
		t.Errorf("brought back: %s\nwant %s", got, want)
	}
}
