package ledger

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"backhaul/pipeline"
)

// meter is a vendor's count, which is late by a lag.
type meter struct {
	lag     time.Duration
	charges []charge
}

type charge struct {
	at    time.Time
	units pipeline.Units
}

func (m *meter) charge(at time.Time, units pipeline.Units) {
	m.charges = append(m.charges, charge{at, units})
}

// says is what the vendor counts at a time: all that is older than its lag, and at random some of what is not.
func (m *meter) says(at time.Time, r *rand.Rand) (units pipeline.Units) {
	late := time.Duration(0)
	if m.lag > 0 {
		late = time.Duration(r.Int64N(int64(m.lag)))
	}
	for _, c := range m.charges {
		if !c.at.After(at.Add(-late)) {
			units += c.units
		}
	}
	return units
}

// account is a warehouse that buys with a key, and what is true of it.
type account struct {
	*testing.T
	*rand.Rand
	l      *Ledger
	now    time.Time
	meter  meter
	bills  map[string]*pipeline.Bill // what the journals say, by run
	others pipeline.Units
	runs   int
}

const november = "2026-11"

func newAccount(t *testing.T, seed uint64, lag time.Duration) *account {
	return &account{T: t, Rand: rand.New(rand.NewPCG(seed, 1)), l: openAt(t, filepath.Join(t.TempDir(), "ledger.sqlite")),
		now: now, meter: meter{lag: lag}, bills: map[string]*pipeline.Bill{}}
}

func (a *account) must(err error) {
	a.Helper()
	if err != nil {
		a.Fatal(err)
	}
}

// run buys pages, loses some requests, and ends or dies: a run that died is settled by whoever comes next, as its journal has it.
func (a *account) run(requests int) (id string) {
	a.runs++
	id = fmt.Sprintf("r%d", a.runs)
	_, err := a.l.Begin(context.Background(), "job", fmt.Sprintf("d%d", a.runs), "hash", id, a.now)
	a.must(err)
	b := &pipeline.Bill{}
	a.bills[id] = b
	for range requests {
		worst := pipeline.Units(1 + a.IntN(50))
		got, _, err := a.l.Grant(context.Background(), id, "moz", november, worst, worst, Ceiling{})
		if a.must(err); got != worst {
			a.Fatalf("granted %d of %d", got, worst)
		}
		a.now = a.now.Add(time.Duration(a.IntN(1000)) * time.Millisecond)
		actual := pipeline.Units(a.IntN(int(worst) + 1))
		if a.IntN(5) > 0 {
			b.Spent, b.SpentAt = b.Spent+actual, a.now
			a.meter.charge(a.now, actual)
			continue
		}
		b.Maybe, b.HeldAt = b.Maybe+worst, a.now
		if a.IntN(2) == 0 { // the vendor had charged it all the same, at the latest a moment after we heard no more of it
			a.meter.charge(a.now.Add(time.Duration(a.IntN(int(Grace)))), actual)
		}
	}
	a.settle(id)
	return id
}

func (a *account) settle(id string) {
	a.Helper()
	a.must(a.l.Settle(context.Background(), id, "moz", november, *a.bills[id]))
}

func (a *account) pass(d time.Duration) {
	a.now = a.now.Add(d)
}

// count asks the vendor, and holds against the truth what the ledger says then.
func (a *account) count(id string) (Usage, []Settlement) {
	a.Helper()
	u, settled, err := a.l.Count(context.Background(), Usage{RunID: id, Vendor: "moz", Month: november, At: a.now,
		VendorUnits: a.meter.says(a.now, a.Rand)}, a.meter.lag)
	a.must(err)
	said, err := a.l.MonthUsages(context.Background(), "moz", november)
	a.must(err)
	if known := u.LedgerUnits + u.MaybeUnits + Others(said); known < u.VendorUnits {
		a.Fatalf("the vendor counts %d, and only %d are accounted for: %+v", u.VendorUnits, known, u)
	}
	return u, settled
}

// charged is what the vendor has charged this warehouse and others in truth.
func (a *account) charged() (units pipeline.Units) {
	for _, c := range a.meter.charges {
		units += c.units
	}
	return units
}

func TestHeldUnitsAreSettledByTheVendorsCount(t *testing.T) {
	t.Parallel()
	for _, lag := range []time.Duration{0, time.Second, time.Hour} {
		for seed := range uint64(20) {
			a := newAccount(t, seed, lag)
			var last string
			for range 1 + a.IntN(5) {
				last = a.run(a.IntN(12))
				a.count(last)
				a.pass(time.Duration(a.IntN(3)) * time.Hour)
				a.count(last)
			}
			a.pass(lag + Grace)
			u, _ := a.count(last)
			if u.HeldUnits != 0 || u.MaybeUnits != 0 || u.LedgerUnits != a.charged() {
				t.Fatalf("lag %s, seed %d: %d held, the ledger knows %d and the vendor charged %d", lag, seed, u.HeldUnits, u.LedgerUnits, a.charged())
			}
			// The same journals again change nothing, whoever settles them.
			for id := range a.bills {
				a.settle(id)
			}
			if again, settled := a.count(last); again.LedgerUnits != u.LedgerUnits || again.MaybeUnits != 0 || settled != nil {
				t.Fatalf("lag %s, seed %d: settled again %+v, %+v", lag, seed, again, settled)
			}
		}
	}
}

