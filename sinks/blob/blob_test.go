package blob

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// put stages content under root and gives it the name final.
func put(f FS, root, final, content string) (err error) {
	st, err := f.OpenStaging(filepath.Join(root, "staging"), "run")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, st.Close()) }()
	file, err := st.Create(st.Path("a"))
	if err != nil {
		return err
	}
	if _, err := file.Write([]byte(content)); err != nil {
		return errors.Join(err, file.Abort())
	}
	if err := file.Close(); err != nil {
		return err
	}
	return st.Replace(file.Name(), final)
}

func read(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestReplaceReplacesOneFileAndKeepsOpenReadersOnTheOld(t *testing.T) {
	root := t.TempDir()
	final := filepath.Join(root, "lake", "x", "month=2026-11", "a")
	other := filepath.Join(filepath.Dir(final), "b")
	for _, err := range []error{put(FS{}, root, final, "old"), put(FS{}, root, other, "other")} {
		if err != nil {
			t.Fatal(err)
		}
	}
	open, err := os.Open(final)
	if err != nil {
		t.Fatal(err)
	}
	defer open.Close()
	if err := put(FS{}, root, final, "new!"); err != nil {
		t.Fatal(err)
	}
	held := make([]byte, 10)
	n, _ := open.Read(held)
	got := []string{string(held[:n]), read(t, final), read(t, other)}
	if diff := cmp.Diff([]string{"old", "new!", "other"}, got); diff != "" {
		t.Error(diff)
	}
}

func TestReplaceSyncsEachNewDirectoryInItsParentAndTheFileBeforeTheName(t *testing.T) {
	root := t.TempDir()
	var ops []string
	f := FS{Before: func(op Op, path string) error {
		rel, _ := filepath.Rel(root, path)
		ops = append(ops, fmt.Sprintf("%s %s", op, rel))
		return nil
	}}
	if err := put(f, root, filepath.Join(root, "lake", "t", "a"), "x"); err != nil {
		t.Fatal(err)
	}
	want := []string{
		"mkdir staging", "sync directory .", "mkdir staging/run", "sync directory staging",
		"create staging/run/a", "write staging/run/a", "sync staging/run/a", "close staging/run/a",
		"mkdir lake", "sync directory .", "mkdir lake/t", "sync directory lake",
		"rename lake/t/a", "sync directory lake/t", "remove staging/run",
	}
	if diff := cmp.Diff(want, ops); diff != "" {
		t.Error(diff)
	}
}

func TestFailureOfAnyOperationLeavesTheOldFileOrTheNew(t *testing.T) {
	for nth := 1; ; nth++ {
		root := t.TempDir()
		final := filepath.Join(root, "lake", "a")
		if err := put(FS{}, root, final, "old"); err != nil {
			t.Fatal(err)
		}
		var count int
		var failed string
		err := put(FS{Before: func(op Op, path string) error {
			if count++; count == nth {
				failed = string(op) + " " + path
				return syscall.ENOSPC
			}
			return nil
		}}, root, final, "new")
		if failed == "" {
			if err != nil || nth < 6 {
				t.Fatalf("%d operations, then %v", nth-1, err)
			}
			return
		}
		if !errors.Is(err, syscall.ENOSPC) || !strings.Contains(err.Error(), failed+": no space left on device") {
			t.Errorf("failing %s says %v", failed, err)
		}
		want := "old"
		if strings.HasPrefix(failed, string(OpSyncDir)+" "+filepath.Dir(final)) || strings.HasPrefix(failed, string(OpRemove)) {
			want = "new"
		}
		if got := read(t, final); got != want {
			t.Errorf("failing %s leaves %q, want %q", failed, got, want)
		}
	}
}

func TestADirectoryWhoseNameCannotBeMadeToLastIsTakenBack(t *testing.T) {
	root, fails := t.TempDir(), true
	var synced []string
	f := FS{Before: func(op Op, path string) error {
		if op == OpSyncDir && fails {
			return syscall.EIO
		}
		if op == OpSyncDir {
			synced = append(synced, path)
		}
		return nil
	}}
	dir := filepath.Join(root, "lake")
	if err := f.MkdirAll(dir); !errors.Is(err, syscall.EIO) {
		t.Errorf("%v", err)
	}
	fails = false
	if err := f.MkdirAll(dir); err != nil || !slices.Equal(synced, []string{root}) {
		t.Errorf("synced %v, %v", synced, err)
	}
}

func TestErrorsNameTheFileOnce(t *testing.T) {
	dir := t.TempDir()
	inFile := filepath.Join(dir, "file")
	if err := os.WriteFile(inFile, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	missing := filepath.Join(dir, "missing")
	_, err := FS{}.Create(inFile)
	for _, c := range []struct {
		err  error
		want string
	}{
		{err, "create " + inFile + ": file exists"},
		{FS{}.Replace(missing, filepath.Join(dir, "b")), "rename " + filepath.Join(dir, "b") + ": no such file or directory"},
		{FS{}.Replace(inFile, filepath.Join(inFile, "x")), "mkdir " + inFile + ": file exists"},
	} {
		if c.err == nil || c.err.Error() != c.want {
			t.Errorf("got %v, want %s", c.err, c.want)
		}
	}
}

// change stages contents by their names and applies the change to dir, with what it replaces put aside in root.
func change(f FS, root, dir string, contents map[string]string, remove ...string) (err error) {
	st, err := f.OpenStaging(filepath.Join(root, "staging"), "run")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, st.Close()) }()
	c := Change{Dir: dir, Add: map[string]string{}, Remove: remove, Aside: filepath.Join(root, "aside")}
	for name, content := range contents {
		file, err := st.Create(st.Path(name))
		if err != nil {
			return err
		}
		if _, err := file.Write([]byte(content)); err != nil {
			return errors.Join(err, file.Abort())
		}
		if err := file.Close(); err != nil {
			return err
		}
		c.Add[name] = file.Name()
	}
	return st.Apply(c)
}

