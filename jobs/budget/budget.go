// Package budget owns what the vendors' accounts allow one execution of a run: the ceilings of the job and of the warehouse, which of
// them leaves the least, the vendors' own count of the month held against them, and what is held for requests without an answer.
//
// What was granted and spent is in the ledger; this package reads it there each time. Ceilings are only lowered by what a
// vendor says, but for that of a run, which bounds one execution and so lies above what earlier ones have spent.
package budget

import (
	"context"
	"maps"
	"slices"
	"time"

	"backhaul/jobs/ledger"
	"backhaul/jobs/plan"
	"backhaul/pipeline"
	"backhaul/pipeline/limit"
)

// Account is what a vendor account allows, and what the user allows to be spent there.
type Account struct {
	PerSecond   float64
	Connections int
	// Pacer gives out the requests' turns among all who share the account. Default nil: this process has it to itself.
	Pacer   limit.Pacer
	Ceiling ledger.Ceiling
	// ByFlag: the ceiling of the run is the user's for this execution, not the job's.
	ByFlag bool
	// MonthStartsOn is the day on which the account's month begins, 1 to 28. Default 0: the first.
	MonthStartsOn int
	// TokenLife is how long the vendor's cursors live. Default 0: until they are refused.
	TokenLife time.Duration
	// Usage and Index are the vendor's own account and index, where the surface tells them. Default nil.
	Usage pipeline.Usage
	Index pipeline.Index
}

// Books are those of a run, in the ledger.
type Books struct {
	Ledger     *ledger.Ledger
	RunID, Job string
}

// Budget is what the accounts allow one execution. It is for one goroutine.
type Budget struct {
	now      func() time.Time
	begun    time.Time                  // the execution; its months are those whose budgets are spent
	accounts map[string]Account         // by vendor, with the ceilings as they are by now
	monthly  map[string]*pipeline.Units // the job's ceilings of the warehouse's month by vendor
	each     map[string]*pipeline.Units // the job's ceilings of one execution by vendor
	counts   map[string]counted         // by vendor that has told
	settled  []ledger.Settlement
}

// New returns what a job's accounts allow an execution that begins now.
func New(accounts map[string]Account, now func() time.Time) *Budget {
	b := &Budget{now: now, begun: now().UTC(), accounts: map[string]Account{}, monthly: map[string]*pipeline.Units{}, each: map[string]*pipeline.Units{}, counts: map[string]counted{}}
	maps.Copy(b.accounts, accounts)
	for vendor, a := range accounts {
		b.monthly[vendor], b.each[vendor] = a.Ceiling.WarehouseMonth, a.Ceiling.Run
	}
	return b
}

// Vendors returns those of the accounts, sorted.
func (b *Budget) Vendors() []string { return slices.Sorted(maps.Keys(b.accounts)) }

// Account returns a vendor's account with its ceilings as they are by now.
func (b *Budget) Account(vendor string) Account { return b.accounts[vendor] }

// Settled returns the ends of what was held for requests without an answer, of whatever run, in this execution.
func (b *Budget) Settled() []ledger.Settlement { return b.settled }

// Month names the month, YYYY-MM, in which the account's period at a vendor began.
func (b *Budget) Month(vendor string) string { return b.MonthStart(vendor).Format("2006-01") }

// MonthStart is when that period began.
func (b *Budget) MonthStart(vendor string) time.Time {
	day := max(1, b.accounts[vendor].MonthStartsOn)
	start := time.Date(b.begun.Year(), b.begun.Month(), day, 0, 0, 0, 0, time.UTC)
	if start.After(b.begun) {
		start = start.AddDate(0, -1, 0)
	}
	return start
}

// Allowed are what the job allows this execution to spend, for the reports of it.
func (b *Budget) Allowed() (all []ledger.Budget) {
	for vendor, a := range b.accounts {
		all = append(all, ledger.Budget{Vendor: vendor, Run: a.Ceiling.Run, Month: a.Ceiling.Month, WarehouseMonth: b.monthly[vendor], MonthStart: b.MonthStart(vendor)})
	}
	return all
}

// Raise moves the ceilings of a run above what it has spent before: they bound one execution, so that a run stopped by its ceiling
// can go on the next day. What is held of before may be released until the execution buys, and would be spent beside the ceiling: so
// it is called again until then, and not after.
func (b *Budget) Raise(ctx context.Context, books Books) error {
	for vendor, a := range b.accounts {
		each := b.each[vendor]
		if each == nil {
			continue
		}
		before, err := books.granted(ctx, vendor, b.Month(vendor))
		if err != nil {
			return err
		}
		most := before.Run + *each
		a.Ceiling.Run = &most
		b.accounts[vendor] = a
	}
	return nil
}

