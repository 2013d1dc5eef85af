package main

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// work is something the program does, measured once a round beside its yardstick.
type work struct {
	name    string
	quick   bool // is part of -quick: its ratio holds still on a machine with other work
	large   bool // only with -large
	peers   bool // only with -peers
	rounds  int  // at most. Default: as many as asked for
	figures []figure
	// round measures the figures, in a directory of its own.
	round func(b *bench, dir string) ([]pair, error)
}

// all are the works and their goals, which the issue that asked for speed set on a machine of two cores.
var all = []work{
	{name: "replay 1 M anchor rows, one core", quick: true, round: replayAnchors,
		figures: []figure{{name: "CPU", unit: "s", goal: 1, of: "DuckDB"}, {name: "CPU", unit: "s", goal: 0.5, of: "encoding/json + pqarrow"}, {name: "bytes", unit: "MB", goal: 0.75, of: "DuckDB's zstd"}}},
	{name: "replay 100,000 link rows, one core", quick: true, round: replayLinks,
		figures: []figure{{name: "CPU", unit: "s", goal: 0.8, of: "DuckDB"}, {name: "bytes", unit: "MB", goal: 0.75, of: "DuckDB's zstd"}}},
	{name: "import moz-v2, 1 M anchor rows", quick: true, round: importAnchors, figures: []figure{{name: "CPU", unit: "s", goal: 2, of: "DuckDB"}}},
	{name: "replay 1 M anchor rows, two cores", round: twoCores, figures: []figure{{name: "wall", unit: "s", goal: 0.6, of: "one core"}}},
	{name: "buy a page, 8 connections", round: buying(8), figures: []figure{{name: "CPU", unit: "us", goal: 80.0 / 22, of: "net/http"}}},
	{name: "buy a page, 64 connections", round: buying(64), figures: []figure{{name: "CPU", unit: "us", goal: 80.0 / 22, of: "net/http"}}},
	{name: "tiny run", round: tiny, figures: []figure{{name: "first of a warehouse, CPU", unit: "s", goal: 0.15}, {name: "next, CPU", unit: "s", goal: 0.15}, {name: "replay, CPU", unit: "s", goal: 0.15}}},
	{name: "tables", round: alone("tables"), figures: []figure{{name: "CPU", unit: "s", goal: 0.05}}},
	{name: "version", round: alone("version"), figures: []figure{{name: "CPU", unit: "s", goal: 0.02}}},
	{name: "plan 1,000,000 targets", rounds: 2, round: planMillion, figures: []figure{{name: "CPU", unit: "s", goal: 5}, {name: "memory", unit: "MiB", goal: 500}}},
	{name: "run 100,000 targets", rounds: 3, round: manyTargets(100_000), figures: targetFigures(1.5, 3, 300)},
	{name: "run 1,000,000 targets", large: true, rounds: 1, round: manyTargets(1_000_000), figures: targetFigures(10, 10, 1024)},
	{name: "1 M rows bought and loaded", rounds: 2, round: night(10_000), figures: []figure{{name: "last page to exit", unit: "s", goal: 10}}},
	{name: "10 M rows bought and loaded", large: true, rounds: 1, round: night(100_000), figures: []figure{{name: "last page to exit", unit: "s", goal: 10}, {name: "memory", unit: "MiB", goal: 163}}},
	{name: "200 uneven lists, 50 ms, 8 connections", rounds: 2, round: uneven, figures: []figure{{name: "first night, wall", unit: "s", goal: 1.08, of: "bound"}, {name: "known lengths, wall", unit: "s", goal: 1.05, of: "bound"}}},
	{name: "chained job, 50 ms, 8 connections", rounds: 3, round: chained, figures: []figure{{name: "wall", unit: "s", goal: 1.08, of: "bound"}}},
	{name: "20 requests a second", rounds: 1, round: paced, figures: []figure{{name: "wall", unit: "s", goal: 1, of: "bound"}}},
	{name: "binary", rounds: 1, round: binary, figures: []figure{{name: "as released", unit: "MB", goal: 100}, {name: "as built", unit: "MB", goal: 137}}},
	{name: "buy and load 100,000 rows", peers: true, round: peers, figures: []figure{{name: "CPU a row", unit: "us", goal: 1.0 / 10, of: "dlt"},
		{name: "CPU a row", unit: "us", goal: 1.0 / 14, of: "Airbyte CDK"}, {name: "CPU a row", unit: "us", goal: 1.0 / 5, of: "requests + pyarrow"}}},
}

