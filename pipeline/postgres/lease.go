package postgres

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"time"

	"backhaul/pipeline/store"
)

// LeaseTime is how long a lease lasts that its holder does not renew. A holder renews it three times as often. Set it while there is no
// lease.
var LeaseTime = 30 * time.Second

// ErrTaken means that this process had a lease and has it no more: it stood still for longer than the lease lasts, and another process
// went on in its place. It has written nothing since.
var ErrTaken = errors.New("another process has taken the run over")

// fleet are the tables of what hosts share beside journals and ledger. Format 1 had no claims. Times are the database's, in microseconds since 1970; but for
// since and beat, which are the holder's.
var fleet = store.Layout{Schema: `
CREATE TABLE IF NOT EXISTS leases (
	name TEXT PRIMARY KEY, token INTEGER NOT NULL, renewed_at INTEGER NOT NULL, expires_at INTEGER NOT NULL,
	pid INTEGER NOT NULL DEFAULT 0, host TEXT NOT NULL DEFAULT '', since INTEGER NOT NULL DEFAULT 0, beat INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE IF NOT EXISTS claims (
	run TEXT NOT NULL, list TEXT NOT NULL, no INTEGER NOT NULL DEFAULT 0, units INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (run, list)
);
CREATE TABLE IF NOT EXISTS slots (account TEXT PRIMARY KEY, next_at INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS journals (name TEXT PRIMARY KEY, schema_name TEXT NOT NULL, remains BLOB)`,
	Upgrades: []string{``}} // claims

// fleetSchema is where they are.
const fleetSchema = "backhaul_fleet"

// clock is the database's, now.
const clock = `(extract(epoch FROM clock_timestamp()) * 1000000)::bigint`

// Fleet is what the hosts that use a database share beside journals and ledger. It is safe for concurrent use.
type Fleet struct{ db *DB }

// Fleet opens it.
func (s *Server) Fleet(ctx context.Context) (*Fleet, error) {
	db, err := s.Open(ctx, fleetSchema, "the fleet", fleet, nil)
	if err != nil {
		return nil, err
	}
	return &Fleet{db}, nil
}

// Holder is who has a lease: what he said of himself, and for how long he has not renewed it, 0 if he has lately.
type Holder struct {
	PID    int
	Host   string
	Since  time.Time
	Silent time.Duration
}

// columns are those of a holder, with the lease's, behind whether it has not expired.
const columns = `expires_at > ` + clock + `, pid, host, since, ` + clock + ` - renewed_at`

func (h *Holder) scan(row *sql.Row, held *bool, more ...any) error {
	var since, age int64
	err := row.Scan(append(more, held, &h.PID, &h.Host, &since, &age)...)
	h.Since = store.At(since)
	if silent := time.Duration(age) * time.Microsecond; silent >= LeaseTime/2 {
		h.Silent = silent
	}
	return err
}

// HeldError means that another has the lease.
type HeldError struct{ Holder Holder }

func (e *HeldError) Error() string { return "the lease is held" }

// Lease is the exclusive right to something, by its name, for as long as it is renewed, which it is until it is let go of. Whoever takes
// it after that has a higher token, and from then on nothing can be written under this one; see [Lease.Guard]. It is safe for
// concurrent use.
type Lease struct {
	fleet *Fleet
	name  string
	token int64
	end   context.CancelFunc
	done  chan struct{}

	mu      sync.Mutex
	renewed time.Time // when the last renewal that succeeded was asked for, by this machine's clock
	lost    bool
}

// Take takes a lease, or returns a *HeldError.
func (f *Fleet) Take(ctx context.Context, name string) (*Lease, error) {
	l := &Lease{fleet: f, name: name, done: make(chan struct{}), renewed: time.Now()}
	err := f.db.Write(ctx, func(tx *sql.Tx) error {
		if _, err := tx.Exec(`INSERT INTO leases (name, token, renewed_at, expires_at) VALUES (?, 0, 0, 0) ON CONFLICT (name) DO NOTHING`, name); err != nil {
			return err
		}
		var held bool
		var h Holder
		// Writes under the lease lock the row as well, so that none is under way when the token changes.
		if err := h.scan(tx.QueryRow(`SELECT token, `+columns+` FROM leases WHERE name = ? FOR UPDATE`, name), &held, &l.token); err != nil {
			return err
		}
		if held {
			return &HeldError{h}
		}
		l.token++
		_, err := tx.Exec(`UPDATE leases SET token = ?, renewed_at = `+clock+`, expires_at = `+clock+` + ?, pid = 0, host = '', since = 0 WHERE name = ?`,
			l.token, LeaseTime.Microseconds(), name)
		return err
	})
	if err != nil {
		var held *HeldError
		if errors.As(err, &held) {
			return nil, held
		}
		return nil, fmt.Errorf("take the lease of %s: %w", name, err)
	}
	renewing, end := context.WithCancel(context.WithoutCancel(ctx))
	l.end = end
	go l.keep(renewing)
	return l, nil
}

