//go:build fleet && linux

package fleettest

import (
	"bufio"
	"bytes"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"go.temporal.io/sdk/client"
)

// Server is one that a test may kill and start again.
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
	binary := os.Getenv("TEMPORAL_SERVER")
	if binary == "" {
		t.Fatal("TEMPORAL_SERVER does not name a server: run `make cluster-temporal`")
	}
	_, port, _ := net.SplitHostPort(s.Address)
	s.cmd = exec.Command(binary, "-db", s.file, "-port", port)
	var said bytes.Buffer
	s.cmd.Stderr = &said
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if _, err := s.cmd.StdinPipe(); err != nil { // which it ends with
		t.Fatal(err)
	}
	stdout, err := s.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(stdout).ReadString('\n'); err != nil || strings.TrimSpace(line) != s.Address {
		_ = s.cmd.Process.Kill()
		_ = s.cmd.Wait()
		t.Fatalf("Temporal said %q, %v: %s", line, err, &said)
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
