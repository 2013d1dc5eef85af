package lake

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/cenkalti/backoff/v5"

	"backhaul/pipeline/failpoint"
	"backhaul/schemas"
	"backhaul/sinks"
	"backhaul/sinks/blob"
)

// Origin is where the tables of a warehouse are when the directories of this host are a copy of them: it alone says which files a
// table has. It is safe for concurrent use.
type Origin interface {
	// State returns what names the present state of a table, which never names another, and the table's files. A table that is not there
	// yet has the state "". Where the state is still the one that is known, files is nil.
	State(ctx context.Context, t *schemas.Table, known string) (state string, files []Object, err error)
	// Fetch writes the content of a file.
	Fetch(ctx context.Context, o Object, to io.Writer) error
	// Commit makes a change of a table in one step and returns the state after it, if the table's state is still the one that the change
	// starts from; else the error is ErrMoved and nothing is changed. Other errors leave it open whether the change was made.
	Commit(ctx context.Context, t *schemas.Table, from State, c Commit) (after State, err error)
}

// Object is a file of a table in its origin.
type Object struct {
	// Name is the file's in the copy. Its ID is made of the content.
	Name  string `json:"name"`
	Bytes int64  `json:"bytes"`
	// Place is where the origin has it; only the origin knows what that means.
	Place string `json:"place"`
}

// State is that of a table.
type State struct {
	ID    string   `json:"state"`
	Files []Object `json:"files"`
}

// Commit is a change of a table: some files go and others come.
type Commit struct {
	// Add are staged files by their names.
	Add    map[string]string
	Remove []Object
	Note   Note
}

// What a change of a table did.
const (
	Published = "publish"
	Replayed  = "replay"
	Forgot    = "forget"
	Merged    = "compact"
	Expired   = "expire"
)

// Note says why a change was made.
type Note struct {
	Did string
	// Job and Date are those of the run whose rows came or went; zero for what belongs to no run.
	Job  string
	Date time.Time
	// Month is the month of all rows that came or went.
	Month time.Time
}

// Collected is what became of the history and the leftovers of a table in its origin.
type Collected struct {
	Table     string `json:"table"`
	Snapshots int    `json:"snapshots"`
	Objects   int    `json:"objects"`
	Bytes     int64  `json:"bytes"`
}

// ErrMoved means that another host has changed a table meanwhile.
var ErrMoved = errors.New("another host has changed the table meanwhile")

// ErrAway is in the chain of an error that means that the origin does not answer, or not now.
var ErrAway = errors.New("the object store does not answer")

// mostTries bounds how often a change is started over because others were quicker. Each time one of them got on.
const mostTries = 20

// apply makes what a table is to become of what it is. build looks at the table's directories and returns the change, nil if there is
// nothing to change. Where the table has an origin the directories are brought to its state first, the change is made there, and then
// here; what others have changed meanwhile makes it start over. The caller has the table's lock.
func (l Lake) apply(ctx context.Context, t *schemas.Table, n Note, build func() (*blob.Change, error)) error {
	if l.Origin == nil {
		c, err := build()
		if err != nil || c == nil {
			return err
		}
		return l.Disk.Apply(*c)
	}
	_, err := backoff.Retry(ctx, func() (struct{}, error) {
		err := l.applyAt(ctx, t, n, build)
		if err != nil && !errors.Is(err, ErrMoved) {
			err = backoff.Permanent(err)
		}
		return struct{}{}, err
	}, backoff.WithBackOff(apart()), backoff.WithMaxTries(mostTries), backoff.WithMaxElapsedTime(0))
	return err
}

// apart is how long a change is not tried again: hosts that tried in the same moment do not again.
func apart() backoff.BackOff {
	return &backoff.ExponentialBackOff{InitialInterval: 50 * time.Millisecond, RandomizationFactor: 1, Multiplier: 1.5, MaxInterval: time.Second}
}

// applyAt is one try to make a change in the origin, and then here.
func (l Lake) applyAt(ctx context.Context, t *schemas.Table, n Note, build func() (*blob.Change, error)) error {
	state, err := l.pull(ctx, t)
	if err != nil {
		return err
	}
	c, err := build()
	if err != nil || c == nil {
		return err
	}
	failpoint.Hit("lake.commit.before")
	after, err := l.Origin.Commit(ctx, t, state, commitOf(*c, state, n))
	if err != nil {
		return fmt.Errorf("publish %s: %w", t.FullName(), err)
	}
	failpoint.Hit("lake.commit.after")
	// If this is cut short the next pull makes up for it.
	if err := l.Disk.Apply(*c); err != nil {
		return err
	}
	return l.remember(t, after)
}

// commitOf is a change of a month's directory as the origin makes it.
func commitOf(c blob.Change, state State, n Note) Commit {
	out := Commit{Add: c.Add, Note: n}
	for _, o := range state.Files {
		_, comes := c.Add[o.Name]
		if comes || slices.Contains(c.Remove, o.Name) {
			out.Remove = append(out.Remove, o)
		}
	}
	return out
}

// Pull brings the directories of a table to the state of its origin, each month in one step, and returns which that is. Without an origin
// it does nothing.
func (l Lake) Pull(ctx context.Context, t *schemas.Table) (state string, err error) {
	if l.Origin == nil {
		return "", nil
	}
	release, err := l.lock(ctx, t)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, release()) }()
	now, err := l.pull(ctx, t)
	return now.ID, err
}

