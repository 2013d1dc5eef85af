package parquet

import (
	"encoding/binary"
	"fmt"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/zeebo/xxh3"
)

// columnSum is a running checksum of one column: of its values in row order, of the places of its nulls, and of
// the lengths of its strings and lists. It does not depend on how the rows are cut into batches, so that the sum
// of what was handed to the writer can be compared with the sum of what the file says.
type columnSum struct {
	values, lengths, nulls *xxh3.Hasher
	rows                   int64
	nullFrom, nullTo       int64 // run of nulls not yet hashed
	scratch                []byte
	child                  *columnSum // of a list's elements
}

func newColumnSum() *columnSum {
	return &columnSum{values: xxh3.New(), lengths: xxh3.New(), nulls: xxh3.New()}
}

// sums returns a checksum per column of the schema.
func newSums(n int) []*columnSum {
	sums := make([]*columnSum, n)
	for i := range sums {
		sums[i] = newColumnSum()
	}
	return sums
}

// add takes the rows of one array. Types are those of package schemas.
func (s *columnSum) add(a arrow.Array) error {
	switch a := a.(type) {
	case *array.RunEndEncoded:
		for at, rows := range runsOf(a) {
			s.addRun(a.Values(), at, rows)
		}
		return nil
	case *array.Dictionary:
		return s.addDictionary(a)
	}
	s.addNulls(a)
	switch a := a.(type) {
	case *array.String:
		s.addStrings(a)
	case *array.Boolean:
		for i := range a.Len() {
			if a.IsValid(i) {
				s.scratch = append(s.scratch, byte(bit(a.Value(i))))
			}
		}
	case *array.Int32:
		addFixed(s, a, arrow.Int32Traits.CastToBytes(a.Int32Values()), 4)
	case *array.Int64:
		addFixed(s, a, arrow.Int64Traits.CastToBytes(a.Int64Values()), 8)
	case *array.Float64:
		addFixed(s, a, arrow.Float64Traits.CastToBytes(a.Float64Values()), 8)
	case *array.Date32:
		addFixed(s, a, arrow.Date32Traits.CastToBytes(a.Date32Values()), 4)
	case *array.Timestamp:
		addFixed(s, a, arrow.TimestampTraits.CastToBytes(a.TimestampValues()), 8)
	case *array.List:
		return s.addLists(a)
	default:
		return fmt.Errorf("no checksum for type %s", a.DataType())
	}
	s.flush(s.values)
	return nil
}

func bit(b bool) int {
	if b {
		return 1
	}
	return 0
}

// addNulls hashes where runs of nulls begin and end. A run may go on in the next array.
func (s *columnSum) addNulls(a arrow.Array) {
	if a.NullN() > 0 {
		for i := range a.Len() {
			if a.IsValid(i) {
				continue
			}
			s.addNullRun(s.rows+int64(i), 1)
		}
	}
	s.rows += int64(a.Len())
}

func (s *columnSum) addNullRun(from int64, rows int) {
	if from != s.nullTo {
		s.endNulls()
		s.nullFrom = from
	}
	s.nullTo = from + int64(rows)
}

func (s *columnSum) endNulls() {
	if s.nullTo > s.nullFrom {
		var run [16]byte
		binary.LittleEndian.PutUint64(run[:], uint64(s.nullFrom))
		binary.LittleEndian.PutUint64(run[8:], uint64(s.nullTo))
		s.nulls.Write(run[:])
	}
	s.nullFrom = s.nullTo
}

// addRun takes rows that all have one value of an array.
func (s *columnSum) addRun(values arrow.Array, at, rows int) {
	if values.IsNull(at) {
		s.addNullRun(s.rows, rows)
	} else {
		value := raw(values, at)
		s.repeat(s.values, value, rows)
		if _, text := values.(*array.String); text {
			s.repeat(s.lengths, binary.LittleEndian.AppendUint32(nil, uint32(len(value))), rows)
		}
	}
	s.rows += int64(rows)
}