// keep renews the lease until that ends, or another has it.
func (l *Lease) keep(ctx context.Context) {
	defer close(l.done)
	for {
		timer := time.NewTimer(LeaseTime / 3)
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-timer.C:
		}
		if errors.Is(l.Renew(ctx), ErrTaken) {
			return
		}
	}
}

// Renew renews the lease now. An error that is not ErrTaken leaves it as it was: it may be renewed later, as long as nobody took it.
func (l *Lease) Renew(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, LeaseTime)
	defer cancel()
	began := time.Now()
	done, err := l.fleet.db.sql.ExecContext(ctx, `UPDATE leases SET renewed_at = `+clock+`, expires_at = `+clock+` + ? WHERE name = ? AND token = ?`,
		LeaseTime.Microseconds(), l.name, l.token)
	if err != nil {
		return l.fleet.db.Wrap(err)
	}
	n, err := done.RowsAffected()
	if err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if n == 0 {
		l.lost = true
		return ErrTaken
	}
	l.renewed = began
	return nil
}

// Sure returns nil where this process may go on in the trust that it has the lease: it was renewed a while ago at most, or is now.
func (l *Lease) Sure(ctx context.Context) error {
	l.mu.Lock()
	lost, age := l.lost, time.Since(l.renewed)
	l.mu.Unlock()
	if lost {
		return ErrTaken
	}
	if age < LeaseTime/2 {
		return nil
	}
	return l.Renew(ctx)
}

// Guard is a [Guard] of its Leave alone.
func (l *Lease) Guard() ([]store.Leave, error) { return []store.Leave{l.Leave()}, nil }

// Leave gives leave to write: until the transaction is over nobody else can take the lease.
func (l *Lease) Leave() store.Leave {
	return store.Leave{Statement: store.Statement{Text: held(fleetSchema + `.leases WHERE name = ? AND token = ?`), Args: []any{l.name, l.token}}, Refusal: taken(l.lose)}
}

// lose notes that another process has the lease.
func (l *Lease) lose() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lost = true
}

// Sign says who has the lease; the zero Holder that nobody is to be told.
func (l *Lease) Sign(ctx context.Context, h Holder) error {
	return l.set(ctx, `pid = ?, host = ?, since = ?`, h.PID, h.Host, store.Micros(h.Since))
}

// Beat keeps a sign of life with the lease.
func (l *Lease) Beat(ctx context.Context, sign time.Time) error {
	return l.set(ctx, `beat = ?`, store.Micros(sign))
}

func (l *Lease) set(ctx context.Context, what string, args ...any) error {
	_, err := l.fleet.db.sql.ExecContext(ctx, `UPDATE leases SET `+what+` WHERE name = ? AND token = ?`, append(args, l.name, l.token)...)
	return l.fleet.db.Wrap(err)
}

// Release lets go of the lease. Where the database does not answer, others wait until it expires.
func (l *Lease) Release(ctx context.Context) error {
	l.end()
	<-l.done
	return l.set(ctx, `expires_at = 0`)
}

// Held returns who has a lease, and whether anybody has: a lease that has expired was somebody's.
func (f *Fleet) Held(ctx context.Context, name string) (h Holder, held bool, err error) {
	err = h.scan(f.db.sql.QueryRowContext(ctx, `SELECT `+columns+` FROM leases WHERE name = ?`, name), &held)
	if errors.Is(err, sql.ErrNoRows) {
		return Holder{}, false, nil
	}
	return h, held, f.db.Wrap(err)
}

// LastBeat returns the last sign of life that was kept with a lease, zero if none was.
func (f *Fleet) LastBeat(ctx context.Context, name string) (time.Time, error) {
	var beat int64
	err := f.db.sql.QueryRowContext(ctx, `SELECT beat FROM leases WHERE name = ?`, name).Scan(&beat)
	if errors.Is(err, sql.ErrNoRows) {
		err = nil
	}
	return store.At(beat), f.db.Wrap(err)
}

// StandStill has the lease renewed no more, as if its process had been stopped: for tests.
func (l *Lease) StandStill() {
	l.end()
	<-l.done
}
