package wire

import (
	"encoding/base64"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

const redacted = "[redacted]"

// leastMasked is the length in bytes from which a secret is masked wherever it stands. A shorter one, as of test accounts, is part
// of many words: it is masked where it stands alone, so that what a vendor says stays readable.
const leastMasked = 8

// mask finds secrets in texts that vendors and libraries made. The zero value finds none.
type mask struct {
	secrets []string  // longest first, since one may hold another
	begins  [256]bool // by the first byte of a spelling of one of them
}

// newMask looks for the texts, and for what base64 makes of them and of whatever they are part of.
func newMask(texts ...string) mask {
	var m mask
	for _, s := range texts {
		if s != "" {
			m.secrets = append(append(m.secrets, s), encoded(s)...)
		}
	}
	slices.SortFunc(m.secrets, func(a, b string) int { return len(b) - len(a) })
	m.secrets = slices.Compact(m.secrets)
	for _, s := range m.secrets {
		m.begins[s[0]], m.begins['%'], m.begins['\\'] = true, true, true
		if s[0] == ' ' {
			m.begins['+'] = true
		}
	}
	return m
}

// leastEncoded is how many characters of base64 are taken for a secret and not for chance.
const leastEncoded = 8

// encoded returns the base64 of a text by itself, and what all base64 of longer texts has in common that hold it: how it is
// spelt there depends on where among three bytes it begins, and its first and last characters on what is around it.
func encoded(s string) (texts []string) {
	for _, e := range []*base64.Encoding{base64.StdEncoding, base64.URLEncoding} {
		texts = append(texts, e.EncodeToString([]byte(s)), e.WithPadding(base64.NoPadding).EncodeToString([]byte(s)))
		for before := range 3 {
			first, last := (before*8+5)/6, (before+len(s))*8/6 // the characters made of nothing but s
			all := e.EncodeToString(append(make([]byte, before), s...))
			if last-first >= leastEncoded {
				texts = append(texts, all[first:last])
			}
		}
	}
	return texts
}

// Replace puts a mark in the place of every secret, in whatever spelling a reply may quote it in: as it is, or some of its
// characters escaped as in a URL, once or more often, or as in JSON.
func (m *mask) Replace(text string) string {
	var out strings.Builder
	done := 0
	for i := 0; i < len(text); {
		n := 0
		if m.begins[text[i]] {
			n = m.at(text, i)
		}
		if n == 0 {
			i++
			continue
		}
		out.WriteString(text[done:i])
		out.WriteString(redacted)
		i += n
		done = i
	}
	if done == 0 {
		return text
	}
	out.WriteString(text[done:])
	return out.String()
}

// at returns how many bytes the longest secret takes that the text has from i on.
func (m *mask) at(text string, i int) int {
	for _, s := range m.secrets {
		n := spelt(text[i:], s)
		if n == 0 || len(strings.TrimPrefix(strings.TrimPrefix(s, "Bearer "), "Basic ")) < leastMasked && !alone(text, i, i+n) {
			continue
		}
		return n
	}
	return 0
}

// alone reports whether no letter or digit touches text[from:to].
func alone(text string, from, to int) bool {
	before, _ := utf8.DecodeLastRuneInString(text[:from])
	after, _ := utf8.DecodeRuneInString(text[to:])
	return !inWord(before) && !inWord(after)
}

func inWord(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }

// spelt returns how many bytes the text spells the secret in that it begins with, or 0.
func spelt(text, secret string) int {
	at := 0
	for i := range len(secret) {
		c, n := character(text[at:])
		switch {
		case n > 0 && c == secret[i]:
			at += n
		case at < len(text) && (text[at] == secret[i] || text[at] == '+' && secret[i] == ' '):
			at++
		default:
			return 0
		}
	}
	return at
}

// character reads one escaped character: %2F, %252F and so on, \u002f or \/. n is 0 where none is.
func character(text string) (c byte, n int) {
	switch {
	case strings.HasPrefix(text, "%"):
		at := 1
		for strings.HasPrefix(text[at:], "25") && len(text) >= at+4 && hexadecimal(text[at+2:at+4]) {
			at += 2
		}
		return hexByte(text, at, at+2)
	case strings.HasPrefix(text, `\u00`):
		return hexByte(text, 4, 6)
	case len(text) > 1 && text[0] == '\\' && (text[1] == '/' || text[1] == '"' || text[1] == '\\'):
		return text[1], 2
	}
	return 0, 0
}

// hexByte reads the two digits text[from:to], and says that the character ends there.
func hexByte(text string, from, to int) (c byte, n int) {
	if len(text) < to || !hexadecimal(text[from:to]) {
		return 0, 0
	}
	v, _ := strconv.ParseUint(text[from:to], 16, 8)
	return byte(v), to
}

func hexadecimal(s string) bool { return strings.Trim(s, "0123456789abcdefABCDEF") == "" }

// decoded returns what a credential is the base64 of, and the two halves of that, where it is readable text: Moz gave some
// accounts tokens that are their access ID and secret key in this form.
func decoded(credential string) []string {
	plain, err := base64.StdEncoding.DecodeString(credential)
	text := string(plain)
	user, password, pair := strings.Cut(text, ":")
	if err != nil || !pair || !utf8.ValidString(text) {
		return nil
	}
	return []string{text, user, password}
}
