package jobs

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"backhaul/pipeline"
)

// Load reads the spec in the file and the files it names, and returns every problem, sorted by place. The spec is
// nil unless all problems are warnings. Files are read from the spec's folder and below, and where access says.
func Load(file string, known Registry, access Access) (*Spec, []Problem) {
	dir := filepath.Dir(file)
	disk := disk{dir: dir, access: access}
	return load(file, known, access.Parameters, folder{
		dir:      dir,
		openSpec: func() (fs.File, error) { return disk.openSpec(file) },
		openList: disk.openList,
		join:     disk.join,
	})
}

// LoadFS is Load for a spec in a file system, like the ready-made ones in Files. Paths in the spec cannot leave it.
func LoadFS(fsys fs.FS, file string, known Registry) (*Spec, []Problem) {
	dir := path.Dir(file)
	return load(file, known, Parameters{}, folder{
		dir:      dir,
		openSpec: func() (fs.File, error) { return fsys.Open(file) },
		openList: func(name string) (fs.File, error) { return fsys.Open(name) },
		join:     func(name string) string { return path.Join(dir, name) },
	})
}

// folder is where a spec and the files it names are read.
type folder struct {
	dir string
	// openSpec opens the spec, openList a file that it names, under the name that join returned.
	openSpec func() (fs.File, error)
	openList func(name string) (fs.File, error)
	// join makes a path of the spec's a name for openList.
	join func(name string) string
}

// loader is the state of reading one spec.
type loader struct {
	problems
	folder
	known  Registry
	given  Parameters
	digest hash.Hash
	spec   *Spec
	lists  map[string]*targets
	// listed are the lists' names in the spec's order.
	listed []string
	// extracts are the places of the extracts' names.
	extracts map[string]Place
}

func load(file string, known Registry, given Parameters, where folder) (*Spec, []Problem) {
	l := &loader{
		folder: where, known: known, given: given, digest: sha256.New(),
		spec:     &Spec{Path: file, Dir: where.dir},
		lists:    map[string]*targets{},
		extracts: map[string]Place{},
	}
	if data, err := l.read(file, maxSize+1, l.openSpec); err != nil {
		l.errorf(Place{file, 1, 1}, "cannot read the job spec: %v", err)
	} else if root := parse(file, data, &l.problems); root != nil && l.fillIn(root) {
		l.root(root)
	}
	found := l.sorted(file)
	if Failed(found) {
		return nil, found
	}
	l.spec.Hash = hex.EncodeToString(l.digest.Sum(nil))
	return l.spec, found
}

// read returns the content of a file, of less than limit bytes, and adds it to the spec's hash.
func (l *loader) read(name string, limit int64, open func() (fs.File, error)) (string, error) {
	f, err := open()
	if err != nil {
		return "", cause(err)
	}
	defer f.Close()
	tooLarge := fmt.Errorf("the file is larger than %d MiB", limit>>20)
	var content strings.Builder
	if info, err := f.Stat(); err == nil && info.Size() >= limit {
		return "", tooLarge
	} else if err == nil {
		content.Grow(int(info.Size()))
	}
	if _, err := io.Copy(&content, io.LimitReader(f, limit)); err != nil { // the size of some files is said to be 0
		return "", cause(err)
	}
	size := int64(content.Len())
	if size == limit {
		return "", tooLarge
	}
	fmt.Fprintf(l.digest, "%s\x00%d\x00", path.Base(filepath.ToSlash(name)), size)
	_, err = io.Copy(l.digest, io.LimitReader(strings.NewReader(content.String()), size)) // by parts: a string's reader would copy it whole
	return content.String(), err
}

// cause strips operation and path from a file's error: the message around it names them.
func cause(err error) error {
	var e *fs.PathError
	if errors.As(err, &e) {
		return e.Err
	}
	return err
}

var jobName = regexp.MustCompile(`^[a-z0-9-]+$`)

// maxName bounds the names of jobs and extracts, which become names of files.
const maxName = 100

// usualRetryFor is how long a vendor that does not answer is asked again where the spec does not say.
const usualRetryFor = 30 * time.Minute

// root reads the whole spec. The parts that extracts refer to come first, whatever their order in the file.
func (l *loader) root(n *node) {
	f := l.section(n, "a job spec", specKeys)
	if job := l.required(n, f, "job", "the job spec", "job: nightly"); job != nil {
		l.spec.Job = l.name(job, "job", jobName, "a-z, 0-9 and -")
	}
	l.spec.Vendors = l.vendors(f["vendors"].value)
	l.spec.Budget = l.budgets(f["budget"].value)
	l.spec.ConfirmOver = l.confirmations(f["confirm_over"].value)
	l.spec.Report = l.report(f["report"].value)
	l.spec.Notices = l.notices(f["notify"].value)
	l.spec.RetryFor = l.patience(f["retry_for"].value, "retry_for", usualRetryFor)
	l.targetLists(f["targets"].value)
	l.spec.Tables = l.userTables(f["tables"].value)
	if extracts := l.required(n, f, "extracts", "the job spec", "a list of what to buy"); extracts != nil {
		l.extractList(extracts)
	}
	l.spec.Expectations = l.expectations(f["expect"].value)
	l.unusedLists()
	for _, t := range l.spec.Tables {
		if x := l.spec.Extract(t.name); x != nil {
			l.errorf(x.Place, "extract %q has the name of a table on line %d: queries could not tell them apart; rename it", x.Name, t.Line)
		}
	}
}

// fields are the known keys of a mapping by name; a key that is absent has a nil value.
type fields map[string]field

// section returns the fields of a mapping and reports those that are unknown or have no value. A nil or null
// node has none.
func (l *loader) section(n *node, what string, keys []Key) fields {
	out, known := fields{}, namesOf(keys)
	if n == nil {
		return out
	}
	if n.kind != mapping {
		l.errorf(n.Place, "%s must be a mapping (key: value), not %s", what, n.kind)
		return out
	}
	for _, f := range n.fields {
		switch {
		case !contains(known, f.key):
			l.errorf(f.Place, "unknown key %q of %s%s it takes: %s", shorten(f.key), what, or(didYouMean(f.key, known), ";"), join(known))
		case f.value.kind == null:
			l.errorf(f.Place, "key %q of %s has no value: give one, or remove the line", shorten(f.key), what)
		default:
			out[f.key] = f
		}
	}
	return out
}

// required returns the value of a key that must be there. A key that is there without a value was reported.
func (l *loader) required(n *node, f fields, key, what, example string) *node {
	if v := f[key].value; v != nil || n.kind != mapping || n.has(key) {
		return v
	}
	l.errorf(n.Place, "%s has no %s: add %s", what, key, example)
	return nil
}

func (n *node) has(key string) bool {
	for _, f := range n.fields {
		if f.key == key {
			return true
		}
	}
	return false
}

func (l *loader) name(n *node, what string, allowed *regexp.Regexp, letters string) string {
	s, ok := l.str(n, what)
	switch {
	case !ok:
		return ""
	case !allowed.MatchString(s):
		l.errorf(n.Place, "%s %q may hold only %s, and not be empty", what, shorten(s), letters)
		return ""
	case len(s) > maxName:
		l.errorf(n.Place, "%s has %d characters, at most %d fit a file's name", what, len(s), maxName)
		return ""
	}
	return s
}

// ceiling returns an amount of units.
func (l *loader) ceiling(n *node, what string) *pipeline.Units {
	if n == nil {
		return nil
	}
	v, ok := l.integer(n, what, 0, maxUnits)
	if !ok {
		return nil
	}
	units := pipeline.Units(v)
	return &units
}

const maxUnits = 1 << 50
