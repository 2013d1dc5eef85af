//go:build !race

package main

import (
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"testing"
)

// TestACrashEndsWithTheStatusOfAFailure runs itself as a second process that crashes in the way it is told to.
func TestACrashEndsWithTheStatusOfAFailure(t *testing.T) {
	crashes := map[string]func(){
		"memory refused": func() {
			limit := syscall.Rlimit{Cur: uint64(allocated() + 64<<20), Max: uint64(allocated() + 64<<20)}
			if err := syscall.Setrlimit(syscall.RLIMIT_DATA, &limit); err != nil {
				t.Fatal(err)
			}
			var held [][]byte
			for range 1 << 20 {
				held = append(held, make([]byte, 1<<20))
			}
			runtime.KeepAlive(held)
		},
		"panic": func() { go panic("a defect"); select {} },
		"abort": func() { _ = syscall.Kill(os.Getpid(), syscall.SIGABRT); select {} },
	}
	if how := os.Getenv("BACKHAUL_TEST_CRASH"); how != "" {
		failOnCrash()
		crashes[how]()
		t.Fatal("did not crash")
	}
	for how := range crashes {
		t.Run(how, func(t *testing.T) {
			cmd := exec.Command(os.Args[0], "-test.run=^TestACrashEndsWithTheStatusOfAFailure$")
			cmd.Env = append(os.Environ(), "BACKHAUL_TEST_CRASH="+how)
			out, err := cmd.CombinedOutput()
			lines := strings.Split(strings.TrimSpace(string(out)), "\n")
			if cmd.ProcessState.ExitCode() != exitFailed || !strings.HasPrefix(lines[len(lines)-1], "backhaul: the program crashed; what was bought is in the journal") {
				t.Errorf("%v; it ends with\n%s", err, strings.Join(lines[max(0, len(lines)-5):], "\n"))
			}
			if !strings.Contains(string(out), "goroutine") {
				t.Error("it does not say where it crashed")
			}
		})
	}
}
