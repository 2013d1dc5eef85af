package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// child is the program in a process of its own.
type child struct {
	*exec.Cmd
	said bytes.Buffer
}

// program returns a name under which the test's own executable is the program.
func program(t testing.TB) string {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(t.TempDir(), "backhaul")
	if err := os.Symlink(exe, name); err != nil {
		t.Fatal(err)
	}
	return name
}

func start(t *testing.T, name string, args ...string) *child {
	t.Helper()
	c := &child{Cmd: exec.Command(name, args...)}
	c.Env, c.Stdout, c.Stderr = processEnviron(t), &c.said, &c.said
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Process.Kill() })
	return c
}

// status waits for the child and returns its exit status, -1 if it was killed.
func (c *child) status(t *testing.T) int {
	t.Helper()
	var exit *exec.ExitError
	if err := c.Wait(); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return c.ProcessState.ExitCode()
}

// someRows are few enough of slowRows that a run that has them is far from its end.
const someRows = 500

// emptyWard has nothing bought yet.
func emptyWard(t *testing.T, settings listSettings) *ward {
	w := watched(t, settings)
	dir := t.TempDir()
	w.warehouse = filepath.Join(dir, "w")
	w.job = writeJob(t, dir, "{requests_per_second: 100000, connections: 4}", slowTargets)
	return w
}

var slowTargets = []string{listTarget(1, 3000), listTarget(2, 3000), listTarget(3, 3000), listTarget(4, 3000)}

const slowRows = 4 * 3000

// halfWay waits until the run has come to the pause of its vendor.
func (w *ward) halfWay(t *testing.T, c *child) {
	t.Helper()
	for end := time.Now().Add(time.Minute); w.bought() < someRows; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("nothing was bought within a minute\n%s", c.said.String())
		}
	}
}

// isWhole checks that the lake holds what the vendor has, and that the doctor finds nothing bad.
func (w *ward) isWhole(t *testing.T, tables int) {
	t.Helper()
	type sum struct{ Rows, Lists, Bad int64 }
	got := ask[sum](t, w.warehouse, `select count(*) as Rows, count(distinct job || target) as Lists,
		count(*) filter (where anchor_text <> 'anchor ' || (rank - 1)) as Bad from moz.anchor_text`)
	if want := (sum{int64(tables) * slowRows, int64(tables * len(slowTargets)), 0}); got[0] != want {
		t.Errorf("the lake has %+v, want %+v", got[0], want)
	}
	if status, said := w.try("doctor"); status != exitComplete {
		t.Errorf("doctor: exit %d\n%s", status, said)
	}
}

func TestTheSecondRunOfANightRefusesWhileTheFirstGoesOn(t *testing.T) {
	t.Parallel()
	w := emptyWard(t, listSettings{pause: someRows})
	first := start(t, program(t), "run", w.job, "--warehouse", w.warehouse, "--date", wardDate)
	w.halfWay(t, first)
	for _, args := range [][]string{{"run", w.job, "--date", wardDate}, {"replay", "--job", "measured", "--date", wardDate}} {
		if status, said := w.try(args...); status != exitTryLater || !strings.Contains(said, "in progress in another process (pid ") {
			t.Errorf("%s: exit %d: %s", args[0], status, said)
		}
	}
	if _, said := w.try("doctor"); !strings.Contains(said, "a process is at work on it") || strings.Contains(said, "bad   journal") || strings.Contains(said, "bad   ledger") {
		t.Errorf("the doctor takes a run under way for damage\n%s", said)
	}
	w.goOn()
	if got := first.status(t); got != exitComplete {
		t.Fatalf("the first run: exit %d\n%s", got, first.said.String())
	}
	if w.bought() != slowRows {
		t.Errorf("%d rows bought, want %d", w.bought(), slowRows)
	}
	w.isWhole(t, 1)
}

func TestTwoJobsPublishSideBySide(t *testing.T) {
	t.Parallel()
	w := emptyWard(t, listSettings{latency: 10 * time.Millisecond})
	spec, err := os.ReadFile(w.job)
	if err != nil {
		t.Fatal(err)
	}
	other := writeFile(t, filepath.Dir(w.job), "other.yaml", strings.Replace(string(spec), "job: measured", "job: other", 1))
	name := program(t)
	a := start(t, name, "run", w.job, "--warehouse", w.warehouse, "--date", wardDate)
	b := start(t, name, "run", other, "--warehouse", w.warehouse, "--date", wardDate)
	for _, c := range []*child{a, b} {
		if got := c.status(t); got != exitComplete {
			t.Errorf("exit %d\n%s", got, c.said.String())
		}
	}
	w.isWhole(t, 2)
}

