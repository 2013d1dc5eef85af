package rows

import (
	"bytes"

	"github.com/go-json-experiment/json/jsontext"
)

// cursor walks JSON that has been checked. Commas and colons are spaces to it, since the check has found them in
// their places. On anything else than checked JSON it yields nonsense, but neither panics nor loops.
type cursor struct {
	b []byte
	i int
}

// open enters an object or array if one starts here.
func (c *cursor) open(bracket byte) bool {
	c.space()
	if c.i < len(c.b) && c.b[c.i] == bracket {
		c.i++
		return true
	}
	return false
}

// next reports whether another name or element follows, and leaves the object or array if none does.
func (c *cursor) next(closing byte) bool {
	c.space()
	if c.i >= len(c.b) {
		return false
	}
	if c.b[c.i] == closing {
		c.i++
		return false
	}
	return true
}

// passes moves behind a name, given with its quotes, if that is next.
func (c *cursor) passes(quoted []byte) bool {
	if !bytes.HasPrefix(c.b[c.i:], quoted) {
		return false
	}
	c.i += len(quoted)
	return true
}

// value returns the next name or value, without the space around it.
func (c *cursor) value() []byte {
	c.space()
	start := c.i
	if start >= len(c.b) {
		return nil
	}
	switch c.b[start] {
	case '"':
		c.i = endOfString(c.b, start)
	case '{', '[':
		c.i = endOfBrackets(c.b, start)
	default:
		c.i = endOfScalar(c.b, start)
	}
	return c.b[start:c.i]
}

func (c *cursor) space() {
	for c.i < len(c.b) {
		switch c.b[c.i] {
		case ' ', '\n', '\t', '\r', ',', ':':
			c.i++
		default:
			return
		}
	}
}

// endOfString returns the place behind the string that starts at i, at most len(b).
func endOfString(b []byte, i int) int {
	for i = endOfASCII(b, i+1); i < len(b); i = endOfASCII(b, i+1) {
		switch b[i] {
		case '"':
			return i + 1
		case '\\':
			i++
		}
	}
	return len(b)
}

func endOfBrackets(b []byte, i int) int {
	for depth := 0; i < len(b); i++ {
		switch b[i] {
		case '"':
			i = endOfString(b, i) - 1
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth == 0 {
				return i + 1
			}
		}
	}
	return len(b)
}

// endOfScalar always moves on, so that a stray bracket cannot hold the walk up.
func endOfScalar(b []byte, i int) int {
	for i++; i < len(b); i++ {
		switch b[i] {
		case ' ', '\n', '\t', '\r', ',', ':', '}', ']':
			return i
		}
	}
	return len(b)
}

// plain returns the text of a JSON string, in place if it has no escapes.
func plain(raw []byte) []byte {
	var scratch []byte
	return unescape(&scratch, raw)
}

// unescape is plain with a buffer that texts with escapes are written to, over what it held.
func unescape(scratch *[]byte, raw []byte) []byte {
	switch {
	case len(raw) < 2 || raw[0] != '"':
		return raw
	case bytes.IndexByte(raw, '\\') < 0:
		return raw[1 : len(raw)-1]
	}
	*scratch, _ = jsontext.AppendUnquote((*scratch)[:0], raw) // raw has been checked
	return *scratch
}
