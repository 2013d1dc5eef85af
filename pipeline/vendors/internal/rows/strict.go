package rows

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math/bits"
	"strings"
	"sync"
	"unicode/utf8"
)

// scanner passes over a reply once: it holds every byte to strict JSON and finds the list, its elements and the token on
// its way. It is used for one reply after the other and keeps nothing of any.
type scanner struct {
	b     []byte
	i     int
	names names
	// like are, by level, the names of an object that has none twice: what has the same names in the same order has none
	// twice either, and a vendor's rows do. They stand in b.
	like  [MaxDepth][]span
	reply *Reply
	token []byte // the member that holds the token, nil if there is none
	err   error  // what is wrong with JSON that is no worse than not strict
}

// span is a piece of the reply. Replies are far below 4 GiB.
type span struct{ from, to uint32 }

// sought is what is left of the paths to the members that a reply's layout names; "" is sought no more.
type sought struct {
	list, token string
	here        bool // the value itself is the list
}

var scanners = sync.Pool{New: func() any { return new(scanner) }}

// errSyntax means that a reply is not JSON; why it is not, jsontext says better.
var errSyntax = errors.New("not strict JSON")

// scan fills in where the reply's list is, and returns the value of the token's member.
func scan(r *Reply, l Layout) (token []byte, err error) {
	s := scanners.Get().(*scanner)
	defer s.release()
	s.begin(r)
	if s.value(0, &sought{list: l.List, token: l.Token}) && s.atEnd() {
		return s.token, nil
	}
	if err := explain(r.body); err != nil {
		return nil, err
	}
	if s.err == nil {
		s.err = errSyntax
	}
	return nil, s.err
}

func (s *scanner) begin(r *Reply) {
	s.b, s.i, s.reply, s.token, s.err = r.body, 0, r, nil, nil
	s.names.body = r.body
	for level := range s.like {
		s.like[level] = s.like[level][:0]
	}
}

// release lets go of the reply.
func (s *scanner) release() {
	s.b, s.reply, s.token, s.names.body = nil, nil, nil, nil
	scanners.Put(s)
}

// value passes over a value on a level, and reports whether it is strict. want is nil where nothing is sought.
func (s *scanner) value(level int, want *sought) bool {
	switch s.peek() {
	case '{':
		return s.object(level, want)
	case '[':
		return s.array(level, want != nil && want.here)
	case '"':
		return s.text()
	case 't':
		return s.literal("true")
	case 'f':
		return s.literal("false")
	case 'n':
		return s.literal("null")
	}
	return s.number()
}

// peek returns the next byte that is not a space, or 0 at the end.
func (s *scanner) peek() byte {
	for ; s.i < len(s.b); s.i++ {
		switch c := s.b[s.i]; c {
		case ' ', '\n', '\t', '\r':
		default:
			return c
		}
	}
	return 0
}

func (s *scanner) atEnd() bool { s.peek(); return s.i == len(s.b) }

// enter passes over an opening bracket.
func (s *scanner) enter(level int) bool {
	if level == MaxDepth {
		s.err = fmt.Errorf("nested deeper than %d levels", MaxDepth)
		return false
	}
	s.i++
	return true
}

// another passes over a comma or the closing bracket, and reports which.
func (s *scanner) another(closing byte) (more, ok bool) {
	c := s.peek()
	s.i++
	return c == ',', c == ',' || c == closing
}

func (s *scanner) array(level int, isList bool) bool {
	if !s.enter(level) {
		return false
	}
	if s.peek() == ']' {
		s.i++
		return true
	}
	for {
		s.peek()
		from := s.i
		if !s.value(level+1, nil) {
			return false
		}
		if isList {
			s.reply.rows = append(s.reply.rows, span{uint32(from), uint32(s.i)})
		}
		if more, ok := s.another(']'); !more {
			return ok
		}
	}
}

func (s *scanner) object(level int, want *sought) bool {
	if !s.enter(level) {
		return false
	}
	if s.peek() == '}' {
		s.i++
		return true
	}
	alike := 0 // how many names are those of the object before; -1 since one was another
	for {
		s.peek()
		from := s.i
		var ok bool
		if alike, ok = s.name(level, alike); !ok {
			return false
		}
		name := s.b[from:s.i]
		if s.peek() != ':' {
			return false
		}
		s.i++
		if !s.member(level, name, want) {
			return false
		}
		if more, ok := s.another('}'); !more {
			return ok
		}
	}
}

// name passes over a name, unless the object has it already.
func (s *scanner) name(level, alike int) (int, bool) {
	like, from := s.like[level], s.i
	if alike >= 0 && alike < len(like) && bytes.HasPrefix(s.b[from:], s.b[like[alike].from:like[alike].to]) {
		s.i += int(like[alike].to - like[alike].from)
		return alike + 1, true
	}
	if s.peek() != '"' || !s.text() {
		return 0, false
	}
	if alike >= 0 {
		s.apart(level, alike)
	}
	if s.names.seen(level, from, s.i) {
		s.err = fmt.Errorf("not strict JSON: an object has the name %s twice", snippet(s.b[from:s.i]))
		return 0, false
	}
	s.like[level] = append(s.like[level], span{uint32(from), uint32(s.i)})
	return -1, true
}

