//go:build cluster && linux

package ledger

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"backhaul/pipeline"
	"backhaul/pipeline/postgres"
	"backhaul/pipeline/postgres/postgrestest"
)

// BenchmarkDatabase is what a grant and a turn take in PostgreSQL, of hosts at once and beside so many grants of the month: cpu-µs are
// this process's own, server-µs those of the server's processes for its connections. .github/CAPACITY.md counts with them.
func BenchmarkDatabase(b *testing.B) {
	for _, rows := range []int{0, 1000, 30000} {
		for _, hosts := range []int{1, 16} {
			b.Run(fmt.Sprintf("grant/beside=%d/hosts=%d", rows, hosts), func(b *testing.B) {
				server := postgrestest.Start(b)
				ledgers := make([]*Ledger, hosts)
				for i := range ledgers {
					ledgers[i] = In(opened(b, server))
				}
				fill(b, server, rows, hosts)
				month := pipeline.Units(1 << 40)
				atOnce(b, server, hosts, func(ctx context.Context, host int) error {
					_, _, err := ledgers[host].Grant(ctx, fmt.Sprint("run", host), "moz", "2026-11", 50, 50, Ceiling{Month: &month})
					return err
				})
			})
		}
	}
	for _, hosts := range []int{1, 16} {
		b.Run(fmt.Sprintf("turn/hosts=%d", hosts), func(b *testing.B) {
			server := postgrestest.Start(b)
			turns := make([]*postgres.Slots, hosts)
			for i := range turns {
				fleet, err := connected(b, server).Fleet(b.Context())
				if err != nil {
					b.Fatal(err)
				}
				turns[i] = fleet.Slots(fmt.Sprint("account", i))
			}
			atOnce(b, server, hosts, func(ctx context.Context, host int) error {
				_, err := turns[host].Slot(ctx, time.Microsecond)
				return err
			})
		})
	}
}

// atOnce measures what hosts do at once, b.N times in all.
func atOnce(b *testing.B, server *postgrestest.Server, hosts int, do func(ctx context.Context, host int) error) {
	before, serverBefore := used(), serverTime(b, server)
	b.ResetTimer()
	var all sync.WaitGroup
	for host := range hosts {
		all.Go(func() {
			for range b.N / hosts {
				if err := do(b.Context(), host); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	all.Wait()
	b.StopTimer()
	n := float64(b.N / hosts * hosts)
	b.ReportMetric(n/b.Elapsed().Seconds(), "per-s")
	b.ReportMetric(float64((used()-before).Microseconds())/n, "cpu-µs/op")
	b.ReportMetric(float64((serverTime(b, server)-serverBefore).Microseconds())/n, "server-µs/op")
}

// connected is the server as a host of its own knows it.
func connected(b *testing.B, server *postgrestest.Server) *postgres.Server {
	b.Helper()
	db, err := postgres.New(server.Address("postgres"))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = db.Close() })
	return db
}

// opened is the ledger's schema, as a host of its own has it.
func opened(b *testing.B, server *postgrestest.Server) *postgres.DB {
	b.Helper()
	schema, err := connected(b, server).Open(b.Context(), "backhaul", "the ledger", Layout, postgres.Only(postgres.Alone("backhaul ledger")))
	if err != nil {
		b.Fatal(err)
	}
	return schema
}

// fill enters the runs, and grants of others of the month.
func fill(b *testing.B, server *postgrestest.Server, rows, runs int) {
	b.Helper()
	ask(b, server, func(ctx context.Context, conn *pgx.Conn) error {
		_, err := conn.Exec(ctx, fmt.Sprintf(`INSERT INTO backhaul.runs (run_id, job, run_date, spec_hash, state, created_at, started_at)
			SELECT 'other' || n, 'other' || n, '2026-11-23', '', 'complete', 0, 0 FROM generate_series(1, %d) n UNION ALL
			SELECT 'run' || n, 'run' || n, '2026-11-24', '', 'running', 0, 0 FROM generate_series(0, %d) n`, rows, runs-1))
		if err != nil {
			return err
		}
		_, err = conn.Exec(ctx, fmt.Sprintf(`INSERT INTO backhaul.grants (run_id, vendor, month, granted, spent, settled, in_flight)
			SELECT 'other' || n, 'moz', '2026-11', 100, 100, true, 0 FROM generate_series(1, %d) n`, rows))
		if err == nil {
			_, err = conn.Exec(ctx, `ANALYZE`)
		}
		return err
	})
}

func ask(b *testing.B, server *postgrestest.Server, do func(context.Context, *pgx.Conn) error) {
	b.Helper()
	conn, err := pgx.Connect(b.Context(), server.Address("postgres"))
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = conn.Close(context.Background()) }()
	if err := do(b.Context(), conn); err != nil {
		b.Fatal(err)
	}
}

// serverTime is what the server's processes for the connections that there are have used.
func serverTime(b *testing.B, server *postgrestest.Server) (all time.Duration) {
	b.Helper()
	ask(b, server, func(ctx context.Context, conn *pgx.Conn) error {
		rows, err := conn.Query(ctx, `SELECT pid FROM pg_stat_activity WHERE application_name = 'backhaul'`)
		if err != nil {
			return err
		}
		pids, err := pgx.CollectRows(rows, pgx.RowTo[int])
		for _, pid := range pids {
			text, readErr := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
			if readErr != nil {
				continue // it has ended
			}
			_, fields, _ := strings.Cut(string(text), ") ")
			const tick = 10 * time.Millisecond
			for _, at := range []int{11, 12} { // utime and stime
				n, _ := strconv.Atoi(strings.Fields(fields)[at])
				all += time.Duration(n) * tick
			}
		}
		return err
	})
	return all
}

// used is what this process has used.
func used() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