func (b Books) granted(ctx context.Context, vendor, month string) (ledger.Granted, error) {
	return b.Ledger.Granted(ctx, b.RunID, b.Job, vendor, month)
}

// Unspent says what a vendor's account allows where nothing was ever granted.
func (b *Budget) Unspent(vendor string) plan.Account { return b.allowed(vendor, ledger.Granted{}) }

// Left says what a vendor's account allows the run now.
func (b *Budget) Left(ctx context.Context, books Books, vendor string) (plan.Account, error) {
	var used ledger.Granted
	if b.accounts[vendor].Ceiling.Bounds() {
		var err error
		if used, err = books.granted(ctx, vendor, b.Month(vendor)); err != nil {
			return plan.Account{}, err
		}
	}
	account := b.allowed(vendor, used)
	jobs, err := books.Ledger.ByJob(ctx, vendor, b.Month(vendor))
	if err != nil {
		return account, err
	}
	for _, j := range jobs {
		account.Used = append(account.Used, plan.JobUnits(j))
	}
	account.Held, err = b.holds(ctx, books, vendor)
	return account, err
}

// Holds returns what is held at the vendors, of whatever run.
func (b *Budget) Holds(ctx context.Context, books Books) (all []plan.Hold, err error) {
	for _, vendor := range b.Vendors() {
		held, err := b.holds(ctx, books, vendor)
		if err != nil {
			return nil, err
		}
		all = append(all, held...)
	}
	return all, nil
}

func (b *Budget) holds(ctx context.Context, books Books, vendor string) ([]plan.Hold, error) {
	held, err := books.Ledger.Holds(ctx, vendor, b.Month(vendor))
	return holdsOf(held), err
}

// holdsOf are the ledger's holds as plans tell them.
func holdsOf(held []ledger.Hold) (holds []plan.Hold) {
	for _, h := range held {
		holds = append(holds, plan.Hold{RunID: h.Run.ID, Job: h.Run.Job, RunDate: h.Run.RunDate, Units: h.Units, Since: h.Since})
	}
	return holds
}

// Remaining is what the ceilings that outlast an execution leave now, by vendor.
func (b *Budget) Remaining(ctx context.Context, books Books) (all []plan.Remaining, err error) {
	for _, vendor := range b.Vendors() {
		used, err := books.granted(ctx, vendor, b.Month(vendor))
		if err != nil {
			return nil, err
		}
		all = append(all, slices.DeleteFunc(b.ceilings(vendor, used), func(r plan.Remaining) bool { return r.Ceiling == plan.OfRun || r.Ceiling == plan.OfFlag })...)
	}
	return all, nil
}

// allowed says what the ceilings leave when so much is granted, and which leaves the least. Of several it is the one that is the
// hardest to raise.
func (b *Budget) allowed(vendor string, used ledger.Granted) plan.Account {
	a := b.accounts[vendor]
	count, asked := b.counts[vendor]
	account := plan.Account{PerSecond: a.PerSecond, Connections: a.Connections, Others: count.others, Uncounted: b.monthly[vendor] != nil && !asked}
	for _, c := range b.ceilings(vendor, used) {
		if account.Left == nil || c.Units < *account.Left {
			account.Left, account.Ceiling = &c.Units, c.Ceiling
		}
	}
	return account
}

// ceilings are what each of a vendor's ceilings leaves when so much is granted, the hardest to raise first.
func (b *Budget) ceilings(vendor string, used ledger.Granted) (all []plan.Remaining) {
	a, count := b.accounts[vendor], b.counts[vendor]
	hold := func(ceiling plan.Ceiling, most *pipeline.Units, granted pipeline.Units) {
		if most != nil {
			all = append(all, plan.Remaining{Vendor: vendor, Ceiling: ceiling, Units: max(0, *most-granted)})
		}
	}
	hold(plan.OfQuota, count.quota, used.WarehouseMonth)
	hold(plan.OfWarehouse, count.left(b.monthly[vendor]), used.WarehouseMonth)
	hold(plan.OfMonth, a.Ceiling.Month, used.Month)
	ofExecution := plan.OfRun
	if a.ByFlag {
		ofExecution = plan.OfFlag
	}
	hold(ofExecution, a.Ceiling.Run, used.Run)
	return all
}