func targetFigures(first, exit, memory float64) []figure {
	return []figure{{name: "first request", unit: "s", goal: first}, {name: "SIGTERM to exit", unit: "s", goal: exit}, {name: "memory", unit: "MiB", goal: memory}}
}

// stored is a corpus and a warehouse that it was imported into.
type stored struct {
	corpus
	warehouse, run, file string
}

// stored returns the corpus of an endpoint, made and imported when it is asked for first. What DuckDB makes of it is compared
// with what the program did.
func (b *bench) stored(endpoint string) (*stored, error) {
	if s := b.corpora[endpoint]; s != nil {
		return s, nil
	}
	rows := map[string]int64{"anchor_text": 1_000_000, "links": 100_000}[endpoint]
	if b.quick {
		rows /= 10
	}
	c, err := writeCorpus(filepath.Join(b.dir, endpoint+".ndjson"), endpoint, rows)
	if err != nil {
		return nil, err
	}
	s := &stored{corpus: c, warehouse: filepath.Join(b.dir, endpoint)}
	if _, err := b.backhaul(0, "import", "moz-v2", s.path, "--warehouse", s.warehouse); err != nil {
		return nil, err
	}
	if s.run, err = b.runID(s.warehouse); err != nil {
		return nil, err
	}
	if s.file, err = only(filepath.Join(s.warehouse, "lake", "moz", endpoint, "month=2026-11", "*.parquet")); err != nil {
		return nil, err
	}
	_, err = b.yardstick(yardstick{name: "same", table: s.table(), in: s.path, out: s.file, cores: 2})
	b.corpora[endpoint] = s
	return s, err
}

func (s *stored) table() string { return "moz." + s.endpoint }

// runID is the run of a warehouse that has one.
func (b *bench) runID(warehouse string) (string, error) {
	answer, err := b.output("query", "SELECT run_id FROM ops.runs", "--format", "csv", "--warehouse", warehouse)
	if err != nil {
		return "", err
	}
	lines := strings.Fields(answer)
	if len(lines) != 2 {
		return "", fmt.Errorf("%s has %d runs", warehouse, len(lines)-1)
	}
	return lines[1], nil
}

func only(pattern string) (string, error) {
	names, err := filepath.Glob(pattern)
	if err == nil && len(names) != 1 {
		err = fmt.Errorf("%d files are %s", len(names), pattern)
	}
	if err != nil {
		return "", err
	}
	return names[0], nil
}

func (b *bench) replay(s *stored, cores int) (spent, error) {
	return b.backhaul(cores, "replay", s.run, "--warehouse", s.warehouse)
}

func replayAnchors(b *bench, dir string) ([]pair, error) {
	s, err := b.stored("anchor_text")
	if err != nil {
		return nil, err
	}
	ours, err1 := b.replay(s, 1)
	duck, err2 := b.yardstick(yardstick{name: "duckdb", table: s.table(), in: s.path, out: filepath.Join(dir, "duckdb.parquet"), cores: 1})
	naive, err3 := b.yardstick(yardstick{name: "naive", in: s.path, out: filepath.Join(dir, "naive.parquet"), cores: 1})
	size, err4 := b.sizes(s, dir)
	return []pair{cpu(ours, duck), cpu(ours, naive), size}, errors.Join(err1, err2, err3, err4)
}

func replayLinks(b *bench, dir string) ([]pair, error) {
	s, err := b.stored("links")
	if err != nil {
		return nil, err
	}
	ours, err1 := b.replay(s, 1)
	duck, err2 := b.yardstick(yardstick{name: "duckdb", table: s.table(), in: s.path, out: filepath.Join(dir, "duckdb.parquet"), cores: 1})
	size, err3 := b.sizes(s, dir)
	return []pair{cpu(ours, duck), size}, errors.Join(err1, err2, err3)
}

