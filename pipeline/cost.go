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