func TestUnitsOfOthersAndHeldOnesNeverCountTwiceNorTooLittle(t *testing.T) {
	t.Parallel()
	for _, lag := range []time.Duration{0, time.Hour} {
		for seed := range uint64(20) {
			a := newAccount(t, seed, lag)
			var last string
			for range 2 + a.IntN(5) {
				last = a.run(a.IntN(12))
				if a.IntN(2) == 0 {
					units := pipeline.Units(a.IntN(100))
					a.others += units
					a.meter.charge(a.now, units)
				}
				a.count(last)
				a.pass(time.Duration(a.IntN(3)) * time.Hour)
			}
			a.pass(lag + Grace)
			u, _ := a.count(last)
			said, err := a.l.MonthUsages(context.Background(), "moz", november)
			a.must(err)
			others := Others(said)
			if u.HeldUnits != 0 || u.LedgerUnits+others != a.charged() || others > a.others {
				t.Fatalf("lag %s, seed %d: %d held, ledger %d and others %d, where %d were charged, %d of them to others",
					lag, seed, u.HeldUnits, u.LedgerUnits, others, a.charged(), a.others)
			}
		}
	}
}

func TestACountThatMayNotHoldEverythingSettlesNothing(t *testing.T) {
	const worst = 50
	prepared := func(t *testing.T) *account {
		a := newAccount(t, 1, time.Hour)
		_, err := a.l.Begin(context.Background(), "job", "d", "hash", "r", a.now)
		a.must(err)
		a.bills["r"] = &pipeline.Bill{Spent: 100, SpentAt: a.now, Maybe: worst, HeldAt: a.now}
		a.settle("r")
		a.meter.charge(a.now, 100)
		a.pass(2 * time.Hour)
		return a
	}
	for name, spoil := range map[string]func(a *account){
		"a process at work": func(a *account) {
			_, err := a.l.Begin(context.Background(), "other", "d", "hash", "o", a.now)
			a.must(err)
			_, _, err = a.l.Grant(context.Background(), "o", "moz", november, 10, 10, Ceiling{})
			a.must(err)
		},
		"a page within the lag":    func(a *account) { a.bills["r"].SpentAt = a.now.Add(-time.Minute); a.settle("r") },
		"a request within the lag": func(a *account) { a.bills["r"].HeldAt = a.now.Add(-time.Minute); a.settle("r") },
		"a count that began anew": func(a *account) {
			a.meter.charge(a.now, 900)
			a.pass(2 * time.Hour)
			a.count("r")
			a.bills["r"].Maybe += 7
			a.settle("r")
			a.meter.charges = a.meter.charges[:1]
		},
		"a count below the ledger's": func(a *account) { a.meter.charges[0].units = 99 },
	} {
		t.Run(name, func(t *testing.T) {
			a := prepared(t)
			spoil(a)
			before, err := a.l.Holds(context.Background(), "moz", november)
			a.must(err)
			u, _, why, err := a.l.Foresee(context.Background(), Usage{Vendor: "moz", Month: november, At: a.now, VendorUnits: a.meter.says(a.now, a.Rand)}, time.Hour)
			if a.must(err); why == "" {
				t.Errorf("nothing is said to keep the units held: %+v", u)
			}
			if _, settled := a.count("r"); settled != nil {
				t.Errorf("settled %+v", settled)
			}
			after, err := a.l.Holds(context.Background(), "moz", november)
			a.must(err)
			if diff := cmp.Diff(before, after); diff != "" || len(after) != 1 {
				t.Error(diff)
			}
		})
	}
	a := prepared(t)
	if _, settled := a.count("r"); len(settled) != 1 || settled[0].Held != worst || settled[0].Charged != 0 {
		t.Errorf("unspoilt: %+v", settled)
	}
}

