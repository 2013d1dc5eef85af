package schemas

import (
	"encoding/binary"

	"github.com/zeebo/xxh3"
)

// Held remembers which rows of a list are held already, by the table's key, so that another reading of the list adds
// only what it alone has. A list may hold equal keys more than once: the n-th of a reading is held if a reading before
// it had n of them. So the order in which readings are given decides whose rows stay: the first one's do, all of them.
// It takes about 40 bytes a row.
type Held struct {
	key     []int // column positions
	types   []Type
	before  map[uint64]uint32
	current map[uint64]uint32
	buf     []byte
}

// NewHeld returns the memory of one list of the table.
func NewHeld(t *Table) *Held {
	h := &Held{before: map[uint64]uint32{}, current: map[uint64]uint32{}}
	for _, name := range t.Key {
		i := t.Index(name)
		h.key, h.types = append(h.key, i), append(h.types, t.Columns()[i].Type)
	}
	return h
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
	key := h.hash(r)
	h.current[key]++
	return h.current[key] <= h.before[key]
}

func (h *Held) hash(r *Row) uint64 {
	b := h.buf[:0]
	for n, i := range h.key {
		v := &r.values[i]
		switch {
		case !v.valid:
			b = append(b, 0)
		case h.types[n] == String:
			b = append(b, 1)
			b = binary.LittleEndian.AppendUint64(b, uint64(len(v.text)))
			b = append(b, v.text...)
		default:
			b = append(b, 1)
			b = binary.LittleEndian.AppendUint64(b, uint64(v.num))
		}
	}
	h.buf = b
	return xxh3.Hash(b)
}