func cpu(ours, yard spent) pair { return pair{ours.cpu.Seconds(), yard.cpu.Seconds()} }

// sizes compares the bytes of a file with those of what DuckDB writes of it.
func (b *bench) sizes(s *stored, dir string) (p pair, err error) {
	if s.file, err = only(filepath.Join(s.warehouse, "lake", "moz", s.endpoint, "month=2026-11", "*.parquet")); err != nil {
		return p, err // a replay gives its file another name
	}
	again := filepath.Join(dir, "again.parquet")
	if _, err := b.yardstick(yardstick{name: "rewrite", in: s.file, out: again, cores: 1}); err != nil {
		return p, err
	}
	if p.ours, err = megabytes(s.file); err != nil {
		return p, err
	}
	p.yard, err = megabytes(again)
	return p, err
}

func megabytes(path string) (float64, error) {
	info, err := os.Stat(path)
	if err != nil {
		return 0, err
	}
	return float64(info.Size()) / 1e6, nil
}

func importAnchors(b *bench, dir string) ([]pair, error) {
	s, err := b.stored("anchor_text")
	if err != nil {
		return nil, err
	}
	// A warehouse's first catalog costs three quarters of what the rows with -quick do: "tiny run" measures it.
	first, warehouse := filepath.Join(dir, "first.ndjson"), filepath.Join(dir, "w")
	if _, err := writeCorpus(first, "links", 1); err != nil {
		return nil, err
	}
	if _, err := b.backhaul(0, "import", "moz-v2", first, "--warehouse", warehouse); err != nil {
		return nil, err
	}
	ours, err1 := b.backhaul(1, "import", "moz-v2", s.path, "--warehouse", warehouse)
	duck, err2 := b.yardstick(yardstick{name: "duckdb", table: s.table(), in: s.path, out: filepath.Join(dir, "duckdb.parquet"), cores: 1})
	return []pair{cpu(ours, duck)}, errors.Join(err1, err2)
}

func twoCores(b *bench, _ string) ([]pair, error) {
	s, err := b.stored("anchor_text")
	if err != nil {
		return nil, err
	}
	two, err1 := b.replay(s, 2)
	one, err2 := b.replay(s, 1)
	return []pair{wall(two, one.wall)}, errors.Join(err1, err2)
}

func wall(ours spent, bound time.Duration) pair { return pair{ours.wall.Seconds(), bound.Seconds()} }

// job writes a job that buys the anchors of the targets, and returns its path and that of the targets.
func job(dir, vendor string, targets []string) (spec, list string, err error) {
	spec, list = filepath.Join(dir, "measured.yaml"), filepath.Join(dir, "targets.csv")
	text := "job: measured\nvendors:\n  moz: " + vendor + "\ntargets:\n  all: {file: targets.csv}\n" +
		"extracts:\n  - name: anchors\n    endpoint: moz/anchor_text\n    targets: [all]\n    params: {scope: root_domain}\n"
	return spec, list, errors.Join(os.WriteFile(spec, []byte(text), 0o644), os.WriteFile(list, []byte("target\n"+strings.Join(targets, "\n")+"\n"), 0o644))
}

func targets(n, rows int) []string {
	all := make([]string, n)
	for i := range all {
		all[i] = target(i, rows)
	}
	return all
}

