package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"
	"syscall"
	"time"

	"backhaul/jobs/lineage"
	"backhaul/pipeline/vendors"
)

// setAs returns which of NAME, NAME_FILE and NAME_COMMAND is set, the first that is; "" if none is.
func (e environment) setAs(name string) string {
	for _, variable := range []string{name, name + inFile, name + byCommand} {
		if e.variable(variable) != "" {
			return variable
		}
	}
	return ""
}

// env returns the value of a variable, the content of the file that NAME_FILE names, or what the command of NAME_COMMAND
// prints.
func (e environment) env(name string) (string, error) {
	variable := e.setAs(name)
	switch variable {
	case "":
		return "", nil
	case name:
		value, err := oneValue([]byte(e.variable(name)), "hold")
		if err != nil {
			return "", fmt.Errorf("read %s: %w", name, err)
		}
		return value, nil
	case name + byCommand:
		value, err := printed(e.variable(variable))
		if err != nil {
			return "", fmt.Errorf("run the command of %s: %w", variable, err)
		}
		return value, nil
	}
	value, err := readValue(e.variable(variable))
	if err != nil {
		// Without the path: who confuses the two variables has put the secret there.
		return "", fmt.Errorf("read the file that %s names: %w", variable, err)
	}
	return value, nil
}

const (
	// mostValue bounds the file of a value, in bytes.
	mostValue = 64 << 10
	// valueWait is how long a pipe may take to deliver it.
	valueWait = 5 * time.Second
)

// readValue reads a file that holds one line. It neither waits for a writer nor reads without end. Errors never repeat what
// the file holds, nor its path.
func readValue(path string) (string, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return "", bare(err)
	}
	defer f.Close()
	info, err := f.Stat()
	switch {
	case err != nil:
		return "", bare(err)
	case info.IsDir():
		return "", errors.New("it is a directory")
	case !info.Mode().IsRegular() && info.Mode()&fs.ModeNamedPipe == 0:
		return "", errors.New("it is neither a regular file nor a pipe")
	}
	_ = f.SetReadDeadline(time.Now().Add(valueWait)) // which regular files do not have, and do not need
	content, err := io.ReadAll(io.LimitReader(f, mostValue+1))
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		return "", fmt.Errorf("the pipe delivered nothing whole for %v", valueWait)
	case err != nil:
		return "", bare(err)
	case len(content) > mostValue:
		return "", fmt.Errorf("it is larger than %d KiB", mostValue>>10)
	}
	return oneValue(content, "hold")
}

// oneValue returns the one line of a content that must hold, or print, the value alone.
func oneValue(content []byte, must string) (string, error) {
	value := strings.TrimSpace(string(content))
	last := len(value) - 1
	switch {
	case value == "":
		return "", fmt.Errorf("it is empty: it must %s the value, on one line", must)
	case strings.ContainsAny(value, "\r\n"):
		return "", fmt.Errorf("it has several lines: it must %s the value alone, on one line", must)
	case last > 0 && value[0] == value[last] && (value[0] == '"' || value[0] == '\''):
		return "", fmt.Errorf("it is in quotes: it must %s the value alone, without them", must)
	}
	return value, nil
}

// bare returns an error of the file system without the path.
func bare(err error) error {
	var e *fs.PathError
	if errors.As(err, &e) {
		return e.Err
	}
	return err
}

// credentials reads the first of the ways whose variables are all set, and says which those are: A and B_FILE. The values are
// nil if there is none.
func (e environment) credentials(ways vendors.Credentials) (values map[string]string, from string, err error) {
	for _, way := range ways {
		values, names := map[string]string{}, []string{}
		for _, name := range way {
			if values[name], err = e.env(name); err != nil {
				return nil, "", err
			}
			if values[name] != "" {
				names = append(names, e.setAs(name))
			}
		}
		if len(names) == len(way) {
			return values, strings.Join(names, " and "), nil
		}
	}
	return nil, "", nil
}

// doubts says what is odd about how the environment has a surface's credentials: several of them where one is used, and files
// that everybody on the machine may read. It repeats no value and no path.
func (e environment) doubts(ways vendors.Credentials) (texts []string) {
	var whole [][]string // the variables of every way that is set as a whole
	for _, way := range ways {
		var names []string
		for _, name := range way {
			if e.setAs(name) != "" {
				names = append(names, e.setAs(name))
			}
			if e.variable(name) != "" && e.variable(name+inFile) != "" {
				texts = append(texts, fmt.Sprintf("%s and %s_FILE are both set: %s is used; unset the other", name, name, name))
			}
		}
		if len(names) == len(way) {
			whole = append(whole, names)
		}
	}
	for i, names := range whole {
		if i > 0 {
			texts = append(texts, fmt.Sprintf("%s is set beside %s: %s is used; unset the other", strings.Join(names, " and "), strings.Join(whole[0], " and "), strings.Join(whole[0], " and ")))
			continue
		}
		for _, name := range names {
			if e.everybodyReads(name) {
				texts = append(texts, fmt.Sprintf("the file that %s names can be read by everybody on this machine: chmod 600 it, and replace the credential if others use the machine", name))
			}
		}
	}
	return texts
}

// everybodyReads reports whether a variable names a file that users may read who neither own it nor are of its group.
func (e environment) everybodyReads(variable string) bool {
	if !strings.HasSuffix(variable, inFile) {
		return false
	}
	info, err := os.Stat(e.variable(variable))
	return err == nil && info.Mode().IsRegular() && info.Mode().Perm()&0o004 != 0
}

// secretFiles returns the files that credentials are kept in, by the variables that name them.
func (e environment) secretFiles() map[string]string {
	files := map[string]string{}
	for _, s := range e.vendors {
		for _, name := range slices.Concat(s.Credentials...) {
			if path := e.variable(name + inFile); path != "" {
				files[name+inFile] = path
			}
		}
	}
	for _, name := range []string{database, temporalKey, tokenVariable, lineage.KeyVariable} {
		if path := e.variable(name + inFile); path != "" {
			files[name+inFile] = path
		}
	}
	return files
}
