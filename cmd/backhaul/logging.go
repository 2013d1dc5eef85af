package main

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"os"

	"github.com/spf13/cobra"
)

// logFlags say where a command that runs unattended speaks, and how.
type logFlags struct {
	quiet  bool
	file   string
	format string
}

func (f *logFlags) add(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&f.quiet, "quiet", false, "say nothing where all is well, and a few lines on stderr where it is not, so that cron mails only those")
	cmd.Flags().StringVar(&f.file, "log-file", "", "a file to which all that is said is appended, with --quiet too")
	cmd.Flags().StringVar(&f.format, "log-format", "text", "of what is said on stderr and in the log file: text, or json, an object a line")
}

// speech is where a command speaks while its flags say so.
type speech struct {
	app            *app
	stdout, stderr io.Writer // as they were
	log            io.Writer // the log file, in its format
	file           io.Closer
	json           bool
}

// speak makes a command speak as the flags want, until end.
func (a *app) speak(f logFlags) (*speech, error) {
	s := &speech{app: a, stdout: a.stdout, stderr: a.stderr, log: io.Discard, json: f.format == "json"}
	if !s.json && f.format != "text" {
		return nil, usage("--log-format is text or json, got %q", f.format)
	}
	if f.file != "" {
		file, err := os.OpenFile(f.file, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
		if err != nil {
			return nil, usage("--log-file: %v", err)
		}
		s.log, s.file = s.lines(file), file
	}
	switch {
	case f.quiet:
		a.stdout, a.stderr = s.log, s.log
	case s.file != nil:
		a.stdout, a.stderr = io.MultiWriter(s.stdout, s.log), io.MultiWriter(s.lines(s.stderr), s.log)
	default:
		a.stderr = s.lines(s.stderr)
	}
	return s, nil
}

// lines writes in the format of the log.
func (s *speech) lines(to io.Writer) io.Writer {
	if s.json {
		return &jsonLines{to: slog.New(slog.NewJSONHandler(to, nil))}
	}
	return to
}

// end lets the command speak as before, and tells the log how it ended.
func (s *speech) end(ctx context.Context, err error) error {
	s.app.stdout, s.app.stderr = s.stdout, s.stderr
	exit := ending(ctx, err)
	if exit != nil && exit.err != nil {
		line := "backhaul: " + advise(exit.err) + "\n"
		_, _ = io.WriteString(s.log, line)
		if s.json {
			_, _ = io.WriteString(s.lines(s.stderr), line)
			exit = &exitError{status: exit.status}
		}
	}
	if s.file != nil {
		_ = s.file.Close()
	}
	if exit == nil {
		return nil
	}
	return exit
}

// jsonLines makes an object of every line.
type jsonLines struct {
	to   *slog.Logger
	rest []byte
}

func (j *jsonLines) Write(p []byte) (int, error) {
	j.rest = append(j.rest, p...)
	for {
		line, rest, whole := bytes.Cut(j.rest, []byte("\n"))
		if !whole {
			return len(p), nil
		}
		if j.rest = rest; len(line) > 0 {
			j.to.Info(string(line))
		}
	}
}
