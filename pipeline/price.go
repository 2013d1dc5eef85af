package pipeline

import (
	"math"
	"math/bits"
	"sort"
)

// Unbounded is the price of a request that nothing bounds: more than any budget.
const Unbounded Units = math.MaxInt64

// Price is a vendor's rule for what one request costs, known before it is sent:
//
//	max(Least, PerRequest + PerInput × inputs + ⌈PerRow × rows ÷ Every⌉)
//
// A request either reads rows of a list, or asks about each of a batch of inputs, which bring one row each at most. It
// is a value: comparable, safe for concurrent use, and free of charge when zero.
type Price struct {
	// PerRequest is charged whatever comes back.
	PerRequest Units
	// PerInput is charged for every target or source sent, whatever comes back.
	PerInput Units
	// PerRow is charged for Every rows that come back.
	PerRow Units
	// Every is how many rows PerRow buys: 5 at a unit where a row costs 0.2 units. A part of a unit is charged as a
	// whole one, once per request. Default 1.
	Every int
	// Least is charged where the rest comes to less.
	Least Units
	// MaxRows is how many rows can come back at most (or how many inputs can be sent), whatever is asked for. Default
	// 0: as many as are asked for.
	MaxRows int
	// Free: nothing is charged, though the vendor may print what it would have been.
	Free bool
	// Assumed says what about the rule no document of the vendor states, and what was chosen. "" if all is documented.
	Assumed string
	// Source names the vendor document.
	Source string
}

// Reply is what the price of a reply depends on.
type Reply struct {
	// Inputs is how many targets or sources were sent; 0 where the request has no batch.
	Inputs int
	// Rows is how many rows came back.
	Rows int
	// Cached: the vendor answered from what the account had bought before, and says so.
	Cached bool
}

// Total returns what the reply costs by the rule, charged or not: what vendors print as the price. Negative counts are 0.
func (p Price) Total(r Reply) Units {
	rows := product(max(p.PerRow, 0), r.Rows)
	if every := Units(max(1, p.Every)); rows != Unbounded {
		rows = rows/every + min(rows%every, 1)
	}
	return max(p.Least, sum(sum(p.PerRequest, product(p.PerInput, r.Inputs)), rows))
}

// Worst returns the most that a request for n rows of a list, or about n inputs, can be charged. n below 1 asks for all
// there can be: MaxRows, and if that is open too the answer is Unbounded, unless rows cost nothing.
func (p Price) Worst(n int) Units {
	switch {
	case p.Free:
		return 0
	case n < 1 && p.MaxRows < 1 && (p.PerRow > 0 || p.PerInput > 0):
		return Unbounded
	case n < 1 || p.MaxRows > 0 && n > p.MaxRows:
		n = p.MaxRows
	}
	return p.Total(Reply{Inputs: n, Rows: n})
}

// Actual returns what is charged for a reply that arrived. Where the vendor says itself what it charged, that counts
// instead. It exceeds what Worst said of the request only if the vendor sent more rows than were asked for.
func (p Price) Actual(r Reply) Units {
	if p.Free || r.Cached {
		return 0
	}
	return p.Total(r)
}

// Affords returns the largest n up to want that units suffice for at the worst, or 0.
func (p Price) Affords(units Units, want int) int {
	return sort.Search(max(want, 0), func(n int) bool { return p.Worst(n+1) > units })
}

// Pages returns how many requests of size rows (or inputs) it takes to get so many of them, and what they are charged.
// Nothing still takes a request. size below 1, or above MaxRows, is MaxRows.
func (p Price) Pages(rows int64, size int) (pages int64, units Units) {
	if p.MaxRows > 0 && (size < 1 || size > p.MaxRows) {
		size = p.MaxRows
	}
	each := int64(max(1, size))
	full, rest := max(0, rows)/each, int(max(0, rows)%each)
	units = product(p.Actual(Reply{Inputs: int(each), Rows: int(each)}), int(full))
	if rest == 0 && full > 0 {
		return full, units
	}
	return full + 1, sum(units, p.Actual(Reply{Inputs: rest, Rows: rest}))
}

// product and sum stop at Unbounded.
func product(u Units, n int) Units {
	high, low := bits.Mul64(uint64(max(u, 0)), uint64(max(n, 0)))
	if high > 0 || low > uint64(Unbounded) {
		return Unbounded
	}
	return Units(low)
}

func sum(a, b Units) Units {
	if a > Unbounded-b {
		return Unbounded
	}
	return a + b
}
