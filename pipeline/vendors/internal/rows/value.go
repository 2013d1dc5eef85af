package rows

import (
	"math"
	"slices"
	"strconv"
	"time"

	"backhaul/schemas"
)

// set converts one value and puts it into the row. Null, a date's "" and the column's own spellings of "no value" leave
// the column null.
func (d *decoder) set(l *leaf, raw []byte) *schemas.FieldError {
	if len(raw) == 0 {
		return mismatch(l.path, wanted[l.typ], raw)
	}
	if string(raw) == "null" {
		return l.none(raw)
	}
	if l.raw {
		d.row.SetBytes(l.column, raw)
		return nil
	}
	if raw[0] == '"' {
		return d.setText(l, raw)
	}
	switch l.typ {
	case schemas.Int32, schemas.Int64:
		n, ok := integer(raw)
		if !ok || l.typ == schemas.Int32 && int64(int32(n)) != n {
			return mismatch(l.path, wanted[l.typ], raw)
		}
		if slices.Contains(l.noNumber, n) {
			return l.none(raw)
		}
		d.row.SetInt(l.column, n)
	case schemas.Float64:
		return d.setFloat(l, raw)
	case schemas.Bool:
		yes := string(raw) == "true"
		if !yes && string(raw) != "false" {
			return mismatch(l.path, wanted[l.typ], raw)
		}
		d.row.SetBool(l.column, yes)
	case schemas.Strings, schemas.Int32s, schemas.Dates:
		return d.setList(l, raw)
	default:
		return mismatch(l.path, wanted[l.typ], raw)
	}
	return nil
}

// setText sets a column from a JSON string.
func (d *decoder) setText(l *leaf, raw []byte) *schemas.FieldError {
	text := unescape(&d.text, raw)
	for _, none := range l.noText {
		if none == string(text) {
			return l.none(raw)
		}
	}
	switch l.typ {
	case schemas.String:
		d.row.SetBytes(l.column, text)
		return nil
	case schemas.Date, schemas.Timestamp:
		if len(text) == 0 {
			return l.none(raw)
		}
		n, ok := day(text)
		if l.typ == schemas.Timestamp {
			n, ok = timestamp(text)
		}
		if ok {
			d.row.SetInt(l.column, n)
			return nil
		}
	}
	return mismatch(l.path, wanted[l.typ], raw)
}

func (d *decoder) setFloat(l *leaf, raw []byte) *schemas.FieldError {
	f, err := strconv.ParseFloat(string(raw), 64)
	if err != nil || !number(raw) || math.IsInf(f, 0) {
		return mismatch(l.path, wanted[l.typ], raw)
	}
	if len(l.noNumber) > 0 && f == math.Trunc(f) && slices.Contains(l.noNumber, int64(f)) {
		return l.none(raw)
	}
	d.row.SetFloat(l.column, f)
	return nil
}

// setList sets a list column. Lists have no nulls in them.
func (d *decoder) setList(l *leaf, raw []byte) *schemas.FieldError {
	c := cursor{b: raw}
	if !c.open('[') {
		return mismatch(l.path, wanted[l.typ], raw)
	}
	texts, nums := []string{}, []int64{}
	for c.next(']') {
		item := c.value()
		isText := len(item) > 0 && item[0] == '"'
		var n int64
		ok := isText
		switch l.typ {
		case schemas.Strings:
			texts = append(texts, string(plain(item)))
		case schemas.Dates:
			if ok {
				n, ok = date(plain(item))
			}
		default:
			n, ok = integer(item)
			ok = ok && int64(int32(n)) == n
		}
		if !ok {
			return mismatch(l.path, wanted[l.typ], raw)
		}
		nums = append(nums, n)
	}
	if l.typ == schemas.Strings {
		d.row.SetStrings(l.column, texts)
	} else {
		d.row.SetInts(l.column, nums)
	}
	return nil
}

// none leaves the column null, if it may be.
func (l *leaf) none(raw []byte) *schemas.FieldError {
	if l.required {
		return mismatch(l.path, wanted[l.typ], raw)
	}
	return nil
}

// number reports whether a checked scalar is a number at all: strconv also knows words for some.
func number(raw []byte) bool { return raw[0] == '-' || '0' <= raw[0] && raw[0] <= '9' }

