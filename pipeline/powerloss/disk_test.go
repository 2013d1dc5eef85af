package powerloss

import (
	"bytes"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// disk plays steps, spelt as calls that have returned, to an empty disk at /d.
func disk(t *testing.T, calls ...string) *Disk {
	t.Helper()
	var lines []string
	for _, call := range calls {
		lines = append(lines, "1 10.000001 "+hexed(call))
	}
	steps, err := parse(strings.NewReader(strings.Join(lines, "\n") + "\n"))
	if err != nil {
		t.Fatal(err)
	}
	trace := Trace{steps: steps, last: []int{len(steps)}}
	d, _, err := trace.play("/d", len(steps))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// hexed spells quoted texts as strace does.
func hexed(call string) string {
	parts := strings.Split(call, `"`)
	for i := 1; i < len(parts); i += 2 {
		var coded strings.Builder
		for _, b := range []byte(parts[i]) {
			coded.WriteString(`\x` + string("0123456789abcdef"[b>>4]) + string("0123456789abcdef"[b&15]))
		}
		parts[i] = `"` + coded.String() + `"`
	}
	return strings.Join(parts, "")
}

// held returns every content that the file may have after a loss of power; "-" if its name may be gone.
func held(t *testing.T, d *Disk, name string) []string {
	t.Helper()
	found := map[string]bool{}
	for seed := range uint64(60 * Moods) {
		i := d.crash(moods[seed%Moods], rand.New(rand.NewPCG(seed, 1)))
		dir := t.TempDir() + "/d"
		if err := i.lay(d.root, dir, nil); err != nil {
			t.Fatal(err)
		}
		content, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			content = []byte("-")
		}
		found[string(content)] = true
	}
	var all []string
	for content := range found {
		all = append(all, content)
	}
	slices.Sort(all)
	return all
}

func want(t *testing.T, got []string, want ...string) {
	t.Helper()
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("may hold %q, want %q", got, want)
	}
}

const (
	create  = `openat(AT_FDCWD, "/d/a", O_RDWR|O_CREAT, 0600) = 3`
	openDir = `openat(AT_FDCWD, "/d", O_RDONLY) = 4`
)

func TestNothingLastsThatWasNotSynced(t *testing.T) {
	t.Parallel()
	want(t, held(t, disk(t, create, `write(3, "new", 3) = 3`), "a"), "-", "", "new", "\x00\x00\x00")
}

func TestSyncOfAFileMakesItsContentLastAndNotItsName(t *testing.T) {
	t.Parallel()
	want(t, held(t, disk(t, create, `write(3, "new", 3) = 3`, `fsync(3) = 0`), "a"), "-", "new")
}

func TestSyncOfADirectoryMakesItsNamesLastAndNotWhatTheFilesHold(t *testing.T) {
	t.Parallel()
	want(t, held(t, disk(t, create, openDir, `fsync(4) = 0`, `write(3, "new", 3) = 3`), "a"), "", "new", "\x00\x00\x00")
}

func TestASyncThatFailedMakesNothingLast(t *testing.T) {
	t.Parallel()
	got := held(t, disk(t, create, openDir, `fsync(4) = 0`, `write(3, "new", 3) = 3`, `fsync(3) = -1 EIO (Input/output error)`), "a")
	want(t, got, "", "new", "\x00\x00\x00")
	// Nor does one that succeeds later make last what was there at the time.
	got = held(t, disk(t, create, openDir, `fsync(4) = 0`, `write(3, "new", 3) = 3`, `fsync(3) = -1 EIO (Input/output error) (INJECTED)`, `fsync(3) = 0`), "a")
	want(t, got, "")
}

