package engine

import (
	"encoding/binary"

	"github.com/bits-and-blooms/bloom/v3"
)

// What a rowSet takes. With 32 bits a row, tested at 22 places, one row in 700,000 is taken for another when all filters are
// full: no page of them is, and not two pages of one row.
const (
	bitsPerRow    = 32
	placesPerRow  = 22
	firstFilter   = 64 << 10 // bytes: 16,384 rows
	largestFilter = 4 << 20  // bytes: a million rows
	mostMemory    = 8 << 20  // bytes in all: two million rows
)

// rowSet remembers the rows of one list under way by their hashes. It grows with the list, up to mostMemory, and forgets the
// oldest rows beyond that. It knows every row it remembers, and hardly any other. Its zero value is empty.
type rowSet struct {
	filters []filter // the oldest first; the last one is being filled
	bytes   int
}

type filter struct {
	*bloom.BloomFilter
	bytes, room int
}

func (s *rowSet) has(row uint64) bool {
	key := binary.LittleEndian.AppendUint64(nil, row)
	for i := len(s.filters) - 1; i >= 0; i-- {
		if s.filters[i].Test(key) {
			return true
		}
	}
	return false
}

func (s *rowSet) add(row uint64) {
	if n := len(s.filters); n == 0 || s.filters[n-1].room == 0 {
		s.grow()
	}
	last := &s.filters[len(s.filters)-1]
	last.Add(binary.LittleEndian.AppendUint64(nil, row))
	last.room--
}

// grow adds a filter twice as large as the last, and drops the oldest if that makes too many.
func (s *rowSet) grow() {
	size := firstFilter
	if n := len(s.filters); n > 0 {
		size = min(2*s.filters[n-1].bytes, largestFilter)
	}
	for s.bytes+size > mostMemory {
		s.bytes -= s.filters[0].bytes
		s.filters = s.filters[1:]
	}
	s.bytes += size
	s.filters = append(s.filters, filter{bloom.New(uint(8*size), placesPerRow), size, 8 * size / bitsPerRow})
}