// integer reads a JSON number whose value is a 64-bit integer, exactly, however it is spelled: 2, 2.0, 0.2e1.
func integer(raw []byte) (int64, bool) {
	if len(raw) == 0 || !number(raw) {
		return 0, false
	}
	digits, negative := raw, raw[0] == '-'
	if negative {
		digits = raw[1:]
	}
	if len(digits) == 0 || len(digits) > 18 {
		return unusual(raw)
	}
	var n int64
	for _, ch := range digits {
		if ch < '0' || ch > '9' {
			return unusual(raw)
		}
		n = 10*n + int64(ch-'0')
	}
	if negative {
		n = -n
	}
	return n, true
}

// unusual is integer for long numbers and those with a point or an exponent. It moves the point through the digits
// rather than calculating, so that nothing is rounded and an absurd exponent costs nothing.
func unusual(raw []byte) (int64, bool) {
	digits, exponent, ok := split(raw)
	if !ok || len(digits) == 0 {
		return 0, false
	}
	for len(digits) > 0 && digits[0] == '0' {
		digits = digits[1:]
	}
	for len(digits) > 0 && digits[len(digits)-1] == '0' {
		digits = digits[:len(digits)-1]
		exponent++
	}
	if len(digits) == 0 {
		return 0, true
	}
	if exponent < 0 || len(digits)+exponent > 19 {
		return 0, false
	}
	for ; exponent > 0; exponent-- {
		digits = append(digits, '0')
	}
	if raw[0] == '-' {
		digits = append([]byte{'-'}, digits...)
	}
	n, err := strconv.ParseInt(string(digits), 10, 64)
	return n, err == nil
}

// split returns a number's digits without the point, and the power of ten they are to be multiplied by. The exponent
// is bounded, far beyond what any integer has.
func split(raw []byte) (digits []byte, exponent int, ok bool) {
	const bound = 1 << 30
	for i, seen := 0, false; i < len(raw); i++ {
		switch ch := raw[i]; {
		case '0' <= ch && ch <= '9':
			digits = append(digits, ch)
			if seen {
				exponent--
			}
		case ch == '.' && !seen:
			seen = true
		case ch == '-' && i == 0:
		case ch == 'e' || ch == 'E':
			e, err := strconv.Atoi(string(raw[i+1:]))
			if err != nil && e == 0 {
				return nil, 0, false
			}
			return digits, exponent + min(max(e, -bound), bound), true
		default:
			return nil, 0, false
		}
	}
	return digits, exponent, true
}

// day reads a date, or a time of which it is the day in UTC: vendors send both where they declare a date.
func day(s []byte) (int64, bool) {
	if len(s) <= len(time.DateOnly) {
		return date(s)
	}
	t, err := time.Parse(time.RFC3339Nano, string(s))
	return t.Unix() / (24 * 60 * 60), err == nil && t.Unix() >= 0
}

// date reads YYYY-MM-DD of a day that exists, as days since 1970-01-01.
func date(s []byte) (int64, bool) {
	if len(s) != len(time.DateOnly) || s[4] != '-' || s[7] != '-' {
		return 0, false
	}
	y, okY := decimal(s[:4])
	m, okM := decimal(s[5:7])
	day, okD := decimal(s[8:])
	if !okY || !okM || !okD || y == 0 {
		return 0, false
	}
	t := time.Date(y, time.Month(m), day, 0, 0, 0, 0, time.UTC)
	if t.Year() != y || int(t.Month()) != m || t.Day() != day {
		return 0, false // moved on to a day that exists
	}
	const secondsPerDay = 24 * 60 * 60
	return t.Unix() / secondsPerDay, true // exact: t is a midnight
}

func decimal(s []byte) (n int, ok bool) {
	for _, ch := range s {
		if ch < '0' || ch > '9' {
			return 0, false
		}
		n = 10*n + int(ch-'0')
	}
	return n, true
}

// timestamp reads RFC 3339, as microseconds since 1970-01-01 UTC.
func timestamp(s []byte) (int64, bool) {
	t, err := time.Parse(time.RFC3339Nano, string(s))
	return t.UnixMicro(), err == nil
}

var wanted = map[schemas.Type]string{
	schemas.String: "a string", schemas.Bool: "true or false", schemas.Int32: "a 32-bit integer", schemas.Int64: "an integer",
	schemas.Float64: "a number", schemas.Date: "a date YYYY-MM-DD", schemas.Timestamp: "a time", schemas.Strings: "a list of strings",
	schemas.Int32s: "a list of integers", schemas.Dates: "a list of dates",
}

func mismatch(path, want string, raw []byte) *schemas.FieldError {
	return &schemas.FieldError{Field: path, Problem: "want " + want + ", got " + snippet(raw)}
}
