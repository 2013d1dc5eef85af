package rows

import (
	"strings"
	"unicode/utf8"
)

// snippet shows a found value within a message.
func snippet(raw []byte) string {
	const most = 60
	if len(raw) == 0 {
		return "nothing"
	}
	head := raw[:min(len(raw), 4*most)]
	return clip(strings.Join(strings.Fields(strings.ToValidUTF8(string(head), "\ufffd")), " "), most)
}

// clip bounds a text's bytes without cutting a character in two.
func clip(s string, most int) string {
	const mark = "…"
	if len(s) <= most {
		return s
	}
	cut := most - len(mark)
	for cut > 0 && !utf8.RuneStart(s[cut]) {
		cut--
	}
	return s[:cut] + mark
}
