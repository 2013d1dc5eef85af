package postgres

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"backhaul/pipeline/store"
)

// Run is a run whose lease somebody has, known by the lease's token: to whoever was given that, and may buy lists of the run.
type Run struct {
	fleet *Fleet
	name  string
	token int64
}

// Token is what others need to buy lists of what the lease is of: see [Fleet.Run].
func (l *Lease) Token() int64 { return l.token }

// Run is a run by its name and the token of its lease.
func (f *Fleet) Run(name string, token int64) *Run { return &Run{f, name, token} }

// Guard is a [Guard]: until the transaction is over nobody else can take the run, and where somebody has, it writes nothing.
func (r *Run) Guard() ([]store.Leave, error) {
	return []store.Leave{{Statement: store.Statement{Text: held(fleetSchema + `.leases WHERE name = ? AND token = ?`), Args: []any{r.name, r.token}}, Refusal: taken(func() {})}}, nil
}

// locked returns ErrTaken where a row that was to be locked is not there.
func locked(row *sql.Row) error {
	err := row.Scan(new(int))
	if errors.Is(err, sql.ErrNoRows) {
		return ErrTaken
	}
	return err
}

// Claim is the exclusive right to buy one list of a run. Whoever claims the list after that has it, and from then on nothing can be
// written under this claim; see [Claim.Guard]. It is safe for concurrent use.
type Claim struct {
	run  *Run
	list string
	no   int64
}

// Turn is when a list is claimed: in which round of buying, from 1, how often it was begun again in that round, and at which attempt of
// that, from 1. A later one takes the list from an earlier one, never the other way.
type Turn struct{ Round, Again, Attempt int }

// How many turns are told apart; those beyond are refused.
const (
	mostRounds   = 1<<16 - 1
	mostAgain    = 1<<4 - 1
	mostAttempts = 1<<12 - 1
)

// number is that of a turn, of a run by its token.
func (t Turn) number(token int64) int64 {
	return token<<32 | int64(min(t.Round, mostRounds))<<16 | int64(min(t.Again, mostAgain))<<12 | int64(min(t.Attempt, mostAttempts))
}

// Claim claims a list, whoever has it, but for one with a later turn. lost is what the request of a claim that was not let go of may
// have cost.
func (r *Run) Claim(ctx context.Context, list string, turn Turn) (c *Claim, lost int64, err error) {
	c = &Claim{run: r, list: list, no: turn.number(r.token)}
	err = r.fleet.write(ctx, r.Guard, func(tx *sql.Tx) error {
		if _, err := tx.Exec(`INSERT INTO claims (run, list) VALUES (?, ?) ON CONFLICT (run, list) DO NOTHING`, r.name, list); err != nil {
			return err
		}
		// Writes under the claim lock the row as well, so that none is under way when its number changes.
		var no, over int64
		err := tx.QueryRow(`SELECT no, units, coalesce((SELECT o.no FROM claims o WHERE o.run = ?1 AND o.list = ''), 0) FROM claims
			WHERE run = ?1 AND list = ?2 FOR UPDATE`, r.name, list).Scan(&no, &lost, &over)
		if err == nil && c.no <= max(no, over) {
			err = ErrTaken
		}
		if err != nil {
			return err
		}
		_, err = tx.Exec(`UPDATE claims SET no = ? WHERE run = ? AND list = ?`, c.no, r.name, list)
		return err
	})
	if err != nil {
		return nil, 0, fmt.Errorf("claim list %s of %s: %w", list, r.name, err)
	}
	return c, lost, nil
}

// Leave gives leave to write: until the transaction is over nobody else can take run or list.
func (c *Claim) Leave() store.Leave {
	return store.Leave{Statement: store.Statement{Text: held(fleetSchema + `.leases l JOIN ` + fleetSchema + `.claims c ON c.run = l.name
		WHERE l.name = ? AND l.token = ? AND c.list = ? AND c.no = ?`), Args: []any{c.run.name, c.run.token, c.list, c.no}}, Refusal: taken(func() {})}
}

// Sure returns nil where this process still has the list and may make a request.
func (c *Claim) Sure(ctx context.Context) error {
	err := locked(c.run.fleet.db.sql.QueryRowContext(ctx, `SELECT 1 FROM leases l JOIN claims c ON c.run = l.name
		WHERE l.name = ? AND l.token = ? AND c.list = ? AND c.no = ?`, c.run.name, c.run.token, c.list, c.no))
	if errors.Is(err, ErrTaken) {
		return err
	}
	return c.run.fleet.db.Wrap(err)
}

// Expose has it known what the list's request under way may cost at most, before it is sent; 0 lets go of the list.
func (c *Claim) Expose(ctx context.Context, units int64) error {
	return c.run.fleet.write(ctx, Only(c.Leave()), func(tx *sql.Tx) error {
		_, err := tx.Exec(`UPDATE claims SET units = ? WHERE run = ? AND list = ?`, units, c.run.name, c.list)
		return err
	})
}

// Claimed has nobody write any more under the claims of a run up to a round, and under those of earlier tokens, nor claim a list with
// such a turn. It returns what the requests under way of those may have cost, until [Run.Forget].
func (r *Run) Claimed(ctx context.Context, round int) (map[string]int64, error) {
	over := Turn{round, mostAgain, mostAttempts}.number(r.token)
	err := r.fleet.db.Write(ctx, func(tx *sql.Tx) error {
		// Whoever claims, or writes under a claim, has this row locked as well, so that none of them is under way.
		if err := locked(tx.QueryRow(`SELECT 1 FROM leases WHERE name = ? AND token = ? FOR UPDATE`, r.name, r.token)); err != nil {
			return err
		}
		if _, err := tx.Exec(`UPDATE claims SET no = 0 WHERE run = ? AND no <= ?`, r.name, over); err != nil {
			return err
		}
		_, err := tx.Exec(`INSERT INTO claims (run, list, no) VALUES (?, '', ?) ON CONFLICT (run, list) DO UPDATE SET no = greatest(claims.no, excluded.no)`, r.name, over)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("end the claims of %s: %w", r.name, err)
	}
	all := map[string]int64{}
	err = r.fleet.db.Each(ctx, `SELECT list, units FROM claims WHERE run = ? AND no = 0 AND units > 0`, func(rows *sql.Rows) error {
		var list string
		var units int64
		err := rows.Scan(&list, &units)
		all[list] = units
		return err
	}, r.name)
	return all, err
}

// Forget forgets what Claimed has returned.
func (r *Run) Forget(ctx context.Context) error {
	return r.fleet.write(ctx, r.Guard, func(tx *sql.Tx) error {
		_, err := tx.Exec(`DELETE FROM claims WHERE run = ? AND no = 0`, r.name)
		return err
	})
}
