package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"backhaul/jobs/books"
	"backhaul/jobs/recovery"
	"backhaul/pipeline/emulator/ahrefs"
	"backhaul/sinks"
	"backhaul/sinks/lake"
)

// serve starts an emulator and puts it in the place of the vendors.
func serve(t *testing.T, f emulatorFlags) *runningEmulator {
	t.Helper()
	f.listen = "127.0.0.1:0"
	e, err := startEmulator(f)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.close)
	for name, value := range e.environment() {
		setenv(t, name, value)
	}
	return e
}

// oneExtract writes a spec that buys one list and returns the arguments that run it.
func oneExtract(t *testing.T, vendors, endpoint string) []string {
	t.Helper()
	dir := t.TempDir()
	job := filepath.Join(dir, "job.yaml")
	spec := fmt.Sprintf("job: one\nvendors: %s\ntargets: {a: [tiny-tarps.example]}\nextracts:\n  - {name: x, endpoint: %s, targets: [a]}\n", vendors, endpoint)
	if err := os.WriteFile(job, []byte(spec), 0o644); err != nil {
		t.Fatal(err)
	}
	return []string{"run", job, "--warehouse", filepath.Join(dir, "w")}
}

func TestAnAPIThatWasShutDownIsNoMatterOfCredentials(t *testing.T) {
	t.Parallel()
	serve(t, emulatorFlags{ahrefs: ahrefs.Options{V2Sunset: true}})
	var out, errs bytes.Buffer
	status := Main(t.Context(), inTest(t, &out, &errs, oneExtract(t, "{ahrefs: {surface: v2}}", "ahrefs/anchors")...))
	if said := errs.String(); status != exitFailed || strings.Contains(said, "check the credentials") || !strings.Contains(said, "`surface: v3`") {
		t.Errorf("exit %d: %s", status, said)
	}
}

func TestWhoStopsARunAsItBeginsIsToldNoMore(t *testing.T) {
	t.Parallel()
	serve(t, emulatorFlags{latency: 20 * time.Second})
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	time.AfterFunc(time.Second, stop)
	var out, errs bytes.Buffer
	status := Main(ctx, inTest(t, &out, &errs, oneExtract(t, "{moz: {surface: v2}}", "moz/anchor_text")...))
	lines := strings.Split(strings.TrimSpace(errs.String()), "\n")
	last := lines[len(lines)-1]
	if status != exitInterrupted || !strings.HasPrefix(last, "backhaul: interrupted") || strings.Contains(last, "sqlite") || strings.Contains(last, "canceled") {
		t.Errorf("exit %d: %s", status, errs.String())
	}
}

func TestOnlyTheWordToStopIsTakenForNothingElse(t *testing.T) {
	t.Parallel()
	stopped, stop := context.WithCancel(t.Context())
	stop()
	bare := fmt.Errorf("ledger.sqlite: %w", context.Canceled)
	for name, c := range map[string]struct {
		ctx  context.Context
		err  error
		want bool
	}{
		"stopped":            {stopped, bare, true},
		"not stopped":        {t.Context(), bare, false},
		"stopped in SQLite":  {stopped, errors.New("ledger.sqlite: interrupted (9)"), true},
		"damage":             {stopped, fmt.Errorf("%w: %w", recovery.ErrDamaged, context.Canceled), false},
		"a full disk beside": {stopped, errors.Join(errors.New("no space left on device"), context.Canceled), false},
		"a slip":             {stopped, usage("unknown table"), false},
		"stopped, and said":  {stopped, &exitError{status: exitInterrupted, err: errors.New("interrupted; run it again")}, false},
	} {
		if got := cut(c.ctx, c.err); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestOnlyADateThatIsHardlyMeantIsWarnedOf(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 24, 20, 0, 0, 0, time.UTC)
	for date, odd := range map[string]bool{
		"2026-11-24": false, "2026-11-25": false, "2026-11-26": true, "2099-01-01": true, "2026-10-01": false, "1999-01-01": true,
	} {
		d, err := runDate(date, now)
		if err != nil {
			t.Fatal(err)
		}
		if got := oddDate(d, now); (got != "") != odd {
			t.Errorf("%s: %q", date, got)
		}
	}
}

func TestEveryErrorHasItsStatus(t *testing.T) {
	t.Parallel()
	interrupted, stop := context.WithCancel(context.Background())
	stop()
	for _, test := range []struct {
		ctx  context.Context
		err  error
		want int
	}{
		{context.Background(), errors.New("no"), exitFailed},
		{context.Background(), fmt.Errorf("open journal: %w", recovery.ErrDamaged), exitDamaged},
		{context.Background(), fmt.Errorf("read: %w", sinks.ErrDamaged), exitDamaged},
		{context.Background(), fmt.Errorf("lock: %w", books.ErrBusy), exitTryLater},
		{context.Background(), fmt.Errorf("publish moz.links: %w", lake.ErrMoved), exitTryLater},
		{context.Background(), fmt.Errorf("pull moz.links: s3://b/p: %w: %w", lake.ErrAway, errors.New("connection refused")), exitTryLater},
		{interrupted, context.Canceled, exitInterrupted},
		{interrupted, books.ErrBusy, exitInterrupted},
		{interrupted, sinks.ErrDamaged, exitDamaged},
	} {
		if got := exitStatus(test.ctx, test.err); got != test.want {
			t.Errorf("%v, interrupted: %v: status %d, want %d", test.err, test.ctx.Err() != nil, got, test.want)
		}
	}
}