func TestAFileReplacedUnderItsNameIsTheOldOrTheNew(t *testing.T) {
	t.Parallel()
	d := disk(t, create, `write(3, "old", 3) = 3`, `fsync(3) = 0`, `openat(AT_FDCWD, "/d/b", O_RDWR|O_CREAT|O_EXCL, 0600) = 5`, `write(5, "new", 3) = 3`,
		`fdatasync(5) = 0`, openDir, `fsync(4) = 0`, `renameat(AT_FDCWD, "/d/b", AT_FDCWD, "/d/a") = 0`)
	want(t, held(t, d, "a"), "old", "new")
}

// exchanged has directories x, of a file with x in it, and y, and exchanges x with y/z.
func exchanged(t *testing.T, more ...string) *Disk {
	return disk(t, append([]string{openDir, `mkdir("/d/x", 0700) = 0`, `mkdir("/d/y", 0700) = 0`, `mkdir("/d/y/z", 0700) = 0`,
		`openat(AT_FDCWD, "/d/x/f", O_RDWR|O_CREAT, 0600) = 5`, `write(5, "x", 1) = 1`, `fsync(5) = 0`, `openat(AT_FDCWD, "/d/x", O_RDONLY) = 6`,
		`openat(AT_FDCWD, "/d/y", O_RDONLY) = 7`, `fsync(6) = 0`, `fsync(7) = 0`, `fsync(4) = 0`,
		`renameat2(AT_FDCWD, "/d/y/z", AT_FDCWD, "/d/x", RENAME_EXCHANGE) = 0`}, more...)...)
}

func TestAnExchangeOfTwoDirectoriesIsKeptInBothOrInNeither(t *testing.T) {
	t.Parallel()
	d := exchanged(t)
	for seed := range uint64(100) {
		i := d.crash(moods[seed%Moods], rand.New(rand.NewPCG(seed, 2)))
		x := i.names(d.root)["x"]
		z := i.names(i.names(d.root)["y"])["z"]
		if old, next := i.names(x)["f"] != nil, i.names(z)["f"] != nil; old == next {
			t.Errorf("seed %d: the file is in x: %v, in y/z: %v", seed, old, next)
		}
	}
	want(t, held(t, d, "x/f"), "x", "-")
	want(t, held(t, exchanged(t, `fsync(7) = 0`), "x/f"), "-") // one sync is enough for both
}

func TestOfATornWriteSectorsAreOldOrNew(t *testing.T) {
	t.Parallel()
	n := &inode{synced: bytes.Repeat([]byte("o"), 2000)}
	n.pending = []write{{at: 100, data: bytes.Repeat([]byte("n"), 1500)}}
	torn := 0
	for seed := range uint64(200) {
		got := survive(n, 0.5, rand.New(rand.NewPCG(seed, 3)))
		for at := 0; at < 2000; at += sector {
			piece := got[max(at, 100):min(at+sector, 1600)]
			if bytes.Count(piece, piece[:1]) != len(piece) {
				t.Fatalf("seed %d: the sector at %d is torn", seed, at)
			}
		}
		if mixed := got[100:1600]; bytes.Count(mixed, []byte("n"))%1500 != 0 {
			torn++
		}
		if len(got) != 2000 || bytes.Contains(got[:100], []byte("n")) || bytes.Contains(got[1600:], []byte("n")) {
			t.Fatalf("seed %d: it wrote where nothing was written", seed)
		}
	}
	if torn < 10 {
		t.Errorf("only %d of 200 were torn", torn)
	}
}

func TestTheSameSeedIsTheSameLoss(t *testing.T) {
	t.Parallel()
	d := disk(t, create, `write(3, "one", 3) = 3`, `write(3, "two", 3) = 3`, openDir, `fsync(4) = 0`)
	for seed := range uint64(30) {
		one, two := d.crash(moods[seed%Moods], rand.New(rand.NewPCG(seed, 4))), d.crash(moods[seed%Moods], rand.New(rand.NewPCG(seed, 4)))
		if a, b := one.content(d.root.names["a"]), two.content(d.root.names["a"]); !bytes.Equal(a, b) {
			t.Errorf("seed %d: %q and %q", seed, a, b)
		}
	}
}