func TestHeldUnitsExpireWithTheirMonthOrAreReleasedByHand(t *testing.T) {
	ctx, a := context.Background(), newAccount(t, 1, 0)
	for _, id := range []string{"r1", "r2"} {
		_, err := a.l.Begin(ctx, "job", id, "hash", id, a.now)
		a.must(err)
		a.bills[id] = &pipeline.Bill{Spent: 10, Maybe: 40, HeldAt: a.now}
		a.settle(id)
	}
	left := func() pipeline.Units {
		_, left, err := a.l.Grant(ctx, "r1", "moz", november, 1000, 1000, Ceiling{WarehouseMonth: units(100)})
		a.must(err)
		return left
	}
	if got := left(); got != 0 {
		t.Errorf("%d left beside 20 spent and 80 held of 100", got)
	}
	settled, err := a.l.Release(ctx, "r1", a.now)
	if a.must(err); len(settled) != 1 || settled[0].Released() != 40 || settled[0].Why != ByHand {
		t.Errorf("%+v", settled)
	}
	if got := left(); got != 40 {
		t.Errorf("%d left, want the 40 that were released", got)
	}
	if _, err := a.l.Release(ctx, "r1", a.now); !errors.Is(err, ErrNothingHeld) {
		t.Errorf("released twice: %v", err)
	}
	if settled, err := a.l.Expire(ctx, "moz", november, a.now); err != nil || settled != nil {
		t.Errorf("the month is not over: %+v, %v", settled, err)
	}
	if settled, err = a.l.Expire(ctx, "moz", "2026-12", a.now); err != nil || len(settled) != 1 || settled[0].RunID != "r2" || settled[0].Why != ByMonth {
		t.Errorf("%+v, %v", settled, err)
	}
	all, err := a.l.Settlements(ctx, "")
	if holds, _ := a.l.Holds(ctx, "", ""); err != nil || len(all) != 2 || len(holds) != 0 {
		t.Errorf("%+v, %+v, %v", all, holds, err)
	}
}

func TestARunWithoutItsJournalHoldsAllItWasGranted(t *testing.T) {
	ctx, a := context.Background(), newAccount(t, 1, 0)
	_, err := a.l.Begin(ctx, "job", "d", "hash", "r", a.now)
	a.must(err)
	_, _, err = a.l.Grant(ctx, "r", "moz", november, 70, 70, Ceiling{})
	a.must(err)
	a.must(a.l.Abandon(ctx, "r", a.now))
	a.meter.charge(a.now, 30)
	a.pass(Grace)
	if u, settled := a.count("r"); len(settled) != 1 || settled[0].Held != 70 || settled[0].Charged != 30 || u.LedgerUnits != 30 {
		t.Errorf("%+v, %+v", u, settled)
	}
}

// A run that goes on in the next month is settled there with what is new: what was held, or settled, in the month before stays
// where it was, and expires with it.
func TestEveryMonthHoldsItsOwn(t *testing.T) {
	ctx := context.Background()
	for seed := range uint64(20) {
		a := newAccount(t, seed, 0)
		_, err := a.l.Begin(ctx, "job", "d", "hash", "r", a.now)
		a.must(err)
		months := []string{"2026-10", "2026-11", "2026-12"}
		var total pipeline.Bill
		spent, held, charged := map[string]pipeline.Units{}, map[string]pipeline.Units{}, map[string]pipeline.Units{}
		for i, month := range months {
			for range 1 + a.IntN(3) {
				s, h := pipeline.Units(a.IntN(100)), pipeline.Units(a.IntN(100))
				_, _, err := a.l.Grant(ctx, "r", "moz", month, s+h+1, s+h+1, Ceiling{})
				a.must(err)
				total.Spent, total.Maybe, total.HeldAt = total.Spent+s, total.Maybe+h, a.now
				a.must(a.l.Settle(ctx, "r", "moz", month, total))
				spent[month], held[month] = spent[month]+s, held[month]+h
				if a.IntN(2) == 0 && held[month] > 0 { // the vendor's count of the month tells of some of it
					was := pipeline.Units(a.IntN(int(held[month]) + 1))
					a.pass(Grace)
					_, _, err := a.l.Count(ctx, Usage{RunID: "r", Vendor: "moz", Month: month, At: a.now, VendorUnits: spent[month] + charged[month] + was}, 0)
					a.must(err)
					charged[month], held[month] = charged[month]+was, 0
				}
			}
			settled, err := a.l.Expire(ctx, "moz", month, a.now)
			a.must(err)
			for _, s := range settled {
				held[s.Month] -= s.Released()
			}
			for _, earlier := range months[:i] {
				if held[earlier] != 0 {
					t.Fatalf("seed %d: %d of %s are held in %s", seed, held[earlier], earlier, month)
				}
			}
		}
		spends, err := a.l.Spends(ctx, "r")
		a.must(err)
		for _, s := range spends {
			if s.Spent != spent[s.Month] || s.Charged != charged[s.Month] || s.Held() != held[s.Month] {
				t.Errorf("seed %d: %s has %d spent, %d charged, %d held; want %d, %d, %d", seed, s.Month, s.Spent, s.Charged, s.Held(), spent[s.Month], charged[s.Month], held[s.Month])
			}
		}
	}
}
