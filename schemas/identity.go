package schemas

import (
	"encoding/binary"

	"github.com/zeebo/xxh3"
)

// identity is what a row is known again by: some columns of its table.
type identity struct {
	columns []int
	types   []Type
	key     int // how many of the columns, the first ones, are of the table's key
	buf     []byte
}

// keyOf knows rows by the table's key.
func keyOf(t *Table) identity {
	var id identity
	for _, name := range t.Key {
		id.add(t, t.Index(name))
	}
	id.key = len(id.columns)
	return id
}

// identityOf knows rows by the table's key where no two rows share one, else by all that the vendor says of them: what is
// equal in all of that cannot be told apart by anybody.
func identityOf(t *Table) identity {
	id := keyOf(t)
	if !t.Coarse {
		return id
	}
	for i := range t.Own {
		id.add(t, i)
	}
	if i := t.Index(ColExtra); i >= 0 {
		id.add(t, i)
	}
	return id
}

func (id *identity) add(t *Table, column int) {
	id.columns, id.types = append(id.columns, column), append(id.types, t.Columns()[column].Type)
}

// hash also reports whether the row has any of its key: where a request chose columns that leave it out, honest rows look
// alike.
func (id *identity) hash(r *Row) (sum uint64, known bool) {
	b := id.buf[:0]
	for n, i := range id.columns {
		v := &r.values[i]
		known = known || v.valid && n < id.key
		b = appendIdentity(b, id.types[n], v)
	}
	id.buf = b
	return xxh3.Hash(b), known
}

// appendIdentity appends a value with its length where that varies, so that no byte can move from one column to the next.
func appendIdentity(b []byte, t Type, v *value) []byte {
	if !v.valid {
		return append(b, 0)
	}
	b = append(b, 1)
	switch t {
	case String:
		return appendText(b, v.text)
	case Strings:
		b = binary.LittleEndian.AppendUint64(b, uint64(len(v.texts)))
		for _, s := range v.texts {
			b = appendText(b, s)
		}
		return b
	case Int32s, Dates:
		b = binary.LittleEndian.AppendUint64(b, uint64(len(v.nums)))
		for _, n := range v.nums {
			b = binary.LittleEndian.AppendUint64(b, uint64(n))
		}
		return b
	}
	return binary.LittleEndian.AppendUint64(b, uint64(v.num))
}

func appendText[T string | []byte](b []byte, s T) []byte {
	return append(binary.LittleEndian.AppendUint64(b, uint64(len(s))), s...)
}

// keys are the hashes of rows.
type keys struct {
	identity identity
	all      []uint64
}

func (k *keys) add(r *Row) {
	if sum, known := k.identity.hash(r); known {
		k.all = append(k.all, sum)
	}
}

func (k *keys) addRejected(json []byte) { k.all = append(k.all, xxh3.Hash(json)) }