func TestTheLockOfAKilledProcessIsTakenOver(t *testing.T) {
	t.Parallel()
	w := emptyWard(t, listSettings{pause: someRows})
	dead := start(t, program(t), "run", w.job, "--warehouse", w.warehouse, "--date", wardDate)
	w.halfWay(t, dead)
	if err := dead.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	if got := dead.status(t); got != -1 {
		t.Fatalf("the process ended by itself with %d", got)
	}
	w.goOn()
	if l, text := level(t, w, "ledger measured/"+wardDate); l != "warn" || text != "its process died" {
		t.Errorf("doctor: %s %s", l, text)
	}
	if status, said := w.try("run", w.job, "--date", wardDate); status != exitComplete {
		t.Fatalf("exit %d\n%s", status, said)
	}
	if again := w.bought() - slowRows; again > 4*50 {
		t.Errorf("%d rows bought again: more than the pages under way", again)
	}
	w.isWhole(t, 1)
}

// mounted gives the ward's warehouse a filesystem of its own, or skips the test.
func (w *ward) mounted(t *testing.T, args ...string) {
	t.Helper()
	if err := os.MkdirAll(w.warehouse, 0o755); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("mount", append(args, w.warehouse)...).CombinedOutput(); err != nil {
		t.Skipf("this needs a filesystem of its own, which cannot be mounted here: %v %s", err, out)
	}
	t.Cleanup(func() { // lazily: a process that another test is just starting may hold our files until it is another program
		if out, err := exec.Command("umount", "--lazy", w.warehouse).CombinedOutput(); err != nil {
			t.Errorf("umount: %v %s", err, out)
		}
	})
}

func TestAReadOnlyWarehouseIsToldBeforeAnythingIsBought(t *testing.T) {
	t.Parallel()
	w := newWard(t)
	bought := w.bought()
	w.mounted(t, "--bind", w.warehouse)
	if out, err := exec.Command("mount", "-o", "remount,ro,bind", w.warehouse).CombinedOutput(); err != nil {
		t.Skipf("%v %s", err, out)
	}
	for _, args := range [][]string{
		{"run", w.job, "--date", "2026-11-24", "--yes"}, {"run", w.job, "--date", wardDate}, {"replay", "--job", "measured", "--date", wardDate}, {"catalog"},
	} {
		if status, said := w.try(args...); status != exitFailed || !strings.Contains(said, "read-only file system") || !strings.Contains(said, "make it writable") {
			t.Errorf("%s: exit %d: %s", args[0], status, said)
		}
	}
	if w.bought() != bought {
		t.Error("rows were bought that could not be kept")
	}
	if got := w.look(t); got != w.rows {
		t.Error("a read-only warehouse cannot be read")
	}
	if status, said := w.try("doctor"); status != exitFailed || !strings.Contains(said, "bad   warehouse") {
		t.Errorf("doctor: exit %d\n%s", status, said)
	}
}

// TestTooFewFilesStopARunAndLoseNothing limits the open files of a process, from far too few to enough.
func TestTooFewFilesStopARunAndLoseNothing(t *testing.T) {
	t.Parallel()
	name := program(t)
	w := emptyWard(t, listSettings{})
	stopped, done := 0, false
	for files := 8; files < 64 && !done; files += 2 {
		c := start(t, "sh", "-c", fmt.Sprintf(`ulimit -n %d && exec "$0" "$@"`, files), name, "run", w.job, "--warehouse", w.warehouse, "--date", wardDate)
		switch status := c.status(t); status {
		case exitComplete:
			done = true
		case exitFailed:
			stopped++
			if !strings.Contains(c.said.String(), "ulimit -n 1024") {
				t.Errorf("%d files: no advice: %s", files, lastLine(c.said.String()))
			}
		default:
			if !strings.Contains(c.said.String(), "too many open files") { // the runtime itself cannot start
				t.Errorf("%d files: exit %d: %s", files, status, c.said.String())
			}
		}
	}
	if stopped == 0 || !done {
		t.Errorf("%d stopped, done %v: the limits do not test", stopped, done)
	}
	if again := w.bought() - slowRows; again > int64(stopped)*4*50 {
		t.Errorf("%d rows bought again by %d stops", again, stopped)
	}
	w.isWhole(t, 1)
}

func lastLine(s string) string {
	lines := strings.Split(strings.TrimSpace(s), "\n")
	return lines[len(lines)-1]
}

func TestDoctorOfNoWarehouseSaysSo(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	dir := filepath.Join(t.TempDir(), "none")
	setenv(t, "MOZ_TOKEN", "")
	if status := Main(context.Background(), inTest(t, &out, &out, "doctor", "--warehouse", dir)); status != exitComplete || !strings.Contains(out.String(), "does not exist") {
		t.Errorf("exit %d\n%s", status, out.String())
	}
	if _, err := os.Stat(dir); !os.IsNotExist(err) {
		t.Error("looking made a warehouse")
	}
}
