package doctor

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"backhaul/jobs/ledger"
	"backhaul/jobs/recovery"
	"backhaul/sinks"
)

// examination is one look at everything.
type examination struct {
	Options
	now      time.Time
	findings []Finding

	ledger    *ledger.Ledger // nil: there is none, or it cannot be opened
	ledgerErr error
	runs      []*record
	rows      map[string]int64 // by table: rows in the lake's files
	unread    map[string]bool  // tables with a file that could not be read
	counted   string           // the names of the files before their rows were counted
}

func (e *examination) openLedger(ctx context.Context) {
	gone, err := e.Books.LedgerGone(ctx)
	if err != nil || gone {
		e.ledgerErr = err
		return
	}
	e.ledger, e.ledgerErr = e.Books.OpenLedger(ctx)
}

func (e *examination) close() {
	if e.ledger != nil {
		_ = e.ledger.Close()
	}
}

func (e *examination) add(f Finding) { e.findings = append(e.findings, f) }

func (e *examination) ok(what, format string, args ...any) {
	e.add(Finding{Level: OK, What: what, Text: fmt.Sprintf(format, args...)})
}

func (e *examination) warn(what, advice string, c *cure, format string, args ...any) {
	e.add(Finding{Level: Warn, What: what, Text: fmt.Sprintf(format, args...), Advice: advice, cure: c})
}

// bad reports something that is wrong outside the warehouse's files.
func (e *examination) bad(what, advice string, c *cure, format string, args ...any) {
	e.add(Finding{Level: Bad, What: what, Text: fmt.Sprintf(format, args...), Advice: advice, cure: c})
}

// damaged reports a file of the warehouse that does not hold what was written to it.
func (e *examination) damaged(what, advice string, c *cure, format string, args ...any) {
	e.add(Finding{Level: Bad, Damage: true, What: what, Text: fmt.Sprintf(format, args...), Advice: advice, cure: c})
}

// failed reports an error of reading the warehouse: damage if it says so, else something in the way.
func (e *examination) failed(what, advice string, c *cure, err error) {
	text := strings.ReplaceAll(err.Error(), "\n", "; ")
	if isDamage(err) {
		e.damaged(what, advice, c, "%s", text)
		return
	}
	e.bad(what, "see that the file can be read and written", nil, "%s", text)
}

func isDamage(err error) bool {
	return errors.Is(err, recovery.ErrDamaged) || errors.Is(err, sinks.ErrDamaged)
}

const byRepair = "`backhaul doctor --repair` "
