package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestAValueIsReadFromARegularFileOrAPipe(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, content := range map[string]string{"plain": "the-value", "line end": "the-value\n", "windows": "the-value\r\n", "spaces": "  the-value \n\n"} {
		setenv(t, "MOZ_TOKEN_FILE", writeFile(t, dir, name, content))
		if got, err := inTest(t, nil, nil).env("MOZ_TOKEN"); got != "the-value" || err != nil {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer read.Close()
	if _, err := write.WriteString("the-value\n"); err != nil {
		t.Fatal(err)
	}
	if err := write.Close(); err != nil {
		t.Fatal(err)
	}
	if got, err := readValue(fmt.Sprintf("/proc/self/fd/%d", read.Fd())); got != "the-value" || err != nil {
		t.Errorf("pipe: %q, %v", got, err)
	}
	setenv(t, "MOZ_TOKEN", "from-the-variable")
	if got, err := inTest(t, nil, nil).env("MOZ_TOKEN"); got != "from-the-variable" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
}

func TestWhatIsNoValueIsAnErrorThatNamesTheVariable(t *testing.T) {
	t.Parallel()
	const secret = "c4n4ry-s3cret"
	dir := t.TempDir()
	fifo, silent := filepath.Join(dir, "fifo"), filepath.Join(dir, "silent")
	for _, path := range []string{fifo, silent} {
		if err := syscall.Mkfifo(path, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	writer, err := os.OpenFile(silent, os.O_RDWR, 0) // has it open, and writes no end
	if err != nil {
		t.Fatal(err)
	}
	defer writer.Close()
	for path, want := range map[string]string{
		writeFile(t, dir, "empty", ""): "it is empty", writeFile(t, dir, "blank", " \n\n"): "it is empty",
		writeFile(t, dir, "lines", secret+"\n"+secret+"\n"):       "it has several lines",
		writeFile(t, dir, "large", strings.Repeat(secret, 1<<13)): "it is larger than 64 KiB",
		"/dev/zero": "neither a regular file nor a pipe", "/dev/null": "neither a regular file nor a pipe",
		dir: "it is a directory", fifo: "it is empty", silent: "delivered nothing", secret: "no such file",
	} {
		setenv(t, "MOZ_TOKEN_FILE", path)
		before := time.Now()
		got, err := inTest(t, nil, nil).env("MOZ_TOKEN")
		if err == nil || got != "" || !strings.Contains(err.Error(), "MOZ_TOKEN_FILE") || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), secret) {
			t.Errorf("%s: %q, %v", path, got, err)
		}
		if took := time.Since(before); took > 2*valueWait {
			t.Errorf("%s: took %v", path, took)
		}
	}
}

func TestCredentialsThatOthersMayReadOrThatAreSeveralAreWarnedOfOnce(t *testing.T) {
	const secret = "c4n4ry-s3cret"
	dir := t.TempDir()
	open := writeFile(t, dir, "open", secret)
	private := writeFile(t, dir, "private", secret)
	for path, mode := range map[string]os.FileMode{open: 0o644, private: 0o640} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		set  map[string]string
		want []string
	}{
		{map[string]string{"MOZ_TOKEN": secret}, nil},
		{map[string]string{"MOZ_TOKEN_FILE": private}, nil},
		{map[string]string{"MOZ_TOKEN": secret, "MOZ_ACCESS_ID": secret}, nil},
		{map[string]string{"MOZ_TOKEN_FILE": open}, []string{"the file that MOZ_TOKEN_FILE names can be read by everybody"}},
		{map[string]string{"MOZ_ACCESS_ID": secret, "MOZ_SECRET_KEY_FILE": open}, []string{"the file that MOZ_SECRET_KEY_FILE names can be read by everybody"}},
		{map[string]string{"MOZ_TOKEN": secret, "MOZ_TOKEN_FILE": open}, []string{"MOZ_TOKEN and MOZ_TOKEN_FILE are both set: MOZ_TOKEN is used"}},
		{map[string]string{"MOZ_TOKEN": secret, "MOZ_ACCESS_ID": secret, "MOZ_SECRET_KEY_FILE": open}, []string{"MOZ_ACCESS_ID and MOZ_SECRET_KEY_FILE is set beside MOZ_TOKEN: MOZ_TOKEN is used"}},
	} {
		for _, name := range []string{"MOZ_TOKEN", "MOZ_ACCESS_ID", "MOZ_SECRET_KEY"} {
			setenv(t, name, c.set[name])
			setenv(t, name+"_FILE", c.set[name+"_FILE"])
		}
		var said bytes.Buffer
		a := app{environment: inTest(t, nil, &said)}
		a.warnOfCredentials(builtIn[0])
		a.warnOfCredentials(builtIn[0])
		lines := strings.Split(strings.TrimSuffix(said.String(), "\n"), "\n")
		if len(c.want) == 0 {
			lines = strings.Fields(said.String())
		}
		if len(lines) != len(c.want) || strings.Contains(said.String(), secret) || strings.Contains(said.String(), dir) {
			t.Errorf("%v: said %q", c.set, said.String())
			continue
		}
		for i, want := range c.want {
			if !strings.HasPrefix(lines[i], "warning: "+want) {
				t.Errorf("%v: said %q, want %q", c.set, lines[i], want)
			}
		}
	}
}

func TestARunAndTheDoctorWarnOfAFileThatEverybodyReads(t *testing.T) {
	w := newWard(t)
	path := writeFile(t, t.TempDir(), "key", environ(t)["MOZ_TOKEN"])
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	setenv(t, "MOZ_TOKEN", "")
	setenv(t, "MOZ_TOKEN_FILE", path)
	const warning = "the file that MOZ_TOKEN_FILE names can be read by everybody"
	for _, args := range [][]string{{"run", w.job, "--date", wardDate}, {"doctor", w.job}} {
		if status, said := w.try(args...); status != exitComplete || strings.Count(said, warning) != 1 {
			t.Errorf("%v: exit %d\n%s", args, status, said)
		}
	}
}

func TestTheFilesOfAllCredentialsAreKnown(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"MOZ_TOKEN", "MOZ_ACCESS_ID", "MOZ_SECRET_KEY", "AHREFS_API_KEY", "AHREFS_V2_TOKEN", "BACKHAUL_DATABASE", "OPENLINEAGE_API_KEY"} {
		setenv(t, name+"_FILE", "/of/"+name)
		if got := inTest(t, nil, nil).secretFiles()[name+"_FILE"]; got != "/of/"+name {
			t.Errorf("%s: %q", name, got)
		}
	}
}

func TestSizesAreReadAsPeopleWriteThem(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]size{"512MiB": 512 << 20, "2GiB": 2 << 30, "1.5g": 1_500_000_000, "1GB": 1_000_000_000, "134217728": 128 << 20, "100 MB": 100_000_000, "1t": 1_000_000_000_000} {
		var got size
		if err := got.Set(text); err != nil || got != want {
			t.Errorf("%s: %d, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "x", "-1", "1", "1KiB", "1e9", "12 parsecs", "99999999999TiB"} {
		var got size
		if err := got.Set(text); err == nil {
			t.Errorf("%s: %d", text, got)
		}
	}
}
