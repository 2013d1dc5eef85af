package main

import (
	_ "embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"backhaul/jobs"
)

// emptyJob is what `init` writes when no ready-made job is named: one small extract, and the rest as comments.
//
//go:embed init/job.yaml
var emptyJob []byte

// emptyName is what the file of the empty job is called.
const emptyName = "job.yaml"

// newFile is a file that `init` writes.
type newFile struct {
	name    string
	content []byte
}

func (a *app) initCommand() *cobra.Command {
	var names []string
	for _, j := range readyMade {
		names = append(names, j.name)
	}
	return &cobra.Command{
		Use:   "init [JOB]",
		Short: "Write a ready-made or an empty commented job, and the lists it needs, into this directory",
		Long: `Writes a ready-made job and the lists it names into the current directory: ` + strings.Join(names, ", ") + `; see
` + "`backhaul help jobs`" + ` for what each is for. Without a name it writes ` + emptyName + `, a small job with the rest as comments.
A file that is there is never overwritten: then nothing is written at all. ` + schemaName + `, which lets an editor
check and complete the job, is written where there is none.`,
		Args:      atMost(1, "at most one ready-made job"),
		ValidArgs: names,
		RunE: func(_ *cobra.Command, args []string) error {
			files, err := filesOf(args, names)
			if err != nil {
				return err
			}
			if err := writeNew(files); err != nil {
				return err
			}
			schema, err := a.addSchema()
			if err != nil {
				return err
			}
			return a.printWritten(append(files, schema...))
		},
	}
}

// filesOf returns the files of a ready-made job, or of the empty one. The first is the job.
func filesOf(args, names []string) ([]newFile, error) {
	if len(args) == 0 {
		return []newFile{{emptyName, emptyJob}}, nil
	}
	sheets, known := lists[args[0]]
	if !known {
		return nil, usage("unknown job %q%s the ready-made ones are: %s; without a name an empty one is written", args[0],
			nearest(names, args[0]), strings.Join(names, ", "))
	}
	var files []newFile
	for _, name := range append([]string{args[0] + ".yaml"}, sheets...) {
		files = append(files, newFile{name, shipped(name)})
	}
	return files, nil
}

// nearest returns `, did you mean "x"?` for a slip of the finger, else ";".
func nearest(names []string, word string) string {
	if hint := closest(names, word); hint != "" {
		return hint
	}
	return ";"
}

// writeNew writes files that are not there yet: all of them, or none.
func writeNew(files []newFile) error {
	var there []string
	for _, f := range files {
		if _, err := os.Lstat(f.name); !errors.Is(err, fs.ErrNotExist) {
			there = append(there, f.name)
		}
	}
	if len(there) > 0 {
		return fmt.Errorf("%s is here already, and nothing is overwritten: move it away, or go to another directory", strings.Join(there, " and "))
	}
	for i, f := range files {
		if err := create(f); err != nil {
			for _, done := range files[:i] {
				err = errors.Join(err, os.Remove(done.name))
			}
			return fmt.Errorf("write %s: %w", f.name, err)
		}
	}
	return nil
}

// addSchema writes the schema that the jobs refer to, for editors. One that is there stays: it may be somebody's own.
func (a *app) addSchema() ([]newFile, error) {
	content, err := jobs.Schema(a.vendors)
	if err != nil {
		return nil, err
	}
	schema := newFile{schemaName, content}
	err = create(schema)
	if errors.Is(err, fs.ErrExist) {
		return nil, nil
	}
	return []newFile{schema}, err
}

// create writes one file, and leaves nothing where it cannot.
func create(f newFile) error {
	out, err := os.OpenFile(f.name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	_, err = out.Write(f.content)
	if err = errors.Join(err, out.Close()); err != nil {
		return errors.Join(err, os.Remove(f.name))
	}
	return nil
}

// printWritten says what was written, and what to do next.
func (a *app) printWritten(files []newFile) error {
	var names, edited []string
	for _, f := range files {
		if names = append(names, f.name); f.name != schemaName {
			edited = append(edited, f.name)
		}
	}
	if a.json {
		return a.printJSON(map[string][]string{"files": names})
	}
	if _, err := fmt.Fprintln(a.stdout, strings.Join(names, "\n")); err != nil {
		return err
	}
	fmt.Fprintf(a.stderr, `Put your own sites into %s, then:
  backhaul validate %[2]s     every mistake at once, offline
  backhaul plan %[2]s         what it would cost; buys nothing
  backhaul run %[2]s          buys it
To try it without a vendor, let another terminal run `+"`backhaul emulate`"+` and paste the lines it prints.
`, strings.Join(edited, " and "), names[0])
	return nil
}
