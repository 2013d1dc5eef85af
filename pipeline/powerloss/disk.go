// Package powerloss says what a disk may hold after the power fails, at any system call of a program that was recorded while
// it wrote. Only tests use it.
//
// It knows files by their inodes, so that names and contents last or are lost independently:
//
//   - fsync and fdatasync of a file make its content and length last, and not its name;
//   - what a file was given before a sync of it that failed is not made to last by a later one that succeeds, as on Linux, where
//     the pages count as written then;
//   - fsync of a directory makes its names last, and not what the files hold;
//   - of the writes to a file since its last sync, each is kept, dropped or torn between sectors of 512 bytes, whatever became
//     of those before it; a write that was dropped may leave zeros and the length;
//   - of the changes of a directory since its last sync, some number of the first ones is kept. A rename or exchange that
//     touches two directories is kept in both or in neither, and with it what came before it in either.
//
// That is stricter than ext4, XFS, btrfs and APFS, whose journals keep the order of changes over all directories, which write
// a new file's name when the file is synced, and of which ext4 (auto_da_alloc) writes a file out before it replaces
// another. It leaves out disks that lie about a sync, and sectors that are torn themselves.
//
// Shared memory is not kept: the index of SQLite's log (-shm) is made again by whoever opens the file first.
package powerloss

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// sector is what a disk writes in one piece, in bytes.
const sector = 512

// Disk is one directory, with everything below it. The zero value is not valid: see [NewDisk].
type Disk struct {
	root   *inode
	inodes int      // made so far
	steps  int      // done so far: changes and syncs
	dirs   []*inode // all that were ever made
}

// inode is a file, a directory or a symbolic link.
type inode struct {
	id     int // in the order of their making
	target string
	shared bool // its content is memory of the programs that have it open

	content []byte // as programs see it
	synced  []byte
	pending []write

	names   map[string]*inode // of a directory, as programs see them; nil for others
	lasting map[string]*inode // of these, as they were at the last sync
	changes []*change         // since then
}

// write is a change of a file's content: data at an offset, or a new length.
type write struct {
	at     int64
	data   []byte
	resize bool // to length at
	lost   bool // a sync has failed since: no later one makes it last
}

// change is one step of names, in one directory or several.
type change struct{ edits []edit }

type edit struct {
	dir  *inode
	name string
	to   *inode // nil: the name goes
}

// NewDisk returns an empty disk.
func NewDisk() *Disk {
	d := &Disk{}
	d.root = d.makeDir()
	return d
}

func (d *Disk) make() *inode {
	d.inodes++
	return &inode{id: d.inodes}
}

func (d *Disk) makeDir() *inode {
	n := d.make()
	n.names, n.lasting = map[string]*inode{}, map[string]*inode{}
	d.dirs = append(d.dirs, n)
	return n
}

// write applies a change of content, as programs see it at once.
func (d *Disk) write(n *inode, w write) {
	if n.shared {
		return
	}
	d.steps++
	n.content = apply(n.content, w)
	n.pending = append(n.pending, w)
}

func (n *inode) size() int64 { return int64(len(n.content)) }

// apply does one write to a content.
func apply(content []byte, w write) []byte {
	end := w.at + int64(len(w.data))
	if grow := end - int64(len(content)); grow > 0 {
		content = append(content, make([]byte, grow)...)
	}
	if w.resize {
		return content[:w.at:w.at]
	}
	copy(content[w.at:], w.data)
	return content
}

// sync makes the inode last: a file's content, a directory's names.
func (d *Disk) sync(n *inode) {
	d.steps++
	for _, w := range n.pending {
		if !w.lost {
			n.synced = apply(n.synced, w)
		}
	}
	n.pending = nil
	if n.names != nil {
		d.commit(map[*inode]int{n: len(n.changes)})
	}
}

// fail is a sync of a file that was told to have failed.
func (d *Disk) fail(n *inode) {
	d.steps++
	for i := range n.pending {
		n.pending[i].lost = true
	}
}

// edit changes names in one step, as programs see it at once.
func (d *Disk) edit(edits ...edit) {
	d.steps++
	c := &change{edits}
	var touched []*inode
	for _, e := range edits {
		if e.to == nil {
			delete(e.dir.names, e.name)
		} else {
			e.dir.names[e.name] = e.to
		}
		if !slices.Contains(touched, e.dir) {
			touched = append(touched, e.dir)
			e.dir.changes = append(e.dir.changes, c)
		}
	}
}

// together raises how many changes are kept of each directory until those that touch several are kept in all of them.
func together(kept map[*inode]int) {
	for again := true; again; {
		again = false
		for dir, n := range maps.Clone(kept) {
			for _, c := range dir.changes[:n] {
				for _, e := range c.edits {
					if need := slices.Index(e.dir.changes, c) + 1; need > kept[e.dir] {
						kept[e.dir], again = need, true
					}
				}
			}
		}
	}
}

// after returns a directory's names with the first so many of its changes.
func (n *inode) after(kept int) map[string]*inode {
	names := maps.Clone(n.lasting)
	for _, c := range n.changes[:kept] {
		for _, e := range c.edits {
			switch {
			case e.dir != n:
			case e.to == nil:
				delete(names, e.name)
			default:
				names[e.name] = e.to
			}
		}
	}
	return names
}

// commit makes the first changes of directories last.
func (d *Disk) commit(kept map[*inode]int) {
	together(kept)
	for dir, n := range kept {
		dir.lasting = dir.after(n)
	}
	for dir, n := range kept {
		dir.changes = slices.Clone(dir.changes[n:])
	}
}

// image is what a disk holds at one moment.
type image struct {
	names   func(*inode) map[string]*inode
	content func(*inode) []byte
	sum     hash.Hash // of all that is laid
}

