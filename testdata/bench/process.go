package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// bench is a program that was built, a server, and a place for inputs.
type bench struct {
	options
	ctx      context.Context
	dir      string // removed at the end
	program  string
	self     string
	server   *server
	listener *httptest.Server
	corpora  map[string]*stored
}

func newBench(ctx context.Context, o options) (*bench, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "backhaul-bench-")
	if err != nil {
		return nil, err
	}
	b := &bench{options: o, ctx: ctx, dir: dir, self: self, program: filepath.Join(dir, "backhaul"), server: newServer(), corpora: map[string]*stored{}}
	b.listener = httptest.NewServer(b.server)
	if out, err := exec.CommandContext(ctx, "go", "build", "-o", b.program, "./cmd/backhaul").CombinedOutput(); err != nil {
		return nil, errors.Join(fmt.Errorf("%w\n%s", err, out), b.close())
	}
	return b, nil
}

func (b *bench) close() error {
	b.listener.Close()
	return os.RemoveAll(b.dir)
}

// spent is what a process took.
type spent struct {
	wall, cpu time.Duration
	memory    float64 // MiB at most
}

// command is a process to be measured. Its temporary files lie where the inputs do.
func (b *bench) command(name string, args []string, env ...string) *exec.Cmd {
	cmd := exec.CommandContext(b.ctx, name, args...)
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	for _, v := range os.Environ() { // not the user's own settings of the program
		if !strings.HasPrefix(v, "BACKHAUL_") && !strings.HasPrefix(v, "OTEL_") {
			cmd.Env = append(cmd.Env, v)
		}
	}
	cmd.Env = append(cmd.Env, "TMPDIR="+b.dir, "MOZ_TOKEN="+token, "BACKHAUL_MOZ_V2_URL="+b.listener.URL)
	cmd.Env = append(cmd.Env, env...)
	return cmd
}

// finish runs it and returns what it took. Another exit status than want is an error with what it said.
func finish(cmd *exec.Cmd, want int, meanwhile func() error) (spent, error) {
	var out bytes.Buffer
	if cmd.Stdout == nil {
		cmd.Stdout = &out
	}
	cmd.Stderr = &out
	begin := time.Now()
	if err := cmd.Start(); err != nil {
		return spent{}, err
	}
	var failed error
	if meanwhile != nil {
		failed = meanwhile()
	}
	err := cmd.Wait()
	took := time.Since(begin)
	if failed != nil || cmd.ProcessState.ExitCode() != want {
		return spent{}, errors.Join(failed, fmt.Errorf("%s: status %d, want %d: %w\n%s", strings.Join(cmd.Args, " "), cmd.ProcessState.ExitCode(), want, err, out.Bytes()[max(0, out.Len()-2000):]))
	}
	usage := cmd.ProcessState.SysUsage().(*syscall.Rusage)
	return spent{wall: took, cpu: cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime(), memory: float64(usage.Maxrss) / 1024}, nil
}

// backhaul runs the program, on so many cores if cores is not 0.
func (b *bench) backhaul(cores int, args ...string) (spent, error) {
	return finish(b.command(b.program, args, procs(cores)...), 0, nil)
}

// yardstick runs one in a process of its own.
func (b *bench) yardstick(y yardstick) (spent, error) {
	return finish(b.command(b.self, y.args(), procs(y.cores)...), 0, nil)
}

func procs(cores int) []string {
	if cores == 0 {
		return nil
	}
	return []string{fmt.Sprintf("GOMAXPROCS=%d", cores)}
}

// output is what a command of the program prints.
func (b *bench) output(args ...string) (string, error) {
	cmd := b.command(b.program, args)
	var out strings.Builder
	cmd.Stdout = &out
	_, err := finish(cmd, 0, nil)
	return out.String(), err
}

func load() string {
	text, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return "unknown"
	}
	first, _, _ := strings.Cut(string(text), " ")
	return first
}

func processor() string {
	text, _ := os.ReadFile("/proc/cpuinfo")
	for line := range strings.Lines(string(text)) {
		if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return "unknown processor"
}
