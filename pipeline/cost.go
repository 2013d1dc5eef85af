package pipeline

import "time"

// Cost is an amount of work.
type Cost struct {
	Pages int64 `json:"pages"`
	Rows  int64 `json:"rows"`
	Units Units `json:"units"`
}

// Add adds to the sum.
func (c *Cost) Add(d Cost) {
	c.Pages += d.Pages
	c.Rows += d.Rows
	c.Units += d.Units
}

// History is what the latest complete answer to a request held.
type History struct {
	Rows int64
	// Pages and Units are what it took.
	Pages int64
	Units Units
	// More: the answer was cut off at max_rows, so the list is longer.
	More  bool
	Ended time.Time
}

// Bill is what a run's journal says of its units at a vendor.
type Bill struct {
	Spent Units // by pages
	Maybe Units // what requests without an answer may have cost
	// SpentAt is when the last page arrived that cost something, HeldAt until when a request without an answer may have been under
	// way. Zero: never.
	SpentAt, HeldAt time.Time
}

// Add adds what the run has of another month.
func (b *Bill) Add(other Bill) {
	b.Spent, b.Maybe = b.Spent+other.Spent, b.Maybe+other.Maybe
	if other.SpentAt.After(b.SpentAt) {
		b.SpentAt = other.SpentAt
	}
	if other.HeldAt.After(b.HeldAt) {
		b.HeldAt = other.HeldAt
	}
}
