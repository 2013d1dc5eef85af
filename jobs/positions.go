package jobs

import (
	"hash/maphash"

	"backhaul/pipeline"
)

// question is what a vendor is asked about one target, or one source.
type question struct{ target, source, params string }

func (t Target) question() question { return question{t.Target, "", t.Params} }

func (c *Compared) question(in pipeline.Input) question {
	return question{c.About.Target, in.Source, c.About.Params}
}

// positions tells whether a list asks something, by a few bytes an element: the questions are the list's own. It is a hash
// table with open addressing.
type positions struct {
	question func(n int) question // of element n
	seed     maphash.Seed
	slots    []int32 // positions from 1, 0 where there is none; twice as many as elements at least
}

// newPositions returns those of a list that will have so many elements at most.
func newPositions(most int, of func(n int) question) *positions {
	size := 1
	for size < 2*most {
		size *= 2
	}
	return &positions{question: of, seed: maphash.MakeSeed(), slots: make([]int32, size)}
}

// add takes up that element n is to ask q, or returns the one before it that does.
func (p *positions) add(n int, q question) (at int, added bool) {
	mask := uint64(len(p.slots) - 1)
	slot := maphash.Comparable(p.seed, q) & mask
	for ; p.slots[slot] > 0; slot = (slot + 1) & mask {
		if known := int(p.slots[slot]) - 1; p.question(known) == q {
			return known, false
		}
	}
	p.slots[slot] = int32(n + 1)
	return n, true
}
