//go:build fleet && linux

package fleettest

import (
	"bytes"
	"context"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"go.temporal.io/sdk/client"
)

// Server is Temporal's own for development, over a file of SQLite, which a test may kill and start again.
type Server struct {
	// Address is that of its frontend.
	Address string
	file    string
	cmd     *exec.Cmd
}

// Start starts one that answers, until the test is over.
func Start(t testing.TB) *Server {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &Server{file: filepath.Join(t.TempDir(), "temporal.sqlite"), Address: l.Addr().String()}
	_ = l.Close()
	s.Run(t)
	t.Cleanup(s.Kill)
	return s
}

// Run starts it again over what it has kept.
func (s *Server) Run(t testing.TB) {
	t.Helper()
	binary := os.Getenv("TEMPORAL")
	if binary == "" {
		t.Fatal("TEMPORAL does not name Temporal's program: run `make cluster`")
	}
	host, port, _ := net.SplitHostPort(s.Address)
	s.cmd = exec.Command(binary, "server", "start-dev", "--headless", "--ip", host, "--port", port, "--db-filename", s.file, "--log-level", "error",
		"--dynamic-config-value", "system.forceSearchAttributesCacheRefreshOnRead=true") // one is there as soon as it was added
	var said bytes.Buffer
	s.cmd.Stdout, s.cmd.Stderr = &said, &said
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if err := s.answers(t.Context()); err != nil {
		s.Kill()
		t.Fatalf("%v\n%s", err, &said)
	}
}

// answers waits until its frontend does.
func (s *Server) answers(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	for {
		c, err := client.DialContext(ctx, client.Options{HostPort: s.Address})
		if err == nil {
			c.Close()
			return nil
		}
		if ctx.Err() != nil {
			return err
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// Kill kills it.
func (s *Server) Kill() {
	_ = s.cmd.Process.Kill()
	_ = s.cmd.Wait()
}

// Dial connects to it.
func (s *Server) Dial(t testing.TB) client.Client {
	t.Helper()
	c, err := client.Dial(client.Options{HostPort: s.Address})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}
