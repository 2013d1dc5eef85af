package pipeline

import "math"

// Count says where a list's length can be learnt before it is bought: from a report of the same surface about the same target.
type Count struct {
	// Endpoint is the report's name, and Params what is to be asked with the target, its scope included. ByDate: it is to be asked of a
	// day, by its parameter date.
	Endpoint string
	Params   map[string]any
	ByDate   bool
	// Plus and Minus are columns of the report's table. What the first come to without the others is the length, as a share of Share;
	// 0 stands for 1.
	Plus, Minus []string
	Share       float64
}

// Rows returns the length that a row of the report tells, by the names of its columns.
func (c Count) Rows(row map[string]int64) int64 {
	var rows int64
	for _, name := range c.Plus {
		rows += row[name]
	}
	for _, name := range c.Minus {
		rows -= row[name]
	}
	if c.Share > 0 {
		return int64(math.Round(float64(rows) * c.Share))
	}
	return max(rows, 0)
}