// listing is what a directory holds: names and contents.
func listing(t *testing.T, dir string) string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, e := range entries {
		if e.IsDir() {
			all = append(all, e.Name()+"/")
			continue
		}
		if isUnreadable(filepath.Join(dir, e.Name())) {
			continue
		}
		all = append(all, e.Name()+"="+read(t, filepath.Join(dir, e.Name())))
	}
	return strings.Join(all, " ")
}

func TestADirectoryIsExchangedForWhatItBecomes(t *testing.T) {
	root := t.TempDir()
	dir := filepath.Join(root, "lake", "month")
	for _, err := range []error{change(FS{}, root, dir, map[string]string{"a": "1"}), change(FS{}, root, dir, map[string]string{"b": "2"}),
		os.Mkdir(filepath.Join(dir, ".notes"), 0o777), change(FS{}, root, dir, map[string]string{"c": "3", "d": "4"}, "a")} {
		if err != nil {
			t.Fatal(err)
		}
	}
	if got := listing(t, dir); got != ".notes/ b=2 c=3 d=4" {
		t.Error(got)
	}
	aside, _ := os.ReadDir(filepath.Join(root, "aside"))
	if len(aside) != 1 || listing(t, filepath.Join(root, "aside", aside[0].Name())) != "a=1 b=2" {
		t.Errorf("aside: %v", aside)
	}
	if err := (FS{}).SweepAside(filepath.Join(root, "aside"), time.Now().Add(-time.Minute)); err != nil {
		t.Fatal(err)
	}
	if aside, _ := os.ReadDir(filepath.Join(root, "aside")); len(aside) != 1 {
		t.Error("what was just put aside is gone")
	}
	if err := (FS{}).SweepAside(filepath.Join(root, "aside"), time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	if aside, _ := os.ReadDir(filepath.Join(root, "aside")); len(aside) != 0 {
		t.Errorf("aside: %v", aside)
	}
}

func TestAChangeThatFailsAnywhereLeavesTheOldStateOrTheNew(t *testing.T) {
	for nth := 1; ; nth++ {
		root := t.TempDir()
		dir := filepath.Join(root, "lake", "month")
		if err := errors.Join(change(FS{}, root, dir, map[string]string{"a": "1"}), change(FS{}, root, dir, map[string]string{"b": "2"})); err != nil {
			t.Fatal(err)
		}
		count, failed := 0, ""
		err := change(FS{Before: func(op Op, path string) error {
			if count++; count == nth {
				failed = string(op) + " " + path
				return syscall.ENOSPC
			}
			return nil
		}}, root, dir, map[string]string{"c": "3"}, "a")
		got := listing(t, dir)
		if failed == "" {
			if err != nil || got != "b=2 c=3" || nth < 10 {
				t.Fatalf("%d operations, then %v: %s", nth-1, err, got)
			}
			return
		}
		if !errors.Is(err, syscall.ENOSPC) || got != "a=1 b=2" && got != "b=2 c=3" {
			t.Errorf("failing %s leaves %s, %v", failed, got, err)
		}
	}
}

func TestWhereDirectoriesCannotBeExchangedTheOldNameGoesFirst(t *testing.T) {
	root := t.TempDir()
	dir := filepath.Join(root, "lake", "month")
	var seen []string
	f := FS{Before: func(op Op, path string) error {
		if op == OpExchange {
			return errors.ErrUnsupported
		}
		if filepath.Dir(path) == dir {
			seen = append(seen, string(op)+" "+listing(t, dir))
		}
		return nil
	}}
	if err := errors.Join(change(FS{}, root, dir, map[string]string{"a": "1"}), change(f, root, dir, map[string]string{"b": "2"}, "a")); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"remove a=1", "rename "}, seen); diff != "" {
		t.Error(diff)
	}
	if got := listing(t, dir); got != "b=2" {
		t.Error(got)
	}
}