// pull is Pull under the table's lock. What has been pulled is remembered, so that a table that has not changed costs one question; the
// directories are looked at all the same.
func (l Lake) pull(ctx context.Context, t *schemas.Table) (State, error) {
	known := l.remembered(t)
	id, files, err := l.Origin.State(ctx, t, known.ID)
	if err != nil {
		return State{}, fmt.Errorf("pull %s: %w", t.FullName(), err)
	}
	now := known
	if id != known.ID {
		now = State{ID: id, Files: files}
	}
	if err := l.align(ctx, t, now.Files); err != nil {
		return State{}, fmt.Errorf("pull %s: %w", t.FullName(), err)
	}
	if id == known.ID {
		return now, nil
	}
	return now, l.remember(t, now)
}

// align gives the directories of a table exactly these files.
func (l Lake) align(ctx context.Context, t *schemas.Table, files []Object) error {
	wanted := map[time.Time]map[string]Object{}
	for _, o := range files {
		name, ok := sinks.ParseName(o.Name)
		month, err := time.Parse("2006-01", name.Month)
		if !ok || err != nil || name.ID == "" {
			return fmt.Errorf("%s is not a file of this program: what else writes to the table has to be undone first", o.Place)
		}
		if wanted[month] == nil {
			wanted[month] = map[string]Object{}
		}
		wanted[month][o.Name] = o
	}
	months, err := l.Months(t)
	if err != nil {
		return err
	}
	for _, month := range months {
		if wanted[month] == nil {
			wanted[month] = map[string]Object{}
		}
	}
	for month, objects := range wanted {
		if err := l.alignMonth(ctx, t, month, objects); err != nil {
			return err
		}
	}
	return nil
}

// alignMonth gives the directory of a month exactly these files, in one step.
func (l Lake) alignMonth(ctx context.Context, t *schemas.Table, month time.Time, wanted map[string]Object) (err error) {
	c := blob.Change{Dir: l.Warehouse.Month(t.Schema, t.Name, month), Add: map[string]string{}, Aside: l.Warehouse.Replaced()}
	missing, err := compare(&c, wanted)
	if err != nil || len(missing)+len(c.Remove) == 0 {
		return err
	}
	staging, err := l.Disk.OpenStaging(l.Warehouse.Staging(), "pull."+t.FullName())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, staging.Close()) }()
	for _, o := range missing {
		path := staging.Path(o.Name)
		if err := l.fetch(ctx, o, path); err != nil {
			return err
		}
		c.Add[o.Name] = path
	}
	failpoint.Hit("lake.pull.before")
	if err := l.Disk.Apply(c); err != nil || len(wanted) > 0 {
		return err
	}
	return l.Disk.RemoveEmpty(c.Dir)
}

// compare adds to the change of a month what is there and not wanted, and returns what is wanted and not there.
func compare(c *blob.Change, wanted map[string]Object) (missing []Object, err error) {
	entries, err := os.ReadDir(c.Dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	there := map[string]int64{}
	for _, e := range entries {
		if _, ours := sinks.ParseName(e.Name()); ours && e.Type().IsRegular() {
			info, err := e.Info()
			if err != nil {
				return nil, err
			}
			there[e.Name()] = info.Size()
		}
	}
	for name, size := range there {
		if o, ok := wanted[name]; !ok || o.Bytes != size {
			c.Remove = append(c.Remove, name)
		}
	}
	for name, o := range wanted {
		if size, ok := there[name]; !ok || o.Bytes != size {
			missing = append(missing, o)
		}
	}
	return missing, nil
}

// fetch writes a file of the origin's, durably, once it is what its name says.
func (l Lake) fetch(ctx context.Context, o Object, path string) error {
	f, err := l.Disk.Create(path)
	if err != nil {
		return err
	}
	sum, size := sha256.New(), counter(0)
	if err := l.Origin.Fetch(ctx, o, io.MultiWriter(f, sum, &size)); err != nil {
		return errors.Join(fmt.Errorf("fetch %s: %w", o.Place, err), f.Abort())
	}
	name, _ := sinks.ParseName(o.Name)
	if id := hex.EncodeToString(sum.Sum(nil)[:idBytes]); int64(size) != o.Bytes || id != name.ID {
		return errors.Join(fmt.Errorf("%s: %w: it has %d bytes with the checksum %s, and should have %d with %s", o.Place, sinks.ErrDamaged, size, id, o.Bytes, name.ID), f.Abort())
	}
	return f.Close()
}

// counter counts what is written to it.
type counter int64

func (c *counter) Write(p []byte) (int, error) {
	*c += counter(len(p))
	return len(p), nil
}

// memory is where it is remembered which state of its origin a table's directories have. It is written after they have it, and its
// origin has moved on before they get another: so whatever is lost with the power, it never says of other directories that they are
// up to date.
func (l Lake) memory(t *schemas.Table) string {
	return filepath.Join(l.Warehouse.Staging(), ".lake."+t.FullName()+".state")
}

// remembered is the state that the table's directories have been brought to; none if that is not known.
func (l Lake) remembered(t *schemas.Table) (s State) {
	text, err := os.ReadFile(l.memory(t))
	if err != nil || json.Unmarshal(text, &s) != nil {
		return State{}
	}
	return s
}

func (l Lake) remember(t *schemas.Table, s State) error {
	text, err := json.Marshal(s)
	if err != nil {
		return err
	}
	path := l.memory(t)
	return l.Disk.WriteWhole(path+".new", path, func(f *blob.File) error {
		_, err := f.Write(text)
		return err
	})
}
