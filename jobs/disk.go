package jobs

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// Access is what a spec may read beside its own folder. The zero value is nothing.
type Access struct {
	// Folders are further folders from which, and from below which, a spec may name files. Default none.
	Folders []string
	// Secrets are files that are never read, by the variables that name them: MOZ_TOKEN_FILE. Default none.
	Secrets map[string]string
	// Parameters are what the user sets of the spec's parameters. Default: nothing.
	Parameters Parameters
}

// disk is where Load reads. A spec is written by whoever may commit to a repository and is run with credentials by
// somebody else, so the files that it names are held to its folder, wherever symbolic links lead.
type disk struct {
	dir    string
	access Access
}

// join makes a path of the spec's one for the disk.
func (d disk) join(name string) string {
	if filepath.IsAbs(name) {
		return filepath.Clean(name)
	}
	return filepath.Join(d.dir, filepath.FromSlash(name))
}

// openSpec opens the spec itself, which may lie anywhere: its path is the user's own.
func (d disk) openSpec(file string) (fs.File, error) {
	return d.check(os.OpenFile(file, readOnly, 0))
}

// openList opens a file that the spec names.
func (d disk) openList(file string) (fs.File, error) {
	for _, dir := range append([]string{d.dir}, d.access.Folders...) {
		if f, err := openBelow(dir, file); !errors.Is(err, errOutside) {
			return d.check(f, err)
		}
	}
	return nil, fmt.Errorf("it lies outside %s, the folder of the spec: move it there, or allow its folder with --allow-path", folderName(d.dir))
}

// readOnly opens without waiting: a pipe that nobody writes to would never open otherwise.
const readOnly = os.O_RDONLY | syscall.O_NONBLOCK

var errOutside = errors.New("outside the folder")

// openBelow opens a file that lies in the folder or below, whatever symbolic links it is named through, else errOutside.
func openBelow(dir, file string) (*os.File, error) {
	below, err := relative(dir, file)
	if err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	return root.OpenFile(below, readOnly, 0) // which refuses what has become a way out since
}

// relative returns the file's path from the folder, free of symbolic links. A file that is not there is judged by its name.
func relative(dir, file string) (string, error) {
	base, err := resolved(dir)
	if err != nil {
		return "", err
	}
	at, err := resolved(file)
	if errors.Is(err, fs.ErrNotExist) {
		if base, err = filepath.Abs(dir); err == nil {
			at, err = filepath.Abs(file)
		}
	}
	if err != nil {
		return "", err
	}
	below, err := filepath.Rel(base, at)
	if err != nil || !filepath.IsLocal(below) {
		return "", errOutside
	}
	return below, nil
}

func resolved(path string) (string, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	return filepath.EvalSymlinks(path)
}

// check passes on an open file if it is a regular one and no secret.
func (d disk) check(f *os.File, err error) (fs.File, error) {
	if err != nil {
		return nil, err
	}
	if err := d.refuse(f); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

func (d disk) refuse(f *os.File) error {
	info, err := f.Stat()
	switch {
	case err != nil:
		return err
	case info.IsDir():
		return errors.New("it is a directory")
	case !info.Mode().IsRegular():
		return errors.New("it is not a regular file but a pipe or device")
	}
	for variable, path := range d.access.Secrets {
		if secret, err := os.Stat(path); err == nil && os.SameFile(info, secret) {
			return fmt.Errorf("it is the file that %s names, which holds a credential", variable)
		}
	}
	return nil
}

// folderName spells the folder of a spec that was named without one.
func folderName(dir string) string {
	if full, err := filepath.Abs(dir); err == nil {
		return full
	}
	return dir
}
