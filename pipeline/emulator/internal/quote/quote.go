// Package quote writes JSON strings as the vendors' servers do: text that is UTF-8 stays as it is but for what JSON must
// escape.
package quote

// Append appends a text, which must be UTF-8, as a JSON string.
func Append(buf []byte, s string) []byte {
	const hex = "0123456789abcdef"
	buf = append(buf, '"')
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '"' || c == '\\':
			buf = append(buf, '\\', c)
		case c < ' ':
			buf = append(buf, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		default:
			buf = append(buf, c)
		}
	}
	return append(buf, '"')
}