// apart says that the names of the object under way, from there on, are not those of the one before.
func (s *scanner) apart(level, alike int) {
	s.names.levels[level].begin()
	s.like[level] = s.like[level][:alike]
	for _, name := range s.like[level] {
		s.names.seen(level, int(name.from), int(name.to))
	}
}

// member passes over the value of a member, and notes it if it is one of those sought.
func (s *scanner) member(level int, quoted []byte, want *sought) bool {
	if want == nil {
		return s.value(level+1, nil)
	}
	var within sought
	var isToken bool
	name := plain(quoted)
	within.list, within.here = along(want.list, name)
	within.token, isToken = along(want.token, name)
	next := &within
	if within == (sought{}) {
		next = nil
	}
	s.peek()
	from := s.i
	if !s.value(level+1, next) {
		return false
	}
	if within.here {
		s.reply.list = s.b[from:s.i]
	}
	if isToken {
		s.token = s.b[from:s.i]
	}
	return true
}

// along returns what is left of a path behind the name, or whether it ends there.
func along(path string, name []byte) (rest string, ends bool) {
	first, rest, deeper := strings.Cut(path, ".")
	switch {
	case path == "" || string(name) != first:
		return "", false
	case deeper:
		return rest, false
	}
	return "", true
}

func (s *scanner) literal(word string) bool {
	if !bytes.HasPrefix(s.b[s.i:], []byte(word)) {
		return false
	}
	s.i += len(word)
	return true
}

// number passes over -?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?
func (s *scanner) number() bool {
	s.skip('-', '-')
	if !s.skip('0', '0') && !s.digits() {
		return false
	}
	if s.skip('.', '.') && !s.digits() {
		return false
	}
	if !s.skip('e', 'E') {
		return true
	}
	s.skip('+', '-')
	return s.digits()
}

// skip passes over one of two bytes, if it is next.
func (s *scanner) skip(one, other byte) bool {
	if s.i < len(s.b) && (s.b[s.i] == one || s.b[s.i] == other) {
		s.i++
		return true
	}
	return false
}

func (s *scanner) digits() bool {
	from := s.i
	for s.i < len(s.b) && '0' <= s.b[s.i] && s.b[s.i] <= '9' {
		s.i++
	}
	return s.i > from
}

// text passes over a string of valid UTF-8 without control characters, whose escapes are whole.
func (s *scanner) text() bool {
	s.i++
	for {
		s.i = endOfASCII(s.b, s.i)
		if s.i >= len(s.b) {
			return false
		}
		switch c := s.b[s.i]; {
		case c == '"':
			s.i++
			return true
		case c == '\\':
			if !s.escape() {
				return false
			}
		case c < ' ':
			return false
		default:
			r, n := utf8.DecodeRune(s.b[s.i:])
			if r == utf8.RuneError && n == 1 {
				return false
			}
			s.i += n
		}
	}
}

// endOfASCII returns the place of the next byte that is a quote, a backslash, a control character or no ASCII; at most
// len(b). It looks at eight bytes at a time: of the marks it makes in a word the lowest is right.
func endOfASCII(b []byte, i int) int {
	const ones, highs = 0x0101010101010101, 0x8080808080808080
	for ; i+8 <= len(b); i += 8 {
		x := binary.LittleEndian.Uint64(b[i:])
		quote, slash := x^ones*'"', x^ones*'\\'
		marks := (x - ones*' ') &^ x
		marks |= (quote - ones) &^ quote
		marks |= (slash - ones) &^ slash
		if marks = (marks | x) & highs; marks != 0 {
			return i + bits.TrailingZeros64(marks)/8
		}
	}
	for ; i < len(b); i++ {
		if c := b[i]; c == '"' || c == '\\' || c < ' ' || c >= utf8.RuneSelf {
			return i
		}
	}
	return i
}

// escape passes over a backslash and what it stands before; the surrogates of UTF-16 only in pairs.
func (s *scanner) escape() bool {
	if s.i++; s.i >= len(s.b) {
		return false
	}
	if c := s.b[s.i]; c != 'u' {
		s.i++
		return strings.IndexByte(`"\/bfnrt`, c) >= 0
	}
	switch unit, ok := s.unit(); {
	case !ok || unit>>10 == lowSurrogate:
		return false
	case unit>>10 != highSurrogate:
		return true
	}
	if !bytes.HasPrefix(s.b[s.i:], []byte(`\u`)) {
		return false
	}
	s.i++
	unit, ok := s.unit()
	return ok && unit>>10 == lowSurrogate
}

// The upper six bits of a surrogate's unit.
const highSurrogate, lowSurrogate = 0xd800 >> 10, 0xdc00 >> 10

// unit passes over a u and its four digits.
func (s *scanner) unit() (n rune, ok bool) {
	s.i++
	for end := s.i + 4; s.i < end; s.i++ {
		if s.i >= len(s.b) {
			return 0, false
		}
		d := strings.IndexByte("0123456789abcdef", s.b[s.i]|0x20)
		if d < 0 || s.b[s.i] < '0' {
			return 0, false
		}
		n = n<<4 | rune(d)
	}
	return n, true
}
