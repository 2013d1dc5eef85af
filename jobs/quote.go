package jobs

import (
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"
)

// The most of a value that a message repeats, in characters: enough to find it again.
const (
	mostQuoted = 32
	mostOfKey  = 4
)

// shorten returns what a message may repeat of a value that is not understood. What looks like a key or a token, which got
// into a list by mistake, is cut to its first characters: messages are kept in logs.
func shorten(s string) string {
	most := mostQuoted
	if looksLikeKey(s) {
		most = mostOfKey
	}
	if utf8.RuneCountInString(s) <= most {
		return s
	}
	return string([]rune(s)[:most]) + "…"
}

func shortened(all []string) []string {
	out := make([]string, len(all))
	for i, s := range all {
		out[i] = shorten(s)
	}
	return out
}

var quoted = regexp.MustCompile(`"(?:[^"\\]|\\.)*"`)

// shortenQuotes shortens what the message of another package quotes.
func shortenQuotes(message string) string {
	return quoted.ReplaceAllStringFunc(message, func(s string) string {
		text, err := strconv.Unquote(s)
		if err != nil {
			return `"…"`
		}
		return strconv.Quote(shorten(text))
	})
}

var key = regexp.MustCompile(`^[A-Za-z0-9+/=_-]{16,}$`)

// looksLikeKey reports whether a value is long, without a dot or space, and mixes letters with digits.
func looksLikeKey(s string) bool {
	return key.MatchString(s) && strings.ContainsAny(s, "0123456789") && strings.ContainsFunc(s, func(r rune) bool { return r|0x20 >= 'a' && r|0x20 <= 'z' })
}