// repeat hashes a value so many times.
func (s *columnSum) repeat(h *xxh3.Hasher, value []byte, times int) {
	if len(value) == 0 {
		return
	}
	const enough = 8 << 10 // bytes at a time
	some := min(times, 1+enough/len(value))
	for range some {
		s.scratch = append(s.scratch, value...)
	}
	for ; times > 0; times -= some {
		some = min(some, times)
		h.Write(s.scratch[:some*len(value)])
	}
	s.scratch = s.scratch[:0]
}

// addDictionary takes rows as they are read from a dictionary: most are those of a run.
func (s *columnSum) addDictionary(a *array.Dictionary) error {
	values, text := a.Dictionary().(*array.String)
	indices, known := a.Indices().(*array.Int32)
	if !text || !known {
		return fmt.Errorf("no checksum for type %s", a.DataType())
	}
	all, nulls := indices.Int32Values(), a.NullN() > 0
	for from, to := 0, 0; from < len(all); from = to {
		null := nulls && a.IsNull(from)
		for to = from + 1; to < len(all) && (null || all[to] == all[from]) && (!nulls || a.IsNull(to) == null); to++ {
		}
		if null {
			s.addNullRun(s.rows, to-from)
			s.rows += int64(to - from)
		} else {
			s.addRun(values, int(all[from]), to-from)
		}
	}
	return nil
}

func addFixed(s *columnSum, a arrow.Array, raw []byte, width int) {
	if a.NullN() == 0 {
		s.values.Write(raw)
		return
	}
	for i := range a.Len() {
		if a.IsValid(i) { // what lies under a null is anybody's
			s.scratch = append(s.scratch, raw[i*width:(i+1)*width]...)
		}
	}
}

func (s *columnSum) addStrings(a *array.String) {
	if a.NullN() == 0 {
		s.values.Write(a.ValueBytes())
	}
	for i := range a.Len() {
		if a.IsValid(i) {
			s.scratch = binary.LittleEndian.AppendUint32(s.scratch, uint32(a.ValueLen(i)))
		}
	}
	s.flush(s.lengths)
	if a.NullN() == 0 {
		return
	}
	for i := range a.Len() {
		if a.IsValid(i) {
			s.scratch = append(s.scratch, a.Value(i)...)
		}
	}
}

func (s *columnSum) addLists(a *array.List) error {
	if s.child == nil {
		s.child = newColumnSum()
	}
	for i := range a.Len() {
		if a.IsNull(i) {
			continue
		}
		from, to := a.ValueOffsets(i)
		s.scratch = binary.LittleEndian.AppendUint64(s.scratch, uint64(to-from))
		elements := array.NewSlice(a.ListValues(), from, to)
		err := s.child.add(elements)
		elements.Release()
		if err != nil {
			return err
		}
	}
	s.flush(s.lengths)
	return nil
}

func (s *columnSum) flush(h *xxh3.Hasher) {
	h.Write(s.scratch)
	s.scratch = s.scratch[:0]
}

// sum returns the checksum of everything added. Nothing may be added afterwards.
func (s *columnSum) sum() uint64 {
	s.endNulls()
	var all []byte
	for _, part := range []uint64{uint64(s.rows), s.values.Sum64(), s.lengths.Sum64(), s.nulls.Sum64()} {
		all = binary.LittleEndian.AppendUint64(all, part)
	}
	if s.child != nil {
		all = binary.LittleEndian.AppendUint64(all, s.child.sum())
	}
	return xxh3.Hash(all)
}

// total folds the columns' checksums into one.
func total(columns []uint64) uint64 {
	var all []byte
	for _, c := range columns {
		all = binary.LittleEndian.AppendUint64(all, c)
	}
	return xxh3.Hash(all)
}

func finish(sums []*columnSum) []uint64 {
	out := make([]uint64, len(sums))
	for i, s := range sums {
		out[i] = s.sum()
	}
	return out
}
