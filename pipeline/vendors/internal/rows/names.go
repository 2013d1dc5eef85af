package rows

import (
	"bytes"
	"hash/maphash"
)

// names tells which names the open objects have, one on each level.
type names struct {
	body    []byte
	levels  [MaxDepth]nameSet
	scratch [2][]byte
}

// nameSet holds the names of the object that is open on one level: a hash table whose slots of earlier objects are
// told by their round.
type nameSet struct {
	round uint32
	used  int
	slots []nameSlot // a power of two, at least twice the names
}

type nameSlot struct {
	hash       uint64
	start, end uint32 // the name in the body, with its quotes; replies are far below 4 GiB
	round      uint32
}

var seed = maphash.MakeSeed()

// seen adds the name at body[start:end] to the level's set, and reports whether it was there.
func (n *names) seen(depth, start, end int) bool {
	s := &n.levels[depth]
	if 2*(s.used+1) > len(s.slots) {
		s.grow()
	}
	text := unescape(&n.scratch[0], n.body[start:end])
	hash := maphash.Bytes(seed, text)
	slot := s.find(hash, func(other nameSlot) bool {
		return bytes.Equal(text, unescape(&n.scratch[1], n.body[other.start:other.end]))
	})
	if slot.round == s.round {
		return true
	}
	*slot = nameSlot{hash: hash, start: uint32(start), end: uint32(end), round: s.round}
	s.used++
	return false
}

func (s *nameSet) begin() {
	const most = 1 << 12 // a table beyond that was an exception and is not kept
	if len(s.slots) > most {
		s.slots = nil
	}
	if s.round++; s.round == 0 {
		clear(s.slots)
		s.round = 1
	}
	s.used = 0
}

// find returns the slot that holds the name, or the free one where it belongs.
func (s *nameSet) find(hash uint64, same func(nameSlot) bool) *nameSlot {
	mask := uint64(len(s.slots) - 1)
	for i := hash & mask; ; i = (i + 1) & mask {
		slot := &s.slots[i]
		if slot.round != s.round || slot.hash == hash && same(*slot) {
			return slot
		}
	}
}

func (s *nameSet) grow() {
	old := s.slots
	s.slots = make([]nameSlot, max(16, 2*len(old)))
	for _, slot := range old {
		if slot.round == s.round {
			*s.find(slot.hash, func(nameSlot) bool { return false }) = slot
		}
	}
}
