package doctor

import (
	"context"
	"errors"
	"time"

	"backhaul/pipeline"
	"backhaul/pipeline/words"
)

// How far this machine's clock and a vendor's may be apart.
const (
	clockSlack = time.Minute
	clockMost  = 10 * time.Minute
	// jump is how far behind the ledger's latest entry the clock may be.
	jump = time.Hour
)

func (e *examination) vendors(ctx context.Context) {
	for _, v := range e.Vendors {
		what := "vendor " + v.Name
		switch {
		case v.Missing && v.Wanted:
			e.bad(what, "set "+v.Credentials, nil, "no credentials")
		case v.Missing:
			e.warn(what, "to buy from it, set "+v.Credentials, nil, "no credentials")
		case v.Err != nil:
			e.bad(what, "", nil, "%v", v.Err)
		default:
			e.ok(what, "credentials from %s", v.Credentials)
			for _, text := range v.Doubts {
				e.warn(what, "", nil, "%s", text)
			}
			e.reach(ctx, v)
		}
	}
}

// reach makes the one request that is taken to be free.
func (e *examination) reach(ctx context.Context, v Vendor) {
	what := "vendor " + v.Name
	if v.Usage == nil {
		e.ok(what, "not asked: it has no report that is known to be free")
		return
	}
	month := time.Date(e.now.UTC().Year(), e.now.UTC().Month(), 1, 0, 0, 0, 0, time.UTC)
	report, err := v.Usage.Usage(ctx, month, time.Time{})
	if err != nil {
		e.unreached(v, err)
		return
	}
	e.ok(what, "answers, and takes the credentials (its usage report was asked; its price is not documented, and taken to be 0)")
	e.vendorClock(v, report)
	e.usage(ctx, v, report)
}

func (e *examination) unreached(v Vendor, err error) {
	what := "vendor " + v.Name
	var fail *pipeline.Error
	switch {
	case errors.As(err, &fail) && fail.Unreachable:
		e.bad(what, "check the network and "+v.URL, nil, "%s", fail.Message)
	case pipeline.KindOf(err) == pipeline.Denied:
		e.bad(what, "check the credentials: "+v.Credentials, nil, "refuses the credentials: %v", err)
	case pipeline.KindOf(err) == pipeline.Exhausted, pipeline.KindOf(err) == pipeline.Throttled:
		e.warn(what, "", nil, "answers, but grants nothing now: %v", err)
	default:
		e.bad(what, "try again; check "+v.URL, nil, "%v", err)
	}
}

func (e *examination) vendorClock(v Vendor, report pipeline.UsageReport) {
	if report.VendorTime.IsZero() {
		return
	}
	apart := report.At.Sub(report.VendorTime).Round(time.Second)
	advice := "set the clock: run dates and the months of budgets come from it"
	switch {
	case apart.Abs() > clockMost:
		e.bad("clock", advice, nil, "%s off %s's", apart, v.Name)
	case apart.Abs() > clockSlack:
		e.warn("clock", advice, nil, "%s off %s's", apart, v.Name)
	default:
		e.ok("clock", "agrees with %s's", v.Name)
	}
}

// usage holds what the vendor says was consumed this month against what the ledger knows.
func (e *examination) usage(ctx context.Context, v Vendor, report pipeline.UsageReport) {
	what := "usage " + v.Name
	if e.ledger == nil {
		e.ok(what, "the vendor counts %s this month", words.Plural(report.Units, "unit"))
		return
	}
	month := e.now.UTC().Format("2006-01")
	spends, err := e.ledger.Spends(ctx, "")
	if err != nil {
		e.failed(what, "", nil, err)
		return
	}
	var spent, granted pipeline.Units
	for _, s := range spends {
		if s.Vendor == v.Name && s.Month == month {
			spent, granted = spent+s.Spent+s.Charged, granted+s.Granted
		}
	}
	switch {
	case report.Units < spent:
		late := "its count may be late"
		if report.Lag > 0 {
			late += " by " + words.Duration(report.Lag.Seconds())
		}
		e.warn(what, "", nil, "the vendor counts %s this month, the ledger %s: %s, its month begins at another hour, or it counts its APIs apart",
			words.Plural(report.Units, "unit"), words.Count(spent), late)
	case report.Units > granted:
		e.warn(what, "if nobody else uses the account, ask the vendor", nil,
			"the vendor counts %s this month, the ledger %s and at most %s more: other programs, warehouses or people use the account too, or replies were charged that did not arrive",
			words.Plural(report.Units, "unit"), words.Count(spent), words.Count(granted-spent))
	default:
		e.ok(what, "the vendor counts %s this month, the ledger %s and at most %s more", words.Plural(report.Units, "unit"), words.Count(spent), words.Count(granted-spent))
	}
}

// held tells what is held for requests without an answer, and by which runs.
func (e *examination) held(ctx context.Context) {
	if e.ledger == nil {
		return
	}
	holds, err := e.ledger.Holds(ctx, "", "")
	if err != nil {
		return // the ledger's own check says what is wrong
	}
	for _, h := range holds {
		e.warn("held "+h.Vendor, "the next run settles it by the vendor's count; see `backhaul reconcile`", nil,
			"%s of %s are held for requests without an answer of run %s (%s for %s)", words.Plural(h.Units, "unit"), h.Month, h.Run.ID, h.Run.Job, h.Run.RunDate)
	}
}

// clock compares the clock with the ledger's latest entry.
func (e *examination) clock(ctx context.Context) {
	if e.ledger == nil {
		return
	}
	latest, err := e.ledger.Latest(ctx)
	switch {
	case err != nil: // the ledger's own check says what is wrong
	case e.now.Before(latest.Add(-jump)):
		e.bad("clock", "set the clock; if the entry is what is wrong, "+byRepair+"brings it back to now", rewind(e.now),
			"it says %s, and the ledger's latest entry is of %s", e.now.UTC().Format(time.RFC3339), latest.Format(time.RFC3339))
	default:
		e.ok("clock", "not behind the ledger")
	}
}
