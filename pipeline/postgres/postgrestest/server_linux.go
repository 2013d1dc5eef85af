package postgrestest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// Password is that of every server's user.
const Password = "a secret of tests"

// Server is a running server, on loopback.
type Server struct {
	bin, dir, port string
	as             *syscall.Credential // nil: this process's own
	process        *exec.Cmd
	exited         chan struct{}
	output         bytes.Buffer
}

// Start starts a server that ends with the test.
func Start(t testing.TB) *Server {
	t.Helper()
	s, err := New(os.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Remove(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// New starts a server whose directory lies in dir.
func New(dir string) (_ *Server, err error) {
	s := &Server{}
	if s.bin, err = binaries(); err != nil {
		return nil, err
	}
	if os.Geteuid() == 0 { // which PostgreSQL refuses
		if s.as, err = somebody(); err != nil {
			return nil, err
		}
	}
	if s.dir, err = os.MkdirTemp(dir, "postgres-"); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.RemoveAll(s.dir))
		}
	}()
	secret := filepath.Join(s.dir, "secret")
	if err := os.WriteFile(secret, []byte(Password), 0o600); err != nil {
		return nil, err
	}
	if s.as != nil {
		if err := errors.Join(os.Chown(s.dir, int(s.as.Uid), int(s.as.Gid)), os.Chown(secret, int(s.as.Uid), int(s.as.Gid))); err != nil {
			return nil, err
		}
	}
	initdb := s.command("initdb", "--pgdata="+s.data(), "--auth=scram-sha-256", "--username=backhaul", "--pwfile="+secret, "--encoding=UTF8", "--locale=C.UTF-8", "--no-instructions")
	if out, err := initdb.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("initdb: %w: %s", err, out)
	}
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	_, s.port, _ = net.SplitHostPort(free.Addr().String())
	if err := free.Close(); err != nil {
		return nil, err
	}
	return s, s.Run()
}

func (s *Server) data() string { return filepath.Join(s.dir, "data") }

func (s *Server) command(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(filepath.Join(s.bin, name), args...)
	cmd.Dir = s.dir
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: s.as, Pdeathsig: syscall.SIGQUIT}
	return cmd
}

// Address is that of a database of the server, by its name.
func (s *Server) Address(database string) string {
	return fmt.Sprintf("postgres://backhaul:%s@127.0.0.1:%s/%s", "a%20secret%20of%20tests", s.port, database)
}

// Database makes a database and returns its address.
func (s *Server) Database(t testing.TB, name string) string {
	t.Helper()
	if err := s.exec(context.Background(), "CREATE DATABASE "+pgx.Identifier{name}.Sanitize()); err != nil {
		t.Fatal(err)
	}
	return s.Address(name)
}

// Sessions are those that are connected, a line each: what they do, or did last, what they wait for, and who blocks them.
func (s *Server) Sessions() string {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	conn, err := pgx.Connect(ctx, s.Address("postgres"))
	if err != nil {
		return err.Error()
	}
	defer func() { _ = conn.Close(ctx) }()
	rows, err := conn.Query(ctx, `SELECT concat_ws(' ', pid, client_port, state, 'for', clock_timestamp() - state_change, 'in a transaction for', clock_timestamp() - xact_start,
		'waits for', wait_event_type, wait_event, 'blocked by', pg_blocking_pids(pid), query) FROM pg_stat_activity WHERE client_port IS NOT NULL ORDER BY pid`)
	if err != nil {
		return err.Error()
	}
	lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return err.Error()
	}
	return strings.Join(lines, "\n")
}

func (s *Server) exec(ctx context.Context, statement string) error {
	conn, err := pgx.Connect(ctx, s.Address("postgres"))
	if err != nil {
		return err
	}
	_, err = conn.Exec(ctx, statement)
	return errors.Join(err, conn.Close(ctx))
}

// Run starts the server again after Kill, and returns when it answers.
func (s *Server) Run() error {
	s.process = s.command("postgres", "-D", s.data(), "-h", "127.0.0.1", "-p", s.port, "-k", s.dir, "-c", "max_connections=200", "-c", "shared_buffers=64MB")
	s.process.Stdout, s.process.Stderr = &s.output, &s.output
	if err := s.process.Start(); err != nil {
		return err
	}
	exited := make(chan struct{})
	s.exited = exited
	go func(p *exec.Cmd) {
		_ = p.Wait()
		close(exited)
	}(s.process)
	for begin := time.Now(); ; time.Sleep(20 * time.Millisecond) {
		err := s.exec(context.Background(), "SELECT 1")
		if err == nil {
			return nil
		}
		select {
		case <-exited:
			return fmt.Errorf("the server ended: %s", s.output.String())
		default:
		}
		if time.Since(begin) > time.Minute {
			return errors.Join(err, s.Kill())
		}
	}
}

// Kill ends the server at once, without a checkpoint: what was committed is in its log.
func (s *Server) Kill() error {
	err := s.process.Process.Signal(syscall.SIGQUIT) // the children of a server that is killed outright would hold its memory
	<-s.exited
	return err
}

// Remove ends the server and removes all it has.
func (s *Server) Remove() error {
	select {
	case <-s.exited:
	default:
		_ = s.Kill()
	}
	return os.RemoveAll(s.dir)
}

// binaries is the directory of the newest server of Debian's packages, or of the one that the path has.
func binaries() (string, error) {
	all, _ := filepath.Glob("/usr/lib/postgresql/*/bin/postgres")
	slices.SortFunc(all, func(a, b string) int { return version(b) - version(a) })
	if len(all) > 0 {
		return filepath.Dir(all[0]), nil
	}
	path, err := exec.LookPath("postgres")
	if err != nil {
		return "", errors.New("PostgreSQL is not installed: apt-get install postgresql")
	}
	return filepath.Dir(path), nil
}

func version(path string) int {
	n, _ := strconv.Atoi(filepath.Base(filepath.Dir(filepath.Dir(path))))
	return n
}

// somebody is a user without privileges.
func somebody() (*syscall.Credential, error) {
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, uidErr := strconv.Atoi(u.Uid)
		gid, gidErr := strconv.Atoi(u.Gid)
		return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, errors.Join(uidErr, gidErr)
	}
	return nil, errors.New("there is no user to run PostgreSQL as")
}
