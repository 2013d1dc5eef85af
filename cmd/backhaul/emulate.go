package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"backhaul/pipeline/emulator"
	"backhaul/pipeline/emulator/ahrefs"
	"backhaul/pipeline/words"
)

// emulatorFlags are the flags of `emulate`.
type emulatorFlags struct {
	listen, faults string
	day            int
	seed           uint64
	latency        time.Duration
	perSecond      float64
	quota          int64
	tokenLife      time.Duration
	ahrefs         ahrefs.Options
}

func (a *app) emulateCommand() *cobra.Command {
	var f emulatorFlags
	cmd := &cobra.Command{
		Use:   "emulate",
		Short: "Serve the vendors' APIs on this machine, metered, over a made-up link graph",
		Long: `Serves Moz Links API V2, Moz JSON-RPC and Ahrefs API v3 and v2 over one made-up link graph that moves from day to day, and
meters them as the vendors do. The addresses and credentials it prints are ready to be pasted into a shell.

` + emulator.FaultHelp(),
		Args: exactly(0, "no argument"),
		RunE: func(cmd *cobra.Command, _ []string) error { return a.emulate(cmd.Context(), f) },
	}
	flags := cmd.Flags()
	flags.StringVar(&f.listen, "listen", "127.0.0.1:8686", "address to serve on")
	flags.StringVar(&f.faults, "faults", "", "what goes wrong, and how often: see above")
	flags.IntVar(&f.day, "day", 0, "day of the link graph; it differs a little from day to day")
	flags.Uint64Var(&f.seed, "seed", 0, "seed of the link graph")
	flags.DurationVar(&f.latency, "latency", 0, "delay before every answer")
	flags.Float64Var(&f.perSecond, "requests-per-second", 0, "requests accepted in the long run (default unlimited)")
	flags.Int64Var(&f.quota, "quota", 0, "rows a month (default unlimited)")
	flags.DurationVar(&f.tokenLife, "token-life", 0, "how long a next_token lives (default for ever)")
	flags.Int64Var(&f.ahrefs.UnitsLimit, "ahrefs-units", 0, "Ahrefs units a month (default unlimited)")
	flags.IntVar(&f.ahrefs.RequestsPerMinute, "ahrefs-requests-per-minute", 0, "Ahrefs requests accepted in any minute; the vendor accepts 60 (default unlimited)")
	flags.IntVar(&f.ahrefs.RowCap, "ahrefs-row-cap", 0, "most rows of one Ahrefs reply, as plans have it: 100, 250, 500 (default unlimited)")
	flags.DurationVar(&f.ahrefs.CacheTTL, "ahrefs-cache", 0, "how long Ahrefs repeats a reply for nothing (default never)")
	flags.BoolVar(&f.ahrefs.V2Sunset, "ahrefs-v2-sunset", false, "answer every call of Ahrefs v2 with an error, as the vendor does since 2025-11-01")
	return cmd
}

func (a *app) emulate(ctx context.Context, f emulatorFlags) error {
	e, err := startEmulator(f)
	if err != nil {
		return err
	}
	environment := e.environment()
	for _, name := range slices.Sorted(maps.Keys(environment)) {
		fmt.Fprintf(a.stdout, "export %s=%s\n", name, environment[name])
	}
	fmt.Fprintf(a.stderr, "serving day %d on %s; targets: %s; Ctrl-C ends it\n", f.day, e.address, strings.Join(e.server.Graph().Showcase(), ", "))
	select {
	case <-ctx.Done():
	case err = <-e.failed:
	}
	e.close()
	m := e.server.Meter()
	fmt.Fprintf(a.stderr, "Moz: %s delivered, %s billed\n", words.Plural(m.Pages, "reply"), words.Plural(m.Rows, "row"))
	if m := e.server.Ahrefs().Meter(); len(m.Requests) > 0 {
		fmt.Fprintf(a.stderr, "Ahrefs: %s delivered, %s and %s of v2 billed\n", words.Plural(m.Pages, "reply"), words.Plural(m.Units, "unit"), words.Plural(m.V2Rows, "row"))
	}
	return err
}

// runningEmulator is an emulator that serves on this machine.
type runningEmulator struct {
	server  *emulator.Server
	http    *http.Server
	address string
	failed  chan error
}

func startEmulator(f emulatorFlags) (*runningEmulator, error) {
	faults, err := emulator.ParseFaults(f.faults)
	if err != nil {
		return nil, usage("--faults: %v", err)
	}
	server := emulator.New(emulator.Options{
		Seed: f.seed, Day: f.day, Latency: f.latency, RequestsPerSecond: f.perSecond, Quota: f.quota, TokenLife: f.tokenLife, Faults: faults,
		Ahrefs: f.ahrefs,
	})
	listener, err := net.Listen("tcp", f.listen)
	if err != nil {
		return nil, fmt.Errorf("serve on %s: %w", f.listen, err)
	}
	e := &runningEmulator{
		server: server, address: listener.Addr().String(), failed: make(chan error, 1),
		http: &http.Server{Handler: server, ConnState: server.ConnState, ReadHeaderTimeout: 10 * time.Second},
	}
	go func() {
		if err := e.http.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			e.failed <- err
		}
	}()
	return e, nil
}

// environment is what a client must be told to use the emulator.
func (e *runningEmulator) environment() map[string]string {
	return map[string]string{
		"BACKHAUL_MOZ_V2_URL":  "http://" + e.address + "/v2",
		"BACKHAUL_MOZ_RPC_URL": "http://" + e.address + "/jsonrpc",
		"MOZ_TOKEN":            e.server.Options().Token,

		"BACKHAUL_AHREFS_V3_URL": "http://" + e.address + "/v3",
		"AHREFS_API_KEY":         e.server.Ahrefs().Options().Key,
		"BACKHAUL_AHREFS_V2_URL": "http://" + e.address + "/ahrefs-v2",
		"AHREFS_V2_TOKEN":        e.server.Ahrefs().Options().V2Token,
	}
}

func (e *runningEmulator) setDay(day int) { e.server.SetDay(day) }

func (e *runningEmulator) close() { _ = e.http.Close() }
