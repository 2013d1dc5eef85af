package main

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"backhaul/jobs"
)

// everyCommand calls visit with every command that can be run, and its path without the program's name.
func everyCommand(root *cobra.Command, visit func(path string, cmd *cobra.Command)) {
	if root.Runnable() {
		visit(strings.TrimPrefix(strings.TrimPrefix(root.CommandPath(), "backhaul"), " "), root)
	}
	for _, c := range root.Commands() {
		everyCommand(c, visit)
	}
}

// typed cuts a line of a shell into words: quotes hold them together, and what is sent elsewhere is left out.
func typed(line string) []string {
	line, _, _ = strings.Cut(line, " > ")
	var words []string
	for _, m := range regexp.MustCompile(`"([^"]*)"|(\S+)`).FindAllStringSubmatch(line, -1) {
		words = append(words, m[1]+m[2])
	}
	return words
}

func TestEveryCommandHasExamplesThatParse(t *testing.T) {
	seen := 0
	everyCommand(newRoot(inTest(t, io.Discard, io.Discard)), func(path string, cmd *cobra.Command) {
		seen++
		lines := strings.Split(strings.TrimSpace(cmd.Example), "\n")
		for _, line := range lines {
			words := typed(line)
			if len(words) == 0 || words[0] != "backhaul" {
				t.Errorf("backhaul %s: no example, or one that does not begin with the program: %q", path, line)
				continue
			}
			root := newRoot(inTest(t, io.Discard, io.Discard))
			found, rest, err := root.Find(words[1:])
			if err == nil {
				err = found.ParseFlags(rest)
			}
			if err == nil {
				err = found.ValidateArgs(found.Flags().Args())
			}
			if err != nil || path != "" && found.Name() != cmd.Name() && !strings.HasPrefix(found.CommandPath(), cmd.CommandPath()) {
				t.Errorf("backhaul %s: %q is taken for %q: %v", path, line, found.CommandPath(), err)
			}
		}
	})
	if seen < 25 {
		t.Errorf("only %d commands were seen", seen)
	}
}

func TestNoFlagTakesItsTypeFromAQuoteInItsHelp(t *testing.T) {
	everyCommand(newRoot(inTest(t, io.Discard, io.Discard)), func(path string, cmd *cobra.Command) {
		cmd.Flags().VisitAll(func(f *pflag.Flag) {
			if kind, _ := pflag.UnquoteUsage(f); strings.Contains(kind, " ") {
				t.Errorf("backhaul %s --%s takes a %q", path, f.Name, kind)
			}
		})
	})
}

// said runs the program and returns its status and what it says.
func said(t *testing.T, args ...string) (int, string) {
	t.Helper()
	var out bytes.Buffer
	status := Main(t.Context(), inTest(t, &out, &out, args...))
	return status, out.String()
}

func TestHelpExplainsEveryKeyAndEveryCredential(t *testing.T) {
	status, text := said(t, "help", "job")
	if status != exitComplete {
		t.Fatal(status, text)
	}
	for _, s := range jobs.Sections() {
		if !strings.Contains(text, "\n"+s.Path) {
			t.Errorf("%s is not explained", s.Path)
		}
		for _, k := range s.Keys {
			if !strings.Contains(text, "\n  "+k.Name+" ") || !strings.Contains(strings.Join(strings.Fields(text), " "), k.Meaning) {
				t.Errorf("%s.%s is not explained", s.Path, k.Name)
			}
		}
	}
	status, text = said(t, "help", "credentials")
	for _, s := range builtIn {
		if status != exitComplete || !strings.Contains(text, s.URL) || !strings.Contains(text, s.Credentials.String()) {
			t.Errorf("%s %s is not explained", s.Vendor, s.Name)
		}
	}
}

func TestHelpAboutNothingIsAMistake(t *testing.T) {
	for _, args := range [][]string{{"help", "nosuch"}, {"help", "gc", "nosuch"}, {"help", "nosuch", "--json"}} {
		if status, text := said(t, args...); status != exitUsage || !strings.Contains(text, `no command or topic "nosuch"`) {
			t.Errorf("%v: exit %d, %s", args, status, text)
		}
	}
	if status, text := said(t, "help", "rum"); status != exitUsage || !strings.Contains(text, `did you mean "run"?`) {
		t.Errorf("exit %d, %s", status, text)
	}
	for _, args := range [][]string{{"help"}, {"help", "run"}, {"help", "completion", "bash"}, {"--help"}, {"run", "--help"}} {
		if status, text := said(t, args...); status != exitComplete || !strings.Contains(text, "Usage:") {
			t.Errorf("%v: exit %d, %s", args, status, text)
		}
	}
}

func TestVersionIsAFlagToo(t *testing.T) {
	_, long := said(t, "version")
	if status, text := said(t, "--version"); status != exitComplete || text != long || !strings.HasPrefix(text, "backhaul "+version) {
		t.Errorf("exit %d, %q, want %q", status, text, long)
	}
}

func TestEveryCommandHasAManualPage(t *testing.T) {
	dir := t.TempDir()
	if status, text := said(t, "man", dir); status != exitComplete {
		t.Fatal(status, text)
	}
	everyCommand(newRoot(inTest(t, io.Discard, io.Discard)), func(path string, cmd *cobra.Command) {
		page, err := os.ReadFile(filepath.Join(dir, strings.ReplaceAll("backhaul "+path, " ", "-")+".1"))
		if path == "" {
			page, err = os.ReadFile(filepath.Join(dir, "backhaul.1"))
		}
		if shown := cmd.IsAvailableCommand() || path == ""; shown && (err != nil || !bytes.Contains(page, []byte(".SH EXAMPLE"))) {
			t.Errorf("backhaul %s: %v", path, err)
		}
	})
}

func TestTheReadmeLeadsToWhatExists(t *testing.T) {
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	pointers := 0
	for _, m := range regexp.MustCompile(`(?:bin/backhaul|\x60backhaul) ([a-z]+)(?: ([a-z]+)\b)?`).FindAllStringSubmatch(string(readme), -1) {
		pointers++
		words := m[1:2]
		if m[1] == "help" && m[2] != "" {
			words = m[2:3]
		}
		if cmd, rest, err := newRoot(inTest(t, io.Discard, io.Discard)).Find(words); err != nil || len(rest) > 0 {
			t.Errorf("%s leads to %s: %v", m[0], cmd.Name(), err)
		}
	}
	for _, m := range regexp.MustCompile(`\]\(([^)#:]+)\)`).FindAllStringSubmatch(string(readme), -1) {
		pointers++
		if _, err := os.Stat(filepath.Join("../..", m[1])); err != nil {
			t.Error(err)
		}
	}
	if pointers < 20 {
		t.Errorf("only %d pointers were found", pointers)
	}
}
