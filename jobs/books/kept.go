package books

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/gob"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"backhaul/pipeline"
	"backhaul/pipeline/journal"
	"backhaul/sinks/blob"
)

// Buying is what is entered in a journal while a run buys, as its buyer needs it.
type Buying interface {
	Append(ctx context.Context, taskID string, p pipeline.Page) error
	AddAttempt(ctx context.Context, taskID string, a pipeline.Attempt) error
	Pages(ctx context.Context, taskID string) iter.Seq2[pipeline.Page, error]
}

// Keeping returns a journal that is written to as the one given, but that a reply which cannot be entered because the database does not
// answer is kept in a folder of this host, one file each, before the error is returned: see [Enter].
func Keeping(j Buying, runID, dir string) Buying { return keeping{j, runID, dir} }

type keeping struct {
	Buying
	runID, dir string
}

// kept is a reply in a file: a page, or an attempt that may have cost something.
type kept struct {
	RunID, TaskID string
	Page          *pipeline.Page
	Attempt       *pipeline.Attempt
}

func (k keeping) Append(ctx context.Context, taskID string, p pipeline.Page) error {
	err := k.Buying.Append(ctx, taskID, p)
	if !errors.Is(err, ErrAway) {
		return err
	}
	return errors.Join(err, keep(k.dir, kept{RunID: k.runID, TaskID: taskID, Page: &p}))
}

func (k keeping) AddAttempt(ctx context.Context, taskID string, a pipeline.Attempt) error {
	err := k.Buying.AddAttempt(ctx, taskID, a)
	if !errors.Is(err, ErrAway) {
		return err
	}
	return errors.Join(err, keep(k.dir, kept{RunID: k.runID, TaskID: taskID, Attempt: &a}))
}

// keptSuffix is what the files are called by.
const keptSuffix = ".reply"

// keep writes a reply to a file of its own and returns when it is durable.
func keep(dir string, k kept) error {
	var content bytes.Buffer
	if err := gob.NewEncoder(&content).Encode(k); err != nil {
		return err
	}
	name, what := "page", 0
	if k.Page != nil {
		what = k.Page.Seq
	} else {
		name, what = fmt.Sprintf("attempt-%d", k.Attempt.At.UnixMicro()), k.Attempt.Seq
	}
	path := filepath.Join(dir, fmt.Sprintf("%s.%08d.%s%s", k.TaskID, what, name, keptSuffix))
	disk := blob.FS{}
	if err := disk.MkdirAll(dir); err != nil {
		return err
	}
	sum := sha256.Sum256(content.Bytes())
	return disk.WriteWhole(path+".new", path, func(f *blob.File) error {
		if err := f.OwnerOnly(); err != nil {
			return err
		}
		_, err := f.Write(append(sum[:], content.Bytes()...))
		return err
	})
}

// Enter enters in the journal of a run what was kept for it in a folder, in its order, and removes it from there when that is durable.
// It returns how many replies it has entered. What the journal has by now is not entered again: its writer may have been told of a
// failure that was none, and another host may have gone on with the run.
func Enter(ctx context.Context, j *journal.Journal, dir string) (entered int, err error) {
	return enter(ctx, j, dir, func(string) bool { return true })
}

// enter is Enter of the files that are wanted, by their names.
func enter(ctx context.Context, j *journal.Journal, dir string, wanted func(name string) bool) (entered int, err error) {
	files, err := Waiting(dir)
	files = slices.DeleteFunc(files, func(path string) bool { return !wanted(filepath.Base(path)) })
	if err != nil || len(files) == 0 {
		return 0, err
	}
	tried, err := attempts(ctx, j)
	if err != nil {
		return 0, err
	}
	for _, path := range files {
		k, err := read(path)
		if err != nil {
			return entered, err
		}
		_, place, err := j.List(ctx, k.TaskID)
		switch {
		case k.RunID != j.Header().RunID || errors.Is(err, journal.ErrUnknown):
			return entered, fmt.Errorf("%s: it is of run %s, which the journal does not know: move it away", path, k.RunID)
		case err != nil:
		case k.Page != nil && k.Page.Seq > place.Pages:
			return entered, fmt.Errorf("%s: it is page %d of a list of which %d are there: move it away", path, k.Page.Seq, place.Pages)
		case k.Page != nil && k.Page.Seq == place.Pages:
			err = j.Append(ctx, k.TaskID, *k.Page)
			entered++
		case k.Attempt != nil && !tried[attempt{k.TaskID, k.Attempt.Seq, k.Attempt.At.UnixMicro()}]:
			err = j.AddAttempt(ctx, k.TaskID, *k.Attempt)
			entered++
		}
		if err == nil {
			err = os.Remove(path)
		}
		if err != nil {
			return entered, fmt.Errorf("enter %s: %w", path, err)
		}
	}
	return entered, nil
}

// Waiting returns the files of a folder whose replies are to be entered, those of a task in the order of its pages.
func Waiting(dir string) (paths []string, err error) {
	files, err := os.ReadDir(dir) // sorted
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	for _, f := range files {
		if strings.HasSuffix(f.Name(), keptSuffix) {
			paths = append(paths, filepath.Join(dir, f.Name()))
		}
	}
	return paths, err
}

type attempt struct {
	taskID string
	seq    int
	at     int64
}

func attempts(ctx context.Context, j *journal.Journal) (map[attempt]bool, error) {
	all := map[attempt]bool{}
	for a, err := range j.Attempts(ctx) {
		if err != nil {
			return nil, err
		}
		all[attempt{a.TaskID, a.Seq, a.At.UnixMicro()}] = true
	}
	return all, nil
}

func read(path string) (k kept, err error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return k, err
	}
	if sum := sha256.Sum256(content[min(sha256.Size, len(content)):]); !bytes.Equal(content[:min(sha256.Size, len(content))], sum[:]) {
		return k, fmt.Errorf("%s: %w: its checksum does not fit", path, journal.ErrDamaged)
	}
	if err := gob.NewDecoder(bytes.NewReader(content[sha256.Size:])).Decode(&k); err != nil {
		return k, fmt.Errorf("%s: %w: %w", path, journal.ErrDamaged, err)
	}
	return k, nil
}
