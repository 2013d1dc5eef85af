package schemas

import (
	"math"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
)

// Row is one row under construction: a value, or null, per column of its table.
type Row struct {
	values []value
	fields []string // by column: the field of the vendor's row it is read from, "" where the row has none
	strays []stray
}

type value struct {
	valid bool
	num   int64 // integers, days, microseconds, 0/1; the bits of a float
	text  []byte
	texts []string
	nums  []int64
}

func (r *Row) reset() {
	for i := range r.values {
		r.values[i].valid = false
	}
	clear(r.fields)
	r.strays = r.strays[:0]
}

// SetString sets a String column. The text is copied.
func (r *Row) SetString(i int, s string) {
	v := &r.values[i]
	v.valid, v.text = true, append(v.text[:0], s...)
}

// SetBytes sets a String column to valid UTF-8 text. The text is copied.
func (r *Row) SetBytes(i int, s []byte) {
	v := &r.values[i]
	v.valid, v.text = true, append(v.text[:0], s...)
}

// SetInt sets an integer column, a Date (days since 1970-01-01) or a Timestamp (microseconds since 1970-01-01 UTC).
func (r *Row) SetInt(i int, n int64) { r.values[i].valid, r.values[i].num = true, n }

// SetBool sets a Bool column.
func (r *Row) SetBool(i int, b bool) {
	n := int64(0)
	if b {
		n = 1
	}
	r.SetInt(i, n)
}

// SetFloat sets a Float64 column.
func (r *Row) SetFloat(i int, f float64) { r.SetInt(i, int64(math.Float64bits(f))) }

// SetTime sets a Timestamp column, unless t is zero.
func (r *Row) SetTime(i int, t time.Time) {
	if !t.IsZero() {
		r.SetInt(i, t.UTC().UnixMicro())
	}
}

// SetStrings sets a Strings column. The slice is kept until the row is appended.
func (r *Row) SetStrings(i int, list []string) { r.values[i].valid, r.values[i].texts = true, list }

// SetInts sets an Int32s or Dates column. The slice is kept until the row is appended.
func (r *Row) SetInts(i int, list []int64) { r.values[i].valid, r.values[i].nums = true, list }

// Ints returns the value of an Int32s or Dates column, nil if it is null. It must not be changed.
func (r *Row) Ints(i int) []int64 {
	if !r.values[i].valid {
		return nil
	}
	return r.values[i].nums
}

// Text returns the value of a String column, nil if it is null. It is valid until the row is appended.
func (r *Row) Text(i int) []byte {
	if !r.values[i].valid {
		return nil
	}
	return r.values[i].text
}

// Bool returns the value of a Bool column, false if it is null.
func (r *Row) Bool(i int) bool { return r.values[i].valid && r.values[i].num != 0 }

// Null reports whether the column has no value yet.
func (r *Row) Null(i int) bool { return !r.values[i].valid }

func appendValue(b array.Builder, t Type, v *value) {
	if !v.valid {
		b.AppendNull()
		return
	}
	switch t {
	case String:
		b.(*array.StringBuilder).BinaryBuilder.Append(v.text)
	case Bool:
		b.(*array.BooleanBuilder).Append(v.num != 0)
	case Int32:
		b.(*array.Int32Builder).Append(int32(v.num))
	case Int64:
		b.(*array.Int64Builder).Append(v.num)
	case Float64:
		b.(*array.Float64Builder).Append(math.Float64frombits(uint64(v.num)))
	case Date:
		b.(*array.Date32Builder).Append(arrow.Date32(v.num))
	case Timestamp:
		b.(*array.TimestampBuilder).Append(arrow.Timestamp(v.num))
	case Strings:
		list := b.(*array.ListBuilder)
		list.Append(true)
		for _, s := range v.texts {
			list.ValueBuilder().(*array.StringBuilder).Append(s)
		}
	case Int32s:
		list := b.(*array.ListBuilder)
		list.Append(true)
		for _, n := range v.nums {
			list.ValueBuilder().(*array.Int32Builder).Append(int32(n))
		}
	case Dates:
		list := b.(*array.ListBuilder)
		list.Append(true)
		for _, n := range v.nums {
			list.ValueBuilder().(*array.Date32Builder).Append(arrow.Date32(n))
		}
	}
}