func TestSweepRemovesDeadRunsAndSparesLiveOnes(t *testing.T) {
	root := t.TempDir()
	live, err := FS{}.OpenStaging(root, "live")
	if err != nil {
		t.Fatal(err)
	}
	defer live.Close()
	dead := filepath.Join(root, "dead")
	if err := os.MkdirAll(filepath.Join(dead, "sub"), 0o777); err != nil {
		t.Fatal(err)
	}
	swept, err := FS{}.Sweep(root)
	if diff := cmp.Diff([]string{"dead"}, swept); diff != "" || err != nil {
		t.Error(diff, err)
	}
	if isDir(dead) || !isDir(live.dir) {
		t.Errorf("dead there: %v, live there: %v", isDir(dead), isDir(live.dir))
	}
	if _, err := (FS{}).OpenStaging(root, "live"); !errors.Is(err, ErrInUse) {
		t.Errorf("opening a live run's staging: %v", err)
	}
	if swept, err := (FS{}).Sweep(filepath.Join(root, "missing")); swept != nil || err != nil {
		t.Errorf("sweeping nothing: %v, %v", swept, err)
	}
}

// TestStagingOfAKilledProcessIsFreed runs itself as a second process that opens staging and is killed. That one waits by
// reading: a process whose goroutines all wait for each other is ended by the runtime, and its lock with it.
func TestStagingOfAKilledProcessIsFreed(t *testing.T) {
	if root := os.Getenv("BLOB_TEST_STAGING"); root != "" {
		st, err := FS{}.OpenStaging(root, "run")
		if err != nil {
			t.Fatal(err)
		}
		fmt.Println("open")
		_, err = io.Copy(io.Discard, os.Stdin)
		t.Fatal("not killed:", err, st.Close())
	}
	root := t.TempDir()
	cmd := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$")
	cmd.Env = append(os.Environ(), "BLOB_TEST_STAGING="+root)
	if _, err := cmd.StdinPipe(); err != nil { // stays open until the process has ended
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := out.Read(make([]byte, 5)); err != nil {
		t.Fatal(err)
	}
	if swept, err := (FS{}).Sweep(root); len(swept) != 0 || err != nil {
		t.Errorf("swept %v of a live process, %v", swept, err)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err == nil || err.Error() != "signal: killed" {
		t.Errorf("the process was not alive until it was killed: %v", err)
	}
	if swept, err := (FS{}).Sweep(root); len(swept) != 1 || err != nil {
		t.Errorf("swept %v of a dead process, %v", swept, err)
	}
}

func TestOpeningClosingAndSweepingAtOnceNeverTakesALiveRunsFiles(t *testing.T) {
	root := t.TempDir()
	var wg sync.WaitGroup
	for n := range 4 {
		wg.Go(func() {
			for i := range 50 {
				owner := fmt.Sprintf("run-%d-%d", n, i)
				st, err := FS{}.OpenStaging(root, owner)
				if err != nil {
					t.Error(err)
					return
				}
				file, err := st.Create(st.Path("a"))
				if err == nil {
					err = file.Close()
				}
				if _, sweepErr := (FS{}).Sweep(root); sweepErr != nil {
					t.Error(sweepErr)
				}
				if _, statErr := os.Stat(st.Path("a")); err != nil || statErr != nil {
					t.Error(owner, err, statErr)
				}
				if err := st.Close(); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
}

// The new month is durable before it is seen, and the exchange is before it is told.
func TestAnExchangeIsSyncedBeforeAndAfter(t *testing.T) {
	root := t.TempDir()
	dir := filepath.Join(root, "lake", "month")
	if err := change(FS{}, root, dir, map[string]string{"a": "1"}); err != nil {
		t.Fatal(err)
	}
	var ops []string
	f := FS{Before: func(op Op, path string) error {
		rel, _ := filepath.Rel(root, path)
		if filepath.Dir(rel) == "aside" {
			rel = "next"
		}
		ops = append(ops, fmt.Sprintf("%s %s", op, rel))
		return nil
	}}
	if err := change(f, root, dir, map[string]string{"b": "2"}, "a"); err != nil {
		t.Fatal(err)
	}
	order := []string{"sync staging/run/b", "sync directory next", "exchange lake/month", "sync directory lake", "sync directory aside"}
	for _, want := range order {
		at := slices.Index(ops, want)
		if at < 0 {
			t.Fatalf("no %s in its place among %v", want, ops)
		}
		ops = ops[at+1:]
	}
}

// impatient is a context that ends as soon as somebody waits for its end.
type impatient struct {
	context.Context
	end context.CancelFunc
}

func (c impatient) Done() <-chan struct{} {
	c.end()
	return c.Context.Done()
}

func TestALockIsHeldByOne(t *testing.T) {
	path := filepath.Join(t.TempDir(), "staging", ".lake.lock")
	release, err := FS{}.Lock(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	ctx, end := context.WithCancel(t.Context())
	if _, err := (FS{}).Lock(impatient{ctx, end}, path); !errors.Is(err, context.Canceled) {
		t.Errorf("locked by two: %v", err)
	}
	if err := release(); err != nil {
		t.Fatal(err)
	}
	if release, err = (FS{}).Lock(t.Context(), path); err != nil {
		t.Fatal(err)
	}
	if err := release(); err != nil {
		t.Error(err)
	}
}
