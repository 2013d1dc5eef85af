package powerloss

import (
	"bufio"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// calls are the system calls that change a disk or say which file a later one is about. A trace that has one of them in a
// form that is not understood is refused.
const calls = "open,openat,creat,close,dup,dup2,dup3,fcntl,read,readv,lseek,write,writev,pwrite64,pwritev,pwritev2,truncate,ftruncate,fallocate," +
	"copy_file_range,sendfile,splice,fsync,fdatasync,sync_file_range,syncfs,sync,msync,rename,renameat,renameat2,link,linkat,symlink,symlinkat," +
	"unlink,unlinkat,mkdir,mkdirat,rmdir,mmap"

// Strace is the command line, but for the program's own, that records a program to a file.
// fails, if not "", says in strace's words which syncs fail: "3" each thread's third, "3+" all from then on.
func Strace(to, fails string) []string {
	line := []string{"strace", "-f", "--seccomp-bpf", "-qq", "-ttt", "-xx", "-s", "33554432", "-e", "signal=none", "-e", "trace=" + calls, "-o", to}
	if fails != "" {
		line = append(line, "-e", "inject=fsync,fdatasync:error=EIO:when="+fails)
	}
	return line
}

// step is one system call that has returned.
type step struct {
	at     time.Time // not after its return
	name   string
	args   []string
	result int64
}

// String shows the call, its texts in plain and what they have of data left out.
func (s step) String() string {
	shown := make([]string, len(s.args))
	for i, arg := range s.args {
		shown[i] = arg
		if plain, err := text(arg); err == nil && (len(plain) > 0 && plain[0] == '/' || len(plain) < 60 && !strings.Contains(s.name, "write")) {
			shown[i] = strconv.Quote(string(plain))
		} else if err == nil {
			shown[i] = "…"
		}
	}
	return s.name + "(" + strings.Join(shown, ", ") + ")"
}

// Trace is what programs did to a directory, one after another. The zero value is empty and ready to use.
type Trace struct {
	steps   []step
	last    []int             // how many steps there were when each program had ended
	moments []int             // the steps that change what is on the disk, or what lasts of it
	ends    []int             // how many of these there were when each program had ended
	times   map[int]time.Time // when files were modified, by inode
}

// Len returns the number of moments at which the power can fail: before each step that matters to the disk, and after the last.
func (t *Trace) Len() int { return len(t.moments) + 1 }

// step returns how many steps were done at a moment.
func (t *Trace) step(moment int) int {
	if moment < len(t.moments) {
		return t.moments[moment]
	}
	return len(t.steps)
}

// Ended returns how many of the recorded programs have ended before a moment.
func (t *Trace) Ended(moment int) int {
	n := 0
	for _, end := range t.ends {
		if end <= moment {
			n++
		}
	}
	return n
}

// End returns the moment at which the program with that number, from 0, has ended.
func (t *Trace) End(program int) int { return t.ends[program] }

// At returns a time that is not after the moment; whatever happened before that time was done.
func (t *Trace) At(moment int) time.Time {
	if n := t.step(moment); n < len(t.steps) {
		return t.steps[n].at
	}
	return time.Now()
}

// Failed counts the syncs that have failed.
func (t *Trace) Failed() (n int) {
	for _, s := range t.steps {
		if s.result < 0 && strings.HasSuffix(s.name, "sync") {
			n++
		}
	}
	return n
}

// Step says what the moment is ahead of.
func (t *Trace) Step(moment int) string {
	n := t.step(moment)
	if n == len(t.steps) {
		return "the end"
	}
	return t.steps[n].String()
}

// Add appends what a program that has ended did below root, as strace wrote it, and holds the result against what is there.
// The root was empty when the first program began.
func (t *Trace) Add(recorded io.Reader, root string) error {
	added, err := parse(recorded)
	if err != nil {
		return err
	}
	t.steps = append(t.steps, added...)
	t.last = append(t.last, len(t.steps))
	d, moments, err := t.play(root, len(t.steps))
	if err != nil {
		return err
	}
	t.moments, t.ends = moments, append(t.ends, len(moments))
	if t.times == nil {
		t.times = map[int]time.Time{}
	}
	return d.differs(root, func(n *inode, info fs.FileInfo) { t.times[n.id] = info.ModTime() })
}

// Crash makes the directory at path, which is not there, into what the disk may hold when the power fails at a moment. root is
// where the programs had it. What it holds is equal, times and all, where its checksum is.
func (t *Trace) Crash(path, root string, moment int, seed uint64) (checksum string, err error) {
	d, _, err := t.play(root, t.step(moment))
	if err != nil {
		return "", err
	}
	i := d.crash(moods[seed%Moods], rand.New(rand.NewPCG(seed, uint64(moment))))
	err = i.lay(d.root, path, t.times)
	return hex.EncodeToString(i.sum.Sum(nil)), err
}

// play does the first steps to an empty disk, and returns it and which of them mattered.
func (t *Trace) play(root string, steps int) (d *Disk, moments []int, err error) {
	p := &player{disk: NewDisk(), root: root, open: map[int64]*handle{}}
	ended := 0
	for i, s := range t.steps[:steps] {
		if i == t.last[ended] { // another program begins
			p.open, ended = map[int64]*handle{}, ended+1
		}
		if s.result < 0 && !strings.HasSuffix(s.name, "sync") {
			continue
		}
		before := p.disk.steps
		if err := p.do(s); err != nil {
			return nil, nil, fmt.Errorf("step %d, %.300s = %d: %w", i, s, s.result, err)
		}
		if p.disk.steps > before {
			moments = append(moments, i)
		}
	}
	return p.disk, moments, nil
}

// parse reads the output of strace. A call counts when it has returned, but for close, whose number another thread may be given
// before.
func parse(recorded io.Reader) (steps []step, err error) {
	in := bufio.NewReaderSize(recorded, 1<<20)
	begun := map[string]string{}
	for {
		line, err := in.ReadString('\n')
		if errors.Is(err, io.EOF) {
			return steps, nil
		}
		if err != nil {
			return nil, err
		}
		process, rest, _ := strings.Cut(line, " ")
		stamp, text, _ := strings.Cut(strings.TrimSpace(rest), " ")
		whole, ok := join(begun, process, text)
		if !ok {
			continue
		}
		s, err := parseCall(whole)
		if err != nil {
			return nil, fmt.Errorf("%.200s: %w", whole, err)
		}
		if s.at, err = parseTime(stamp); err != nil {
			return nil, err
		}
		steps = append(steps, s)
	}
}

// join returns the whole of a call that has returned. It may have been interrupted by those of other threads. One that the end of its
// process cut off, at once or while others were shown, has not.
func join(begun map[string]string, process, text string) (whole string, ok bool) {
	if first, _, cutOff := strings.Cut(text, " <detached ...>"); cutOff {
		return first + ") = 0", strings.HasPrefix(first, "close(")
	}
	if first, _, unfinished := strings.Cut(text, " <unfinished ...>"); unfinished {
		begun[process] = strings.TrimSuffix(first, ",") + "\x00"
		if strings.HasPrefix(first, "close(") {
			return first + ") = 0", true
		}
		return "", false
	}
	if resumed, rest, again := strings.Cut(text, " resumed>"); again && strings.HasPrefix(text, "<... ") {
		first := strings.TrimSuffix(begun[process], "\x00")
		delete(begun, process)
		return first + rest, resumed != "<... close"
	}
	return text, strings.Contains(text, "(") && !strings.HasPrefix(text, "+++") && !strings.HasPrefix(text, "---")
}

func parseTime(stamp string) (time.Time, error) {
	seconds, micros, _ := strings.Cut(stamp, ".")
	s, err1 := strconv.ParseInt(seconds, 10, 64)
	us, err2 := strconv.ParseInt(micros, 10, 64)
	return time.UnixMicro(s*1e6 + us), errors.Join(err1, err2)
}

// parseCall reads "name(argument, …) = result …". No argument has a parenthesis, quoted text being in hexadecimal.
func parseCall(text string) (s step, err error) {
	name, rest, ok := strings.Cut(text, "(")
	at := strings.LastIndex(rest, " = ")
	if !ok || at < 0 {
		return s, errors.New("no call that has returned")
	}
	args, ok := strings.CutSuffix(strings.TrimSpace(rest[:at]), ")")
	s.name, s.args = name, strings.Split(args, ", ")
	for i, arg := range s.args {
		if s.args[i], err = decode(arg); err != nil {
			return s, err
		}
	}
	value, _, _ := strings.Cut(rest[at+len(" = "):], " ")
	if value == "?" { // the process has ended in it
		value = "-1"
	}
	if !ok {
		return s, errors.New("no end of its arguments")
	}
	s.result, err = strconv.ParseInt(value, 0, 64)
	if err != nil && strings.HasPrefix(value, "0x") { // an address
		s.result, err = 1, nil
	}
	return s, err
}

// decode turns a quoted argument into its bytes, still in quotes, once: a trace is played many times.
func decode(arg string) (string, error) {
	quoted, ok := inQuotes(arg)
	if !ok {
		return arg, nil
	}
	plain, err := hex.DecodeString(strings.ReplaceAll(quoted, `\x`, ""))
	return `"` + string(plain) + `"`, err
}

func inQuotes(arg string) (string, bool) {
	quoted, begins := strings.CutPrefix(arg, `"`)
	quoted, ends := strings.CutSuffix(quoted, `"`)
	return quoted, begins && ends
}

// text is a quoted argument without its quotes.
func text(arg string) ([]byte, error) {
	plain, ok := inQuotes(arg)
	if !ok {
		return nil, fmt.Errorf("%.40s is not the whole text", arg)
	}
	return []byte(plain), nil
}

// handle is an open file.
type handle struct {
	n      *inode
	at     int64
	append bool
}

// player does the steps of a trace to a disk.
type player struct {
	disk *Disk
	root string
	open map[int64]*handle
}

func number(arg string) int64 {
	n, err := strconv.ParseInt(arg, 0, 64)
	if err != nil {
		return -1
	}
	return n
}

// place is where a path leads.
type place struct {
	dir  *inode
	name string
	n    *inode
}

// at follows a path from an open directory, or from nowhere. The place is empty if it is not on the disk.
func (p *player) at(dir, arg string) (place, error) {
	raw, err := text(arg)
	if err != nil {
		return place{}, err
	}
	path, from := string(raw), p.disk.root
	if filepath.IsAbs(path) {
		rel, err := filepath.Rel(p.root, path)
		if err != nil || rel == ".." || strings.HasPrefix(rel, "../") {
			return place{}, nil
		}
		path = rel
	} else {
		h := p.open[number(dir)]
		if h == nil {
			return place{}, nil
		}
		from = h.n
	}
	d, name, n := p.disk.find(from, path)
	return place{d, name, n}, nil
}

const here = "AT_FDCWD"

func (p *player) do(s step) error {
	switch s.name {
	case "open", "openat", "creat":
		return p.openFile(s)
	case "close":
		delete(p.open, number(s.args[0]))
	case "dup", "dup2", "dup3":
		p.duplicate(s)
	case "fcntl":
		if strings.HasPrefix(s.args[1], "F_DUPFD") {
			p.duplicate(s)
		}
	case "mkdir", "mkdirat", "symlink", "symlinkat", "link", "linkat":
		return p.makeName(s)
	case "rename", "renameat", "renameat2":
		return p.rename(s)
	case "unlink", "unlinkat", "rmdir":
		return p.removeName(s)
	case "truncate":
		to, err := p.at(here, s.args[0])
		if err == nil && to.n != nil {
			p.disk.write(to.n, write{at: number(s.args[1]), resize: true})
		}
		return err
	default:
		return p.doOpen(s)
	}
	return nil
}

// doOpen does a step on an open file.
func (p *player) doOpen(s step) error {
	at := 0
	if s.name == "mmap" {
		at = 4
	}
	if s.name == "copy_file_range" || s.name == "splice" {
		at = 2
	}
	h := p.open[number(s.args[at])]
	if h == nil {
		return nil
	}
	switch s.name {
	case "read", "readv":
		h.at += s.result
	case "lseek":
		h.at = s.result
	case "write", "pwrite64":
		return p.write(h, s)
	case "ftruncate":
		p.disk.write(h.n, write{at: number(s.args[1]), resize: true})
	case "fallocate":
		return p.allocate(h, s)
	case "fsync", "fdatasync":
		if s.result < 0 {
			p.disk.fail(h.n)
		} else {
			p.disk.sync(h.n)
		}
	case "mmap":
		h.n.shared = h.n.shared || strings.Contains(s.args[3], "MAP_SHARED") && strings.Contains(s.args[2], "PROT_WRITE")
	case "sync_file_range", "msync": // promises nothing
	default:
		return errors.New("not understood")
	}
	return nil
}

func (p *player) duplicate(s step) {
	if h := p.open[number(s.args[0])]; h != nil {
		p.open[s.result] = h
	}
}

func (p *player) write(h *handle, s step) error {
	data, err := text(s.args[1])
	if err != nil {
		return err
	}
	data = data[:s.result]
	if s.name == "pwrite64" {
		p.disk.write(h.n, write{at: number(s.args[3]), data: data})
		return nil
	}
	if h.append {
		h.at = h.n.size()
	}
	p.disk.write(h.n, write{at: h.at, data: data})
	h.at += s.result
	return nil
}

func (p *player) allocate(h *handle, s step) error {
	if s.args[1] != "0" {
		return errors.New("not understood")
	}
	if end := number(s.args[2]) + number(s.args[3]); end > h.n.size() {
		p.disk.write(h.n, write{at: end, resize: true})
	}
	return nil
}

func (p *player) openFile(s step) error {
	dir, args := here, s.args
	if s.name == "openat" {
		dir, args = args[0], args[1:]
	}
	flags := "O_CREAT|O_TRUNC"
	if s.name != "creat" {
		flags = args[1]
	}
	to, err := p.at(dir, args[0])
	if err != nil || to.dir == nil && to.n == nil {
		return err
	}
	if strings.Contains(flags, "O_TMPFILE") {
		return errors.New("not understood")
	}
	if to.n == nil {
		if !strings.Contains(flags, "O_CREAT") {
			return errors.New("it opens what is not there")
		}
		to.n = p.disk.make()
		p.disk.edit(edit{to.dir, to.name, to.n})
	}
	if strings.Contains(flags, "O_TRUNC") && to.n.size() > 0 {
		p.disk.write(to.n, write{resize: true})
	}
	if to.n.target == "" { // what a link leads to is elsewhere
		p.open[s.result] = &handle{n: to.n, append: strings.Contains(flags, "O_APPEND")}
	}
	return nil
}

// makeName gives a name to a new directory, to a new symbolic link, or to a file that has one.
func (p *player) makeName(s step) error {
	args := s.args
	switch s.name {
	case "mkdir":
		args = []string{here, args[0]}
	case "symlink":
		args = []string{args[0], here, args[1]}
	case "link":
		args = []string{here, args[0], here, args[1]}
	}
	given := 0 // the arguments ahead of where the name goes
	switch strings.TrimSuffix(s.name, "at") {
	case "symlink":
		given = 1
	case "link":
		given = 2
	}
	to, err := p.at(args[given], args[given+1])
	if err != nil || to.dir == nil {
		return err
	}
	n, err := p.toName(args[:given])
	if err != nil {
		return err
	}
	p.disk.edit(edit{to.dir, to.name, n})
	return nil
}

// toName returns what gets the name: a new directory, a link to the text given, or the file at the place given.
func (p *player) toName(given []string) (*inode, error) {
	switch len(given) {
	case 0:
		return p.disk.makeDir(), nil
	case 1:
		target, err := text(given[0])
		n := p.disk.make()
		n.target = string(target)
		return n, err
	}
	old, err := p.at(given[0], given[1])
	if err == nil && old.n == nil {
		err = errors.New("it links what is not there")
	}
	return old.n, err
}

func (p *player) rename(s step) error {
	args := s.args
	if s.name == "rename" {
		args = []string{here, args[0], here, args[1]}
	}
	from, err := p.at(args[0], args[1])
	if err != nil {
		return err
	}
	to, err := p.at(args[2], args[3])
	if err != nil || from.n == nil && to.dir == nil {
		return err
	}
	if from.n == nil || to.dir == nil {
		return errors.New("it comes from elsewhere or goes there")
	}
	if len(args) > 4 && strings.Contains(args[4], "RENAME_EXCHANGE") {
		p.disk.edit(edit{from.dir, from.name, to.n}, edit{to.dir, to.name, from.n})
		return nil
	}
	p.disk.edit(edit{from.dir, from.name, nil}, edit{to.dir, to.name, from.n})
	return nil
}

func (p *player) removeName(s step) error {
	args := s.args
	if s.name != "unlinkat" {
		args = []string{here, args[0]}
	}
	to, err := p.at(args[0], args[1])
	if err != nil || to.dir == nil {
		return err
	}
	p.disk.edit(edit{to.dir, to.name, nil})
	return nil
}

// AddFile is Add of a file's content.
func (t *Trace) AddFile(path, root string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	return t.Add(f, root)
}
