package doctor

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"backhaul/pipeline/words"
)

// What a machine should have left.
const (
	leastFree  = 16 << 20  // below it nothing can be bought
	scarceFree = 256 << 20 // below it somebody should know
	leastFiles = 256       // open files a run may need at once
)

// machine looks at the disk and the limits. It reports whether there is a warehouse to look into.
func (e *examination) machine() bool {
	e.files()
	root := e.Warehouse.Root
	info, err := os.Stat(root)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		e.warn("warehouse", "`backhaul run JOB` makes one; --warehouse names another", nil, "%s does not exist", root)
		return false
	case err != nil:
		e.bad("warehouse", "see that the directory can be read", nil, "%v", err)
		return false
	case !info.IsDir():
		e.bad("warehouse", "--warehouse must name a directory", nil, "%s is a file", root)
		return false
	}
	e.disk(root)
	e.writable(root)
	return true
}

func (e *examination) files() {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return
	}
	if limit.Cur < leastFiles {
		e.warn("open files", "raise it: `ulimit -n 1024`", nil, "at most %d at once", limit.Cur)
		return
	}
	e.ok("open files", "at most %d at once", limit.Cur)
}

func (e *examination) disk(root string) {
	var s unix.Statfs_t
	if err := unix.Statfs(root, &s); err != nil {
		e.bad("disk", "", nil, "%s: %v", root, err)
		return
	}
	free := int64(uint64(s.Bavail) * uint64(s.Bsize)) //nolint:unconvert // the types differ between systems
	held := size(e.Warehouse.Journal()) + size(e.Warehouse.Lake())
	switch {
	case free < leastFree:
		e.bad("disk", "free some space: a run needs room for its replies and twice its tables", nil, "%s free beside %s of journals and lake", words.Bytes(free), words.Bytes(held))
	case free < scarceFree || free < held/10:
		e.warn("disk", "free some space, or see `backhaul gc`", nil, "%s free beside %s of journals and lake", words.Bytes(free), words.Bytes(held))
	default:
		e.ok("disk", "%s free beside %s of journals and lake", words.Bytes(free), words.Bytes(held))
	}
}

// size returns how many bytes the files below a directory have.
func size(dir string) (total int64) {
	_ = filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return nil
		}
		if info, err := d.Info(); err == nil {
			total += info.Size()
		}
		return nil
	})
	return total
}

func (e *examination) writable(root string) {
	f, err := os.CreateTemp(root, ".doctor-*")
	if err == nil {
		_, err = f.WriteString("x")
		err = errors.Join(err, f.Close(), os.Remove(f.Name()))
	}
	if err != nil {
		e.bad("warehouse", "make it writable, or free some space", nil, "nothing can be written into %s: %v", root, err)
		return
	}
	e.ok("warehouse", "%s is writable", root)
}
