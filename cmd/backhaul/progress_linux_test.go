package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// terminal returns a terminal that a program can write to, and what has been drawn on it, once it is closed.
func terminal(t *testing.T) (screen *os.File, drawn func() string) {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.IoctlSetPointerInt(int(master.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetInt(int(master.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	if screen, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0); err != nil {
		t.Fatal(err)
	}
	if err := unix.IoctlSetWinsize(int(screen.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Row: 40, Col: 160}); err != nil {
		t.Fatal(err)
	}
	all := make(chan string, 1)
	go func() {
		text, _ := io.ReadAll(master) // which ends with an error once nobody has the terminal open
		all <- string(text)
	}()
	return screen, func() string {
		_ = screen.Close()
		defer master.Close()
		return <-all
	}
}

func TestLoadingAndPublishingHaveABarWhereATerminalCanDrawOne(t *testing.T) {
	for kind, drawn := range map[string]bool{"xterm": true, "dumb": false} {
		s := newListServer(t, listSettings{})
		setenv(t, "MOZ_TOKEN", "secret-token")
		setenv(t, "BACKHAUL_MOZ_V2_URL", s.URL)
		setenv(t, "TERM", kind)
		dir := t.TempDir()
		job := writeFile(t, dir, "bars.yaml", "job: bars\nvendors: {moz: {requests_per_second: 1000}}\ntargets: {all: ["+listTarget(1, 120)+"]}\nextracts: [{name: anchors, endpoint: moz/anchor_text, targets: [all]}]\n")
		screen, seen := terminal(t)
		status := Main(t.Context(), inTest(t, io.Discard, screen, "run", job, "--warehouse", filepath.Join(dir, "w"), "--date", wardDate))
		text := seen()
		if status != exitComplete {
			t.Fatalf("exit %d, %s", status, text)
		}
		for _, want := range []string{"1/1 targets [==", "3/3 replies [==", "] moz.anchor_text", "1/1 tables [=="} {
			if strings.Contains(text, want) != drawn {
				t.Errorf("%s: %q is shown: %v\n%q", kind, want, !drawn, text)
			}
		}
	}
}
