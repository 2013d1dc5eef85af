package postgres

import (
	"context"
	"fmt"
	"time"
)

// Slots give out the moments at which requests may be sent to one account, to all hosts together.
type Slots struct {
	fleet   *Fleet
	account string
}

// Slots returns those of an account. Its name is kept, so it must tell nothing that is secret.
func (f *Fleet) Slots(account string) *Slots { return &Slots{f, account} }

// catchUp is by how much a moment may lie back: as timers are late, an even pace would come to less than its rate else.
const catchUp = 5 * time.Millisecond

// Slot takes the next moment, which lies gap behind the one before at least, and returns how long it is until then. A moment that
// nobody comes to use is lost.
func (s *Slots) Slot(ctx context.Context, gap time.Duration) (time.Duration, error) {
	var wait int64
	err := s.fleet.db.sql.QueryRowContext(ctx, `INSERT INTO slots (account, next_at) VALUES (?1, `+clock+` + ?2)
		ON CONFLICT (account) DO UPDATE SET next_at = greatest(slots.next_at, `+clock+` - ?3) + ?2
		RETURNING next_at - ?2 - `+clock, s.account, gap.Microseconds(), catchUp.Microseconds()).Scan(&wait)
	if err != nil {
		return 0, fmt.Errorf("take a request's turn: %w", s.fleet.db.Wrap(err))
	}
	return max(0, time.Duration(wait)*time.Microsecond), nil
}
