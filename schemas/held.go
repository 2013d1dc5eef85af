package schemas

import "github.com/zeebo/xxh3"

// Held remembers which rows of a list are held already, so that another reading of the list adds only what it alone has. A
// list may hold equal rows more than once: the n-th of a reading is held if a reading before it had n of them. So the order
// in which readings are given decides whose rows stay: the first one's do, all of them. It takes about 40 bytes a row.
type Held struct {
	identity identity
	before   map[uint64]uint32
	current  map[uint64]uint32
}

// NewHeld returns the memory of one list of the table that is read several times from its start. Its rows are known by the
// table's key.
func NewHeld(t *Table) *Held { return newHeld(keyOf(t)) }

// NewList returns the memory of one list of the table that repeats itself: every page is a reading. What is not a repetition must
// not be lost, so where several rows may be equal under the key they are known by all their own columns.
func NewList(t *Table) *Held { return newHeld(identityOf(t)) }

func newHeld(id identity) *Held {
	return &Held{identity: id, before: map[uint64]uint32{}, current: map[uint64]uint32{}}
}

// Restart says that the rows that follow are of another reading of the list.
func (h *Held) Restart() {
	for key, n := range h.current {
		h.before[key] = max(h.before[key], n)
	}
	clear(h.current)
}

// drop reports whether the row is held already.
func (h *Held) drop(r *Row) bool {
	key, _ := h.identity.hash(r)
	return h.count(key)
}

// dropRejected is drop for a row that does not fit the table.
func (h *Held) dropRejected(json []byte) bool { return h.count(xxh3.Hash(json)) }

func (h *Held) count(key uint64) (held bool) {
	h.current[key]++
	return h.current[key] <= h.before[key]
}