// mood is how much of what was not synced a loss of power keeps: of data and of names, each from 0 to 1.
type mood struct{ data, names float64 }

// moods are tried equally often, by seed: chance alone seldom loses all of one kind and keeps all of the other.
var moods = [Moods]mood{{0, 0}, {0, 1}, {1, 0}, {0.5, 0.5}, {0.9, 0.9}, {0.5, 1}}

// Moods is the number of ways in which the power fails: a seed, modulo it, says which.
const Moods = 6

// crash draws what the disk holds after the power has failed.
func (d *Disk) crash(m mood, r *rand.Rand) image {
	kept := map[*inode]int{}
	for _, dir := range d.dirs {
		n := 0
		for n < len(dir.changes) && r.Float64() < m.names {
			n++
		}
		kept[dir] = n
	}
	together(kept)
	return image{
		names:   func(n *inode) map[string]*inode { return n.after(kept[n]) },
		content: func(n *inode) []byte { return survive(n, m.data, r) },
		sum:     sha256.New(),
	}
}

// survive draws what a file holds.
func survive(n *inode, keep float64, r *rand.Rand) []byte {
	content := slices.Clone(n.synced)
	if n.shared {
		return content
	}
	for _, w := range n.pending {
		switch {
		case r.Float64() < keep:
			content = apply(content, w)
		case w.resize:
		case keep > 0 && r.IntN(3) == 0:
			content = tear(content, w, r)
		case keep > 0 && r.IntN(4) == 0: // the length alone
			if end := w.at + int64(len(w.data)); end > int64(len(content)) {
				content = apply(content, write{at: end, resize: true})
			}
		}
	}
	return content
}

// tear keeps some sectors of a write.
func tear(content []byte, w write, r *rand.Rand) []byte {
	for len(w.data) > 0 {
		n := min(int64(len(w.data)), sector-w.at%sector)
		if r.IntN(2) == 0 {
			content = apply(content, write{at: w.at, data: w.data[:n]})
		}
		w.at, w.data = w.at+n, w.data[n:]
	}
	return content
}

// lay writes an image as real files below a directory, which it makes. Files have the modification times that are known of them.
func (i image) lay(n *inode, path string, times map[int]time.Time) error {
	return i.layOne(n, path, times, map[*inode]string{})
}

func (i image) layNames(dir *inode, path string, times map[int]time.Time, laid map[*inode]string) error {
	names := i.names(dir)
	for _, name := range slices.Sorted(maps.Keys(names)) {
		if err := i.layOne(names[name], filepath.Join(path, name), times, laid); err != nil {
			return err
		}
	}
	return nil
}

func (i image) layOne(n *inode, path string, times map[int]time.Time, laid map[*inode]string) error {
	fmt.Fprintf(i.sum, "%q %q %q %v\n", path, n.target, laid[n], n.names != nil)
	switch {
	case n.names != nil:
		if err := os.Mkdir(path, 0o755); err != nil {
			return err
		}
		return i.layNames(n, path, times, laid)
	case n.target != "":
		return os.Symlink(n.target, path)
	case laid[n] != "":
		return os.Link(laid[n], path)
	}
	laid[n] = path
	content, at := i.content(n), times[n.id]
	fmt.Fprintf(i.sum, "%d %d\n%s", len(content), at.UnixNano(), content)
	if err := os.WriteFile(path, content, 0o600); err != nil || at.IsZero() {
		return err
	}
	return os.Chtimes(path, at, at)
}

// differs says where real files below a directory are not what programs see on the disk, and calls note for each that is.
func (d *Disk) differs(root string, note func(*inode, fs.FileInfo)) error {
	var all []error
	there := map[string]bool{}
	err := filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
		if err != nil || path == root {
			return err
		}
		rel, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		there[rel] = true
		info, err := e.Info()
		if err != nil {
			return err
		}
		if err := d.same(rel, path, info); err != nil {
			all = append(all, err)
		} else {
			_, _, n := d.find(d.root, rel)
			note(n, info)
		}
		return nil
	})
	d.walk(d.root, "", func(rel string, _ *inode) {
		if !there[rel] {
			all = append(all, fmt.Errorf("%s is not there", rel))
		}
	})
	return errors.Join(append(all, err)...)
}

func (d *Disk) walk(dir *inode, at string, visit func(rel string, n *inode)) {
	for name, n := range dir.names {
		visit(filepath.Join(at, name), n)
		if n.names != nil {
			d.walk(n, filepath.Join(at, name), visit)
		}
	}
}

func (d *Disk) same(rel, path string, info fs.FileInfo) error {
	_, _, n := d.find(d.root, rel)
	switch {
	case n == nil:
		return fmt.Errorf("%s is not known", rel)
	case (n.names != nil) != info.IsDir(), (n.target != "") != (info.Mode()&fs.ModeSymlink != 0):
		return fmt.Errorf("%s is of another kind: %v", rel, info.Mode())
	case n.names != nil, n.target != "", n.shared:
		return nil
	}
	content, err := os.ReadFile(path)
	if err == nil && string(content) != string(n.content) {
		err = fmt.Errorf("%s has %d bytes that are not the %d written", rel, len(content), n.size())
	}
	return err
}

// find follows a path from a directory: its last directory, its name there, and what has it; nil where there is nothing.
func (d *Disk) find(from *inode, path string) (dir *inode, name string, n *inode) {
	n = from
	for part := range strings.SplitSeq(filepath.Clean(path), "/") {
		switch {
		case part == ".":
			continue
		case n == nil || n.names == nil:
			return nil, "", nil
		}
		dir, name, n = n, part, n.names[part]
	}
	return dir, name, n
}