// buying measures what a page costs to buy and to journal, at a server that answers at once: what a run takes less what the
// replay of the same run does.
func buying(connections int) func(b *bench, dir string) ([]pair, error) {
	return func(b *bench, dir string) ([]pair, error) {
		all := targets(100, 5000)
		spec, list, err := job(dir, fmt.Sprintf("{requests_per_second: 1000000, connections: %d}", connections), all)
		if err != nil {
			return nil, err
		}
		b.server.begin(0)
		warehouse := filepath.Join(dir, "w")
		run, err1 := b.backhaul(0, "run", spec, "--yes", "--warehouse", warehouse)
		id, err2 := b.runID(warehouse)
		if err := errors.Join(err1, err2); err != nil {
			return nil, err
		}
		replay, err1 := b.backhaul(0, "replay", id, "--warehouse", warehouse)
		plain, err2 := b.yardstick(yardstick{name: "fetch", url: b.listener.URL, in: list, connections: connections, cores: 2})
		pages := float64(len(all) * 5000 / perPage)
		return []pair{{float64((run.cpu - replay.cpu).Microseconds()) / pages, float64(plain.cpu.Microseconds()) / pages}}, errors.Join(err1, err2)
	}
}

func tiny(b *bench, dir string) ([]pair, error) {
	spec, _, err := job(dir, "{requests_per_second: 1000}", targets(1, 50))
	if err != nil {
		return nil, err
	}
	b.server.begin(0)
	warehouse := filepath.Join(dir, "w")
	first, err1 := b.backhaul(0, "run", spec, "--yes", "--date", "2026-11-22", "--warehouse", warehouse)
	id, err2 := b.runID(warehouse)
	replay, err3 := b.backhaul(0, "replay", id, "--warehouse", warehouse)
	next, err4 := b.backhaul(0, "run", spec, "--yes", "--date", "2026-11-23", "--warehouse", warehouse)
	return []pair{{ours: first.cpu.Seconds()}, {ours: next.cpu.Seconds()}, {ours: replay.cpu.Seconds()}}, errors.Join(err1, err2, err3, err4)
}

func alone(args ...string) func(b *bench, dir string) ([]pair, error) {
	return func(b *bench, _ string) ([]pair, error) {
		ours, err := b.backhaul(0, args...)
		return []pair{{ours: ours.cpu.Seconds()}}, err
	}
}

func planMillion(b *bench, dir string) ([]pair, error) {
	spec, _, err := job(dir, "{requests_per_second: 2}", targets(1_000_000, 50))
	if err != nil {
		return nil, err
	}
	b.server.begin(0)
	ours, err := b.backhaul(0, "plan", spec, "--warehouse", filepath.Join(dir, "w"))
	return []pair{{ours: ours.cpu.Seconds()}, {ours: ours.memory}}, err
}

// manyTargets measures when a run comes to its first request, and how long it takes to stop a second later.
func manyTargets(n int) func(b *bench, dir string) ([]pair, error) {
	return func(b *bench, dir string) ([]pair, error) {
		spec, _, err := job(dir, "{requests_per_second: 2}", targets(n, 50))
		if err != nil {
			return nil, err
		}
		first := b.server.begin(0)
		cmd := b.command(b.program, []string{"run", spec, "--yes", "--warehouse", filepath.Join(dir, "w")})
		var asked, told, begin time.Time
		begin = time.Now()
		ours, err := finish(cmd, 130, func() error {
			select {
			case <-first:
			case <-b.ctx.Done():
				return b.ctx.Err()
			case <-time.After(10 * time.Minute):
				return errors.Join(errors.New("no request in ten minutes"), cmd.Process.Kill())
			}
			asked = time.Now()
			time.Sleep(time.Second)
			told = time.Now()
			return cmd.Process.Signal(syscall.SIGTERM)
		})
		exit := begin.Add(ours.wall).Sub(told)
		return []pair{{ours: asked.Sub(begin).Seconds()}, {ours: exit.Seconds()}, {ours: ours.memory}}, err
	}
}

// night measures how long a night of a hundred lists goes on after its last page, and what it takes of memory.
func night(rows int) func(b *bench, dir string) ([]pair, error) {
	return func(b *bench, dir string) ([]pair, error) {
		spec, _, err := job(dir, "{requests_per_second: 1000000, connections: 8}", targets(100, rows))
		if err != nil {
			return nil, err
		}
		b.server.begin(0)
		begin := time.Now()
		ours, err := b.backhaul(0, "run", spec, "--yes", "--warehouse", filepath.Join(dir, "w"))
		return []pair{{ours: begin.Add(ours.wall).Sub(b.server.last()).Seconds()}, {ours: ours.memory}}, err
	}
}

