package canon

import "strings"

// The characters of printable ASCII that browsers percent-encode (WHATWG URL, path and special-query sets).
const (
	inPath  = " \"#<>?^`{}"
	inQuery = " \"#<>'"
)

const upperHex = "0123456789ABCDEF"

// escape percent-encodes s to ASCII: bytes outside printable ASCII and those of set are encoded, escapes are
// normalised, and a % that begins no escape becomes %25.
func escape(s, set string) string {
	if clean(s, set) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case c == '%' && i+2 < len(s) && hexDigit(s[i+1]) >= 0 && hexDigit(s[i+2]) >= 0:
			normalEscape(&b, byte(hexDigit(s[i+1])<<4|hexDigit(s[i+2])))
			i += 2
		case c == '%' || c <= 0x20 || c >= 0x7f || strings.IndexByte(set, c) >= 0:
			hexEscape(&b, c)
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}

// clean reports whether escape would change nothing.
func clean(s, set string) bool {
	for i := range len(s) {
		if c := s[i]; c == '%' || c <= 0x20 || c >= 0x7f || strings.IndexByte(set, c) >= 0 {
			return false
		}
	}
	return true
}

func normalEscape(b *strings.Builder, c byte) {
	if unreserved(c) {
		b.WriteByte(c)
		return
	}
	hexEscape(b, c)
}

func hexEscape(b *strings.Builder, c byte) {
	b.Write([]byte{'%', upperHex[c>>4], upperHex[c&15]})
}

// unreserved are the characters that mean the same escaped or not (RFC 3986, 2.3).
func unreserved(c byte) bool {
	return 'a' <= c|0x20 && c|0x20 <= 'z' || '0' <= c && c <= '9' || strings.IndexByte("-._~", c) >= 0
}

func hexDigit(c byte) int {
	switch {
	case '0' <= c && c <= '9':
		return int(c - '0')
	case 'a' <= c|0x20 && c|0x20 <= 'f':
		return int(c|0x20-'a') + 10
	}
	return -1
}

// removeDots resolves the segments . and .. of an escaped path (RFC 3986, 5.2.4).
func removeDots(path string) string {
	if !strings.Contains(path, "/.") {
		return path
	}
	segments := strings.Split(path[1:], "/")
	out := segments[:0]
	for i, segment := range segments {
		last := i == len(segments)-1
		switch segment {
		case "..":
			out = out[:max(0, len(out)-1)]
		case ".":
		default:
			out = append(out, segment)
			continue
		}
		if last {
			out = append(out, "")
		}
	}
	return "/" + strings.Join(out, "/")
}
