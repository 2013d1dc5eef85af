package powerloss

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A close frees its number when it begins: another thread may be given it before the close has returned. All other calls count
// when they have returned.
func TestCallsOfThreadsThatInterruptOneAnotherArePutTogether(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	recorded := []string{
		`1 10.000001 openat(AT_FDCWD, "` + root + `/a", O_RDWR|O_CREAT, 0600) = 3`,
		`1 10.000002 write(3, "one", 3 <unfinished ...>`,
		`2 10.000003 openat(AT_FDCWD, "` + root + `/b", O_RDWR|O_CREAT, 0600) = 4`,
		`1 10.000004 <... write resumed>) = 3`,
		`1 10.000005 close(3 <unfinished ...>`,
		`2 10.000006 openat(AT_FDCWD, "` + root + `/c", O_RDWR|O_CREAT, 0600) = 3`,
		`1 10.000007 <... close resumed>) = 0`,
		`2 10.000008 pwrite64(3, "three", 5, 2) = 5`,
		`3 10.000009 read(3,  <detached ...>`, // cut off as the process ends
		`3 10.000009 write(3, "never",  <detached ...>`,
		`2 10.000009 +++ exited with 0 +++`,
	}
	for i, line := range recorded {
		recorded[i] = hexed(line)
	}
	for name, content := range map[string]string{"a": "one", "b": "", "c": "\x00\x00three"} {
		if err := os.WriteFile(filepath.Join(root, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var trace Trace
	if err := trace.Add(strings.NewReader(strings.Join(recorded, "\n")+"\n"), root); err != nil {
		t.Fatal(err)
	}
	if trace.Len() != 6 || trace.Ended(4) != 0 || trace.Ended(5) != 1 || trace.At(4).UnixMicro() != 10000008 {
		t.Errorf("%d moments: %+v", trace.Len(), trace)
	}
	if err := os.WriteFile(filepath.Join(root, "a"), []byte("two"), 0o600); err != nil {
		t.Fatal(err)
	}
	var again Trace
	if err := again.Add(strings.NewReader(strings.Join(recorded, "\n")+"\n"), root); err == nil || !strings.Contains(err.Error(), "a has 3 bytes that are not the 3 written") {
		t.Errorf("a trace that does not lead to what is there: %v", err)
	}
}

func TestACallThatIsNotUnderstoodIsRefused(t *testing.T) {
	t.Parallel()
	for _, call := range []string{`copy_file_range(9, NULL, 3, NULL, 10, 0) = 10`, `fallocate(3, FALLOC_FL_PUNCH_HOLE, 0, 10) = 0`, `write(3, "cut"..., 9) = 9`, `pwritev(3, [{iov_base="x", iov_len=1}], 1, 0) = 1`} {
		var trace Trace
		recorded := hexed(`1 10.000001 openat(AT_FDCWD, "/d/a", O_RDWR|O_CREAT, 0600) = 3`+"\n1 10.000002 "+call) + "\n"
		if err := trace.Add(strings.NewReader(recorded), "/d"); err == nil || !strings.Contains(err.Error(), "not understood") && !strings.Contains(err.Error(), "not the whole text") {
			t.Errorf("%s: %v", call, err)
		}
	}
}