// unevenTargets returns n targets whose lists have the web's shape: most short, few long.
func unevenTargets(n, longest int) []string {
	r := rand.New(rand.NewPCG(7, 7))
	all := make([]string, n)
	for i := range all {
		all[i] = target(i, int(float64(longest)/(1+r.Float64()*float64(i))))
	}
	r.Shuffle(n, func(i, j int) { all[i], all[j] = all[j], all[i] })
	return all
}

func pagesOf(targets []string) (all, longest int) {
	for _, t := range targets {
		pages := max(1, (length(t)+perPage-1)/perPage)
		all += pages
		longest = max(longest, pages)
	}
	return all, longest
}

const (
	latency     = 50 * time.Millisecond
	connections = 8
)

// bound is what no client can beat: all pages over all connections, or the longest list alone.
func bound(targets []string) time.Duration {
	pages, longest := pagesOf(targets)
	return max(time.Duration(pages)*latency/connections, time.Duration(longest)*latency)
}

func uneven(b *bench, dir string) ([]pair, error) {
	all := unevenTargets(200, 5000)
	spec, _, err := job(dir, fmt.Sprintf("{requests_per_second: 100000, connections: %d}", connections), all)
	if err != nil {
		return nil, err
	}
	b.server.begin(latency)
	var nights []pair
	for _, date := range []string{"2026-11-22", "2026-11-23"} { // the first knows no lengths, the second orders by those of the first
		ours, err := b.backhaul(0, "run", spec, "--yes", "--date", date, "--warehouse", filepath.Join(dir, "w"))
		if err != nil {
			return nil, err
		}
		nights = append(nights, wall(ours, bound(all)))
	}
	return nights, nil
}

// chained asks first about some targets, then about others that the replies to the first provide, and then once more.
func chained(b *bench, dir string) ([]pair, error) {
	all := targets(100, 200)
	spec, _, err := job(dir, fmt.Sprintf("{requests_per_second: 100000, connections: %d}", connections), all)
	if err != nil {
		return nil, err
	}
	f, err := os.OpenFile(spec, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return nil, err
	}
	for _, link := range [][2]string{{"second", "anchors"}, {"third", "second"}} {
		fmt.Fprintf(f, "  - name: %s\n    endpoint: moz/anchor_text\n    after: [%s]\n    targets: {sql: \"select distinct '%s-' || target as target from %[2]s\"}\n    params: {scope: root_domain}\n", link[0], link[1], link[0])
	}
	if err := f.Close(); err != nil {
		return nil, err
	}
	b.server.begin(latency)
	ours, err := b.backhaul(0, "run", spec, "--yes", "--warehouse", filepath.Join(dir, "w"))
	return []pair{wall(ours, 3*bound(all))}, err
}

// paced runs at 20 requests a second, which is its bound.
func paced(b *bench, dir string) ([]pair, error) {
	all := unevenTargets(100, 2000)
	spec, _, err := job(dir, fmt.Sprintf("{requests_per_second: 20, connections: %d}", connections), all)
	if err != nil {
		return nil, err
	}
	pages, _ := pagesOf(all)
	b.server.begin(latency)
	ours, err := b.backhaul(0, "run", spec, "--yes", "--warehouse", filepath.Join(dir, "w"))
	return []pair{wall(ours, time.Duration(pages)*time.Second/20)}, err
}

// binary has the program's bytes: as .ci/release links it, and as make build does.
func binary(b *bench, dir string) ([]pair, error) {
	stripped := filepath.Join(dir, "backhaul")
	if out, err := exec.CommandContext(b.ctx, "go", "build", "-trimpath", "-buildvcs=false", "-ldflags", "-s -w", "-o", stripped, "./cmd/backhaul").CombinedOutput(); err != nil {
		return nil, fmt.Errorf("%w\n%s", err, out)
	}
	released, err1 := megabytes(stripped)
	built, err2 := megabytes(b.program)
	return []pair{{ours: released}, {ours: built}}, errors.Join(err1, err2)
}
